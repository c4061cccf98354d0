"""France's priority neighbourhoods (quartiers prioritaires de la politique de la ville, QPV).

Nothing is read, fetched or logged at import; the modules that need geopandas are loaded at the first call.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qpvgeo import codes, errors, facts, territories
    from qpvgeo.facts import geography

__version__ = "0.1.0"

# public name -> module; a name that is itself a module maps to that module
_MODULES = {"codes", "errors", "facts", "territories"}
_HOMES = {
    "geography": "qpvgeo.facts",
}

__all__ = ["__version__", "codes", "errors", "facts", "geography", "territories"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name in _MODULES:
        return import_module(f"qpvgeo.{name}")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'qpvgeo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
