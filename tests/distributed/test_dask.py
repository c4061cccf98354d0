"""Dask: two processes of a real cluster give the answers of one."""

import os
import signal

import numpy as np
import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo import distributed
from qpvgeo.errors import DataError, UsageError

pytest.importorskip("dask", reason="dask is not installed (make test-engines)")
dd = pytest.importorskip("dask.dataframe")

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("client")]

ROWS = int(os.environ.get("QPVGEO_ENGINE_ROWS", "60000"))


@pytest.fixture(scope="module")
def frame(rows_around):
    return rows_around(ROWS).to_pandas().set_index("id")


def test_tags_are_lazy_and_those_of_one_process(job, frame):
    lazy = distributed.tag_dask(dd.from_pandas(frame, npartitions=5), job)
    assert isinstance(lazy, dd.DataFrame)
    found = lazy.compute()
    pd.testing.assert_frame_equal(found, job.pandas(frame))
    assert found.dtypes.equals(lazy.dtypes)


def test_an_empty_partition_keeps_the_columns(job, frame):
    table = dd.from_pandas(frame.iloc[:100], npartitions=2)
    none = table[table["lon"] > 1_000]
    found = distributed.tag_dask(dd.concat([table, none]), job).compute()
    pd.testing.assert_frame_equal(found, job.pandas(frame.iloc[:100]), check_freq=False)


def test_rows_of_a_partition_that_cannot_be_read_are_unknown(index_path):
    bad = pd.DataFrame({"lon": ["-3.7", "word", None], "lat": ["45.9", "45.9", "45.9"]})
    found = distributed.tag_dask(dd.from_pandas(bad, npartitions=3), index_path, xy=("lon", "lat"), crs=4326)
    assert found["state"].compute().tolist() == ["out", "unknown", "unknown"]


def test_a_killed_worker_loses_no_row(client, job, frame):
    lazy = distributed.tag_dask(dd.from_pandas(frame, npartitions=8), job)
    future = client.compute(lazy)
    pids = list(client.run(os.getpid).values())
    os.kill(pids[0], signal.SIGKILL)
    pd.testing.assert_frame_equal(future.result(timeout=300), job.pandas(frame))


def test_points_of_dask_geopandas_are_taken(qpv, index_path, frame):
    import geopandas as gpd

    dask_geopandas = pytest.importorskip("dask_geopandas")
    some = frame.iloc[:500].dropna()
    points = gpd.GeoDataFrame(some, geometry=gpd.points_from_xy(some["lon"], some["lat"]), crs=4326)
    found = distributed.tag_dask(dask_geopandas.from_geopandas(points, npartitions=2), index_path).compute()
    expected = qg.tag_points(points, qpv)
    assert found["qpv_code"].tolist() == expected["qpv_code"].tolist()
    np.testing.assert_array_equal(found["distance_m"], expected["distance_m"])


def test_people_and_overlaps_of_polygons_are_those_of_one_process(qpv):
    dask_geopandas = pytest.importorskip("dask_geopandas")
    lazy = dask_geopandas.from_geopandas(qpv, npartitions=3)
    grid = qg.read_grid(qg.sample().grid_2019)
    expected = qg.estimate_population(qpv, grid)
    for source in (grid, qg.sample().grid_2019):
        found = distributed.estimate_population_dask(lazy, source).compute()
        pd.testing.assert_frame_equal(found, expected, check_index_type=False)
    before = qg.read_qpv(qg.sample().qpv_2015)
    pairs = distributed.overlap_dask(lazy, before).compute().reset_index(drop=True)
    # Dask makes its own kind of text of the labels of the polygons
    pd.testing.assert_frame_equal(pairs.astype({"left": "str"}), qg.overlap(qpv, before).reset_index(drop=True))
    with pytest.raises(UsageError):
        distributed.estimate_population_dask(lazy, grid, constraint=expected["estimate"])


def test_communes_of_rows_pass_to_another_year():
    events = pd.DataFrame(
        [("2019-01-01", "32", "99008", "99001"), ("2019-01-01", "32", "99001", "99001")],
        columns=["date", "event", "code_before", "code_after"],
    ).assign(type_before="COM", type_after="COM", name_before="Le Ressac", name_after="Port-Brume")
    rows = dd.from_pandas(pd.DataFrame({"code": ["99008", "99001", "99777"]}), npartitions=2)
    found = distributed.pass_communes_dask(rows, "code", 2018, 2024, events=events, communes={}).compute()
    assert found["commune_to"].fillna("").tolist() == ["99001", "99001", ""]
    assert found["commune_kind"].tolist() == ["merged", "merged", "not listed"]
    with pytest.raises(DataError):
        distributed.pass_communes_dask(rows, "insee", 2018, 2024, events=events, communes={})
