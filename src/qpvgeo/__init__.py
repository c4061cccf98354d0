"""France's priority neighbourhoods (quartiers prioritaires de la politique de la ville, QPV).

Nothing is read, fetched or logged at import; the modules that need geopandas are loaded at the first call.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qpvgeo import codes, errors, facts, territories
    from qpvgeo.checks import check
    from qpvgeo.coverages import coverage
    from qpvgeo.discover import datasets
    from qpvgeo.download import fetch
    from qpvgeo.facts import geography
    from qpvgeo.links import audit_communes, join_communes
    from qpvgeo.overlay import overlap
    from qpvgeo.read.communes import read_communes, read_epci
    from qpvgeo.read.population import read_population
    from qpvgeo.read.qpv import read_qpv
    from qpvgeo.repairs import repair
    from qpvgeo.samples import sample
    from qpvgeo.summaries import published_summary, summary

__version__ = "0.1.0"

_MODULES = ("codes", "errors", "facts", "territories")

_HOMES = {
    "audit_communes": "links",
    "check": "checks",
    "coverage": "coverages",
    "datasets": "discover",
    "fetch": "download",
    "geography": "facts",
    "join_communes": "links",
    "overlap": "overlay",
    "published_summary": "summaries",
    "read_communes": "read.communes",
    "read_epci": "read.communes",
    "read_population": "read.population",
    "read_qpv": "read.qpv",
    "repair": "repairs",
    "sample": "samples",
    "summary": "summaries",
}

__all__ = [
    "__version__",
    "audit_communes",
    "check",
    "codes",
    "coverage",
    "datasets",
    "errors",
    "facts",
    "fetch",
    "geography",
    "join_communes",
    "overlap",
    "published_summary",
    "read_communes",
    "read_epci",
    "read_population",
    "read_qpv",
    "repair",
    "sample",
    "summary",
    "territories",
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
