"""Large files: every row stays, in every form, and a run that is killed leaves the old output whole."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.read import batches
from qpvgeo.tagfiles import tag_file
from qpvgeo.tagging import tag_points

X, Y = 700_000.0, 6_600_000.0
QPV = gpd.GeoDataFrame(
    {"vintage": 2024}, geometry=[shapely.box(X, Y, X + 300, Y + 300)], index=pd.Index(["QN07501M"]), crs=2154
)
METRES = {"xy": ("x", "y"), "crs": 2154}
TAGS = ["state", "reason", "qpv_code", "also_in", "nearest_qpv", "distance_m", "band"]


def write(path, text, encoding="utf-8"):
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def tagged(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pandas()
    return pd.read_csv(path, sep=None, engine="python", dtype="str", keep_default_na=False)


ROWS = f"id;x;y;name\n007;{X + 150};{Y + 150};Allée des Pins\n2A1;{X + 400};{Y + 150};Rue « d'en bas »\n;;;\n"


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
@pytest.mark.parametrize("output", ["out.csv", "out.csv.gz", "out.parquet"])
def test_rows_stay_as_they_are_with_their_tags_after_them(tmp_path, name, output):
    found = tag_file(write(tmp_path / name, ROWS), tmp_path / output, QPV, **METRES)
    rows = tagged(tmp_path / output)
    assert rows.columns.tolist() == ["id", "x", "y", "name", *TAGS]
    assert rows["id"].tolist() == ["007", "2A1", ""]
    assert rows["name"].tolist() == ["Allée des Pins", "Rue « d'en bas »", ""]
    assert rows["state"].tolist() == ["in", "out", "unknown"]
    assert rows["distance_m"].astype("str").tolist()[:2] in (["0", "100"], ["0.0", "100.0"])
    assert found == {
        "rows": 3,
        "states": {"in": 1, "out": 1, "unknown": 1},
        "bands": {"300": 1, "500": 0},
        "reasons": {"no coordinates": 1},
        "output": str(tmp_path / output),
    }


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ROWS.replace(";", ","), "utf-8"),
        (ROWS.replace(";", "\t"), "utf-8"),
        (ROWS, "utf-8-sig"),
        (ROWS, "cp1252"),
        (ROWS.replace(".0", ",0"), "utf-8"),
        (ROWS.replace("\n", "\r\n"), "utf-8"),
    ],
    ids=["commas", "tabs", "BOM", "cp1252", "decimal commas", "CRLF"],
)
def test_forms_of_csv(tmp_path, text, encoding):
    tag_file(write(tmp_path / "in.csv", text, encoding), tmp_path / "out.csv", QPV, **METRES)
    rows = tagged(tmp_path / "out.csv")
    assert rows["state"].tolist() == ["in", "out", "unknown"]
    assert rows["name"].tolist()[0] == "Allée des Pins"


def test_lines_with_too_few_or_too_many_cells_stay_at_their_place(tmp_path):
    good = f"{X + 150};{Y + 150};a\n"
    source = write(tmp_path / "in.csv", "x;y;name\n" + good + "oops\n" + good + f"{X};{Y};b;c;d\n" + good + "1;2\n")
    found = tag_file(source, tmp_path / "out.csv", QPV, **METRES)
    rows = tagged(tmp_path / "out.csv")
    assert rows["state"].tolist() == ["in", "unknown", "in", "unknown", "in", "unknown"]
    assert rows["x"].tolist()[1] == "oops"
    assert rows["name"].tolist()[3] == "b;c;d"
    assert rows["qpv_code"].tolist()[3] == ""
    assert found["reasons"] == {"row cannot be read": 3}


def test_cells_with_delimiters_quotes_and_line_breaks_stay_whole(tmp_path):
    source = write(tmp_path / "in.csv", f'x;y;name\n{X};{Y};"a;b ""c""\nd"\n{X};{Y};e\n')
    tag_file(source, tmp_path / "out.csv", QPV, **METRES)
    assert tagged(tmp_path / "out.csv")["name"].tolist() == ['a;b "c"\nd', "e"]


def many(path, count=5_000, row_group=500):
    chance = np.random.default_rng(1)
    table = pa.table(
        {
            "id": pa.array(range(count), pa.int32()),
            "x": X + chance.uniform(-900, 1_200, count),
            "y": Y + chance.uniform(-900, 1_200, count),
            "kind": pa.array(["a", "b"] * (count // 2)).dictionary_encode(),
        }
    )
    pq.write_table(table, path, row_group_size=row_group)
    return path


def test_parquet_keeps_its_columns_and_their_types(tmp_path):
    tag_file(many(tmp_path / "in.parquet"), tmp_path / "out.parquet", QPV, **METRES)
    before, after = pq.read_schema(tmp_path / "in.parquet"), pq.read_schema(tmp_path / "out.parquet")
    assert [after.field(name).type for name in before.names] == [field.type for field in before]
    assert after.names == [*before.names, *TAGS]


@pytest.mark.parametrize("rows", [64, 999, 1 << 20])
def test_batches_change_nothing(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(batches, "ROWS", rows)
    source = many(tmp_path / "in.parquet")
    tag_file(source, tmp_path / "out.parquet", QPV, **METRES)
    expected = tag_points(pq.read_table(source).to_pandas(), QPV, **METRES).astype(object)
    found = tagged(tmp_path / "out.parquet")[TAGS].astype(object)
    pd.testing.assert_frame_equal(found.where(found.notna(), None), expected.where(expected.notna(), None))


def test_coordinates_of_the_ban_are_found_by_their_names(tmp_path):
    source = write(tmp_path / "in.csv", "id;x;y;lon;lat\n1;0;0;3,0;46,5\n")
    assert tag_file(source, None, QPV)["rows"] == 1


@pytest.mark.parametrize("text", ["x;y\n", "x;y", f"x;y\n{X};{Y}\n"], ids=["header", "header without end", "one row"])
def test_table_without_rows_gives_the_columns(tmp_path, text):
    found = tag_file(write(tmp_path / "in.csv", text), tmp_path / "out.csv", QPV, **METRES)
    assert tagged(tmp_path / "out.csv").columns.tolist() == ["x", "y", *TAGS]
    assert found["rows"] == (1 if text.count(";") > 1 else 0)


def test_several_vintages_are_counted_each(tmp_path):
    old = QPV.rename({"QN07501M": "QP075001"}).assign(vintage=2015)
    found = tag_file(write(tmp_path / "in.csv", ROWS), tmp_path / "out.csv", [QPV, old], **METRES)
    assert sorted(found["by_vintage"]) == ["2015", "2024"]
    assert found["states"] == {"in": 1, "out": 1, "unknown": 1}
    assert "qpv_code_2015" in tagged(tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda path: write(path / "in.csv", ""), DataError, "empty"),
        (lambda path: write(path / "in.csv", "x;x\n1;2\n"), DataError, "same name"),
        (lambda path: write(path / "in.csv", "x;y;state\n1;2;3\n"), DataError, "named as the tags"),
        (lambda path: write(path / "in.csv", "a;b\n1;2\n"), DataError, "lacks columns"),
        (lambda path: write(path / "in.xlsx", "x"), UsageError, "batch by batch"),
        (lambda path: write(path / "in.parquet", "x"), DataError, "damaged"),
        (lambda path: path / "none.csv", MissingDataError, "no file"),
    ],
    ids=["empty", "names twice", "tagged before", "no coordinates", "a workbook", "damaged", "not there"],
)
def test_source_that_cannot_be_tagged_is_refused_and_nothing_is_written(tmp_path, make, error, words):
    source = make(tmp_path)
    with pytest.raises(error, match=words):
        tag_file(source, tmp_path / "out.csv", QPV, **METRES)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("output", "words"),
    [("out.xlsx", "ends in"), ("none/out.csv", "no folder"), ("in.csv", "source itself")],
)
def test_output_that_cannot_be_written_is_refused(tmp_path, output, words):
    source = write(tmp_path / "in.csv", ROWS)
    with pytest.raises(UsageError, match=words):
        tag_file(source, tmp_path / output, QPV, **METRES)


# stopped half-way

SCRIPT = """
import sys, time
from qpvgeo import tagfiles
from qpvgeo.read import batches
from qpvgeo.perimeter import PerimeterIndex
batches.ROWS = 500
index = PerimeterIndex.load(sys.argv[3])
def slow(done, total):
    print(done, flush=True)
    time.sleep(0.5)
