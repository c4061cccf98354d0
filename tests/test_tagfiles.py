"""Tags of whole files: every row comes out, in flat memory, and a run that is killed harms nothing."""

import csv
import gzip
import json
import signal
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import ArchiveError, DataError, MissingDataError, UsageError
from qpvgeo.read import batches
from qpvgeo.tagfiles import tag_file

# what a few perimeters of a long list do not know is tested by its name
pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")

X, Y = 700_000.0, 6_600_000.0
TAGS = ["state", "reason", "qpv_code", "also_in", "nearest_qpv", "distance_m", "band"]


@pytest.fixture(scope="module")
def square():
    """A square of a kilometre in Lambert-93."""
    outline = shapely.box(X, Y, X + 1000, Y + 1000)
    return gpd.GeoDataFrame({"vintage": [2024]}, index=["QN00101M"], geometry=[outline], crs=2154)


@pytest.fixture(scope="module")
def index(square):
    return qg.PerimeterIndex(square)


METRES = {"xy": ("x", "y"), "crs": 2154}


def lines_of(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as stream:
        return stream.read().decode().splitlines()


def table_of(path):
    """Cells of a CSV, by row."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def tag(folder, text, index, *, suffix=".csv", encoding="utf-8", **options):
    """Rows of a CSV after tagging, and the counts."""
    source, out = folder / "in.csv", folder / f"out{suffix}"
    source.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return out, tag_file(source, out, index, **(METRES | options))


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
    assert lines_of(out)[1].startswith("701200,5;6600500,0;out;;;;QN00101M;200.5")


def test_a_byte_order_mark_and_ends_of_lines_of_windows_stay(tmp_path, index):
    out, _ = tag(tmp_path, b"\xef\xbb\xbfx;y\r\n700500;6600500\r\n", index)
    assert out.read_bytes().startswith(b"\xef\xbb\xbfx;y;state;")
    assert out.read_bytes().endswith(b";in\r\n")


@pytest.mark.parametrize("where", [1, 5000])
def test_cp1252_is_read_wherever_its_first_accent_stands(tmp_path, index, monkeypatch, where):
    monkeypatch.setattr(batches, "_HEAD", 4096)
    rows = [b"700500;6600500;a"] * where + ["700500;6600500;Théâtre œuvre €".encode("cp1252"), b""]
    out, _ = tag(tmp_path, b"\n".join([b"x;y;n", *rows]), index)
    assert table_of(out)[-1]["n"] == "Théâtre œuvre €"
    assert len(table_of(out)) == where + 1


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
        "coordinates are no numbers",
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


def test_no_file_is_an_error(tmp_path, index):
    with pytest.raises(MissingDataError):
        tag_file(tmp_path / "none.csv", None, index)


def points(number):
    """Points around the square, some without coordinates."""
    rng = np.random.default_rng(7)
    x, y = rng.uniform(X - 900, X + 1900, number), rng.uniform(Y - 900, Y + 1900, number)
    x[::11] = np.nan
    return pd.DataFrame({"id": [f"{row:05d}" for row in range(number)], "x": x, "y": y})


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
    assert error.value.problems[0].startswith("column 'l'")


def test_columns_named_like_the_tags_are_refused_all_together(tmp_path, index):
    with pytest.raises(DataError, match="tagged before") as error:
        tag(tmp_path, "x;y;state;band\n1;2;3;4\n", index)
    assert error.value.problems == ("column 'state'", "column 'band'")


def test_columns_are_found_by_their_name_and_x_and_y_are_not(tmp_path, index):
    found = tag(tmp_path, "x;y;LON;Lat\n1;1;3.0;46.5\n", index, xy=None, crs=None)[1]
    assert found["states"]["unknown"] == 0
    with pytest.raises(DataError, match="--x x --y y --crs 2154"):
        tag(tmp_path, "x;y\n1;1\n", index, xy=None, crs=None)
    with pytest.raises(DataError) as error:
        tag(tmp_path, "x;y\n1;1\n", index, xy=("east", "north"))
    assert error.value.problems == ("no column 'east'", "no column 'north'")


def test_a_column_of_tolerances_says_what_is_too_near_or_too_coarse(tmp_path, square):
    rows = ["701200;6600500;10,5", "701200;6600500;800", "701200;6600500;", "701200;6600500;-1", "701200;6600500;?"]
    out, _ = tag(tmp_path, "\n".join(["x;y;off", *rows]), square, tolerance_m="off")
    assert [row["reason"] for row in table_of(out)] == ["", "near the limit", *["location too coarse"] * 3]


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
    with pytest.raises(UsageError, match="the output is the source"):
        tag_file(source, source, index)
    with pytest.raises(UsageError, match="resuming needs"):
        tag_file(source, None, index, resume=True)


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


RUN = """
import sys
import qpvgeo as qg
from qpvgeo.tagfiles import tag_file

def wait(rows, share):
    if rows == 30:
        print(rows, flush=True)
        sys.stdin.read()

index = qg.PerimeterIndex.load(sys.argv[1])
tag_file(*sys.argv[2:4], index, xy=("x", "y"), crs=2154, batch_rows=10, progress=wait)
"""


@pytest.fixture(params=[".csv", ".csv.gz", ".parquet"])
def killed(request, tmp_path, index):
    """A run of a hundred rows in tens, killed after thirty, over an old output."""
    source, out = tmp_path / "in.csv", tmp_path / f"out{request.param}"
    points(100).to_csv(source, index=False)
    out.write_text("old")
    index.save(tmp_path / "index")
    command = [sys.executable, "-c", RUN, str(tmp_path / "index"), str(source), str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"30\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    return source, out


def again(source, out, index, **options):
    return tag_file(source, out, index, batch_rows=10, **(METRES | options))


def test_a_killed_run_leaves_the_old_output_and_is_taken_up(killed, index, tmp_path):
    source, out = killed
    assert out.read_text() == "old"
    parts = out.with_name(f".{out.name}.parts")
    assert len(list(parts.glob("*.arrow"))) == 3
    found = again(source, out, index, resume=True)
    assert found["resumed_rows"] == 30
    whole = tmp_path / f"whole{''.join(out.suffixes)}"
    expected = again(source, whole, index)
    assert out.read_bytes() == whole.read_bytes()
    assert {**found, "output": "", "resumed_rows": 0} == {**expected, "output": ""}
    assert not parts.exists()


def test_what_was_kept_is_not_tagged_again(killed, index, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "qpvgeo.tagfiles.tag_points",
        lambda points, *args, **options: seen.append(len(points)) or qg.tag_points(points, *args, **options),
    )
    again(*killed, index, resume=True)
    assert sum(seen) == 70


def test_a_run_is_not_taken_up_with_another_source_perimeters_or_options(killed, index, square):
    source, out = killed
    before = source.read_bytes()
    source.write_bytes(before + b"9,9,9\n")
    moved = qg.PerimeterIndex(square.translate(5).to_frame("geometry").assign(vintage=2024))
    with pytest.raises(UsageError, match="without --resume") as error:
        again(source, out, moved, resume=True, bands=(100,))
    assert [problem.partition(":")[0] for problem in error.value.problems] == ["source", "perimeters", "bands"]
    assert out.read_text() == "old"
    source.write_bytes(before)
    assert again(source, out, index, resume=True)["resumed_rows"] == 30


def test_without_resume_what_was_kept_is_thrown_away(killed, index):
    source, out = killed
    assert again(source, out, index)["resumed_rows"] == 0
    assert not out.with_name(f".{out.name}.parts").exists()


def test_a_part_that_is_damaged_is_made_again(killed, index):
    source, out = killed
    part = out.with_name(f".{out.name}.parts") / "000001.arrow"
    part.write_bytes(part.read_bytes()[:100])
    assert again(source, out, index, resume=True)["resumed_rows"] == 20


def test_nothing_to_take_up_is_a_run_from_the_start(tmp_path, index):
    points(20).to_csv(tmp_path / "in.csv", index=False)
    found = again(tmp_path / "in.csv", tmp_path / "out.csv", index, resume=True)
    assert (found["rows"], found["resumed_rows"]) == (20, 0)


@pytest.mark.real
def test_addresses_of_bondy(real_data, tmp_path):
    qpv = qg.read_qpv(real_data / "qpv2024" / "qpv2024_bondy_clip_fullres.gpkg", vintage=2024)
    source = real_data / "points" / "ban_bondy_93010.csv"
    found = tag_file(source, tmp_path / "out.csv", qpv, batch_rows=1000)
    assert (found["rows"], found["states"]["in"]) == (8413, 2033)
    # each line as it was, then the tags
    pairs = zip(lines_of(source), lines_of(tmp_path / "out.csv"), strict=True)
    assert all(after.startswith(f"{before},") for before, after in pairs)
