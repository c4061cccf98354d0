"""Tags of whole files: every row comes out, in flat memory, and a run that is killed harms nothing."""

import csv
import gzip
import json
import pathlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tagging.point_files import METRES, lines_of, points, tag

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.errors import ArchiveError, DataError, MissingDataError, UsageError
from qpvgeo.formats import csv_dialect as csvheads
from qpvgeo.formats import table_stream
from qpvgeo.formats import table_stream as batches
from qpvgeo.tagging.batch_tagger import Tagger
from qpvgeo.tagging.files import tag_file
from qpvgeo.tagging.options import Options

# what a few perimeters of a long list do not know is tested by its name
pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")
TAGS = ["state", "reason", "qpv_code", "also_in", "nearest_qpv", "distance_m", "band"]


def table_of(path):
    """Cells of a CSV, by row."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def test_columns_of_the_source_come_first_and_as_they_were(tmp_path, index):
    out, found = tag(tmp_path, 'id;x;y;"a name"\n007;700500;6600500.0;"b; c"\n008;701200.50;6600500;\n', index)
    assert lines_of(out) == [
        f'id;x;y;"a name";{";".join(TAGS)}',
        '007;700500;6600500.0;"b; c";in;;QN00101M;;QN00101M;0;in',
        "008;701200.50;6600500;;out;;;;QN00101M;200.5;within 300 m",
    ]
    assert found["states"] == {"in": 1, "out": 1, "unknown": 0}
    assert found["bands"] == {"300": 1, "500": 0}


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_every_delimiter_stays_what_it_was(tmp_path, index, delimiter):
    text = "id;x;y\n1;700500;6600500\n".replace(";", delimiter)
    out, _ = tag(tmp_path, text, index)
    assert lines_of(out)[1] == "1;700500;6600500;in;;QN00101M;;QN00101M;0;in".replace(";", delimiter)


def test_decimal_commas_are_read_and_kept(tmp_path, index):
    out, _ = tag(tmp_path, "x;y\n701200,5;6600500,0\n", index)
    assert lines_of(out)[1] == "701200,5;6600500,0;out;;;;QN00101M;200,5;within 300 m"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x;y\n701200.5;6600500.0\n", "701200.5;6600500.0;out;;;;QN00101M;200.5;within 300 m"),
        ('x,y\n"701200,5","6600500,0"\n', '"701200,5","6600500,0",out,,,,QN00101M,200.5,within 300 m'),
        ("x;y;n\n701200.5;6600500.0;1,5\n", "701200.5;6600500.0;1,5;out;;;;QN00101M;200.5;within 300 m"),
    ],
    ids=["decimal points", "commas between cells", "commas in another column"],
)
def test_distances_get_decimal_commas_only_where_coordinates_have_them(tmp_path, index, text, line):
    assert lines_of(tag(tmp_path, text, index)[0])[1] == line


@pytest.mark.parametrize(("commas", "points", "written"), [(1, 2, "200.5"), (2, 1, "200,5")])
def test_distances_are_written_as_most_coordinates_are(tmp_path, index, commas, points, written):
    rows = ["701200,5;6600500"] * commas + ["701200.5;6600500"] * points
    out, _ = tag(tmp_path, "\n".join(["x;y", *rows]), index)
    assert {row["distance_m"] for row in table_of(out)} == {written}


def test_distances_of_a_parquet_source_get_decimal_points(tmp_path, index):
    pq.write_table(pa.table({"x": ["701200,5"], "y": ["6600500,0"]}), tmp_path / "in.parquet")
    tag_file(tmp_path / "in.parquet", tmp_path / "out.csv", index, **METRES)
    assert lines_of(tmp_path / "out.csv")[1] == '"701200,5","6600500,0",out,,,,QN00101M,200.5,within 300 m'


def test_a_byte_order_mark_and_ends_of_lines_of_windows_stay(tmp_path, index):
    out, _ = tag(tmp_path, b"\xef\xbb\xbfx;y\r\n700500;6600500\r\n", index)
    assert out.read_bytes().startswith(b"\xef\xbb\xbfx;y;state;")
    assert out.read_bytes().endswith(b";in\r\n")


@pytest.mark.parametrize("where", [1, 5000])
def test_cp1252_is_read_wherever_its_first_accent_stands(tmp_path, index, monkeypatch, where):
    monkeypatch.setattr(csvheads, "HEAD", 4096)
    rows = [b"700500;6600500;a"] * where + ["700500;6600500;Théâtre œuvre €".encode("cp1252"), b""]
    out, _ = tag(tmp_path, b"\n".join([b"x;y;n", *rows]), index)
    assert table_of(out)[-1]["n"] == "Théâtre œuvre €"
    assert len(table_of(out)) == where + 1


@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("block", [16, 1 << 20])
@pytest.mark.parametrize("late", [0, 40])
def test_one_stray_byte_spoils_no_other_accent_and_is_told(tmp_path, index, monkeypatch, rows, block, late):
    monkeypatch.setattr(batches, "_BLOCK", block)
    lines = ["700500;6600500;Théâtre".encode()] * 20 + [b"700500;6600500;plain"] * late
    lines.append("700500;6600500;Mairie annexée".encode("cp1252"))
    lines += ["700500;6600500;École".encode()] * 3
    out, found = tag(tmp_path, b"\n".join([b"x;y;n", *lines]), index, batch_rows=rows)
    names = ["Théâtre"] * 20 + ["plain"] * late + ["Mairie annexée"] + ["École"] * 3
    assert [row["n"] for row in table_of(out)] == names
    assert found["notes"][1:] == ["1 line is not UTF-8 and was read as cp1252; what is written is UTF-8"]


def test_file_in_cp1252_says_so(tmp_path, index):
    text = "x;y;n\n" + "700500;6600500;Théâtre\n" * 3 + "700500;6600500;a\n"
    found = tag(tmp_path, text, index, encoding="cp1252")[1]
    assert found["notes"][1:] == ["3 lines are not UTF-8 and were read as cp1252; what is written is UTF-8"]


def test_ends_of_lines_of_old_macs_are_read_and_kept(tmp_path, index, monkeypatch):
    monkeypatch.setattr(batches, "_BLOCK", 16)
    out, found = tag(tmp_path, b"x;y;n\r700500;6600500;a\r700500;6600500;b\r", index)
    assert found["states"] == {"in": 2, "out": 0, "unknown": 0}
    assert out.read_bytes().startswith(b"x;y;n;state;")
    assert out.read_bytes().endswith(b"\r700500;6600500;b;in;;QN00101M;;QN00101M;0;in\r")


@pytest.mark.parametrize("rows", [1, 1000])
def test_line_of_a_spreadsheet_that_names_the_delimiter_is_skipped(tmp_path, index, rows):
    out, found = tag(tmp_path, "\nsep=;\n\nx;y\n\n700500;6600500\n", index, batch_rows=rows)
    assert lines_of(out)[1] == "700500;6600500;in;;QN00101M;;QN00101M;0;in"
    assert found["rows"] == 1


def test_gzip_comes_in_and_goes_out(tmp_path, index):
    source, out = tmp_path / "in.csv.gz", tmp_path / "out.csv.gz"
    source.write_bytes(gzip.compress(b"x;y\n700500;6600500\n"))
    tag_file(source, out, index, **METRES)
    assert lines_of(out)[1] == "700500;6600500;in;;QN00101M;;QN00101M;0;in"


def test_a_gzip_cut_short_is_an_error_and_leaves_the_old_output(tmp_path, index):
    source, out = tmp_path / "in.csv.gz", tmp_path / "out.csv"
    numbers = np.random.default_rng(1).uniform(0, 1e6, (200_000, 2))
    packed = gzip.compress("\n".join(["x;y", *(f"{x};{y}" for x, y in numbers)]).encode())
    source.write_bytes(packed[: len(packed) // 2])
    out.write_text("old")
    with pytest.raises(ArchiveError, match="cut short"):
        tag_file(source, out, index, **METRES)
    assert out.read_text() == "old"


BAD = [
    "too;few",
    "1;2;3;4;5",
    'open;"quote;700500;6600500',
    'x"y;"z;700500;6600500',
    'last;700500;6600500;"open',
    'closed;"too" soon;700500',
]


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
@pytest.mark.parametrize("bad", BAD)
def test_a_line_that_cannot_be_read_stays_with_its_text_and_spoils_no_other(tmp_path, index, bad, rows):
    good = "{};700500;6600500;b"
    text = "\n".join(["id;x;y;n", good.format(1), bad, good.format(2), bad, good.format(3)])
    out, found = tag(tmp_path, text, index, batch_rows=rows)
    read = table_of(out)
    assert [row["id"] for row in read] == ["1", bad, "2", bad, "3"]
    assert [row["reason"] for row in read] == ["", "row cannot be read"] * 2 + [""]
    assert {row["state"] for row in read[1::2]} == {"unknown"}
    assert found["reasons"] == {"row cannot be read": 2}


def test_a_row_is_read_alike_beside_a_bad_one(tmp_path, index):
    _, found = tag(tmp_path, 'id;x;y\n"a" ;700500;6600500\n"open;700500;6600500\n', index)
    assert found["reasons"] == {"row cannot be read": 1}


CELLS = st.text('a";, ', max_size=6)
RECORDS = st.lists(CELLS, min_size=1, max_size=4).map(";".join).filter(str.strip)


@given(records=st.lists(RECORDS, min_size=1, max_size=6))
def test_rows_of_a_block_are_read_as_each_alone(records):
    table = table_stream.CsvTable(pathlib.Path(), csvheads.Head("a;b;c", ";", "utf-8", False, "\n", ("a", "b", "c"), 1))
    whole, bad = table._parsed(records, [0, 1, 2])
    slow, unread = table._one_by_one(records, [0, 1, 2])
    assert bad.tolist() == unread.tolist()
    assert [column.to_pylist() for column in whole] == [column.to_pylist() for column in slow]


def test_rows_that_are_long_are_tagged_fewer_at_once(tmp_path, index, monkeypatch):
    monkeypatch.setattr(batches, "_BLOCK", 4_000)
    monkeypatch.setattr(batches, "_CSV_CHARACTERS", 10_000)
    lines = [f"700500;6600500;{'é' * length}" for length in [1] * 500 + [900] * 60 + [1] * 500]
    told = []
    text = "\n".join(["x;y;n", *lines])
    out, found = tag(tmp_path, text, index, batch_rows=200, progress=lambda rows, _: told.append(rows))
    sizes = np.diff([0, *told])
    assert (sizes.max(), found["states"]["in"]) == (200, 1060)
    assert max(sum(map(len, lines[end - size : end])) for size, end in zip(sizes, told, strict=True)) < 15_000
    assert [row["n"] for row in table_of(out)] == [line.split(";")[2] for line in lines]


def test_a_bad_line_keeps_its_text_in_parquet_too(tmp_path, index):
    out, _ = tag(tmp_path, "id;x;y\n1;700500;6600500\nbad;row\n", index, suffix=".parquet")
    read = pq.read_table(out).to_pylist()
    assert [(row["id"], row["x"], row["reason"]) for row in read] == [
        ("1", "700500", None),
        ("bad;row", None, "row cannot be read"),
    ]


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_cells_of_several_lines_and_quotes_within_cells_are_no_bad_rows(tmp_path, index, rows):
    text = 'id;n;x;y\n1;"a\nb;\n\nc";700500;6600500\n2;12" pipe;700500;6600500\n3;"say ""so""";700500;6600500\n'
    out, found = tag(tmp_path, text, index, batch_rows=rows)
    assert out.read_bytes().startswith(b'id;n;x;y;state;reason;qpv_code;also_in;nearest_qpv;distance_m;band\n1;"a\nb;')
    assert [row["n"] for row in table_of(out)] == ["a\nb;\n\nc", '12" pipe', 'say "so"']
    assert found["states"]["in"] == 3


