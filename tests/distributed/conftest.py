"""Points around the sample, a saved index of it, and two workers of Dask and of Spark, for real."""

import os
import shutil
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import qpvgeo as qg


@pytest.fixture(scope="session")
def qpv():
    return qg.read_qpv(qg.sample().qpv_2024)


@pytest.fixture(scope="session")
def index_path(qpv, tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "sample.index"
    qg.PerimeterIndex(qpv).save(path)
    return path


@pytest.fixture(scope="session")
def job(index_path):
    return qg.TagJob(index_path, xy=("lon", "lat"), crs=4326)


@pytest.fixture(scope="session")
def rows_around(qpv):
    """Make so many rows of points in and around the perimeters, some without a place, each with its own id."""
    west, south, east, north = qpv.to_crs(4326).total_bounds

    def make(count, seed=0):
        rng = np.random.default_rng(seed)
        lon, lat = rng.uniform(west - 0.01, east + 0.01, count), rng.uniform(south - 0.01, north + 0.01, count)
        lon[::97], lat[::89] = np.nan, 200.0
        return pa.table({"id": np.arange(count) + seed * 1_000_000_000, "lon": lon, "lat": lat})

    return make


@pytest.fixture(scope="session")
def expected(qpv):
    """Tags of Arrow rows by one process, as plain values."""

    def tags(rows):
        found = qg.tag_points(rows.to_pandas(), qg.PerimeterIndex(qpv), xy=("lon", "lat"), crs=4326)
        return pd.DataFrame({name: found[name].astype(object).where(found[name].notna(), None) for name in found})

    return tags


@pytest.fixture
def parts_of(tmp_path, rows_around):
    """Folder of so many Parquet parts of so many rows."""

    def make(many, count):
        folder = tmp_path / "parts"
        folder.mkdir()
        for at in range(many):
            pq.write_table(rows_around(count, at), folder / f"part-{at:02d}.parquet")
        return folder

    return make


@pytest.fixture(scope="session")
def client():
    """Two processes of a Dask cluster."""
    cluster = pytest.importorskip("distributed", reason="distributed is not installed (make test-engines)")
    here = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with cluster.LocalCluster(**here) as workers, cluster.Client(workers) as client:
        yield client


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Local session of Spark with two workers, and four tries of each task."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (make test-engines)")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("Spark needs Java (make test-engines)")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        sql.SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "200000")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
