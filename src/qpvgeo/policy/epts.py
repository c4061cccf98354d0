"""EPT of the communes of the Grand Paris: what a frame says, else the decrees that made them.

Source: décrets n° 2015-1655 to 2015-1665 of 11 December 2015, table `ept_communes` of `qpvgeo.facts`.
"""

import pandas as pd

from qpvgeo import facts

__all__ = ["GRAND_PARIS", "ept_of"]

GRAND_PARIS = "200054781"
"""SIREN of the Métropole du Grand Paris, whose EPT stand for it in the politique de la ville."""


def ept_of(communes: pd.DataFrame) -> pd.Series:
    """EPT of each commune of a frame; missing outside of the Grand Paris.

    Examples
    --------
    >>> ept_of(pd.DataFrame({"epci": ["200054781", "200093201"]}, index=["93008", "59350"])).tolist()
    ['200057875', nan]
    """
    known = {row["commune"]: row["ept"] for row in facts.rows("ept_communes")}
    told = pd.Series(communes.index.astype("str").map(known), index=communes.index, dtype="str")
    return communes["ept"].astype("str").fillna(told) if "ept" in communes.columns else told
