"""France's priority neighbourhoods (quartiers prioritaires de la politique de la ville, QPV).

Nothing is read, fetched or logged at import; the modules that need geopandas are loaded at the first call.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qpvgeo import codes, errors, facts, lattice, maps, territories
    from qpvgeo.breaks import SeriesBreakWarning, compare, series_breaks
    from qpvgeo.checks import check
    from qpvgeo.conversions import convert
    from qpvgeo.correspondences import audit_correspondence
    from qpvgeo.coverages import coverage
    from qpvgeo.crosswalks import crosswalk
    from qpvgeo.descent import common_zones, crosswalk_classes
    from qpvgeo.discover import datasets
    from qpvgeo.download import fetch
    from qpvgeo.estimates import estimate_population
    from qpvgeo.facts import geography
    from qpvgeo.fiscal import vat_zone
    from qpvgeo.gridcover import overlap_cells
    from qpvgeo.guesses import guess_codes
    from qpvgeo.links import audit_communes, join_communes
    from qpvgeo.overlay import overlap
    from qpvgeo.passages import commune_passage, move_communes
    from qpvgeo.perimeter import PerimeterIndex
    from qpvgeo.profiles import boundary_profile
    from qpvgeo.read.commune_events import read_commune_events
    from qpvgeo.read.communes import read_communes, read_epci
    from qpvgeo.read.correspondence import read_correspondence
    from qpvgeo.read.grid import read_grid
    from qpvgeo.read.grid_check import check_grid
    from qpvgeo.read.population import read_population
    from qpvgeo.read.qpv import read_qpv
    from qpvgeo.repairs import repair
    from qpvgeo.samples import sample
    from qpvgeo.summaries import published_summary, summary
    from qpvgeo.tagfiles import tag_file
    from qpvgeo.tagging import tag_points

__version__ = "0.1.0"

_MODULES = ("codes", "errors", "facts", "lattice", "maps", "territories")

_HOMES = {
    "PerimeterIndex": "perimeter",
    "SeriesBreakWarning": "breaks",
    "audit_communes": "links",
    "audit_correspondence": "correspondences",
    "boundary_profile": "profiles",
    "check": "checks",
    "check_grid": "read.grid_check",
    "common_zones": "descent",
    "commune_passage": "passages",
    "compare": "breaks",
    "convert": "conversions",
    "coverage": "coverages",
    "crosswalk": "crosswalks",
    "crosswalk_classes": "descent",
    "datasets": "discover",
    "estimate_population": "estimates",
    "fetch": "download",
    "geography": "facts",
    "guess_codes": "guesses",
    "join_communes": "links",
    "move_communes": "passages",
    "overlap": "overlay",
    "overlap_cells": "gridcover",
    "published_summary": "summaries",
    "read_commune_events": "read.commune_events",
    "read_communes": "read.communes",
    "read_correspondence": "read.correspondence",
    "read_epci": "read.communes",
    "read_grid": "read.grid",
    "read_population": "read.population",
    "read_qpv": "read.qpv",
    "repair": "repairs",
    "sample": "samples",
    "series_breaks": "breaks",
    "summary": "summaries",
    "tag_file": "tagfiles",
    "tag_points": "tagging",
    "vat_zone": "fiscal",
}

__all__ = [
    "PerimeterIndex",
    "SeriesBreakWarning",
    "__version__",
    "audit_communes",
    "audit_correspondence",
    "boundary_profile",
    "check",
    "check_grid",
    "codes",
    "common_zones",
    "commune_passage",
    "compare",
    "convert",
    "coverage",
    "crosswalk",
    "crosswalk_classes",
    "datasets",
    "errors",
    "estimate_population",
    "facts",
    "fetch",
    "geography",
    "guess_codes",
    "join_communes",
    "lattice",
    "maps",
    "move_communes",
    "overlap",
    "overlap_cells",
    "published_summary",
    "read_commune_events",
    "read_communes",
    "read_correspondence",
    "read_epci",
    "read_grid",
    "read_population",
    "read_qpv",
    "repair",
    "sample",
    "series_breaks",
    "summary",
    "tag_file",
    "tag_points",
    "territories",
    "vat_zone",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name in _MODULES:
        return import_module(f"qpvgeo.{name}")
    if name in _HOMES:
        value = getattr(import_module(f"qpvgeo.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'qpvgeo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
