"""France's priority neighbourhoods (quartiers prioritaires de la politique de la ville, QPV).

The verbs of the README are names of this package; the rest is reached through its topic (`qpvgeo.codes`,
`qpvgeo.indicators`, `qpvgeo.geographies`, ...). Each public name is written once, in the stub beside this file. Nothing
is read, fetched or logged at import; a module that needs geopandas is loaded when one of its names is first used.
"""

import warnings
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
        return _attached(name)
    topic = _MOVED[name]
    there = topic if "." in topic else f"{topic}.{name}"
    note = import_module("qpvgeo.language").Note("errors.moved_name", name=name, there=there)
    warnings.warn(note, FutureWarning, stacklevel=2)
    found = import_module(f"qpvgeo.{topic}")
    return found if "." in topic else getattr(found, name)


def __dir__() -> list[str]:
    return list(__all__)