def test_a_cell_of_several_lines_may_lie_across_blocks(tmp_path, index, monkeypatch):
    monkeypatch.setattr(batches, "_BLOCK", 16)
    text = 'x;y;n\n700500;6600500;"one\r\ntwo\nthree, and a rather long line"\n700500;6600500;é\n'
    out, found = tag(tmp_path, text, index)
    assert found["rows"] == 2
    assert [row["n"] for row in table_of(out)] == ["one\r\ntwo\nthree, and a rather long line", "é"]


def test_rows_of_every_reason_stay_in_their_place(tmp_path, index):
    rows = ["700500;6600500", ";", "inf;6600500", "here;there", "0;0", "700500;6600500"]
    out, found = tag(tmp_path, "\n".join(["x;y", *rows]), index)
    assert [row["reason"] for row in table_of(out)] == [
        "",
        "no coordinates",
        "not finite",
        "coordinates are not numbers",
        "outside France",
        "",
    ]
    assert found["rows"] == 6


def test_blank_lines_hold_no_row(tmp_path, index):
    _, found = tag(tmp_path, "\nx;y\n\n700500;6600500\n\n\n700500;6600500\n", index)
    assert found["rows"] == 2


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("text", ["x;y", "x;y\n"])
def test_a_header_alone_gives_a_header(tmp_path, index, text, suffix):
    out, found = tag(tmp_path, text, index, suffix=suffix)
    assert (found["rows"], found["states"]) == (0, {"in": 0, "out": 0, "unknown": 0})
    names = pq.read_schema(out).names if suffix == ".parquet" else lines_of(out)[0].split(";")
    assert names == ["x", "y", *TAGS]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04\x00\x00"])
