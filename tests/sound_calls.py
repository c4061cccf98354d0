"""Every public function with arguments that it takes, from the sample."""

import functools
import importlib
import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import pandas as pd

import qpvgeo as qg
from qpvgeo.geometry.insee_lattice import Lattice

NOT_CALLED = {"maps.basemap", "fetching"}
"""What draws tiles of the network, and what is no function but a context of the command line."""


@functools.cache
def frames() -> dict[str, Any]:
    """Small frames of every kind, from the sample."""
    here = qg.sample()
    new, old = qg.read_qpv(here.qpv_2024).iloc[:4], qg.read_qpv(here.qpv_2015).iloc[:4]
    grid = qg.read_grid(here.grid_2019, where=new)
    people = qg.read_population(here.population_2024).loc[new.index]
    communes = qg.read_communes(here.communes, table=here.communes_table)
    links = qg.join_communes(new, communes, population=people)
    walk = qg.crosswalk(old, new)
    units = qg.designation.single_unit(grid, population=50_000, median=21_000)
    cells = qg.eligible_cells(grid, units, national_median=22_000)
    coverage = qg.coverage(links, by="commune", units=communes)
    return {
        "qpv": new,
        "old": old,
        "grid": grid,
        "people": people,
        "figures": people["population"],
        "communes": communes,
        "epci": qg.read_epci(here.epci_table),
        "links": links,
        "walk": walk,
        "units": units,
        "cells": cells,
        "zones": qg.candidate_zones(cells, min_population=100, geometry=True),
        "coverage": coverage,
        "points": gpd.GeoDataFrame(geometry=new.representative_point(), crs=new.crs),
        "old_people": qg.read_population(here.population_2015).loc[old.index, "population"],
        "footprints": new.geometry.representative_point().to_crs(2154).buffer(20).iloc[:3],
        "floods": gpd.read_file(here.floods),
        "correspondence": qg.read_correspondence(here.correspondence),
        "estimate": qg.estimate_population(new, grid),
        "events": pd.DataFrame({"date": ["2020-01-01"], "kind": ["32"], "before": ["01001"], "after": ["01002"]}),
        "sample": here,
        "folder": Path(tempfile.mkdtemp(prefix="qpvgeo-misuse-")),
    }


