"""Files tagged by the workers of Dask and of Spark: the answer of one process, whatever happens to some of them."""

import os
import signal

import pandas as pd
import pyarrow.parquet as pq
import pytest

import qpvgeo as qg
from qpvgeo.errors import DataError

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]

ROWS = int(os.environ.get("QPVGEO_ENGINE_ROWS", "60000"))


@pytest.fixture(params=["dask", "spark"])
def engine(request):
    """Workers of an engine, and a call that gives the ids of their processes."""
    if request.param == "dask":
        client = request.getfixturevalue("client")
        return client.get_executor(), lambda: list(client.run(os.getpid).values())
    session = request.getfixturevalue("spark")
    from qpvgeo.distributed import SparkExecutor

    return SparkExecutor(
        session
    ), lambda: session.sparkContext.parallelize([0, 1], 2).map(lambda _: os.getpid()).collect()


def _require_same(folder, one, other):
    for part in folder.glob("*.parquet"):
        mine, theirs = (pd.read_parquet(place / part.name) for place in (one, other))
        pd.testing.assert_frame_equal(theirs, mine)


def test_files_are_tagged_as_by_one_process(engine, job, parts_of, rows_around, tmp_path):
    """Parts without rows, with other columns and of another form among them."""
    folder = parts_of(3, ROWS // 3)
    pq.write_table(rows_around(0), folder / "part-03.parquet")
    pq.write_table(rows_around(50, 4).append_column("more", [["x"] * 50]), folder / "part-04.parquet")
    (folder / "part-05.csv").write_text("id;lon;lat\n1;-3,7;45,9\n2;word;45,9\n", encoding="utf-8")
    found = qg.tag_files(folder, tmp_path / "out", job, executor=engine[0])
    here = qg.tag_files(folder, tmp_path / "here", job, workers=1)
    assert found["states"] == here["states"]
    assert [part["rows"] for part in found["parts"]] == [ROWS // 3] * 3 + [0, 50, 2]
    _require_same(folder, tmp_path / "here", tmp_path / "out")
    csv = [(tmp_path / place / "part-05.csv").read_text(encoding="utf-8") for place in ("here", "out")]
    assert csv[0] == csv[1]


def test_a_broken_part_is_named_the_rest_is_done_and_resumed(engine, job, parts_of, rows_around, tmp_path):
    folder = parts_of(3, 500)
    (folder / "part-01.parquet").write_bytes(b"PAR1 not a table PAR1")
    with pytest.raises(DataError) as refused:
        qg.tag_files(folder, tmp_path / "out", job, executor=engine[0])
    assert len(refused.value.problems) == 1
    assert "part-01.parquet" in refused.value.problems[0]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.parquet")) == ["part-00.parquet", "part-02.parquet"]
    pq.write_table(rows_around(500, 1), folder / "part-01.parquet")
    found = qg.tag_files(folder, tmp_path / "out", job, executor=engine[0], resume=True)
    assert (found["resumed_parts"], found["rows"]) == (2, 1_500)


def test_a_killed_worker_loses_no_part(engine, job, parts_of, tmp_path):
    executor, pids = engine
    folder = parts_of(6, ROWS // 6)
    killed = []

    def kill_one(*_):
        if not killed:
            killed.append(pids()[0])
            os.kill(killed[0], signal.SIGKILL)

    found = qg.tag_files(folder, tmp_path / "out", job, executor=executor, progress=kill_one)
    assert killed
    assert found["rows"] == ROWS // 6 * 6
    qg.tag_files(folder, tmp_path / "here", job, workers=1)
    _require_same(folder, tmp_path / "here", tmp_path / "out")