def test_what_is_no_table_is_an_error(tmp_path, index, content):
    with pytest.raises(DataError, match=r"empty|neither"):
        tag(tmp_path, content, index)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"type": "FeatureCollection", "features": []}', "is JSON, not a table[\\s\\S]*geopandas.read_file"),
        (b'\xef\xbb\xbf\n [ {"x": 1} ]', "is JSON"),
        (b"<!DOCTYPE html><html>", "web page"),
    ],
    ids=["GeoJSON", "JSON", "web page"],
)
def test_what_is_no_table_is_told_with_the_way_to_read_it(tmp_path, index, content, words):
    with pytest.raises(DataError, match=words):
        tag(tmp_path, content, index)


def test_no_error_prints_a_whole_file(tmp_path, index):
    for text in ("x" * 500_000, ";".join(f"column{n}" for n in range(100_000)), "{" + "a" * 500_000):
        with pytest.raises(DataError) as error:
            tag(tmp_path, text, index, xy=None, crs=None)
        assert len(str(error.value)) < 3_000


def test_no_file_is_an_error(tmp_path, index):
    with pytest.raises(MissingDataError, match="Name a file of points"):
        tag_file(tmp_path / "none.csv", None, index)
    with pytest.raises(MissingDataError, match="is a folder"):
        tag_file(tmp_path, None, index)


