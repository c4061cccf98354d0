"""Whole files of points tagged: `qpvgeo.tag_file` beside pyarrow, which only reads and writes the same columns."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 1_000_000
SOURCE, TAGGED, COPY = "points.parquet", "tagged.parquet", "copy.parquet"
EXPECTED = "expected.npy"
STATES = ("in", "out", "unknown")


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
    index = qpvgeo.PerimeterIndex(ranked)
    index.save(folder / "index")
    # what pyarrow is to copy, once its states and distances are those of one call on the arrays
    qpvgeo.tag_file(folder / SOURCE, folder / TAGGED, index, xy=("x", "y"), crs=2154)
    tags = qpvgeo.tag_points((x, y), index, crs=2154)
    np.save(folder / EXPECTED, _told(tags["state"].cat.codes.to_numpy(), tags["distance_m"].to_numpy()))


def answer(found):
    """State and distance of each row."""
    return found()


def tag_file(folder):
    import qpvgeo

    index = qpvgeo.PerimeterIndex.load(folder / "index")
    output = folder / f"again-{TAGGED}"

    def call():
        qpvgeo.tag_file(folder / SOURCE, output, index, xy=("x", "y"), crs=2154)
        return lambda: _required(output, folder)

    return call


def copy(folder):
    def call():
        source = pq.ParquetFile(folder / TAGGED)
        with pq.ParquetWriter(folder / COPY, source.schema_arrow) as writer:
            for batch in source.iter_batches(ROWS):
                writer.write_batch(batch)
        return lambda: _required(folder / COPY, folder)

    return call


def _required(path, folder):
    """State and distance of each row of a file, which must be those that `tag_points` gives for the arrays."""
    read = pq.read_table(path, columns=["state", "distance_m"])
    states = pa.compute.index_in(read["state"].cast(pa.string()), pa.array(STATES))
    found = _told(states.to_numpy(), read["distance_m"].to_numpy())
    expected = np.load(folder / EXPECTED)
    if wrong := int((found != expected).any(axis=0).sum()):
        raise SystemExit(f"{path.name} differs from tag_points on {wrong:,} rows")
    return found


def _told(states, distances):
    """States by number and distances, one row each; -1 where there is no distance."""
    return np.stack([states.astype(np.float64), np.nan_to_num(distances, nan=-1.0)])


TOOLS = {"tag_file": tag_file, "pyarrow, reading and writing alone": copy}