@functools.cache
def calls() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Each public function, with arguments that it takes."""
    f = frames()
    here, qpv, old, grid, walk = f["sample"], f["qpv"], f["old"], f["grid"], f["walk"]
    day, folder = "2025-03-01", f["folder"]
    return {
        "PerimeterIndex": (qg.PerimeterIndex, {"qpv": qpv, "reach_m": 500.0, "expected_points": 10.0}),
        "candidate_zones": (
            qg.candidate_zones,
            {"cells": f["cells"], "min_population": 100, "contiguity": "queen", "gap": 0, "geometry": False},
        ),
        "check": (qg.check, {"qpv": qpv}),
        "convert": (qg.convert, {"values": f["old_people"], "crosswalk": walk, "kind": "count", "of": "whole"}),
        "convert a rate": (
            qg.convert,
            {"values": f["old_people"], "crosswalk": walk, "kind": "rate", "denominators": f["old_people"]},
        ),
        "coverage": (
            qg.coverage,
            {"links": f["links"], "by": "commune", "units": f["communes"], "denominators": None, "place": None},
        ),
        "crosswalk": (qg.crosswalk, {"qpv_2015": old, "qpv_2024": qpv, "weights": grid, "tolerance_m": 1.0}),
        "datasets": (qg.datasets, {"data": here.path}),
        "eligible_cells": (
            qg.eligible_cells,
            {"grid": grid, "units": f["units"], "national_median": 22_000.0, "income": "mean", "regime": "2014"},
        ),
        "estimate_population": (
            qg.estimate_population,
            {"qpv": qpv, "grid": grid, "method": "area", "columns": (), "geometry": False},
        ),
        "estimate_population by points": (
            qg.estimate_population,
            {"qpv": qpv, "grid": grid, "method": "points", "points": f["points"]},
        ),
        "estimate_population to totals": (
            qg.estimate_population,
            {"qpv": qpv, "grid": grid, "method": "constrained", "constraint": f["figures"]},
        ),
        "exposure": (
            qg.exposure,
            {"qpv": qpv, "layer": f["floods"], "grid": grid, "within_m": 100.0, "around": f["communes"]},
        ),
        "fetch": (qg.fetch, {"key_or_url": "qpv-2024", "data": folder, "timeout": 1.0, "url": None}),
        "geography": (qg.geography, {"on": "2024-06-30"}),
        "income_threshold": (
            qg.income_threshold,
            {"national_median": 22_000.0, "local_median": 21_000.0, "population": 50_000, "regime": "2014"},
        ),
        "join_communes": (
            qg.join_communes,
            {
                "qpv": qpv,
                "communes": f["communes"],
                "population": f["people"],
                "min_area_m2": 1000.0,
                "min_share": 0.01,
                "basis": "area",
            },
        ),
        "join_programmes": (
            qg.join_programmes,
            {"qpv": qpv, "lists": {"npnru": list(qpv.index[:2])}, "crosswalk": walk, "communes": f["communes"]},
        ),
        "load": (
            qg.load,
            {"vintage": 2024, "place": None, "release": None, "data": here.path, "fetch": False, "sample": False},
        ),
        "overlap": (qg.overlap, {"a": old, "b": qpv, "min_area_m2": 0.0}),
        "programmes": (qg.programmes, {}),
        "provenance": (qg.provenance, {"frame": qpv}),
        "read_commune_events": (qg.read_commune_events, {"source": folder / "none.csv", "data": None}),
        "read_communes": (
            qg.read_communes,
            {"source": here.communes, "table": here.communes_table, "cog_year": 2024, "columns": None, "layer": None},
        ),
        "read_correspondence": (qg.read_correspondence, {"source": here.correspondence, "data": None}),
        "read_epci": (qg.read_epci, {"source": here.epci_table, "cog_year": 2024, "columns": None}),
        "read_grid": (
            qg.read_grid,
            {"source": here.grid_2019, "layer": None, "columns": None, "keep": None, "where": qpv, "geometry": False},
        ),
        "read_population": (
            qg.read_population,
            {"source": here.population_2024, "year": 2020, "level": "qpv", "columns": None},
        ),
        "read_qpv": (
            qg.read_qpv,
            {"source": here.qpv_2024, "vintage": 2024, "columns": None, "layer": None, "crs": None, "territory": None},
        ),
        "repair": (qg.repair, {"qpv": qpv}),
        "sample": (qg.sample, {}),
        "summary": (
            qg.summary,
            {"qpv": qpv, "population": f["people"], "denominators": 2020, "by": "territory", "place": None},
        ),
        "summary of a series": (qg.summary, {"qpv": qpv, "population": f["figures"]}),
        "tag_file": (
            qg.tag_file,
            {"source": here.addresses, "output": folder / "tags.csv", "qpv": qpv, "bands": (300,), "tolerance_m": 0.0},
        ),
        "tag_points": (
            qg.tag_points,
            {"points": f["points"], "qpv": qpv, "bands": (300, 500), "distance": "exact", "on": day, "crs": None},
        ),
        "tag_points of a table": (
            qg.tag_points,
            {
                "points": pd.DataFrame({"lon": [-3.6, -3.61], "lat": [46.4, 46.41], "commune": ["99001", "99002"]}),
                "qpv": qpv,
                "xy": ("lon", "lat"),
                "crs": 4326,
                "commune": "commune",
                "communes": f["communes"],
            },
        ),
        "vat_zone": (
            qg.vat_zone,
            {"footprints": f["footprints"], "qpv": qpv, "npnru": (), "on": day, "former": old},
        ),
        **_of_packages(f),
        **_of_maps(f),
    }


def others() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Public functions without a call of their own above: arguments are known by their name, the rest by default."""
    f = frames()
    known = {"population": f["people"], "crosswalk": f["walk"], "before": f["old"], "after": f["qpv"]} | f
    found: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
    for name, function in _public().items():
        if name in calls():
            continue
        parameters = inspect.signature(function).parameters.values()
        taken = [one for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
        found[name] = (
            function,
            {one.name: known.get(one.name) if one.default is one.empty else one.default for one in taken},
        )
    return found


def _of_packages(f: dict[str, Any]) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    here, qpv, walk = f["sample"], f["qpv"], f["walk"]
    codes = pd.Series(["QP059001", "QN05901M"])
    return {
        "classify_qpv": (qg.codes.classify_qpv, {"values": codes}),
        "clean": (qg.codes.clean, {"values": codes, "kind": "qpv"}),
        "fold_arrondissement": (qg.codes.fold_arrondissement, {"code": "75113"}),
        "guess_codes": (qg.codes.guess_codes, {"values": codes, "communes": None, "epci": None}),
        "is_missing": (qg.codes.is_missing, {"text": "nd"}),
        "of_commune": (qg.codes.of_commune, {"code": "59350"}),
        "of_qpv": (qg.codes.of_qpv, {"code": "QP059001"}),
        "parts_of": (qg.codes.parts_of, {"text": "59350,59009", "kind": "commune"}),
        "repaired": (qg.codes.repaired, {"text": "1053", "kind": "commune"}),
        "require": (qg.codes.require, {"values": codes, "kind": "qpv", "where": "here"}),
        "split_list": (qg.codes.split_list, {"value": "59350,59009", "kind": "commune"}),
        "vintage_of": (qg.codes.vintage_of, {"code": "QP059001"}),
        "compare_with_official": (qg.designation.compare_with_official, {"zones": f["zones"], "qpv": qpv}),
        "designation_sensitivity": (
            qg.designation.designation_sensitivity,
            {
                "cells": f["cells"],
                "threshold_factors": (1.0,),
                "contiguity": ("queen",),
                "gap": (0,),
                "min_population": (100,),
            },
        ),
        "judge_perimeters": (
            qg.designation.judge_perimeters,
            {"areas": qpv, "cells": f["cells"], "min_population": 1000},
        ),
        "read_units": (qg.designation.read_units, {"source": here.epci_table, "medians": 21_000.0}),
        "single_unit": (qg.designation.single_unit, {"grid": f["grid"], "population": 50_000, "median": 21_000}),
        "caveats": (qg.facts.caveats, {"on": "2024-06-30", "held": ["hexagone"]}),
        "census_populations": (qg.facts.census_populations, {"reference_year": 2020}),
        "department_counts": (qg.facts.department_counts, {"vintage": 2024}),
        "expected_counts": (qg.facts.expected_counts, {"vintage": 2024}),
        "names": (qg.facts.names, {"name": "regions"}),
        "qpv_populations": (qg.facts.qpv_populations, {"vintage": 2015}),
        "region_by_department": (qg.facts.region_by_department, {}),
        "region_of": (qg.facts.region_of, {"department": "59"}),
        "region_populations": (qg.facts.region_populations, {"reference_year": 2020}),
        "rows": (qg.facts.rows, {"name": "decrees"}),
        "table": (qg.facts.table, {"name": "decrees"}),
        "unsettled": (qg.facts.unsettled, {"on": "2024-06-30"}),
        "audit_correspondence": (
            qg.geographies.audit_correspondence,
            {"correspondence": f["correspondence"], "crosswalk": walk, "extract": True},
        ),
        "common_zones": (qg.geographies.common_zones, {"walk": walk}),
        "crosswalk_classes": (qg.geographies.crosswalk_classes, {"walk": walk}),
        "commune_passage": (
            qg.geographies.commune_passage,
            {"from_year": 2023, "to_year": 2024, "communes": {2023: f["communes"], 2024: f["communes"]}},
        ),
        "move_communes": (
            qg.geographies.move_communes,
            {
                "table": f["communes"]["population"],
                "from_year": 2023,
                "to_year": 2024,
                "kind": "count",
                "communes": {2023: f["communes"], 2024: f["communes"]},
            },
        ),
        "unplaced": (qg.geographies.unplaced, {"table": qg.convert(f["old_people"], walk)}),
        "overlap_cells": (qg.geometry.overlap_cells, {"areas": qpv, "lattice": Lattice(3035, 200)}),
        "overlap_cells of a grid": (qg.geometry.overlap_cells, {"areas": qpv, "lattice": f["grid"]}),
        "audit_communes": (qg.indicators.audit_communes, {"qpv": qpv, "communes": f["communes"]}),
        "compare": (
            qg.indicators.compare,
            {"before": f["old_people"], "after": f["old_people"], "indicator": "population", "years": (2013, 2018)},
        ),
        "published_summary": (qg.indicators.published_summary, {"vintage": 2015, "year": None}),
        "qpv_table": (
            qg.indicators.qpv_table,
            {
                "qpv": qpv,
                "links": f["links"],
                "population": f["people"],
                "communes": f["communes"],
                "epci": f["epci"],
                "estimate": f["estimate"],
                "crosswalk": walk,
                "place": None,
            },
        ),
        "series_breaks": (qg.indicators.series_breaks, {"indicator": "population", "years": None, "territory": None}),
        "side_by_side": (qg.indicators.side_by_side, {"frames": {"a": f["coverage"], "b": f["coverage"]}}),
        "programme_members": (qg.policy.programme_members, {"programme": None}),
        "boundary_profile": (
            qg.population.boundary_profile,
            {"qpv": qpv, "grid": f["grid"], "bands": (0,), "columns": ()},
        ),
        "check_grid": (qg.quality.check_grid, {"source": here.grid_2019, "layer": None, "columns": None}),
        "examine": (qg.quality.examine, {"path": here.population_2024}),
    }


def _of_maps(f: dict[str, Any]) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    maps, qpv, communes = qg.maps, f["qpv"], f["communes"]
    return {
        "maps.find_place": (maps.find_place, {"place": None, "qpv": qpv, "communes": communes, "epci": f["epci"]}),
        "maps.qpv": (maps.qpv, {"qpv": qpv, "communes": communes}),
        "maps.change": (maps.change, {"before": f["old"], "after": qpv, "communes": communes}),
        "maps.choropleth": (
            maps.choropleth,
            {"coverage": f["coverage"], "units": communes, "column": "share", "scheme": None, "classes": None},
        ),
        "maps.france": (maps.france, {"data": f["coverage"], "units": communes, "column": "share"}),
        "maps.grid": (maps.grid, {"grid": f["grid"], "qpv": qpv, "column": "population", "communes": communes}),
        "maps.estimates": (maps.estimates, {"people": f["estimate"], "qpv": qpv, "communes": communes}),
        "maps.save": (maps.save, {"ax": _axes(), "path": f["folder"] / "a.png", "dpi": 30}),
        "maps.tags": (maps.tags, {"points": f["points"], "qpv": qpv, "communes": communes, "xy": None, "crs": None}),
    }


@functools.cache
def _axes() -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(1, 1)).add_subplot()


def _public() -> dict[str, Callable[..., Any]]:
    """Public functions: of the package, and of its topic packages."""
    found: dict[str, Callable[..., Any]] = {}
    listed = vars(qg)["__all__"]
    packages = [getattr(qg, name) for name in listed if isinstance(getattr(qg, name), ModuleType)]
    for package in (qg, *packages):
        if package in (qg.language, qg.settings, qg.errors):
            continue
        for name in vars(importlib.import_module(package.__name__)).get("__all__", []):
            if inspect.isfunction(getattr(package, name)):
                found[f"maps.{name}" if package is qg.maps else name] = getattr(package, name)
    return {name: function for name, function in found.items() if name not in NOT_CALLED}