@pytest.mark.parametrize("rows", [1, 7, 100, None])
@pytest.mark.parametrize(
    "options",
    [{}, {"distance": "signed"}, {"distance": "band"}, {"bands": ()}, {"tolerance_m": 50.0}, {"on": "2024-06-01"}],
)
def test_batches_answer_as_one_call_does(tmp_path, index, rows, options):
    table = points(100)
    table.to_parquet(tmp_path / "in.parquet")
    tag_file(tmp_path / "in.parquet", tmp_path / "out.parquet", index, batch_rows=rows, **METRES, **options)
    found = pd.read_parquet(tmp_path / "out.parquet").drop(columns=table.columns)
    expected = qg.tag_points(table, index, **METRES, **options)
    assert list(found) == list(expected)
    for name in expected:
        assert found[name].astype(object).where(found[name].notna(), None).tolist() == (
            expected[name].astype(object).where(expected[name].notna(), None).tolist()
        ), name


def test_csv_answers_as_parquet_does(tmp_path, index):
    table = points(100)
    table.to_csv(tmp_path / "in.csv", sep=";", index=False)
    table.to_parquet(tmp_path / "in.parquet")
    counts = [
        tag_file(tmp_path / f"in{one}", tmp_path / f"out{other}", index, batch_rows=13, **METRES)
        for one, other in [(".csv", ".parquet"), (".parquet", ".csv"), (".csv", ".csv"), (".parquet", ".parquet")]
    ]
    for one in counts:
        assert {name: one[name] for name in ("rows", "states", "bands", "reasons")} == {
            name: counts[0][name] for name in ("rows", "states", "bands", "reasons")
        }


