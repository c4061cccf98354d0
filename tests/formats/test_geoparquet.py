"""The `geo` metadata of Parquet, read once for all."""

import json

import pyarrow as pa
import pyproj
import pytest

from qpvgeo.formats.geoparquet import geo_column


def schema(about, name="geometry"):
    return pa.schema([(name, pa.binary())], metadata={"geo": about if isinstance(about, str) else json.dumps(about)})


def described(**column):
    return {"primary_column": "geometry", "columns": {"geometry": column}}


def test_what_is_described_is_given():
    found = geo_column(schema(described(encoding="WKB", geometry_types=["Point"], crs=None)))
    assert (found.name, found.encoding, found.kinds, found.declared, found.crs) == (
        "geometry",
        "WKB",
        ("Point",),
        None,
        None,
    )


def test_the_default_is_longitude_first_and_projjson_is_read():
    assert geo_column(schema(described())).crs == pyproj.CRS("OGC:CRS84")
    assert geo_column(schema(described(crs=pyproj.CRS(2154).to_json_dict()))).crs.to_epsg() == 2154


@pytest.mark.parametrize(
    "about",
    ["", "null", "[]", "{", '{"primary_column": "geometry"}', '{"primary_column": 1, "columns": {}}', described],
)
def test_damaged_metadata_describe_nothing(about):
    assert geo_column(schema(described() if about is described else about, "other")) is None
