"""A table by QPV converted from one geography to the other, by the shares of a crosswalk.

A count is shared out by the people, homes or area that each pair shares; a rate carries its denominator; a category
goes to the perimeter that it covers most of. What nothing on the other side covers is reported, not lost, and how much
of each perimeter a value covers is given beside it. Insee publishes no series of one geography on the other: the result
is an estimate, except where perimeters were kept or merged whole.
"""

from typing import Literal

import pandas as pd
import pyarrow as pa

from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames import provenance
from qpvgeo.frames.interchange import Returns, by_code, require_returns, returned
from qpvgeo.geographies.apportionment import COVERED, Kind, apportion, framed
from qpvgeo.geographies.forms import SIDES, crosswalk_form, shown
from qpvgeo.language import Note

__all__ = ["convert"]

Scope = Literal["whole", "covered"]

_WEIGHTS = ("population", "households", "points", "area_m2")
"""What shares may be of, the one that says most about people first."""


@judged
def convert(  # noqa: PLR0913 - a table, the way, and the form
    values: pd.Series | pd.DataFrame,
    crosswalk: pd.DataFrame,
    *,
    kind: Kind = "count",
    denominators: pd.Series | None = None,
    by: str | None = None,
    of: Scope | None = None,
    returns: Returns = "pandas",
) -> pd.DataFrame | pa.Table:
    """Convert a table by QPV from one geography to the other.

    Parameters
    ----------
    values
        Series, or frame whose columns are all of one kind, by code of one of the two geographies: its codes say which
        way to go. A frame that speaks the Arrow PyCapsule interface (pyarrow, polars, DuckDB) has them in its first
        column of text. Perimeters that it leaves out count as missing. A column `covered_share`, which a frame of
        `convert` has, is left out of the values.
    crosswalk
        Frame of `qpvgeo.crosswalk`, whole: each pair once, with the rows of what is uncovered.
    kind
        - `count` (people, homes, jobs): shared out, value × share.
        - `rate` (a share of people, a mean): the mean of the parts weighted by their denominators.
        - `category` (a label): the one that most of the covered part of the perimeter has, however small that part is;
          missing for a tie.
    denominators
        For rates, by code of the same geography: what each rate is a share of.
    by
        Shares to use: `population`, `households`, `points` or `area_m2`; by default the first of these that the
        crosswalk has. A perimeter that holds none of it, or a part of which is not known, is shared out by area, and a
        note says so.
    of
        Support of the values:

        - `whole`: the whole perimeter; the part that the other geography does not cover is left over. The default,
          except for a frame with a column `covered_share`.
        - `covered`: only the part that the other geography covers, as in a frame that `convert` made from it; nothing
          is left over. A frame with a column `covered_share` needs one of the two words.

    Returns
    -------
        `pandas`, or `pyarrow`: a table whose first column is `qpv_code`, with the provenance in its metadata, as JSON.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        Indexed by `qpv_code` of the other geography: the columns, then `covered_share` (0 to 1), the share of the
        perimeter that the values are about, by the weight, or by area where the weight of a part is not known: what
        the first geography does not cover is in no value. Values are missing where nothing comes, and where a part
        that comes has none. `qpvgeo.geographies.unplaced` gives what nothing covers; `attrs["qpvgeo"]` holds the basis
        and the notes.

    Raises
    ------
    DataError
        Codes are of no side or of both sides of the crosswalk, repeat, or are in neither; rows of the crosswalk repeat
        or are missing; values are not numbers.
    UsageError
        The kind is unknown, or not additive (median, mean, decile, Gini); a rate has no denominators; the crosswalk
        has no such shares; a frame that was converted does not say what its values are of.

    Warns
    -----
    QuantileWarning
        A column is named like a median or another quantile: that of a union does not follow from those of its parts.

    Notes
    -----
    A count converted there and back, and what is left over on the way, add up to the count. A change of geography is a
    break in a series (`qpvgeo.indicators.series_breaks`): a converted figure is not a published one.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> old, new = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    >>> people = qg.read_population(sample.population_2015)["population"]
    >>> moved = convert(people, qg.crosswalk(old, new, qg.read_grid(sample.grid_2019)))
    >>> moved.loc[["QN09903M", "QN09904M"]].round(2).to_numpy().tolist()
    [[1286.0, 1.0], [1690.0, 1.0]]
    >>> left = qg.geographies.unplaced(moved)
    >>> bool(abs(moved["population"].sum() + left["value"].sum() - people.sum()) < 1e-6)
    True
    """
    require_returns(returns)
    values = by_code(values)
    if not isinstance(values, pd.Series | pd.DataFrame):
        raise UsageError(
            Note("geographies.values_type", given=type(values).__name__),
            way_out=Note("geographies.values_type_way_out"),
        )
    walk = crosswalk_form(crosswalk, ["area_m2"])
    table = framed(values)
    scope = _scope(table, of)
    weight = _weight(walk, by)
    here, there = _direction(table.index, walk)
    about, of_walk = provenance.provenance(table), provenance.provenance(walk)
    parts, notes = _parts(walk, here, there, weight, scope)
    undrawn = table.index[table.index.isin(of_walk.get("without_outline", []))]
    if len(undrawn):
        nowhere = pd.DataFrame({"code_from": undrawn, "code_to": pd.NA, "share": 1.0, "weight": 0.0})
        parts = pd.concat([parts, nowhere.astype({"code_from": "str", "code_to": "str"})], ignore_index=True)
        notes.append(Note("geographies.left_over_without_outline", codes=undrawn.astype("str").tolist()))
    found = apportion(table.drop(columns=COVERED, errors="ignore"), parts, kind=kind, denominators=denominators)
    found.table.index.name = "qpv_code"
    provenance.stamp(
        found.table,
        [*about.get("files", []), *of_walk.get("files", [])],
        basis=weight,
        weights=of_walk.get("weights"),
        of=scope,
        notes=notes,
        fictional=bool(of_walk.get("fictional", False)),
    )
    return returned(found.frame(**found.table.attrs[provenance.ATTRS_KEY]), returns)