def test_several_vintages_have_their_own_columns_and_counts(tmp_path, square):
    older = square.assign(vintage=2015).set_axis(["QP001001"]).translate(600).to_frame("geometry").assign(vintage=2015)
    out, found = tag(tmp_path, "x;y\n700100;6600500\n700700;6600500\nbad\n", [gpd.GeoDataFrame(older), square])
    rows = table_of(out)
    assert [(row["state_2015"], row["state_2024"]) for row in rows] == [
        ("out", "in"),
        ("in", "in"),
        ("unknown", "unknown"),
    ]
    assert (rows[2]["reason_2015"], rows[2]["reason_2024"]) == ("row cannot be read", "row cannot be read")
    assert found["vintages"] == [2015, 2024]
    assert found["states"] == found["by_vintage"]["2024"]["states"] == {"in": 2, "out": 0, "unknown": 1}
    assert found["by_vintage"]["2015"]["bands"] == {"300": 0, "500": 1}


def test_parquet_keeps_columns_types_and_metadata(tmp_path, index):
    columns = {
        "x": pa.array([700500.0, None]),
        "y": pa.array([6600500.0, None]),
        "code": pa.array(["01", None]),
        "list": pa.array([[1], None], pa.list_(pa.int32())),
        "day": pa.array([1, None], pa.date32()),
        "kind": pa.array(["a", "a"]).dictionary_encode(),
    }
    table = pa.table(columns).replace_schema_metadata({"mine": "kept"})
    pq.write_table(table, tmp_path / "in.parquet")
    tag_file(tmp_path / "in.parquet", tmp_path / "out.parquet", index, **METRES)
    read = pq.read_table(tmp_path / "out.parquet")
    assert read.select(table.schema.names).equals(table)
    assert read.schema.metadata[b"mine"] == b"kept"
    assert json.loads(read.schema.metadata[b"qpvgeo"])["files"][0]["file"] == "in.parquet"
    assert read.schema.names == [*columns, *TAGS]


def test_lists_cannot_stand_in_a_csv(tmp_path, index):
    pq.write_table(pa.table({"x": [1.0], "y": [1.0], "l": [[1]]}), tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"Write a \.parquet") as error:
        tag_file(tmp_path / "in.parquet", tmp_path / "out.csv", index, **METRES)
    assert error.value.problems[0].values["column"] == "l"


def test_columns_named_like_the_tags_are_refused_all_together(tmp_path, index):
    with pytest.raises(DataError, match="tagged before") as error:
        tag(tmp_path, "x;y;state;band\n1;2;3;4\n", index)
    assert error.value.problems == ("column 'state'", "column 'band'")