tagfiles.tag_file(sys.argv[1], sys.argv[2], index, progress=slow, xy=("x", "y"), crs=2154)
"""


@pytest.fixture
def killed(tmp_path, monkeypatch):
    """A run that was killed after its third batch of ten."""
    source, output = many(tmp_path / "in.parquet"), tmp_path / "out.parquet"
    output.write_text("what was there before")
    PerimeterIndex(QPV).save(tmp_path / "index")
    command = [sys.executable, "-c", SCRIPT, str(source), str(output), str(tmp_path / "index")]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(3):
        run.stdout.readline()
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    monkeypatch.setattr(batches, "ROWS", 500)
    return source, output


def test_killed_half_way_leaves_the_old_output_whole(killed):
    assert killed[1].read_text() == "what was there before"


def test_resumed_run_tags_only_what_was_not_tagged_and_gives_the_same(killed, tmp_path, monkeypatch):
    source, output = killed
    made = []
    monkeypatch.setattr("qpvgeo.tagfiles.tag_points", lambda *args, **kw: made.append(1) or tag_points(*args, **kw))
    found = tag_file(source, output, QPV, resume=True, **METRES)
    assert len(made) == 7
    assert found["rows"] == 5_000
    tag_file(source, tmp_path / "fresh.parquet", QPV, **METRES)
    pd.testing.assert_frame_equal(tagged(output), tagged(tmp_path / "fresh.parquet"))
    assert not list(tmp_path.glob(".*parts"))


def test_what_changed_since_is_not_resumed(killed):
    source, output = killed
    time.sleep(0.01)
    os.utime(source)
    with pytest.raises(UsageError, match="another question") as error:
        tag_file(source, output, QPV.set_geometry(QPV.translate(1)), resume=True, bands=(100,), **METRES)
    assert [problem.split(":")[0] for problem in error.value.problems] == ["source", "perimeters", "options"]
    assert output.read_text() == "what was there before"


def test_run_that_is_not_resumed_starts_anew(killed):
    source, output = killed
    assert tag_file(source, output, QPV, bands=(100,), **METRES)["bands"].keys() == {"100"}


def test_resume_without_anything_begun_starts(tmp_path):
    source = many(tmp_path / "in.parquet")
    assert tag_file(source, tmp_path / "out.parquet", QPV, resume=True, **METRES)["rows"] == 5_000


def test_state_of_a_run_is_plain_json(killed):
    state = json.loads((killed[1].parent / ".out.parquet.parts" / "state.json").read_text())
    assert state["source"]["name"] == "in.parquet"
