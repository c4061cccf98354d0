"""Known breaks of series, and comparisons that say which of them they cross.

A series by QPV breaks when the geography changes, and when Insee changes a source or a method. The difference of two
years across a break is partly the break: it is no evolution. The breaks known here are those that the publications
state; Insee advises against comparing consecutive years of incomes at all.

Source: the table `breaks` of the facts, a source for each row.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError, judged, warn
from qpvgeo.frames import forms, provenance, require
from qpvgeo.language import Note, joined

__all__ = ["Indicator", "SeriesBreakWarning", "compare", "series_breaks"]

Indicator = Literal["population", "income", "grid"]

_NAMED, _NEARLY_ALL = 5, 0.99
_ANY, _OVERSEAS, _HEXAGONE = "any", "overseas", "hexagone"


class SeriesBreakWarning(UserWarning):
    """A comparison crosses a known break of the series."""


@judged
def series_breaks(
    indicator: Indicator | None = None,
    *,
    years: Sequence[int] | None = None,
    territory: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Give the known breaks of the series by QPV.

    Parameters
    ----------
    indicator
        `population` (census), `income` (Filosofi by QPV: median, poverty) or `grid` (incomes on the 200 m grid), each
        with the changes of geography; None for all.
    years
        Two years: only the breaks that a comparison of them crosses.
    territory
        Codes of territories that are compared; None for all.

    Returns
    -------
    pandas.DataFrame
        In order of time: `indicator` (`any` for a change of geography), `territory` (missing for all of them;
        `overseas` for all but the hexagone), `last_year` before the break, `first_year` after it, `what`, `source`.

    Raises
    ------
    UsageError
        There is no such indicator or territory, or `years` are no two years.

    Examples
    --------
    >>> series_breaks("income", years=(2019, 2021)).empty
    True
    >>> found = series_breaks("income", years=(2020, 2024), territory="hexagone")
    >>> found[["indicator", "last_year", "first_year"]].to_numpy().tolist()
    [['income', 2021, 2022], ['any', 2023, 2024]]
    """
    if indicator is not None and indicator not in get_args(Indicator):
        raise UsageError(
            Note("indicators.no_indicator", name=str(indicator)),
            way_out=Note("indicators.valid_values", values=", ".join(get_args(Indicator))),
        )
    table = facts.table("breaks")
    kept = pd.Series(True, index=table.index)
    if indicator is not None:
        kept &= table["indicator"].isin([indicator, _ANY])
    if territory is not None:
        places = [territory] if isinstance(territory, str) else list(territory)
        for place in places:
            territories.get(place)
        named = {*places, *([_OVERSEAS] if any(place != _HEXAGONE for place in places) else [])}
        kept &= table["territory"].isna() | table["territory"].isin(named)
    if years is not None:
        try:
            first, last = sorted(int(year) for year in years)
        except (TypeError, ValueError):
            raise UsageError(
                Note("indicators.not_two_years", years=repr(years)), way_out=Note("indicators.write_years")
            ) from None
        kept &= (table["last_year"] >= first) & (table["first_year"] <= last)
    return table[kept].sort_values(["last_year", "indicator"], kind="stable").reset_index(drop=True)