def _scope(table: pd.DataFrame, of: object) -> Scope:
    """Support of the values; a frame that was converted must say it, for it can be either."""
    if of is None and COVERED not in table.columns:
        return "whole"
    if isinstance(of, str) and of in ("whole", "covered"):
        return "whole" if of == "whole" else "covered"
    key = "geographies.converted_of_what" if of is None else "geographies.no_such_support"
    raise UsageError(Note(key, of=shown(of)), way_out=Note("geographies.support_way_out"))


def _weight(walk: pd.DataFrame, by: str | None) -> str:
    """Column that shares are of."""
    held = [name for name in _WEIGHTS if name in walk.columns]
    if by is not None and not (isinstance(by, str) and by in held):
        raise UsageError(
            Note("geographies.no_shares_by", by=shown(by)), way_out=Note("geographies.no_shares_by_way_out", held=held)
        )
    return by or held[0]


def _direction(labels: pd.Index, walk: pd.DataFrame) -> tuple[str, str]:
    """Side of the crosswalk that labels are of, and the other one."""
    sides = {side: set(walk[f"code_{side}"].dropna()) for side in SIDES}
    fits = {side: sum(label in held for label in labels) for side, held in sides.items()}
    both = sides["from"] & sides["to"]
    if both:
        raise DataError(
            Note("geographies.common_labels"),
            problems=map(str, sorted(both)),
            way_out=Note("geographies.common_labels_way_out"),
        )
    here, there = sorted(SIDES, key=lambda side: -fits[side])
    undrawn = set(provenance.provenance(walk).get("without_outline", []))
    strange = [label for label in labels.unique() if label not in sides[here] | undrawn]
    if strange:
        raise DataError(
            Note("geographies.not_in_crosswalk", count=len(strange)),
            problems=[_stranger(str(label), label in sides[there]) for label in strange],
            way_out=Note("geographies.not_in_crosswalk_way_out"),
        )
    return here, there


def _stranger(label: str, of_other: bool) -> Note:
    """What is known about a code that the crosswalk does not hold on its side."""
    vintage = official.vintage_of(label)
    if of_other and vintage is None:
        return Note("geographies.code_of_the_other", label=label)
    if of_other:
        return Note("geographies.code_of_the_other_vintage", label=label, vintage=vintage)
    if vintage is None:
        return Note("geographies.not_a_qpv_code", label=label)
    return Note("geographies.code_without_perimeter", label=label, vintage=vintage)


def _parts(walk: pd.DataFrame, here: str, there: str, weight: str, scope: Scope) -> tuple[pd.DataFrame, list[Note]]:
    """Passage from one side to the other, and notes on the perimeters that are shared out by area."""
    mine, other = walk[f"code_{here}"], walk[f"code_{there}"]
    own, pair = mine.notna(), mine.notna() & other.notna()
    whole = pair.groupby(mine).transform("any") if scope == "covered" else None
    # a perimeter that is covered nowhere is wholly left over
    kept = own & (pair | ~whole.fillna(False).astype(bool)) if whole is not None else own
    asked, area = (_shares(walk, here, name, scope).where(kept) for name in (weight, "area_m2"))
    missing = kept & asked.isna()
    unknown = walk[weight].isna().groupby(mine).transform("any").fillna(False).astype(bool)
    size = walk[weight].astype(float)
    # the part that a value covers is measured by area where its weight is not known
    sums = size.groupby(other).transform(lambda part: part.sum(skipna=False))
    size = size.where(sums.fillna(0.0) > 0, walk["area_m2"])
    parts = pd.DataFrame({"code_from": mine, "code_to": other, "share": asked.where(~missing, area), "weight": size})
    by_area = {
        "geographies.by_area_unknown": mine[missing & unknown],
        "geographies.by_area_empty": mine[missing & ~unknown],
    }
    codes = {key: list(dict.fromkeys(labels.astype(str))) for key, labels in by_area.items()}
    notes = [Note(key, count=len(named), weight=weight, codes=named) for key, named in codes.items() if named]
    return parts[kept | ~own], notes


def _shares(walk: pd.DataFrame, here: str, name: str, scope: Scope) -> pd.Series:
    """Share of each row in its perimeter, or in the part of it that pairs hold."""
    prefix = "" if name == "area_m2" else f"{name}_"
    whole = walk[f"{prefix}{here}_share"].astype(float)
    if scope == "whole":
        return whole
    mine = walk[f"code_{here}"]
    both = walk["code_from"].notna() & walk["code_to"].notna()
    held = walk[name].astype(float).where(both)
    sums = held.groupby(mine).transform(lambda part: part.sum(skipna=True))
    covered = both.groupby(mine).transform("any").fillna(False).astype(bool)
    return (held / sums.where(sums > 0)).where(covered, whole)
