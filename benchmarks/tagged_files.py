"""Whole files of points tagged: `qpvgeo.tag_file` beside pyarrow, which only reads and writes the same columns."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 1_000_000
SOURCE, TAGGED, COPY = "points.parquet", "tagged.parquet", "copy.parquet"


def prepare(folder, quarters, x, y):
    """Write down a table of points (a label like those of the BAN, and coordinates), and the index of the QPV."""
    import qpvgeo

    kinds = pa.schema([("id", pa.string()), ("x", pa.float64()), ("y", pa.float64())])
    with pq.ParquetWriter(folder / SOURCE, kinds) as writer:
        for start in range(0, len(x), ROWS):
            rows = slice(start, min(start + ROWS, len(x)))
            labels = pa.array(np.arange(rows.start, rows.stop)).cast(pa.string())
            labels = pa.compute.binary_join_element_wise("93010", labels, "_")
            writer.write_batch(pa.record_batch([labels, x[rows], y[rows]], schema=kinds))
    ranked = quarters.iloc[np.lexsort((quarters.index, quarters.area))]
    qpvgeo.PerimeterIndex(ranked).save(folder / "index")
    # what pyarrow is to copy
    qpvgeo.tag_file(folder / SOURCE, folder / TAGGED, qpvgeo.PerimeterIndex(ranked), xy=("x", "y"), crs=2154)


def answer(found):
    """Number of rows in each state."""
    return found()


def tag_file(folder):
    import qpvgeo

    index = qpvgeo.PerimeterIndex.load(folder / "index")
    output = folder / f"again-{TAGGED}"

    def call():
        qpvgeo.tag_file(folder / SOURCE, output, index, xy=("x", "y"), crs=2154)
        return lambda: _states(output)

    return call


def copy(folder):
    def call():
        source = pq.ParquetFile(folder / TAGGED)
        with pq.ParquetWriter(folder / COPY, source.schema_arrow) as writer:
            for batch in source.iter_batches(ROWS):
                writer.write_batch(batch)
        return lambda: _states(folder / COPY)

    return call


def _states(path):
    found = pq.read_table(path, columns=["state"])["state"].cast(pa.string()).value_counts().to_pylist()
    count = {one["values"]: one["counts"] for one in found}
    return np.array([count.get(state, 0) for state in ("in", "out", "unknown")])


TOOLS = {"tag_file": tag_file, "pyarrow, reading and writing alone": copy}
