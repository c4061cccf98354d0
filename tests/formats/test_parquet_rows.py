"""A Parquet file of which Arrow reads fewer rows than it announces, without a word, is refused."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.formats import text_tables
from qpvgeo.tagging.files import tag_file


def _lose_rows(path, column):
    """Change one bit of a column so that Arrow ends it early and raises nothing."""
    raw = path.read_bytes()
    start = pq.ParquetFile(path).metadata.row_group(0).column(column).data_page_offset
    for at in range(start, start + 40):
        for bit in range(8):
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :])
            try:
                with pq.ParquetFile(path) as file:
                    name = file.schema_arrow.names[column]
                    read = sum(batch.num_rows for batch in file.iter_batches(columns=[name]))
            except (pa.ArrowException, OSError):
                continue
            if read < 60:
                return read
    raise AssertionError("Arrow tells every bit")


@pytest.fixture
def points(tmp_path):
    table = pd.DataFrame({"lon": [3.1] * 60, "lat": [50.6] * 60, "name": [f"place {row}" for row in range(60)]})
    pq.write_table(pa.Table.from_pandas(table), tmp_path / "points.parquet", use_dictionary=False)
    return tmp_path / "points.parquet"


def test_points_of_a_shortened_column_are_refused(points, tmp_path):
    assert _lose_rows(points, 1) < 60
    index = qg.PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024))
    refused(lambda: tag_file(points, tmp_path / "out.csv", index), "formats.fewer_rows")
    assert not (tmp_path / "out.csv").exists()


def test_a_table_of_one_shortened_column_is_refused(tmp_path):
    path = tmp_path / "one.parquet"
    pq.write_table(pa.table({"name": [f"place {row}" for row in range(60)]}), path, use_dictionary=False)
    assert len(text_tables.read_table(path)) == 60
    _lose_rows(path, 0)
    refused(lambda: text_tables.read_table(path), "formats.fewer_rows")
