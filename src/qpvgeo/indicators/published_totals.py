"""The figures that are published, by territory, without any file: from the facts that qpvgeo holds."""

import pandas as pd

from qpvgeo import facts
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import provenance
from qpvgeo.indicators.denominators import Completeness, Denominators
from qpvgeo.indicators.totals import notes_of, totals_table
from qpvgeo.language import Note

__all__ = ["published_summary"]


@judged
def published_summary(vintage: int, *, year: int | None = None) -> pd.DataFrame:
    """Give the published figures by territory, from the facts alone: no file is needed.

    Parameters
    ----------
    vintage
        2015 or 2024.
    year
        Reference year of the populations: 2013 or 2018 (default) in the 2015 geography, 2020 in that of 2024.

    Returns
    -------
    pandas.DataFrame
        As `summary`, with `attrs["qpvgeo"]["basis"]` `"published"`; areas are missing. In the 2024 geography Mayotte
        has the 42 QPV of 2025, to which its population refers.

    Raises
    ------
    UsageError
        The facts hold no such vintage or year.

    Examples
    --------
    >>> figures = published_summary(2015)
    >>> figures.loc["total", "n_qpv"], round(figures.loc["hexagone + 5 DOM", "share"], 4)
    (np.int64(1514), np.float64(0.08))
    """
    held = facts.qpv_populations(vintage)
    if not held:
        raise UsageError(Note("indicators.no_vintage", vintage=repr(vintage)), way_out=Note("indicators.vintages"))
    year = max(held) if year is None else year
    if year not in held:
        raise UsageError(
            Note("indicators.no_published_year", year=year, vintage=vintage),
            way_out=Note("facts.years_held", years=sorted(held)),
        )
    lists = facts.geography("2023-06-30" if vintage == 2015 else "2025-06-30")
    described = pd.DataFrame(
        [
            {
                "vintage": vintage,
                "territory": place,
                "n_qpv": int(row.n_qpv),
                "population": held[year].get(place, (0, None, None))[1],
                "census": held[year].get(place, (0, None, None))[2],
                "area_m2": float("nan"),
                "repaired_m2": 0.0,
            }
            for place, row in lists.iterrows()
        ]
    ).astype({"population": "Float64", "census": "Int64"})
    described["department"] = described["territory"]
    frame = totals_table(
        described, Denominators.for_reference_year(year), "territory", _AsPublished(described, vintage)
    )
    provenance.stamp(
        frame, basis="published", vintage=vintage, reference_year=year, fictional=False, notes=notes_of(frame)
    )
    return frame


class _AsPublished(Completeness):
    """Published totals, of which every territory is whole."""

    def __init__(self, described: pd.DataFrame, vintage: int) -> None:
        super().__init__(described["department"], vintage)
        self.whole = set(described["territory"])
