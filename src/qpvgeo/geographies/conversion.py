"""A table by QPV moved from one geography to the other, by the shares of a crosswalk.

A count is shared out by the people, homes or ground that each pair shares; a rate takes its denominator along; a
category goes to the perimeter that it covers most of. What nothing on the other side covers is told, not lost, and how
much of each perimeter an answer covers stands beside it. Insee publishes no series of one geography on the other: what
comes out is an estimate, but where perimeters were kept or merged whole.
"""

import hashlib
from typing import Any, Literal

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance, require
from qpvgeo.geographies import apportionment
from qpvgeo.geographies.apportionment import Kind, Moved

__all__ = ["convert"]

Scope = Literal["whole", "covered"]

_WEIGHTS = ("population", "households", "points", "area_m2")
"""What shares may be of, the one that says most of people first."""

_NAMED = 5


def convert(
    values: pd.Series | pd.DataFrame,
    crosswalk: pd.DataFrame,
    *,
    kind: Kind = "count",
    denominators: pd.Series | None = None,
    by: str | None = None,
    of: Scope | None = None,
) -> Moved:
    """Move a table by QPV from one geography to the other.

    Parameters
    ----------
    values
        Series, or frame whose columns are all of one kind, by code of one of the two geographies: its codes say which
        way to go. Perimeters that it leaves out count as missing, and a column `covered_share`, that of an earlier
        conversion, is left out.
    crosswalk
        Frame of `qpvgeo.crosswalk`.
    kind
        `count` (people, homes, jobs): shared out. `rate` (a share of people, a mean): the mean of the parts weighted by
        their denominators. `category` (a label): the one that most of the covered part of the perimeter has, however
        small that part is; missing for a tie.
    denominators
        For rates, by code of the same geography: what each rate is of.
    by
        Shares to use: `population`, `households`, `points` or `area_m2`; by default the first of these that the
        crosswalk has. A perimeter that holds none of it, or of which a part is not known, is shared out by area, and a
        note says so.
    of
        What the values are of: `whole` perimeters, or only the part that the other geography covers (`covered`), of
        which nothing is left over. By default `covered` for columns that `convert` gave from the geography that they
        are moved back to, and `whole` otherwise.

    Returns
    -------
    Moved
        `table`, indexed by `qpv_code` of the other geography: the columns, then `covered_share` (0 to 1), the share
        of the perimeter that the answer is about, by the weight, or by area where the weight of a part is not known:
        what the first geography does not cover is in no value. Values are
        missing where nothing comes, and where a part that comes has none. `unplaced`: `from`, `column`, `value`,
        `share` of what nothing covers. `attrs["qpvgeo"]` of the table holds the basis and notes.

    Raises
    ------
    DataError
        Codes are of no side or of both sides of the crosswalk, repeat, or are in none; values are no numbers.
    UsageError
        The kind is unknown; medians, deciles and Gini coefficients are refused, for that of a union does not follow
        from those of its parts; a rate has no denominators; the crosswalk has no such shares.

    Notes
    -----
    A count moved there and back, and what is left over on the way, add up to the count. A change of geography is a
    break in a series (`qpvgeo.indicators.series_breaks`): a converted figure is no published one.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> old, new = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    >>> people = qg.read_population(sample.population_2015)["population"]
    >>> moved = convert(people, qg.crosswalk(old, new, qg.read_grid(sample.grid_2019)))
    >>> moved.table.loc[["QN09903M", "QN09904M"]].round(2).to_numpy().tolist()
    [[1286.0, 1.0], [1690.0, 1.0]]
    >>> bool(abs(moved.table["population"].sum() + moved.unplaced["value"].sum() - people.sum()) < 1e-6)
    True
    """
    require.require_columns(
        crosswalk,
        ["from", "to", "area_m2", "from_share", "to_share"],
        what="The crosswalk",
        way_out="Make it with qpvgeo.crosswalk().",
    )
    if not isinstance(values, pd.Series | pd.DataFrame):
        raise UsageError(f"Values cannot be a {type(values).__name__}.", way_out="convert(values, crosswalk)")
    if of not in (None, "whole", "covered"):
        raise UsageError(f"of={of!r} is neither 'whole' nor 'covered'.")
    weight = _weight(crosswalk, by)
    here, there = _direction(values.index, crosswalk)
    about = provenance.provenance(values) if isinstance(values, pd.DataFrame) else dict(values.attrs.get("qpvgeo", {}))
    table = (
        values.to_frame("value" if values.name is None else values.name) if isinstance(values, pd.Series) else values
    )
    scope, notes = (of, []) if of is not None else _scope(table, about, crosswalk[there])
    parts, lacking = _parts(crosswalk, here, there, weight, scope)
    undrawn = table.index[table.index.isin(provenance.provenance(crosswalk).get("without_outline", []))]
    if len(undrawn):
        nowhere = pd.DataFrame({"from": undrawn, "to": pd.NA, "share": 1.0, "weight": 0.0})
        parts = pd.concat([parts, nowhere.astype({"to": "str"})], ignore_index=True)
        lacking |= {"have no outline and are left over": undrawn.astype("str").tolist()}
    table = table.drop(columns=apportionment.COVERED, errors="ignore")
    moved = apportionment.move(table, parts, kind=kind, denominators=denominators)
    moved.table.index.name = "qpv_code"
    notes += [
        f"{len(told)} perimeters {why}: {', '.join(told[:_NAMED])}" + (", ..." if len(told) > _NAMED else "")
        for why, told in lacking.items()
        if told
    ]
    provenance.stamp(
        moved.table,
        [*about.get("files", []), *provenance.provenance(crosswalk).get("files", [])],
        basis=weight,
        weights=provenance.provenance(crosswalk).get("weights"),
        of="covered",
        covered_by=_digest(crosswalk[here]),
        converted=[str(name) for name in moved.table.columns.drop(apportionment.COVERED)],
        notes=notes,
        fictional=provenance.is_fictional(crosswalk),
    )
    return moved


