"""Lines between departments, from the communes of which they are made, without joining any area.

A segment between two communes of one department is in the outlines of both, and falls out; what is left are the limits
of departments, and the coast. The outlines of neighbours must have their vertices in common, as those of a national
file have; where they do not, their common line is left twice.
"""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.geometry.edges import edges_of

__all__ = ["department_lines"]

_GRAIN_M = 0.01
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], dtype=np.uint64)


def department_lines(communes: gpd.GeoSeries, departments: pd.Series) -> npt.NDArray[np.object_]:
    """Limits of departments.

    Parameters
    ----------
    communes
        Outlines, metres.
    departments
        Department of each commune.

    Returns
    -------
    numpy.ndarray
        Lines, metres, joined end to end.

    Examples
    --------
    >>> squares = gpd.GeoSeries([shapely.box(x, 0, x + 1, 1) for x in range(3)])
    >>> lines = department_lines(squares, pd.Series(["01", "01", "02"]))
    >>> round(shapely.length(lines).sum())
    9
    """
    edges = edges_of(communes.to_numpy())
    ends = np.round(np.column_stack([edges.x0, edges.y0, edges.x1, edges.y1]) / _GRAIN_M).astype(np.int64)
    # both ways along a segment are one
    turned = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[turned] = ends[turned][:, [2, 3, 0, 1]]
    number = pd.factorize(departments.to_numpy())[0].astype(np.uint64)[edges.owner]
    with np.errstate(over="ignore"):
        mixed = (ends.view(np.uint64) * _FACTORS).sum(axis=1, dtype=np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(29))) + number * np.uint64(0xD6E8FEB86659FD93)
    _, first, counts = np.unique(mixed, return_index=True, return_counts=True)
    kept = ends[first[counts == 1]]
    # the segment of two departments is there once from each: one of them is enough
    kept = np.unique(kept, axis=0) * _GRAIN_M
    if not len(kept):
        return np.zeros(0, dtype=object)
    segments = np.asarray(shapely.linestrings(kept.reshape(-1, 2, 2)))
    merged = shapely.line_merge(shapely.multilinestrings(segments))
    return np.asarray(shapely.get_parts(merged), dtype=object)
