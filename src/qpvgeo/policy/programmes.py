"""Which programmes of the *politique de la ville* exist, which lists of them are held, and which QPV they reach.

Sources: column `source` of `facts/programmes.csv` and `facts/programme_members.csv`. Lists that are not held are named
as such, and counts are dated.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes.official import vintage_of
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.forms import require_qpv
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.language import Note
from qpvgeo.policy.epts import ept_of

__all__ = ["join_programmes", "programme_members", "programmes"]

_UNITS = ("qpv_2015", "qpv_2024", "commune", "epci", "ept")
_COLUMNS = ("qpv_code", "programme", "member", "code", "basis", "share")
_CROSSWALK = ("code_from", "code_to", "from_share", "to_share")


def programmes() -> pd.DataFrame:
    """List the programmes: operator, legal reference, period, amounts, what they attach to, published counts.

    Returns
    -------
    pandas.DataFrame
        On `programme` (a short key): `title`, `operator`, `legal_reference`, `period`, `amounts`, `unit` (what a member
        is: a QPV of 2015, a commune, ...), `count`, `count_date`, `counted` (what the count is of), `list_held` (`yes`,
        `no`, or `rule` where the law says which units are concerned), `remark`, `source`.

    Examples
    --------
    >>> found = programmes()
    >>> int(found.loc["npnru", "count"]), found.loc["npnru", "list_held"], found.loc["quartiers-fertiles", "list_held"]
    (448, 'yes', 'no')
    """
    return facts.table("programmes").set_index("programme").astype({"count": "Int64"})


@judged
def programme_members(programme: str | None = None) -> pd.DataFrame:
    """Members of the programmes whose lists are held.

    Parameters
    ----------
    programme
        Key of one programme; None for all.

    Returns
    -------
    pandas.DataFrame
        `programme`, `name`, `unit` (`qpv_2015`, `commune`, `epci` or `ept`), `code`, `as_of` (day, month or year of
        the list), `source`. A member of several communes has a row for each.

    Raises
    ------
    UsageError
        The programme is not known, or its list is not held.

    Examples
    --------
    >>> len(programme_members("npnru")), programme_members("quartiers-productifs")["name"].nunique()
    (448, 14)
    """
    members = facts.table("programme_members")
    if programme is None:
        return members
    if programme not in set(members["programme"]):
        raise UsageError(
            Note("policy.no_list", programme=str(programme)),
            way_out=Note("policy.held_lists", programmes=sorted(set(members["programme"]))),
        )
    return members[members["programme"] == programme].reset_index(drop=True)


@judged
def join_programmes(
    qpv: gpd.GeoDataFrame,
    lists: pd.DataFrame | Mapping[str, Iterable[str]] | None = None,
    *,
    crosswalk: pd.DataFrame | None = None,
    communes: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Match programmes to QPV, with the basis and the share of each match.

    Parameters
    ----------
    qpv
        Frame of `qpvgeo.read_qpv`, of either geography.
    lists
        A frame like that of `programme_members` (`programme`, `unit`, `code`, and `name` if there is one), or codes of
        QPV by programme; the lists held by default.
    crosswalk
        Frame of `qpvgeo.crosswalk`, to carry lists of one geography to QPV of the other.
    communes
        Frame of `qpvgeo.read_communes` with `epci` and `ept`, for members that are EPCI or EPT.
    links
        What `qpvgeo.join_communes` gives for these QPV: their communes where the frame of QPV does not list them, as in
        2015, and the share of each in them.

    Returns
    -------
    pandas.DataFrame
        A row per QPV and member: `qpv_code`, `programme`, `member` (its name), `code` (of the member), `basis`
        (`code`, `crosswalk`, `commune`, `epci` or `ept`) and `share`: of the area of the QPV that the member covers;
        1 for a list of its own codes, the part in common for a crosswalk, missing where only the commune is known, the
        QPV lies in several, and no links are given. `attrs["qpvgeo"]["unplaced"]` lists the members that reach none of
        these QPV, by
        programme, and the notes say why where it is for want of a table.

    Raises
    ------
    UsageError, DataError
        Not a frame of QPV, lists without their columns, units that are not known, or a table that is not a crosswalk.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> join_programmes(qpv, {"ours": ["QN09901M"]})[["qpv_code", "basis", "share"]].values.tolist()
    [['QN09901M', 'code', 1.0]]
    """
    require_qpv(qpv)
    members = _members(lists)
    _require(crosswalk, communes, links)
    placed_in = _communes_of(qpv, links)
    here = f"qpv_{int(qpv['vintage'].iloc[0])}" if len(qpv) else ""
    parts = [
        _by_code(members[members["unit"] == here], qpv),
        _by_crosswalk(members[members["unit"].str.startswith("qpv_") & (members["unit"] != here)], qpv, crosswalk),
        _by_commune(members[members["unit"] == "commune"], placed_in),
        *(_by_group(members[members["unit"] == level], placed_in, communes, level) for level in ("epci", "ept")),
    ]
    filled = [part for part in parts if len(part)]
    found = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(_COLUMNS))
    found = found.astype({"share": "Float64"}).sort_values(["qpv_code", "programme", "member"], ignore_index=True)
    placed = set(zip(found["programme"], found["code"], strict=True))
    left = members[[(row.programme, row.code) not in placed for row in members.itertuples()]]
    return stamp(
        found,
        provenance(qpv).get("files", []),
        unplaced=left.groupby("programme")["code"].agg(list).to_dict(),
        as_of=members.groupby("programme")["as_of"].first().to_dict() if "as_of" in members else {},
        fictional=is_fictional(qpv),
        notes=_notes(members, here, crosswalk, communes, lists is None),
    )


