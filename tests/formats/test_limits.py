"""Tables of more columns than anybody publishes are refused by every way in, before they are judged."""

import gzip
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.builders import refused

from qpvgeo.errors import DataError
from qpvgeo.formats.limits import MOST_COLUMNS
from qpvgeo.formats.table_stream import open_table
from qpvgeo.formats.text_tables import read_table
from qpvgeo.formats.vector_layers import layers
from qpvgeo.quality.files import examine

NAMES = [f"c{number}" for number in range(MOST_COLUMNS + 1)]


def csv(path):
    path.write_text(";".join(NAMES) + "\n" + ";".join("1" for _ in NAMES) + "\n")


def zipped(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", ";".join(NAMES) + "\n" + ";".join("1" for _ in NAMES) + "\n")


def gzipped(path):
    with gzip.open(path, "wt") as stream:
        stream.write(";".join(NAMES) + "\n" + ";".join("1" for _ in NAMES) + "\n")


def parquet(path):
    pq.write_table(pa.table({name: [1] for name in NAMES}), path)


def geojson(path):
    ring = [[2, 48], [2.1, 48], [2.1, 48.1], [2, 48]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": dict.fromkeys(NAMES, 1), "geometry": shape}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))


@pytest.mark.parametrize(
    ("name", "make", "read"),
    [
        ("a.csv", csv, read_table),
        ("a.csv", csv, open_table),
        ("a.csv.gz", gzipped, read_table),
        ("a.csv.gz", gzipped, open_table),
        ("a.zip", zipped, read_table),
        ("a.parquet", parquet, read_table),
        ("a.parquet", parquet, open_table),
        ("a.geojson", geojson, layers),
        ("a.geojson", geojson, open_table),
    ],
)
def test_a_table_wider_than_any_published_is_refused(tmp_path, name, make, read):
    make(tmp_path / name)
    error = refused(lambda: read(tmp_path / name), "formats.too_wide", DataError)
    assert error.message.values["columns"] == len(NAMES)


def test_the_doctor_says_so(tmp_path):
    csv(tmp_path / "a.csv")
    (report,) = examine(tmp_path / "a.csv")
    assert not report.ok
    assert [f"{len(NAMES):,} columns" in finding.problem for finding in report.findings] == [True]


def test_the_widest_table_that_is_read(tmp_path):
    names = NAMES[:MOST_COLUMNS]
    (tmp_path / "a.csv").write_text(";".join(names) + "\n" + ";".join("1" for _ in names) + "\n")
    assert read_table(tmp_path / "a.csv").shape == (1, MOST_COLUMNS)