def test_columns_are_found_by_their_name_and_x_and_y_are_not(tmp_path, index):
    found = tag(tmp_path, "x;y;LON;Lat\n1;1;3.0;46.5\n", index, xy=None, crs=None)[1]
    assert found["states"]["unknown"] == 0
    with pytest.raises(DataError, match="--x x --y y --crs 2154"):
        tag(tmp_path, "x;y\n1;1\n", index, xy=None, crs=None)


def test_columns_that_were_named_and_are_not_there_are_a_wrong_call_and_all_listed(tmp_path, index):
    with pytest.raises(UsageError, match=r"Its columns are: x, y\.") as error:
        tag(tmp_path, "x;y\n1;1\n", index, xy=("east", "north"), tolerance_m="off")
    assert error.value.problems == ("no column 'east'", "no column 'north'", "no column 'off'")
    with pytest.raises(UsageError, match=r"Its columns are: x, y, n\.") as error:
        tag(tmp_path, "x;y;n\n1;1;2\n", index, tolerance_m="ban")
    assert error.value.problems == ("no column 'result_type'", "no column 'type'")


def test_a_column_of_tolerances_says_what_is_too_near_or_too_coarse(tmp_path, square):
    rows = ["701200;6600500;10,5", "701200;6600500;800", "701200;6600500;", "701200;6600500;-1", "701200;6600500;?"]
    out, found = tag(tmp_path, "\n".join(["x;y;off", *rows]), square, tolerance_m="off", batch_rows=2)
    assert [row["reason"] for row in table_of(out)] == ["", "near the boundary", *["location too coarse"] * 3]
    told = "a tolerance that is not a distance (missing, negative, not a number): too coarse"
    assert found["notes"][1:] == [f"3 points have {told}"]


def test_a_column_of_tolerances_is_read_as_tag_points_reads_it(tmp_path, index):
    cells = ["10,5", "800", "", "-1", "?", " 300 ", "2500", "1e3"]
    rows = [f"701200;6600500;{cell}" for cell in cells]
    for suffix in (".csv", ".parquet"):
        out, found = tag(tmp_path, "\n".join(["x;y;off", *rows]), index, suffix=suffix, tolerance_m="off")
    table = pd.read_csv(tmp_path / "in.csv", sep=";", dtype="str")
    expected = qg.tag_points(table, index, **METRES, tolerance_m="off")
    reasons = pd.read_parquet(out)["reason"]
    assert reasons.astype(object).where(reasons.notna(), "").tolist() == (
        expected["reason"].astype(object).where(expected["reason"].notna(), "").tolist()
    )
    assert found["notes"] == expected.attrs["qpvgeo"]["notes"]


def test_bands_that_are_not_round_are_counted(tmp_path, index):
    found = tag(tmp_path, "x;y\n701400;6600500\n", index, bands=(300, 482.8032))[1]
    assert found["bands"] == {"300": 0, "482.8032": 1}


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.array], ids=str)
def test_numbers_of_numpy_are_bands_and_tolerances_and_can_be_taken_up(tmp_path, index, kind):
    options = {"bands": np.array([300, 400]), "tolerance_m": kind(20), "resume": True}
    found = tag(tmp_path, "x;y\n701010;6600500\n701350;6600500\n", index, **options)[1]
    assert (found["bands"], found["reasons"]) == ({"300": 0, "400": 1}, {"near the boundary": 1})


def test_points_most_of_which_lie_outside_france_are_told(tmp_path, index):
    found = tag(tmp_path, "x;y\n" + "3.05;46.5\n" * 3 + "700500;6600500\n", index, batch_rows=1)[1]
    told = "crs=EPSG:2154 is in metres and the values look like degrees"
    assert found["notes"][1:] == [f"3 of 4 points lie outside France: {told}"]


