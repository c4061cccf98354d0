"""Are the outlines drawn in a grid file the squares that its ids name?"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from qpvgeo.errors import judged
from qpvgeo.read.grid.names import require_names
from qpvgeo.read.grid.outlines_check import differing_outlines
from qpvgeo.read.grid.tables import Source

__all__ = ["check_grid"]


@judged
def check_grid(
    source: Source,
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    data: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Find the cells that a file draws otherwise than their id says.

    Parameters
    ----------
    source, layer, columns, data
        As for `qpvgeo.read_grid`.

    Returns
    -------
    pandas.DataFrame
        A row per cell whose outline differs from the square of its id by more than 1 % of it: `cell_id`, `row`
        (position in the file, from 0), `problem` (`no outline`, `cut`: all of it inside the square, `elsewhere`),
        `drawn_m2`, `square_m2` (both in the projection of the file) and `difference_share` (area of one but not the
        other, over the square; missing without an outline). Empty when all is well, and for a table without outlines.

    Raises
    ------
    DataError
        No table of cells, ids that do not agree, or a projection that cannot be established.

    Notes
    -----
    All outlines are read, which `qpvgeo.read_grid` does up to 20,000 rows only.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> check_grid(qg.sample().grid_2019).empty
    True
    """
    require_names(columns)
    with tempfile.TemporaryDirectory(prefix="qpvgeo-", ignore_cleanup_errors=True) as scratch:
        return differing_outlines(source, Path(scratch), layer=layer, columns=columns, data=data)
