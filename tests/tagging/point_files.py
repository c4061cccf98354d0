"""Files of points with what is known of them."""

import gzip

import numpy as np
import pandas as pd

from qpvgeo.tagging.files import tag_file

X, Y = 700_000.0, 6_600_000.0


METRES = {"xy": ("x", "y"), "crs": 2154}


def lines_of(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as stream:
        return stream.read().decode().splitlines()


def tag(folder, text, index, *, suffix=".csv", encoding="utf-8", **options):
    """Rows of a CSV after tagging, and the counts."""
    source, out = folder / "in.csv", folder / f"out{suffix}"
    source.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return out, tag_file(source, out, index, **(METRES | options))


def points(number):
    """Points around the square, some without coordinates."""
    rng = np.random.default_rng(7)
    x, y = rng.uniform(X - 900, X + 1900, number), rng.uniform(Y - 900, Y + 1900, number)
    x[::11] = np.nan
    return pd.DataFrame({"id": [f"{row:05d}" for row in range(number)], "x": x, "y": y})
