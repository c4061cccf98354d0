"""GDAL by way of pyogrio, loaded by the first layer that is read or written: it takes 30 MB and many milliseconds."""

from typing import Any

__all__ = ["gdal"]


def gdal() -> Any:  # noqa: ANN401 - a module without types
    """The module `pyogrio`.

    Examples
    --------
    >>> "GPKG" in gdal().list_drivers(write=True)
    True
    """
    import pyogrio  # noqa: PLC0415 - tables, indexes and kept frames need none of it

    return pyogrio
