"""Tables of dBASE that have no outlines beside them."""

import struct

import geopandas as gpd
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.formats import dbf_tables
from qpvgeo.formats.text_tables import read_table
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise

PEOPLE = [("code_qpv", "C", 10), ("nom", "C", 20), ("pop_2020", "N", 12)]
ROWS = [("QN05901M", "Cité des Hêtres", "1000"), ("QN05902M", "Pré", "2000.000")]


def dbf(path, fields, rows, encoding="cp1252", deleted=()):
    """A table of dBASE III: names, kinds and widths of the columns, then the records."""
    width = 1 + sum(size for *_, size in fields)
    content = struct.pack("<BBBBIHH20x", 3, 124, 1, 1, len(rows), 33 + 32 * len(fields), width)
    for name, kind, size in fields:
        content += struct.pack("<11sc4xBB14x", name.encode(encoding), kind.encode(), size, 0)
    content += b"\r"
    for number, row in enumerate(rows):
        content += b"*" if number in deleted else b" "
        content += b"".join(cell.encode(encoding).ljust(size) for cell, (*_, size) in zip(row, fields, strict=True))
    path.write_bytes(content + b"\x1a")
    return path


@pytest.fixture
def people(tmp_path):
    return dbf(tmp_path / "people.dbf", PEOPLE, ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp850"])
def test_texts_of_old_encodings(tmp_path, encoding):
    table = read_table(dbf(tmp_path / "a.dbf", PEOPLE, ROWS, encoding))
    assert table["nom"].tolist() == ["Cité des Hêtres", "Pré"]


def test_whole_numbers_have_no_decimals(people):
    assert read_table(people)["pop_2020"].tolist() == ["1000", "2000"]


def test_deleted_records_are_left_out(tmp_path):
    assert read_table(dbf(tmp_path / "a.dbf", PEOPLE, ROWS, deleted=[0]))["code_qpv"].tolist() == ["QN05902M"]


def test_a_table_that_is_cut_is_refused(people):
    people.write_bytes(people.read_bytes()[:-20])
    error = refused(lambda: qg.read_population(people), "formats.fewer_rows")
    assert (error.message.values["announced"], error.message.values["read"]) == (2, 1)


def test_populations_are_read_found_and_judged(people):
    assert qg.read_population(people)["population"].to_dict() == {"QN05901M": 1000, "QN05902M": 2000}
    assert recognise.find("population", 2024, people.parent) == [people]
    assert [(report.kind, report.ok) for report in examine(people.parent)] == [("population", True)]


def test_communes_are_read(tmp_path):
    fields = [("codgeo", "C", 5), ("libgeo", "C", 20), ("epci", "C", 9)]
    path = dbf(tmp_path / "communes.dbf", fields, [("59350", "Lille", "200093201"), ("01004", "Ambérieu", "240100883")])
    assert qg.read_communes(path)["name"].to_dict() == {"59350": "Lille", "01004": "Ambérieu"}


@pytest.mark.filterwarnings("ignore:.*perimeters of")
def test_points_are_tagged(tmp_path):
    fields = [("nom", "C", 10), ("lon", "N", 10), ("lat", "N", 10)]
    points = dbf(tmp_path / "points.dbf", fields, [("Café", "3.005", "50.605"), ("Gare", "3.2", "50.9")])
    frame = gpd.GeoDataFrame({"code_qp": ["QN05901M"]}, geometry=[shapely.box(3, 50.6, 3.01, 50.61)], crs=4326)
    frame.to_file(tmp_path / "qpv.geojson")
    qg.tag_file(points, tmp_path / "out.csv", qg.read_qpv(tmp_path / "qpv.geojson"))
    first = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert first.startswith("Café,3.005,50.605,in,,QN05901M")


def test_the_table_of_a_shapefile_is_no_table_of_its_own(tmp_path):
    frame = gpd.GeoDataFrame({"code_qp": ["QN05901M"]}, geometry=[shapely.box(3, 50.6, 3.01, 50.61)], crs=4326)
    frame.to_file(tmp_path / "qpv.shp")
    assert [path.suffix for path in recognise.files_in(tmp_path)] == [".shp"]
    assert [report.kind for report in examine(tmp_path)] == ["perimeters"]


def test_first_bytes_give_the_records_that_they_hold(people):
    raw = people.read_bytes()
    head = dbf_tables.start_of(raw[: len(raw) - 30])
    assert [row for _, row in dbf_tables.rows(head, "a")][1:] == [["QN05901M", "Cité des Hêtres", "1000"]]