@judged
def compare(
    before: pd.Series | pd.DataFrame,
    after: pd.Series | pd.DataFrame,
    *,
    indicator: Indicator,
    years: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Compare two years of a series by QPV, and warn of the breaks between them.

    Parameters
    ----------
    before, after
        Values by code of one geography: Series of one name, or frames of `qpvgeo.read_population`, whose people are
        compared. Move one of them with `qpvgeo.convert` where the geographies differ.
    indicator
        What they are: see `series_breaks`.
    years
        Year of each; frames of populations say theirs.

    Returns
    -------
    pandas.DataFrame
        Indexed by the codes of both, those of `before` first: `before`, `after`, `difference`, `ratio` (missing where
        one of them is, or where `before` is 0). `attrs["qpvgeo"]["breaks"]` holds a note for each break crossed.

    Raises
    ------
    DataError
        Codes repeat, or are of different geographies.
    UsageError
        The years are not told, or the indicator is unknown.

    Warns
    -----
    SeriesBreakWarning
        Once for each break that lies between the years, in a territory that the codes are of; when one of the two was
        moved from another geography; and for consecutive years of incomes, which Insee advises against comparing.

    Examples
    --------
    >>> import pandas as pd
    >>> old, new = pd.Series({"QP001001": 2000}), pd.Series({"QP001001": 2100})
    >>> compare(old, new, indicator="population", years=(2013, 2018)).loc["QP001001"].tolist()
    [2000.0, 2100.0, 100.0, 1.05]
    """
    values = [_values(side, name) for side, name in ((before, "before"), (after, "after"))]
    found = [forms.reference_year(side) for side in (before, after)]
    told = list(years) if years is not None else [year for year in found if year is not None]
    if len(told) != 2:
        raise UsageError(Note("indicators.no_years"), way_out=Note("indicators.write_years"))
    labels = values[0].index.union(values[1].index, sort=False)
    vintages = {vintage for label in labels if (vintage := official.vintage_of(str(label))) is not None}
    if len(vintages) > 1:
        raise DataError(
            Note("indicators.two_geographies"),
            problems=[
                Note("indicators.codes_of", vintage=vintage, codes=few)
                for vintage in sorted(vintages)
                if (few := [str(label) for label in labels if official.vintage_of(str(label)) == vintage])
            ],
            way_out=Note("indicators.convert_first"),
        )
    one, other = (side.reindex(labels).astype("Float64") for side in values)
    frame = pd.DataFrame(
        {"before": one, "after": other, "difference": other - one, "ratio": other / one.where(one != 0)}
    )
    places = {
        territories.of_department(official.of_qpv(str(label))) for label in labels if official.vintage_of(str(label))
    }
    crossed = series_breaks(indicator, years=told, territory=sorted(place for place in places if place) or None)
    # values of one geography do not cross the change to another, but those that were moved from it
    said = [_sentence(row) for row in crossed[crossed["indicator"] != _ANY].itertuples()]
    if indicator != "population" and abs(int(told[0]) - int(told[1])) == 1:
        said.append(Note("indicators.consecutive_incomes"))
    said += [_moved(side, name) for side, name in ((before, "before"), (after, "after")) if "of" in _about(side)]
    for sentence in said:
        warn(sentence, SeriesBreakWarning)
    files = [record for side in (before, after) for record in _about(side).get("files", [])]
    return provenance.stamp(frame, files, years=[int(year) for year in told], indicator=indicator, breaks=said)


def _values(side: pd.Series | pd.DataFrame, name: str) -> pd.Series:
    values = side
    if not isinstance(side, pd.Series | pd.DataFrame):
        raise UsageError(
            Note("indicators.not_a_series", name=name, kind=type(side).__name__), way_out=Note("indicators.give_series")
        )
    if isinstance(side, pd.DataFrame):
        require.require_columns(side, ["population"], what=name, way_out=Note("frames.give_series"))
        values = side["population"]
    if not pd.api.types.is_numeric_dtype(values):
        raise DataError(
            Note("indicators.not_numbers", name=name, kind=str(values.dtype)), way_out=Note("indicators.to_numeric")
        )
    repeated = values.index[values.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            Note("indicators.codes_repeated", name=name),
            problems=map(str, repeated),
            way_out=Note("indicators.one_row_a_code"),
        )
    return values


def _about(side: pd.Series | pd.DataFrame) -> dict[str, Any]:
    return dict(side.attrs.get(provenance.ATTRS_KEY, {}))


def _moved(side: pd.Series | pd.DataFrame, name: str) -> str:
    part = side["covered_share"].lt(_NEARLY_ALL).sum() if "covered_share" in getattr(side, "columns", ()) else 0
    moved = Note("indicators.moved_series", name=name, basis=_about(side)["basis"])
    return joined([moved, *([Note("indicators.covered_in_part", count=int(part))] if part else [])])


def _sentence(row: Any) -> str:  # noqa: ANN401 - a row of the table
    """Note of a break."""
    about = {"last": int(row.last_year), "first": int(row.first_year), "what": row.what}
    if pd.isna(row.territory):
        return Note("indicators.series_break", **about)
    return Note("indicators.series_break_of", territory=row.territory, **about)
