"""Geometry columns of Parquet files, as the `geo` metadata of GeoParquet describe them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyproj

__all__ = ["CRS84", "GeoColumn", "geo_column"]

CRS84 = "OGC:CRS84"
"""CRS of a column that does not say its own, by the specification."""


@dataclass(frozen=True, slots=True)
class GeoColumn:
    """Primary geometry column of a GeoParquet file.

    Attributes
    ----------
    name
        The column.
    encoding
        `WKB`, or the name of a GeoArrow encoding.
    kinds
        Kinds of geometry that the metadata announce; empty where they do not.
    declared
        CRS as written: PROJJSON, a name, `OGC:CRS84` by default, or None where the file says that it is unknown.
    """

    name: str
    encoding: str
    kinds: tuple[str, ...]
    declared: Any

    @property
    def crs(self) -> pyproj.CRS | None:
        """CRS of the column; None where the file says that it is unknown.

        Raises
        ------
        pyproj.exceptions.CRSError
            What the file declares is not a CRS.
        """
        if self.declared is None:
            return None
        if isinstance(self.declared, Mapping):
            return pyproj.CRS.from_json_dict(dict(self.declared))
        return pyproj.CRS.from_user_input(self.declared)


def geo_column(schema: pa.Schema) -> GeoColumn | None:
    """Primary geometry column of a schema; None where metadata are missing, invalid, or the column is absent.

    Examples
    --------
    >>> import json
    >>> about = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    >>> schema = pa.schema([("geometry", pa.binary())], metadata={"geo": json.dumps(about)})
    >>> geo_column(schema).declared, geo_column(pa.schema([("a", pa.int64())]))
    ('OGC:CRS84', None)
    """
    try:
        about = json.loads((schema.metadata or {}).get(b"geo", b"null"))
        name = about["primary_column"]
        column = about["columns"][name]
        kinds = tuple(str(kind) for kind in column.get("geometry_types") or ())
        if schema.get_field_index(name) < 0:
            return None
        return GeoColumn(name, str(column.get("encoding", "WKB")), kinds, column.get("crs", CRS84))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