def test_types_and_scores_of_the_ban_say_what_is_too_coarse(tmp_path, index):
    rows = ["701200;6600500;housenumber;0,9", "701200;6600500;street;0,9", "701200;6600500;housenumber;0.2"]
    out, _ = tag(tmp_path, "\n".join(["x;y;result_type;result_score", *rows]), index, tolerance_m="ban")
    assert [row["state"] for row in table_of(out)] == ["out", "unknown", "unknown"]


def test_calls_that_cannot_be_are_refused_with_all_their_faults(tmp_path, index):
    source = tmp_path / "in.csv"
    source.write_text("x;y\n")
    with pytest.raises(UsageError) as error:
        tag_file(source, tmp_path / "none" / "out.xlsx", index, batch_rows=0)
    assert len(error.value.problems) == 3
    with pytest.raises(UsageError, match="is an input"):
        tag_file(source, source, index)
    with pytest.raises(UsageError, match="resuming needs"):
        tag_file(source, None, index, resume=True)
    with pytest.raises(UsageError) as error:
        tag_file(
            source, tmp_path / "out.xlsx", index, bands=300, on="someday", tolerance_m=[1], crs="EPSG:0", xy=("x",)
        )
    assert {told.partition("=")[0] for told in error.value.problems[:5]} == {"bands", "on", "tolerance_m", "xy", "crs"}
    assert len(error.value.problems) == 6


def test_tolerances_in_a_series_are_refused(tmp_path, index):
    (tmp_path / "in.csv").write_text("x;y\n1;1\n")
    with pytest.raises(UsageError, match="tolerance_m=") as error:
        tag_file(tmp_path / "in.csv", None, index, tolerance_m=pd.Series([1.0]), **METRES)
    assert [problem.values["fault"].key for problem in error.value.problems] == ["tagging.not_a_file_tolerance"]


def test_progress_counts_rows_and_the_share_read(tmp_path, index):
    points(50).to_parquet(tmp_path / "in.parquet")
    told = []
    tag_file(
        tmp_path / "in.parquet",
        None,
        index,
        batch_rows=20,
        progress=lambda *args: told.append(args),
        **METRES,
    )
    assert told == [(20, 0.4), (40, 0.8), (50, 1.0)]


@pytest.mark.real
def test_addresses_of_bondy(real_data, tmp_path):
    qpv = qg.read_qpv(real_data / "qpv2024" / "qpv2024_bondy_clip_fullres.gpkg", vintage=2024)
    source = real_data / "points" / "ban_bondy_93010.csv"
    found = tag_file(source, tmp_path / "out.csv", qpv, batch_rows=1000)
    assert (found["rows"], found["states"]["in"]) == (8413, 2033)
    # each line as it was, then the tags
    pairs = zip(lines_of(source), lines_of(tmp_path / "out.csv"), strict=True)
    assert all(after.startswith(f"{before},") for before, after in pairs)


def test_options_and_lists_are_read_once_for_all_batches(tmp_path, index, monkeypatch):
    """One judgement of the options and one reading of the lists, whatever the number of batches."""
    source = tmp_path / "in.csv"
    source.write_text("x,y\n" + "".join(f"{700_000 + i},6600000\n" for i in range(40)))
    calls = {"geography": 0, "options": 0, "batches": 0}
    read, made, tag = facts.geography, Options.__post_init__, Tagger.tag

    def count(name, call):
        def counted(*args, **options):
            calls[name] += 1
            return call(*args, **options)

        return counted

    monkeypatch.setattr(facts, "geography", count("geography", read))
    monkeypatch.setattr(Options, "__post_init__", count("options", made))
    monkeypatch.setattr(Tagger, "tag", count("batches", tag))
    tag_file(source, tmp_path / "out.csv", index, on="2024-06-30", xy=("x", "y"), crs=2154, batch_rows=10)
    # the columns of an empty batch are those of the output
    assert calls == {"geography": 1, "options": 1, "batches": 5}
