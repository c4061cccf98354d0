"""Calls and layers that estimates refuse, and published figures that they meet."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from pandas.testing import assert_frame_equal
from shapely import box
from tests.population.small_cells import ROW, UNIFORM, at, grid_of, homes, layer, points

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry import cell_cover, insee_lattice
from qpvgeo.geometry.insee_lattice import Lattice
from qpvgeo.population.estimation import estimate_population
from qpvgeo.read.grid.reader import read_grid

BAD_CALLS = {
    "unknown method": ({"method": "median"}, UsageError, "no method 'median'"),
    "points without layer": ({"method": "points"}, UsageError, "go together"),
    "layer without points": ({"method": "area", "points": points((1, 1))}, UsageError, "go together"),
    "constrained without totals": ({"method": "constrained"}, UsageError, "needs totals"),
    "points without CRS": ({"method": "points", "points": points((1, 1), crs=None)}, DataError, "points have no CRS"),
    "totals of nobody": (
        {"method": "constrained", "constraint": pd.Series({"x": 3.0})},
        DataError,
        "None of the totals",
    ),
    "totals of nothing": ({"method": "constrained", "constraint": pd.Series({0: "x"})}, DataError, "not numbers"),
}


@pytest.mark.parametrize(("options", "error", "says"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_bad_call_is_refused(options, error, says):
    with pytest.raises(error, match=says):
        estimate_population(layer(at(0, 0)), UNIFORM, **options)


BAD_GRIDS = {
    "no people": (UNIFORM.drop(columns="population"), "population"),
    "no ids": (UNIFORM.reset_index(drop=True), "cell ids cannot be used"),
    "cells twice": (pd.concat([UNIFORM, UNIFORM.iloc[:2]]), "several times"),
    "two lattices": (pd.concat([UNIFORM, grid_of([[1]], lattice=Lattice(3035, 1000))]), "1 cell id cannot be used"),
}


@pytest.mark.parametrize(("grid", "says"), BAD_GRIDS.values(), ids=BAD_GRIDS.keys())
def test_frame_that_is_no_grid_is_refused(grid, says):
    with pytest.raises(DataError, match=says):
        estimate_population(layer(at(0, 0)), grid)


def test_cells_that_stand_twice_are_listed():
    with pytest.raises(DataError) as caught:
        estimate_population(layer(at(0, 0)), pd.concat([ROW, ROW.iloc[[2, 0]]]))
    assert sorted(caught.value.problems) == sorted(ROW.index[[0, 2]])


def test_perimeters_without_crs_are_refused():
    with pytest.raises(DataError, match="no CRS"):
        estimate_population(gpd.GeoSeries([at(0, 0)]), UNIFORM)


def test_perimeters_that_are_lines_are_refused():
    with pytest.raises(DataError, match="not a polygon"):
        estimate_population(layer(at(0, 0).exterior), UNIFORM)


def swap(layer):
    return layer.geometry.transform(lambda xy: xy[:, ::-1])


@pytest.mark.parametrize("crs", [4326, 2154])
def test_perimeters_with_exchanged_axes_are_refused_with_the_way_out(crs):
    right = layer(at(0, 0), None, at(400, 0)).to_crs(crs)
    with pytest.raises(DataError, match="2 of 2 would with their axes exchanged") as caught:
        estimate_population(swap(right), ROW)
    assert caught.value.way_out == "Exchange them: qpv = qpv.geometry.transform(lambda xy: xy[:, ::-1])."
    assert estimate_population(swap(swap(right)), ROW)["estimate"].iloc[0] == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("crs", [4326, 2154])
def test_points_with_exchanged_axes_are_refused_with_the_way_out(crs):
    wrong = homes((150, 20), (20, 20), weight=[3, 1]).to_crs(crs)
    wrong = wrong.set_geometry(swap(wrong))
    with pytest.raises(DataError, match="2 of 2 would with their axes exchanged") as caught:
        estimate_population(layer(at(100, 0, 100, 200)), ROW, method="points", points=wrong)
    assert "points = points.set_geometry(points.geometry.transform(" in caught.value.way_out


def test_provenance_tells_method_and_sources():
    sample = qg.sample()
    qpv, grid = qg.read_qpv(sample.qpv_2024), read_grid(sample.grid_2019)
    about = estimate_population(qpv, grid, method="centroid").attrs["qpvgeo"]
    assert (about["method"], about["grid_vintage"], about["fictional"]) == ("centroid", 2019, True)
    assert [record["file"] for record in about["files"]] == [sample.qpv_2024.name, sample.grid_2019.name]


def test_total_by_commune_is_met_on_the_sample():
    grid = read_grid(qg.sample().grid_2019)
    communes = grid["communes"].explode().dropna().unique().tolist()
    totals = pd.Series(1_000.0, index=communes)
    everywhere = gpd.GeoSeries([box(*qg.read_qpv(qg.sample().qpv_2024).to_crs(3035).total_bounds)], crs=3035).buffer(
        50_000
    )
    alone = grid[[isinstance(found, list) for found in grid["communes"]]]
    found = estimate_population(everywhere, alone, method="constrained", constraint=totals)
    assert found["estimate"].iloc[0] == pytest.approx(totals.sum(), rel=1e-9)
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == []


@pytest.fixture(scope="module")
def lille(real_data):
    """Perimeters, grid and published people of Lille."""
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    names = {
        "id": "cell_id",
        "num_people": "population",
        "mean_std_living": "living_standard_mean_eur",
        "poverty_ratio": "poverty_rate",
    }
    grid = read_grid(path, layer="enriched_grid", columns=names, keep=[])
    qpv = pyogrio.read_dataframe(path, layer="qpvs").set_index("CODE_QP")
    published = qg.read_population(real_data / "qpv2015" / "pop_qp_2013.csv")["population"]
    return qpv, grid, published.reindex(qpv.index).astype(float)


@pytest.mark.real
def test_area_finds_four_fifths_of_the_published_people_of_lille(lille):
    """Fiscal households, cells under 11 households and dense estates at the edge make up the gap."""
    qpv, grid, published = lille
    found = estimate_population(qpv, grid)["estimate"]
    assert len(found) == 26
    assert found.sum() / published.sum() == pytest.approx(0.795, abs=0.001)


@pytest.mark.real
def test_area_follows_the_published_people_of_lille(lille):
    qpv, grid, published = lille
    assert np.corrcoef(estimate_population(qpv, grid)["estimate"], published)[0, 1] == pytest.approx(0.9977, abs=1e-4)


@pytest.mark.real
def test_constrained_meets_the_published_people_of_lille(lille):
    qpv, grid, published = lille
    found = estimate_population(qpv, grid, method="constrained", constraint=published)
    assert found["estimate"].to_numpy() == pytest.approx(published.to_numpy(), rel=1e-3)
    assert found["gap"].abs().max() < 1e-3
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == []


@pytest.mark.real
def test_published_people_of_lille_stand_between_the_bounds_without_exception(lille):
    qpv, grid, published = lille
    found = estimate_population(qpv, grid)
    outside = published[(published < found["low"]) | (published > found["high"])]
    assert outside.index.tolist() == []


@pytest.mark.real
@pytest.mark.parametrize("method", ["area", "centroid", "touching"])
def test_poverty_of_lille_is_that_of_priority_neighbourhoods(lille, method):
    """Above a third in the perimeters together, under a fifth in the whole extract."""
    qpv, grid, _ = lille
    found = estimate_population(qpv, grid, method=method)
    inside = np.average(found["poverty_rate"], weights=found["estimate"].clip(lower=1))
    assert inside > 0.3
    assert grid["poor_population"].sum() / grid["population"].sum() < 0.2


def test_ids_are_parsed_once_whatever_is_asked(monkeypatch):
    """Ids are parsed when a grid is read, and not again: neither by estimates, nor by profiles, nor by maps."""
    asked = []
    real = insee_lattice.parse_ids
    monkeypatch.setattr(insee_lattice, "parse_ids", lambda *given: asked.append(len(given)) or real(*given))
    grid = read_grid(qg.sample().grid_2019)
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    first = estimate_population(qpv, grid)
    assert_frame_equal(estimate_population(qpv, grid.assign(heat=1.0)), first)
    qg.population.boundary_profile(qpv, grid, bands=(0, 100))
    assert asked == []
    plain = grid.set_axis(pd.Index(grid.index.tolist(), dtype="str"), axis="index")
    estimate_population(qpv, plain)
    estimate_population(qpv, plain)
    assert len(asked) == 1


def test_cover_and_validity_are_looked_at_once_for_choosing_cells_and_for_estimating(monkeypatch):
    made = []
    real = cell_cover._cover
    monkeypatch.setattr(cell_cover, "_cover", lambda *given: made.append(1) or real(*given))
    qpv = qg.read_qpv(qg.sample().qpv_2024).to_crs(2154)
    grid = read_grid(qg.sample().grid_2019, where=qpv)
    cut = estimate_population(qpv, grid)
    whole = estimate_population(qpv, read_grid(qg.sample().grid_2019))
    assert len(made) == 1
    assert_frame_equal(cut, whole)


def test_a_cover_is_kept_for_the_same_outlines_alone():
    areas = layer(at(0, 0), at(200, 0))
    assert estimate_population(areas, ROW)["estimate"].tolist() == [100.0, 200.0]
    areas.iloc[0] = at(400, 0)
    assert estimate_population(areas, ROW)["estimate"].tolist() == [400.0, 200.0]
    assert estimate_population(areas.iloc[::-1], ROW)["estimate"].tolist() == [200.0, 400.0]
    moved = areas.translate(200, 0)
    assert estimate_population(moved, ROW)["estimate"].iloc[1] == 400.0
