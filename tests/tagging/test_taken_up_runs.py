"""Runs over a file that were killed, taken up again or could not be written."""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pytest
from tests.tagging.point_files import METRES, lines_of, points

import qpvgeo as qg
from qpvgeo.errors import DataError, OutputError, UsageError
from qpvgeo.formats import table_stream
from qpvgeo.tagging import checkpoint
from qpvgeo.tagging.batch_tagger import Tagger
from qpvgeo.tagging.counts import Counted
from qpvgeo.tagging.files import tag_file

# what a few perimeters of a long list do not know is tested by its name
pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")


RUN = """
import sys
import qpvgeo as qg
from qpvgeo.tagging.files import tag_file

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
    assert len(list(parts.glob("*.part"))) == 3
    found = again(source, out, index, resume=True)
    assert found["resumed_rows"] == 30
    whole = tmp_path / f"whole{''.join(out.suffixes)}"
    expected = again(source, whole, index)
    assert out.read_bytes() == whole.read_bytes()
    assert {**found, "output": "", "resumed_rows": 0} == {**expected, "output": ""}
    assert not parts.exists()


def test_a_second_run_on_one_output_is_refused_while_the_first_goes_on(tmp_path, index):
    source, out = tmp_path / "in.csv", tmp_path / "k.csv"
    points(100).to_csv(source, index=False)
    index.save(tmp_path / "index")
    command = [sys.executable, "-c", RUN, str(tmp_path / "index"), str(source), str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"30\n"
        for resume in (False, True):
            with pytest.raises(OutputError, match=r"Another run is writing k\.csv") as error:
                again(source, out, index, resume=resume)
        assert error.value.exit_code == 2
        process.stdin.close()
        assert process.wait() == 0
    assert len(lines_of(out)) == 101
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "index", "k.csv"]


def test_what_was_counted_of_kept_rows_is_told_again(killed, index):
    source, out = killed
    table = pd.read_csv(source)
    table.assign(x=table["x"] * 0 + 3.0, y=46.5).to_csv(source, index=False)

    def stop(rows, _):
        if rows == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        again(source, out, index, progress=stop)
    found = again(source, out, index, resume=True)
    assert found["resumed_rows"] >= 30
    assert found["notes"] == again(source, None, index)["notes"]
    assert found["notes"][1].startswith("90 of 90 points lie outside France")


def test_what_was_kept_is_not_tagged_again(killed, index, monkeypatch):
    seen, tag = [], Tagger.tag
    monkeypatch.setattr(
        Tagger, "tag", lambda self, points, *more: seen.append(len(points.x)) or tag(self, points, *more)
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
    changes = {problem.values["option"]: problem.values["change"] for problem in error.value.problems}
    assert [(option, change.key) for option, change in changes.items()] == [
        ("source", "tagging.file_has_changed"),
        ("perimeters", "tagging.others_than_before"),
        ("bands", "tagging.was_now"),
    ]
    assert changes["bands"].values == {"before": "[300.0, 500.0]", "now": "[100.0]"}
    assert out.read_text() == "old"
    source.write_bytes(before)
    assert again(source, out, index, resume=True)["resumed_rows"] == 30


def test_without_resume_what_was_kept_is_thrown_away(killed, index):
    source, out = killed
    assert again(source, out, index)["resumed_rows"] == 0
    assert not out.with_name(f".{out.name}.parts").exists()


def test_a_part_that_is_damaged_is_made_again(killed, index):
    source, out = killed
    part = out.with_name(f".{out.name}.parts") / "000001.part"
    part.write_bytes(part.read_bytes()[:100])
    assert again(source, out, index, resume=True)["resumed_rows"] == 20


def test_a_part_with_one_altered_byte_anywhere_is_made_again(tmp_path, index):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    points(10).to_csv(source, index=False)
    assert again(source, out, index)["rows"] == 10
    expected = out.read_bytes()
    folder = out.with_name(".out.csv.parts")

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        again(source, out, index, progress=stop)
    question, part = (folder / "state.json").read_bytes(), (folder / "000000.part").read_bytes()
    for at in range(0, len(part), len(part) // 25):
        folder.mkdir(exist_ok=True)
        (folder / "state.json").write_bytes(question)
        (folder / "000000.part").write_bytes(part[:at] + bytes([part[at] ^ 0x40]) + part[at + 1 :])
        assert again(source, out, index, resume=True)["resumed_rows"] == 0
        assert out.read_bytes() == expected


def test_a_part_with_other_columns_is_made_again(killed, index):
    source, out = killed
    part = out.with_name(f".{out.name}.parts") / "000001.part"
    checkpoint._write(part, pa.RecordBatch.from_pydict({"state": ["in"] * 10}), Counted())
    assert again(source, out, index, resume=True)["resumed_rows"] == 20


def test_a_run_is_not_taken_up_with_an_index_of_another_reach(killed, square):
    farther = qg.PerimeterIndex(square, reach_m=600)
    with pytest.raises(UsageError, match=r"reach_m: 500\.0, now 600\.0"):
        again(*killed, farther, resume=True)


def test_output_that_is_a_link_stays_one(tmp_path, index):
    (tmp_path / "far").mkdir()
    source, real, link = tmp_path / "in.csv", tmp_path / "far" / "real.csv", tmp_path / "out.csv"
    points(20).to_csv(source, index=False)
    real.write_text("old")
    link.symlink_to(real)
    assert again(source, link, index)["output"] == str(link)
    assert link.is_symlink()
    assert len(lines_of(real)) == 21
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["far", "in.csv", "out.csv", "real.csv"]


@pytest.mark.parametrize("length", [249, 255, 256, 5_000])
def test_names_that_are_too_long_are_a_wrong_call_with_the_others(tmp_path, index, length):
    points(5).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(UsageError, match=r"File name too long[\s\S]*batch_rows=0") as error:
        tag_file(tmp_path / "in.csv", tmp_path / f"{'a' * (length - 4)}.csv", index, batch_rows=0, **METRES)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("where", ["footer", "pages"])
@pytest.mark.parametrize("tolerance", [0.0, "off"])
def test_a_damaged_parquet_is_one_clear_error(tmp_path, index, where, tolerance):
    path = tmp_path / "in.parquet"
    points(5_000).assign(off=1.0, name="é").to_parquet(path)
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    start, end = (len(whole) - footer, len(whole) - 8) if where == "footer" else (4, len(whole) - footer)
    refused = 0
    for at in range(start, end, (end - start) // 20):
        path.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 8]) + whole[at + 8 :])
        with contextlib.suppress(DataError, UsageError):
            tag_file(path, tmp_path / "out.csv", index, tolerance_m=tolerance, **METRES)
            continue
        refused += 1
    assert refused


def test_nothing_to_take_up_is_a_run_from_the_start(tmp_path, index):
    points(20).to_csv(tmp_path / "in.csv", index=False)
    found = again(tmp_path / "in.csv", tmp_path / "out.csv", index, resume=True)
    assert (found["rows"], found["resumed_rows"]) == (20, 0)
    assert [note.key for note in found["notes"][1:]] == ["tagging.nothing_to_resume"]


@pytest.mark.parametrize("state", ["", "{", "[]", "{}"])
def test_run_whose_question_is_damaged_is_begun_again_and_says_so(killed, index, state):
    source, out = killed
    (out.with_name(f".{out.name}.parts") / "state.json").write_text(state)
    found = again(source, out, index, resume=True)
    assert found["resumed_rows"] == 0
    assert [note.key for note in found["notes"][1:]] == ["tagging.kept_unreadable"]


def test_file_where_the_parts_would_be_is_a_clear_error(tmp_path, index):
    points(5).to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / ".out.csv.parts").write_text("")
    for _ in range(2):
        with pytest.raises(OutputError) as caught:
            again(tmp_path / "in.csv", tmp_path / "out.csv", index)
        assert caught.value.key in {"formats.not_own_folder", "tagging.kept_is_a_link"}
        (tmp_path / ".out.csv.parts").unlink()
        (tmp_path / "victim").mkdir(exist_ok=True)
        (tmp_path / "victim" / "thesis.txt").write_text("precious")
        (tmp_path / ".out.csv.parts").symlink_to(tmp_path / "victim")
    assert (tmp_path / "victim" / "thesis.txt").read_text() == "precious"


def full(*_args, **_options):
    raise OSError(errno.ENOSPC, "whatever")


def full_at_the_end(source, target, *, replaced=os.replace):
    return full() if pathlib.Path(source).name == "output" else replaced(source, target)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("where", "call"),
    [
        ("qpvgeo.formats.table_writers.{}.write", full),
        ("qpvgeo.formats.table_writers.{}.__init__", full),
        ("os.replace", full_at_the_end),
    ],
    ids=["writes", "begins", "renames"],
)
def test_output_for_which_there_is_no_room_says_so_and_how_to_go_on(tmp_path, index, monkeypatch, suffix, where, call):
    source, out = tmp_path / "in.csv", tmp_path / f"out{suffix}"
    points(30).to_csv(source, index=False)
    out.write_text("old")
    with monkeypatch.context() as patched:
        patched.setattr(where.format("CsvSink" if suffix == ".csv" else "ParquetSink"), call)
        with pytest.raises(OutputError, match=r"Cannot write .*: No space left on device[\s\S]*--resume") as error:
            again(source, out, index)
    assert error.value.exit_code == 2
    assert out.read_text() == "old"
    assert again(source, out, index, resume=True)["rows"] == 30


def test_folder_that_may_not_be_written_says_so(tmp_path, index, monkeypatch):
    points(5).to_csv(tmp_path / "in.csv", index=False)

    def forbidden(*_args, **_options):
        raise PermissionError(errno.EACCES, "whatever")

    monkeypatch.setattr("pathlib.Path.mkdir", forbidden)
    with pytest.raises(OutputError, match=r"Cannot write .*out\.csv: Permission denied"):
        again(tmp_path / "in.csv", tmp_path / "out.csv", index)


@pytest.mark.skipif(not pathlib.Path("/proc/self").is_dir(), reason="there is no /proc here")
def test_proc_is_no_place_for_an_output(tmp_path, index):
    points(5).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(OutputError, match="Cannot write /proc/out"):
        again(tmp_path / "in.csv", pathlib.Path("/proc/out.csv"), index)


def test_source_that_cannot_be_read_to_its_end_is_no_fault_of_the_output(tmp_path, index, monkeypatch):
    points(50).to_parquet(tmp_path / "in.parquet")

    def broken(*_):
        yield from ()
        raise OSError("a page is damaged")

    monkeypatch.setattr(table_stream.ParquetTable, "batches", broken)
    with pytest.raises(DataError, match="cannot be read to its end: a page is damaged"):
        again(tmp_path / "in.parquet", tmp_path / "out.csv", index)


@pytest.mark.parametrize(
    "error", [pa.ArrowInvalid("a page is damaged"), pa.ArrowNotImplementedError("a page"), OSError("a page")], ids=repr
)
def test_whatever_pyarrow_says_of_a_damaged_page_is_an_error_of_the_source(tmp_path, index, monkeypatch, error):
    points(50).to_parquet(tmp_path / "in.parquet")

    def broken(*_, **__):
        yield from ()
        raise error

    monkeypatch.setattr("pyarrow.parquet.ParquetFile.iter_batches", broken)
    with pytest.raises(DataError, match=r"in\.parquet cannot be read to its end: a page[\s\S]*again"):
        tag_file(tmp_path / "in.parquet", None, index, **METRES)


def test_coordinates_may_be_what_pandas_calls_the_index(tmp_path, index):
    points(20).set_index("x").to_parquet(tmp_path / "in.parquet")
    assert tag_file(tmp_path / "in.parquet", None, index, **METRES)["rows"] == 20
