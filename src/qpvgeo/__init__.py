"""France's priority neighbourhoods (quartiers prioritaires de la politique de la ville, QPV).

Start with the embedded, fictional sample:

>>> import qpvgeo as qg
>>> files = qg.sample()
>>> qpv = qg.read_qpv(files.qpv_2024)
>>> people = qg.read_population(files.population_2024)
>>> int(people["population"].sum())
22544

Readers (`read_qpv`, `read_population`, `read_communes`, `read_grid`, ...) take published files and give frames of
pandas and geopandas; `load` reads those of a place at once. Verbs take frames and give frames: `summary`, `coverage`,
`tag_points`, `estimate_population`, `crosswalk`. Maps are in `qpvgeo.maps`; the rest is reached through its topic
(`qpvgeo.codes`, `qpvgeo.indicators`, `qpvgeo.geographies`, ...). Nothing is read, fetched or logged at import; a
module that needs geopandas is loaded when one of its names is first used.
"""

import warnings
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import lazy_loader

_attached, _, __all__ = lazy_loader.attach_stub(__name__, __file__)

_MOVED = {
    "SeriesBreakWarning": "indicators",
    "audit_communes": "indicators",
    "audit_correspondence": "geographies",
    "boundary_profile": "population",
    "check_grid": "quality",
    "common_zones": "geographies",
    "commune_passage": "geographies",
    "compare": "indicators",
    "crosswalk_classes": "geographies",
    "guess_codes": "codes",
    "lattice": "geometry.insee_lattice",
    "move_communes": "geographies",
    "overlap_cells": "geometry",
    "published_summary": "indicators",
    "series_breaks": "indicators",
    "territories": "codes",
}
"""Flat names of 0.1.0 that are now reached through their topic."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _MOVED:
        if name in __all__ or name.startswith("_"):
            return _attached(name)
        near = get_close_matches(name.lower(), __all__)
        key = "errors.no_name_near" if near else "errors.no_name"
        raise AttributeError(import_module("qpvgeo.language").Note(key, name=name, near=", ".join(near)), name=name)
    topic = _MOVED[name]
    there = topic if "." in topic else f"{topic}.{name}"
    note = import_module("qpvgeo.language").Note("errors.moved_name", name=name, there=there)
    warnings.warn(note, FutureWarning, stacklevel=2)
    found = import_module(f"qpvgeo.{topic}")
    return found if "." in topic else getattr(found, name)


def __dir__() -> list[str]:
    return list(__all__)
