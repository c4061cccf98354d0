"""Does the published list of communes of each QPV fit its outline?"""

import geopandas as gpd
import pandas as pd

from qpvgeo.errors import DataError, judged
from qpvgeo.frames import forms
from qpvgeo.geometry.overlap_table import overlap
from qpvgeo.indicators.published_communes import published_communes
from qpvgeo.indicators.qpv_communes import Tolerance, by_qpv, large_parts, require_communes
from qpvgeo.language import Note

__all__ = ["audit_communes"]


@judged
def audit_communes(qpv: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Compare the published communes of each QPV with its outline.

    Parameters
    ----------
    qpv, communes
        As for `join_communes`, with outlines.

    Returns
    -------
    pandas.DataFrame
        A row per disagreement, largest area first: `qpv_code`, `commune`, `area_m2`, `area_share`, `finding`:
        `listed, not touched`, `listed, only a sliver` (under the default tolerance) or `not listed`. Empty when the
        list and the geometry agree. With generalised outlines many rows are expected: they measure the outlines.

    Raises
    ------
    DataError
        The frame is no QPV frame, the communes have no outlines, or outlines are invalid.

    Notes
    -----
    The published list (ANCT, column `insee_com` by code in 2024, `commune_qp` by name in 2015) is the one of the
    decrees; outlines are at 1/4,000.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> communes = qg.read_communes(sample.communes, table=sample.communes_table)
    >>> audit_communes(qg.read_qpv(sample.qpv_2024), communes).columns.tolist()
    ['qpv_code', 'commune', 'area_m2', 'area_share', 'finding']
    """
    forms.require_qpv(qpv)
    require_communes(communes)
    if not isinstance(communes, gpd.GeoDataFrame):
        raise DataError(Note("indicators.no_outlines"), way_out=Note("indicators.read_outlines"))
    shares = by_qpv(qpv.index, overlap(qpv.geometry, communes.geometry))
    drawn = set(qpv.index[qpv.geometry.notna()])
    found = []
    for code, published in published_communes(qpv, communes).codes.items():
        if code not in drawn:
            continue
        seen = shares[code]
        most = large_parts(seen, Tolerance()) or [
            c for c in sorted(seen, key=lambda c: -seen[c][0])[:1] if c is not None
        ]
        for commune in published:
            if commune not in seen:
                found.append((code, commune, 0.0, 0.0, "listed, not touched"))
            elif commune not in most:
                found.append((code, commune, *seen[commune], "listed, only a sliver"))
        found += [(code, commune, *seen[commune], "not listed") for commune in most if commune not in published]
    frame = pd.DataFrame(found, columns=["qpv_code", "commune", "area_m2", "area_share", "finding"])
    return frame.sort_values("area_m2", ascending=False, ignore_index=True)
