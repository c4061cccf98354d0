"""Sessions of the database engines, and outlines in the form that they read."""

from pathlib import Path

import numpy as np
import shapely


def sedonadb_session():
    """A session with what it would otherwise load inside the clock."""
    import geoarrow.pyarrow  # noqa: F401
    import sedonadb
    import sedonadb.raster
    import sedonadb.read

    return sedonadb.connect()


def duckdb_session():
    """A session held to two threads, with its spatial extension."""
    import duckdb
    import duckdb_extension_spatial

    extension = next(Path(duckdb_extension_spatial.__path__[0]).rglob("spatial.duckdb_extension"))
    session = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 2})
    session.execute(f"LOAD '{extension}'")
    return session


def as_wkb(shapes):
    """Position and outline of each shape."""
    import pyarrow as pa

    wkb = shapely.to_wkb(shapes).tolist()
    return pa.table({"area": np.arange(len(wkb), dtype=np.int32), "wkb": pa.array(wkb, pa.binary())})
