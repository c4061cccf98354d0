"""Parts tagged on several processes: the answer of one process, whatever happens to some of them."""

import os
import signal

import pandas as pd
import pyarrow.parquet as pq
import pytest

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, OutputError, UsageError


def _tags(path):
    return pq.read_table(path).to_pandas()


def test_parts_equal_the_file_tagged_alone(job, parts_of, tmp_path):
    folder = parts_of(3, 2_000)
    found = qg.tag_files(folder, tmp_path / "out", job, workers=2)
    assert found["rows"] == 6_000 == sum(found["states"].values())
    for part in sorted(folder.iterdir()):
        alone = tmp_path / "alone.parquet"
        qg.tag_file(part, alone, job.perimeters(), **job.options())
        pd.testing.assert_frame_equal(_tags(tmp_path / "out" / part.name), _tags(alone))
        alone.unlink()
    assert [part["rows"] for part in found["parts"]] == [2_000] * 3


def test_a_broken_part_is_named_and_the_rest_is_done_and_resumed(job, parts_of, rows_around, tmp_path):
    folder = parts_of(3, 500)
    (folder / "part-01.parquet").write_bytes(b"PAR1 not a table PAR1")
    with pytest.raises(DataError) as refused:
        qg.tag_files(folder, tmp_path / "out", job, workers=2)
    assert len(refused.value.problems) == 1
    assert "part-01.parquet" in refused.value.problems[0]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.parquet")) == ["part-00.parquet", "part-02.parquet"]
    pq.write_table(rows_around(500, 1), folder / "part-01.parquet")
    found = qg.tag_files(folder, tmp_path / "out", job, workers=2, resume=True)
    assert (found["resumed_parts"], found["rows"]) == (2, 1_500)


def test_empty_parts_and_other_columns_are_tagged_each_by_its_own(job, parts_of, rows_around, tmp_path):
    folder = parts_of(1, 100)
    pq.write_table(rows_around(0), folder / "part-01.parquet")
    pq.write_table(rows_around(50, 2).append_column("more", [["x"] * 50]), folder / "part-02.parquet")
    found = qg.tag_files(folder, tmp_path / "out", job, workers=1)
    assert [part["rows"] for part in found["parts"]] == [100, 0, 50]
    assert "more" in pq.read_schema(tmp_path / "out" / "part-02.parquet").names
    assert "state" in pq.read_schema(tmp_path / "out" / "part-01.parquet").names


def test_a_part_that_changed_is_done_again(job, parts_of, rows_around, tmp_path):
    folder = parts_of(2, 100)
    qg.tag_files(folder, tmp_path / "out", job, workers=1)
    pq.write_table(rows_around(120, 9), folder / "part-00.parquet")
    found = qg.tag_files(folder, tmp_path / "out", job, workers=1, resume=True)
    assert (found["resumed_parts"], found["rows"]) == (1, 220)


def test_another_job_is_not_resumed(job, index_path, parts_of, tmp_path):
    folder = parts_of(1, 100)
    qg.tag_files(folder, tmp_path / "out", job, workers=1)
    other = qg.TagJob(index_path, xy=("lon", "lat"), crs=4326, bands=(100,))
    with pytest.raises(UsageError) as refused:
        qg.tag_files(folder, tmp_path / "out", other, workers=1, resume=True)
    assert any("bands" in problem for problem in refused.value.problems)


def test_a_worker_that_is_killed_is_replaced(job, parts_of, tmp_path):
    """Each worker that begins a part is killed once, as the system does when memory runs out."""
    folder = parts_of(4, 20_000)
    killed = []

    def kill_one(done, _):
        if not killed:
            killed.append(done)
            for pid in _children(os.getpid()):
                os.kill(pid, signal.SIGKILL)
                return

    found = qg.tag_files(folder, tmp_path / "out", job, workers=2, progress=kill_one)
    assert killed
    assert found["rows"] == 80_000
    assert sorted(path.name for path in (tmp_path / "out").glob("*.parquet")) == [
        f"part-{at:02d}.parquet" for at in range(4)
    ]
    assert not list((tmp_path / "out").glob(".part*"))


def _children(pid):
    """Workers of a process, as Linux lists them."""
    from pathlib import Path

    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(one) for one in (task / "children").read_text().split()]
    return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_two_runs_do_not_share_a_folder(job, parts_of, tmp_path):
    folder = parts_of(1, 10)

    def again(*_):
        with pytest.raises(OutputError):
            qg.tag_files(folder, tmp_path / "out", job, workers=1)

    assert qg.tag_files(folder, tmp_path / "out", job, workers=1, progress=again)["rows"] == 10


def test_what_does_not_fit_is_refused_before_anything_is_written(job, parts_of, tmp_path):
    folder = parts_of(1, 10)
    with pytest.raises(MissingDataError):
        qg.tag_files(tmp_path / "nothing" / "*.parquet", tmp_path / "out", job)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError):
        qg.tag_files(tmp_path / "empty", tmp_path / "out", job)
    with pytest.raises(UsageError):
        qg.tag_files(folder, folder, job)
    with pytest.raises(UsageError):
        qg.tag_files([folder / "part-00.parquet"] * 2, tmp_path / "out", job)
    with pytest.raises(UsageError):
        qg.tag_files(folder, tmp_path / "out", job, workers=0)
    assert not list(tmp_path.glob("out/*.parquet"))


def test_csv_parts_stay_csv(job, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.csv").write_text("lon;lat\n-3,7;45,9\n", encoding="utf-8")
    found = qg.tag_files(tmp_path / "parts", tmp_path / "out", job, workers=1)
    assert found["states"]["out"] == 1
    assert (tmp_path / "out" / "a.csv").read_text(encoding="utf-8").startswith("lon;lat;state")


def test_names_that_differ_in_case_alone_are_one_output(job, rows_around, tmp_path):
    parts = [tmp_path / "one" / "a.parquet", tmp_path / "two" / "A.parquet"]
    for part in parts:
        part.parent.mkdir()
        pq.write_table(rows_around(10), part)
    with pytest.raises(UsageError) as refused:
        qg.tag_files(parts, tmp_path / "out", job, workers=1)
    assert [problem.key for problem in refused.value.problems] == ["distributed.one_output"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(job, rows_around, tmp_path):
    for name, count in (("a[1].parquet", 10), ("a1.parquet", 20)):
        pq.write_table(rows_around(count), tmp_path / name)
    found = qg.tag_files(tmp_path / "a[1].parquet", tmp_path / "out", job, workers=1)
    assert (found["rows"], [part["part"] for part in found["parts"]]) == (10, [str(tmp_path / "a[1].parquet")])
