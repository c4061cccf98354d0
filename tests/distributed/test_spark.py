"""Spark: a real local session gives the answers of one process, row by row."""

import os
import signal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qpvgeo import distributed
from qpvgeo.errors import UsageError

pytest.importorskip("pyspark", reason="pyspark is not installed (make test-engines)")

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]

ROWS = int(os.environ.get("QPVGEO_ENGINE_ROWS", "60000"))


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


def test_rows_that_cannot_be_read_are_unknown(spark, index_path):
    bad = pd.DataFrame({"id": [1, 2, 3], "lon": ["-3.7", "word", None], "lat": ["45.9", "45.9", "45.9"]})
    lazy = distributed.tag_spark(spark.createDataFrame(bad), index_path, xy=("lon", "lat"), crs=4326)
    assert [row["state"] for row in lazy.orderBy("id").collect()] == ["out", "unknown", "unknown"]


def test_shapes_as_text_are_tagged(spark, index_path):
    """What `ST_AsText` of Sedona gives."""
    shapes = spark.createDataFrame([(1, "POINT (-3.7 45.9)"), (2, "POINT EMPTY"), (3, None)], "id int, wkt string")
    lazy = distributed.tag_spark(shapes, index_path, xy="wkt", crs=4326)
    assert [row["state"] for row in lazy.orderBy("id").collect()] == ["out", "unknown", "unknown"]
