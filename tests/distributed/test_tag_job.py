"""A job gives the tags of `tag_points`, from any process, whatever the engine hands over."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError


def _plain(table, names):
    return table.select(names).to_pandas().astype(object).where(lambda frame: frame.notna(), None)


def test_arrow_rows_get_the_tags_of_tag_points(job, rows_around, expected):
    rows = rows_around(5_000)
    tags = expected(rows)
    pd.testing.assert_frame_equal(_plain(job(rows), list(tags)), tags, check_dtype=False)
    assert set(tags["state"]) == {"in", "out", "unknown"}


def test_a_batch_comes_back_as_a_batch_with_its_columns(job, rows_around):
    batch = rows_around(10).to_batches()[0]
    tagged = job(batch)
    assert isinstance(tagged, pa.RecordBatch)
    assert tagged.schema == job.schema(batch.schema)
    pd.testing.assert_frame_equal(tagged.select(batch.schema.names).to_pandas(), batch.to_pandas())


def test_columns_are_known_before_any_row_and_are_plain(job, rows_around):
    schema = job.schema(rows_around(1).schema)
    assert not any(pa.types.is_dictionary(kind) for kind in schema.types)
    assert schema.field("distance_m").type == pa.float64()


def test_small_batches_are_put_together_in_order(job, rows_around):
    rows = rows_around(1_000)
    back = list(job.arrow(rows.to_batches(max_chunksize=10)))
    assert sum(batch.num_rows for batch in back) == 1_000
    assert len(back) == 1
    assert pa.Table.from_batches(back)["id"].equals(rows["id"])


def test_nothing_comes_of_no_batch_and_an_empty_batch_keeps_the_columns(job, rows_around):
    empty = rows_around(0)
    assert list(job.arrow([])) == []
    assert job(empty).schema == job.schema(empty.schema)


def test_a_job_is_light_and_its_copy_tags_in_a_process_that_knows_nothing(job, tmp_path):
    (tmp_path / "job").write_bytes(pickle.dumps(job))
    assert (tmp_path / "job").stat().st_size < 1_024
    code = (
        "import pickle, sys, pyarrow as pa; job = pickle.load(open(sys.argv[1], 'rb'));"
        "print(*job(pa.table({'lon': [-3.7, 45.97], 'lat': [45.9, -3.6]}))['state'].to_pylist())"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "job"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["out", "unknown"]


def test_a_pandas_frame_keeps_its_index_and_its_kind(job, rows_around):
    frame = rows_around(100).to_pandas().set_index(pd.Index([7] * 100, name="same"))
    tagged = job.pandas(frame)
    assert tagged.index.equals(frame.index)
    assert tagged.dtypes.equals(job.meta(frame).dtypes)


def test_an_index_in_memory_is_saved_once_where_the_cache_is(qpv, tmp_path):
    from qpvgeo.distributed.tag_job import job_of

    first, again = (job_of(qg.PerimeterIndex(qpv), {"bands": ()}) for _ in range(2))
    assert first == again
    assert str(tmp_path) in first.index


def test_a_saved_index_that_no_job_used_for_long_is_removed(qpv):
    from qpvgeo.distributed.tag_job import job_of

    first, second = (Path(job_of(qg.PerimeterIndex(qpv, reach_m=reach), {}).index) for reach in (500, 501))
    for kept in (first, second):
        os.utime(kept, (0, 0))
    job_of(qg.PerimeterIndex(qpv, reach_m=500), {})
    job_of(qg.PerimeterIndex(qpv, reach_m=502), {})
    assert (first.exists(), second.exists()) == (True, False)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"bands": (500, 300)}, "bands"),
        ({"distance": "far"}, "distance"),
        ({"tolerance_m": -1}, "tolerance_m"),
        ({"tolerance_m": [1, 2]}, "tolerance_m"),
        ({"on": "yesterday"}, "on"),
        ({"crs": "EPSG:1"}, "crs"),
    ],
)
def test_options_are_judged_before_the_job_leaves(index_path, options, word):
    with pytest.raises(UsageError) as refused:
        qg.TagJob(index_path, **options)
    assert word in str(refused.value)


def test_an_index_that_is_too_short_is_refused(index_path):
    with pytest.raises(UsageError):
        qg.TagJob(index_path, bands=(1_000,))


def test_another_index_at_the_path_is_refused(qpv, tmp_path):
    path = tmp_path / "one.index"
    qg.PerimeterIndex(qpv).save(path)
    job = qg.TagJob(path, xy=("lon", "lat"), crs=4326)
    qg.PerimeterIndex(qpv.iloc[:3]).save(path)
    from qpvgeo.distributed import tag_job

    tag_job._held.clear()
    with pytest.raises(DataError):
        job.perimeters()


def test_rows_that_are_tagged_already_or_have_no_points_are_refused(job, rows_around):
    with pytest.raises(DataError):
        job(job(rows_around(10)))
    with pytest.raises(UsageError):
        job(pa.table({"id": [1]}))
    with pytest.raises(DataError):
        job.pandas(job.pandas(rows_around(10).to_pandas()))


def test_something_that_is_no_index_is_refused():
    from qpvgeo.distributed.tag_job import job_of

    with pytest.raises(UsageError):
        job_of(3, {})


def test_points_may_be_text_of_shapes(index_path):
    job = qg.TagJob(index_path, xy="wkt", crs=4326)
    tags = job(pa.table({"wkt": ["POINT (-3.7 45.9)", "POINT EMPTY", None]}))
    assert tags["state"].to_pylist() == ["out", "unknown", "unknown"]