def _members(lists: pd.DataFrame | Mapping[str, Iterable[str]] | None) -> pd.DataFrame:
    if lists is None:
        return programme_members()
    if isinstance(lists, Mapping):
        rows = [
            (name, str(code))
            for name, codes in lists.items()
            for code in ([codes] if isinstance(codes, str) else codes)
        ]
        members = pd.DataFrame(rows, columns=["programme", "code"])
        members["unit"] = [f"qpv_{vintage_of(code) or ''}" for code in members["code"]]
    elif isinstance(lists, pd.DataFrame):
        missing = [name for name in ("programme", "unit", "code") if name not in lists.columns]
        if missing:
            raise DataError(
                Note("policy.lists_columns"),
                problems=[Note("policy.no_column", column=name) for name in missing],
                way_out=Note("policy.lists_way_out"),
            )
        members = lists.copy()
    else:
        raise UsageError(Note("policy.lists_kind", kind=type(lists).__name__), way_out=Note("policy.lists_way_out"))
    members["code"] = members["code"].astype("str")
    if "name" not in members:
        members["name"] = members["code"]
    odd = members[~members["unit"].isin(_UNITS)]
    if len(odd):
        raise DataError(
            Note("policy.unknown_units"),
            problems=[
                Note("policy.unknown_unit", code=code, unit=str(unit))
                for code, unit in zip(odd["code"], odd["unit"], strict=True)
            ],
            way_out=Note("policy.units_way_out", units=list(_UNITS)),
        )
    return members.reset_index(drop=True)


def _require(crosswalk: pd.DataFrame | None, communes: pd.DataFrame | None, links: pd.DataFrame | None) -> None:
    problems = [
        Note(key)
        for key, table, columns in (
            ("policy.not_a_crosswalk", crosswalk, {"code_from", "code_to"}),
            ("policy.not_communes", communes, {"epci"}),
            ("policy.not_links", links, {"qpv_code", "commune", "area_share"}),
        )
        if table is not None and not (isinstance(table, pd.DataFrame) and columns <= set(table.columns))
    ]
    if problems:
        raise UsageError(Note("policy.tables_unusable"), problems=problems)


def _rows(members: pd.DataFrame, qpv_code: Any, basis: str, share: Any) -> pd.DataFrame:  # noqa: ANN401
    return pd.DataFrame(
        {
            "qpv_code": list(qpv_code),
            "programme": members["programme"].to_numpy(),
            "member": members["name"].to_numpy(),
            "code": members["code"].to_numpy(),
            "basis": basis,
            "share": share,
        }
    )


