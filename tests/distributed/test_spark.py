"""Spark: a real local session gives the answers of one process, row by row."""

import os
import shutil
import signal
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import qpvgeo as qg
from qpvgeo import distributed
from qpvgeo.errors import DataError, UsageError

pytest.importorskip("pyspark", reason="pyspark is not installed (make test-engines)")
if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
    pytest.skip("Spark needs Java (make test-engines)", allow_module_level=True)

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]

ROWS = int(os.environ.get("QPVGEO_ENGINE_ROWS", "60000"))


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "200000")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def folder(rows_around, tmp_path_factory):
    """Parts of rows, an empty one among them."""
    folder = tmp_path_factory.mktemp("parts")
    for at in range(4):
        pq.write_table(rows_around(ROWS // 4, at), folder / f"part-{at}.parquet")
    pq.write_table(rows_around(0), folder / "part-4.parquet")
    return folder


def _alone(job, folder):
    rows = pa.concat_tables([pq.read_table(part) for part in sorted(folder.iterdir())])
    return job(rows).sort_by("id").to_pandas()


def test_rows_are_those_of_one_process(spark, job, folder, tmp_path):
    lazy = distributed.tag_spark(spark.read.parquet(str(folder)), job)
    lazy.write.parquet(str(tmp_path / "out"))
    found = pq.read_table(tmp_path / "out").sort_by("id").to_pandas()
    pd.testing.assert_frame_equal(found, _alone(job, folder), check_dtype=False)


def test_a_killed_worker_loses_no_row(spark, job, folder, tmp_path):
    lazy = distributed.tag_spark(spark.read.parquet(str(folder)).repartition(8), job)
    marker = tmp_path / "killed"

    def once(batches):
        for batch in batches:
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    lazy.mapInArrow(once, lazy.schema).write.parquet(str(tmp_path / "out"))
    assert marker.exists()
    found = pq.read_table(tmp_path / "out").sort_by("id").to_pandas()
    pd.testing.assert_frame_equal(found, _alone(job, folder), check_dtype=False)


def test_columns_that_do_not_fit_are_refused_before_a_task_starts(spark, job):
    with pytest.raises(UsageError):
        distributed.tag_spark(spark.createDataFrame([(1,)], ["id"]), job)


def test_files_are_tagged_by_the_workers_of_a_session(spark, job, folder, tmp_path):
    (folder / "part-9.csv").write_text("id;lon;lat\n1;-3,7;45,9\n", encoding="utf-8")
    found = qg.tag_files(folder, tmp_path / "out", job, executor=distributed.SparkExecutor(spark))
    assert found["rows"] == ROWS // 4 * 4 + 1
    (folder / "part-9.csv").write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        qg.tag_files(folder, tmp_path / "out", job, executor=distributed.SparkExecutor(spark), resume=True)
    (folder / "part-9.csv").unlink()
    assert "part-9.csv" in refused.value.problems[0]