def _scope(table: pd.DataFrame, about: dict[str, Any], there: pd.Series) -> tuple[Scope, list[str]]:
    """What values are of: the part that the other geography covers, for what was converted from it."""
    if about.get("of") != "covered":
        return "whole", []
    names = [str(name) for name in table.columns.drop(apportionment.COVERED, errors="ignore")]
    others = [name for name in names if name not in about.get("converted", [])]
    if others and len(others) < len(names):
        raise UsageError(
            "Some of these columns were converted and others were not: what they are of is not the same.",
            problems=[f"column {name!r} was not converted" for name in others],
            way_out='Move them apart, or say what all are of: of="whole" or of="covered".',
        )
    if others:
        return "whole", []
    if about.get("covered_by") != _digest(there):
        return "whole", ["what was converted from another geography is taken as of whole perimeters"]
    return "covered", []


def _digest(labels: pd.Series) -> str:
    """Short name of a set of perimeters."""
    return hashlib.sha256("\n".join(sorted(set(labels.dropna().astype(str)))).encode()).hexdigest()[:16]


def _weight(crosswalk: pd.DataFrame, by: str | None) -> str:
    """Column that shares are of."""
    held = [name for name in _WEIGHTS if name in crosswalk.columns]
    if by is not None and by not in held:
        raise UsageError(
            f"The crosswalk has no shares by {by!r}.",
            way_out=f"It has: {', '.join(held)}; weights= of qpvgeo.crosswalk() adds others.",
        )
    return by or held[0]


def _direction(labels: pd.Index, crosswalk: pd.DataFrame) -> tuple[str, str]:
    """Side of the crosswalk that labels are of, and the other one."""
    sides = {side: set(crosswalk[side].dropna()) for side in ("from", "to")}
    fits = {side: sum(label in held for label in labels) for side, held in sides.items()}
    both = sides["from"] & sides["to"]
    if both:
        raise DataError(
            "The two geographies have labels in common: they do not say which way to go.",
            problems=map(str, sorted(both)),
            way_out="Rename those of one of them before qpvgeo.crosswalk().",
        )
    here = max(fits, key=lambda side: fits[side])
    undrawn = set(provenance.provenance(crosswalk).get("without_outline", []))
    strange = [label for label in labels.unique() if label not in sides[here] | undrawn]
    if strange:
        others = "to" if here == "from" else "from"
        raise DataError(
            f"{len(strange)} codes of the table are not in the crosswalk.",
            problems=[f"{label}: {_said(str(label), label in sides[others])}" for label in strange],
            way_out="Give values by code of one geography; qpvgeo.codes.guess_codes() says what a column holds.",
        )
    return (here, "to") if here == "from" else (here, "from")


def _said(label: str, other: bool) -> str:
    vintage = official.vintage_of(label)
    if other:
        return f"of the other geography than the first codes{'' if vintage is None else f' ({vintage})'}"
    return "not the code of a QPV" if vintage is None else f"of the {vintage} geography, and not among its perimeters"


def _parts(
    crosswalk: pd.DataFrame, here: str, there: str, weight: str, scope: Scope
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Passage from one side to the other, and the perimeters that are shared out by area, by the reason why."""
    own, pair = crosswalk[here].notna(), crosswalk[here].notna() & crosswalk[there].notna()
    whole = pair.groupby(crosswalk[here]).transform("any") if scope == "covered" else None
    # of a perimeter that is covered nowhere the whole is left over
    kept = own & (pair | ~whole.fillna(False).astype(bool)) if whole is not None else own
    asked, area = (_shares(crosswalk, here, name, scope).where(kept) for name in (weight, "area_m2"))
    lacking = kept & asked.isna()
    unknown = crosswalk[weight].isna().groupby(crosswalk[here]).transform("any").fillna(False).astype(bool)
    size = crosswalk[weight].astype(float)
    # what an answer is about is told by area where the weight does not tell it
    sums = size.groupby(crosswalk[there]).transform(lambda part: part.sum(skipna=False))
    size = size.where(sums.fillna(0.0) > 0, crosswalk["area_m2"])
    parts = pd.DataFrame(
        {
            "from": crosswalk[here],
            "to": crosswalk[there],
            "share": asked.where(~lacking, area),
            "weight": size,
        }
    )[kept | ~own]
    labels = {
        f"have parts whose {weight} is not known, and are shared out by area": crosswalk.loc[lacking & unknown, here],
        f"hold nothing of the weight ({weight}) and are shared out by area": crosswalk.loc[lacking & ~unknown, here],
    }
    return parts, {why: list(dict.fromkeys(codes.astype(str))) for why, codes in labels.items()}


def _shares(crosswalk: pd.DataFrame, here: str, name: str, scope: Scope) -> pd.Series:
    """Share of each row in its perimeter, or in the part of it that pairs hold."""
    prefix = "" if name == "area_m2" else f"{name}_"
    if scope == "whole":
        return crosswalk[f"{prefix}{here}_share"].astype(float)
    both = crosswalk["from"].notna() & crosswalk["to"].notna()
    held = crosswalk[name].astype(float).where(both)
    sums = held.groupby(crosswalk[here]).transform(lambda part: part.sum(skipna=True))
    covered = both.groupby(crosswalk[here]).transform("any").fillna(False).astype(bool)
    return (held / sums.where(sums > 0)).where(covered, crosswalk[f"{prefix}{here}_share"].astype(float))