def _by_code(members: pd.DataFrame, qpv: gpd.GeoDataFrame) -> pd.DataFrame:
    mine = members[members["code"].isin(qpv.index)]
    return _rows(mine, mine["code"], "code", 1.0)


def _by_crosswalk(members: pd.DataFrame, qpv: gpd.GeoDataFrame, crosswalk: pd.DataFrame | None) -> pd.DataFrame:
    """Members of the other geography, by the part of each QPV that they cover."""
    if crosswalk is None or not len(members):
        return _rows(members.iloc[:0], [], "crosswalk", 1.0)
    pairs = crosswalk.dropna(subset=["code_from", "code_to"])
    forward = pairs["code_to"].isin(qpv.index).any()
    there, here, share = ("code_from", "code_to", "to_share") if forward else ("code_to", "code_from", "from_share")
    matched = members.merge(pairs[[there, here, share]], left_on="code", right_on=there)
    matched = matched[matched[here].isin(qpv.index)]
    return _rows(matched, matched[here], "crosswalk", matched[share].to_numpy())


def _communes_of(qpv: gpd.GeoDataFrame, links: pd.DataFrame | None) -> pd.DataFrame:
    """A row per QPV and commune, with the share of the QPV in it; missing where the QPV lies in several."""
    if links is not None:
        found = links.loc[links["qpv_code"].isin(qpv.index), ["qpv_code", "commune", "area_share"]]
        return found.dropna(subset="commune").rename(columns={"area_share": "share"}).astype({"share": "Float64"})
    listed = qpv["communes"].map(lambda codes: list(codes) if isinstance(codes, Iterable) else [])
    long = listed.rename("commune").explode().dropna().rename_axis("qpv_code").reset_index()
    alone = long.groupby("qpv_code")["commune"].transform("size") == 1
    return long.assign(share=pd.Series(1.0, long.index, dtype="Float64").where(alone))


def _by_commune(members: pd.DataFrame, placed: pd.DataFrame) -> pd.DataFrame:
    matched = members.merge(placed, left_on="code", right_on="commune")
    return _rows(matched, matched["qpv_code"], "commune", matched["share"].array)


def _by_group(members: pd.DataFrame, placed: pd.DataFrame, communes: pd.DataFrame | None, level: str) -> pd.DataFrame:
    """Members that are groupings of communes, through the communes of the QPV."""
    if communes is None or not len(members):
        return _rows(members.iloc[:0], [], level, 1.0)
    links = placed.assign(group=placed["commune"].map(ept_of(communes) if level == "ept" else communes[level]))
    by = links.groupby("qpv_code")["group"]
    whole = by.transform("nunique").eq(1) & by.transform("count").eq(by.transform("size"))
    share = links.groupby(["qpv_code", "group"])["share"].agg(lambda values: values.sum(skipna=False))
    links = links.assign(whole=whole).drop_duplicates(["qpv_code", "group"]).dropna(subset="group")
    matched = members.merge(links, left_on="code", right_on="group")
    summed = share.reindex(pd.MultiIndex.from_frame(matched[["qpv_code", "group"]])).astype("Float64").array
    return _rows(
        matched, matched["qpv_code"], level, pd.Series(summed, matched.index).mask(matched["whole"], 1.0).array
    )


def _notes(
    members: pd.DataFrame,
    here: str,
    crosswalk: pd.DataFrame | None,
    communes: pd.DataFrame | None,
    held: bool,
) -> list[Note]:
    notes = []
    other = members[members["unit"].str.startswith("qpv_") & (members["unit"] != here)]
    if len(other) and crosswalk is None:
        notes.append(Note("policy.needs_crosswalk", count=len(other), programmes=sorted(set(other["programme"]))))
    grouped = members[members["unit"].isin(["epci", "ept"])]
    if len(grouped) and communes is None:
        notes.append(Note("policy.needs_communes", count=len(grouped), programmes=sorted(set(grouped["programme"]))))
    if held:
        notes.append(Note("policy.held_list_dates"))
    return notes
