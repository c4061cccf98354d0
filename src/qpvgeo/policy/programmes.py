"""Which programmes of the *politique de la ville* exist, which lists of them are held, and which QPV they reach.

Sources: column `source` of `facts/programmes.csv` and `facts/programme_members.csv`. Lists that are not held are named
as such, and counts are dated.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames.forms import require_one_geography, require_qpv, whole_sums
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.geographies.slivers import SIGNIFICANT_SHARE
from qpvgeo.language import Note
from qpvgeo.policy.epts import ept_of
from qpvgeo.policy.member_lists import PERIMETER, Lists, lists_of
from qpvgeo.policy.own_perimeters import Drawn, match_perimeters

__all__ = ["join_programmes", "programme_members", "programmes"]

_COLUMNS = ("qpv_code", "programme", "member", "code", "basis", "share")
_TABLES = (
    ("policy.not_a_crosswalk", {"code_from", "code_to", "from_share", "to_share"}),
    ("policy.not_communes", {"epci"}),
    ("policy.not_links", {"qpv_code", "commune", "area_share"}),
    ("policy.not_a_grid", {"population"}),
)

Members: TypeAlias = pd.DataFrame | Mapping[str, Iterable[str] | gpd.GeoDataFrame | gpd.GeoSeries] | None


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
    lists: Members = None,
    *,
    crosswalk: pd.DataFrame | None = None,
    communes: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
    grid: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Match programmes to QPV, with the basis and the share of each match.

    Parameters
    ----------
    qpv
        Frame of `qpvgeo.read_qpv`, of either geography.
    lists
        The lists held by default, or lists of your own:

        - by programme, codes of QPV of either geography or both, or a layer of polygons: `{"ours": frame}`;
        - a frame like that of `programme_members`: `programme`, `unit` (`qpv_2015`, `qpv_2024`, or `qpv` for either;
          `commune`, `epci`, `ept`), `code`, and `name` if there is one;
        - a GeoDataFrame with `programme`: each polygon is a member (unit `perimeter`), named by its column `name` or
          its label; rows that have another unit are matched by their code.

        Case, spaces, lost zeros and decimals of codes are repaired, and repeated rows count once.
    crosswalk
        Frame of `qpvgeo.crosswalk`, to carry lists of one geography to QPV of the other.
    communes
        Frame of `qpvgeo.read_communes` with `epci` and `ept`, for members that are EPCI or EPT.
    links
        What `qpvgeo.join_communes` gives for these QPV: their communes where the frame of QPV does not list them, as in
        2015, and the share of each in them.
    grid
        Frame of `qpvgeo.read_grid`, to share QPV that a perimeter cuts by people rather than by area.

    Returns
    -------
    pandas.DataFrame
        A row per QPV and member: `qpv_code`, `programme`, `member` (its name), `code` (of the member), `basis`
        (`code`, `crosswalk`, `commune`, `epci`, `ept`, `area` or `grid`) and `share`, of the QPV, that the member
        covers: 1 for a list of its own codes; the area in common for a crosswalk or a perimeter; the people of its
        part by the links, or by the grid; missing where only the commune is known, the QPV lies in several, and no
        links are given. Matches of at most 5 % of both sides are slivers of outlines, and left out.
        `attrs["qpvgeo"]["unplaced"]` lists the members that reach none of these QPV, by programme, and the notes say
        why where it is for want of a table.

    Raises
    ------
    UsageError, DataError
        Not a frame of QPV, lists that are unusable (every fault is listed), a table that is not a crosswalk, or tables
        of another geography.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> join_programmes(qpv, {"ours": ["QN09901M"]})[["qpv_code", "basis", "share"]].values.tolist()
    [['QN09901M', 'code', 1.0]]
    >>> join_programmes(qpv, {"drawn": qpv.loc[["QN09902I"]]})[["qpv_code", "basis", "share"]].values.tolist()
    [['QN09902I', 'area', 1.0]]
    """
    require_qpv(qpv)
    given = Lists(programme_members(), gpd.GeoSeries([], crs=4326)) if lists is None else lists_of(lists)
    _require(qpv, crosswalk, communes, links, grid)
    members = given.members
    placed_in = _communes_of(qpv, links)
    here = f"qpv_{official.vintage_of(str(qpv.index[0]))}" if len(qpv) else ""
    carried, slivers = _by_crosswalk(_of_other_geography(members, here), qpv, crosswalk)
    drawn = match_perimeters(qpv, given.outlines, grid) if len(given.outlines) and len(qpv) else Drawn.nothing()
    parts = [
        _by_code(members[members["unit"] == here], qpv),
        carried,
        _by_commune(members[members["unit"] == "commune"], placed_in),
        *(_by_group(members[members["unit"] == level], placed_in, communes, level) for level in ("epci", "ept")),
        _by_perimeter(members[members["unit"] == PERIMETER], drawn),
    ]
    filled = [part for part in parts if len(part)]
    found = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(_COLUMNS), dtype="str")
    found = found.astype({"share": "Float64"}).sort_values(["qpv_code", "programme", "member"], ignore_index=True)
    keys = ["programme", "code"]
    left = members[~pd.MultiIndex.from_frame(members[keys]).isin(pd.MultiIndex.from_frame(found[keys]))]
    notes = [*given.notes, *_notes(members, qpv, here, crosswalk=crosswalk, communes=communes)]
    notes += [Note("policy.slivers", count=slivers + drawn.slivers)] if slivers + drawn.slivers else []
    notes += [Note("policy.held_list_dates")] if lists is None else []
    return stamp(
        found,
        provenance(qpv).get("files", []),
        unplaced=left.groupby("programme")["code"].agg(list).to_dict(),
        as_of=members.groupby("programme")["as_of"].first().to_dict() if "as_of" in members else {},
        together=drawn.together,
        fictional=is_fictional(qpv),
        notes=notes,
    )


def _require(
    qpv: gpd.GeoDataFrame,
    crosswalk: pd.DataFrame | None,
    communes: pd.DataFrame | None,
    links: pd.DataFrame | None,
    grid: pd.DataFrame | None,
) -> None:
    problems = [
        Note(key)
        for (key, columns), table in zip(_TABLES, (crosswalk, communes, links, grid), strict=True)
        if table is not None and not (isinstance(table, pd.DataFrame) and columns <= set(table.columns))
    ]
    if problems:
        raise UsageError(Note("policy.tables_unusable"), problems=problems)
    walked = {} if crosswalk is None else {"crosswalk": pd.concat([crosswalk["code_from"], crosswalk["code_to"]])}
    require_one_geography(qpv.index, {} if links is None else {"links": links["qpv_code"]}, walked)


def _of_other_geography(members: pd.DataFrame, here: str) -> pd.DataFrame:
    return members[members["unit"].str.startswith("qpv_") & (members["unit"] != here)]


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


def _by_crosswalk(
    members: pd.DataFrame, qpv: gpd.GeoDataFrame, crosswalk: pd.DataFrame | None
) -> tuple[pd.DataFrame, int]:
    """Members of the other geography, by the part of each QPV that they cover, and how many matches are slivers."""
    if crosswalk is None or not len(members):
        return _rows(members.iloc[:0], [], "crosswalk", 1.0), 0
    pairs = crosswalk.dropna(subset=["code_from", "code_to"])
    forward = pairs["code_to"].isin(qpv.index).any()
    there, here, share = ("code_from", "code_to", "to_share") if forward else ("code_to", "code_from", "from_share")
    matched = members.merge(pairs[["code_from", "code_to", "from_share", "to_share"]], left_on="code", right_on=there)
    matched = matched[matched[here].isin(qpv.index)]
    descends = (matched[["from_share", "to_share"]].astype(float) > SIGNIFICANT_SHARE).any(axis=1)
    kept = matched[descends]
    return _rows(kept, kept[here], "crosswalk", kept[share].to_numpy()), int((~descends).sum())


def _communes_of(qpv: gpd.GeoDataFrame, links: pd.DataFrame | None) -> pd.DataFrame:
    """A row per QPV and commune, with the share of the QPV in it; missing where the QPV lies in several."""
    if links is not None:
        share = "population_share" if "population_share" in links.columns else "area_share"
        found = links.loc[links["qpv_code"].isin(qpv.index), ["qpv_code", "commune", share]]
        return found.dropna(subset="commune").rename(columns={share: "share"}).astype({"share": "Float64"})
    listed = qpv["communes"].map(_codes_in)
    long = listed.rename("commune").explode().dropna().rename_axis("qpv_code").reset_index()
    alone = long.groupby("qpv_code")["commune"].transform("size") == 1
    return long.assign(share=pd.Series(1.0, long.index, dtype="Float64").where(alone))


def _codes_in(cell: Any) -> list[str]:  # noqa: ANN401 - a list, a text, or missing
    """Codes of communes in a cell."""
    if isinstance(cell, str):
        return official.split_list(cell)
    return list(cell) if isinstance(cell, Iterable) else []


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
    share = whole_sums(links.groupby(["qpv_code", "group"])["share"])
    links = links.assign(whole=whole).drop_duplicates(["qpv_code", "group"]).dropna(subset="group")
    matched = members.merge(links, left_on="code", right_on="group")
    summed = share.reindex(pd.MultiIndex.from_frame(matched[["qpv_code", "group"]])).astype("Float64").array
    return _rows(
        matched, matched["qpv_code"], level, pd.Series(summed, matched.index).mask(matched["whole"], 1.0).array
    )


def _by_perimeter(members: pd.DataFrame, drawn: Drawn) -> pd.DataFrame:
    """Members that are drawn, by what they share with each QPV."""
    matched = drawn.pairs.merge(members, on=["programme", "code"])
    return _rows(matched, matched["qpv_code"], "", matched["share"].to_numpy()).assign(
        basis=matched["basis"].to_numpy()
    )


def _notes(
    members: pd.DataFrame,
    qpv: gpd.GeoDataFrame,
    here: str,
    *,
    crosswalk: pd.DataFrame | None,
    communes: pd.DataFrame | None,
) -> list[Note]:
    notes = []
    other = _of_other_geography(members, here)
    if len(other) and crosswalk is None:
        notes.append(Note("policy.needs_crosswalk", count=len(other), programmes=sorted(set(other["programme"]))))
    elif len(other) and crosswalk is not None:
        known = pd.concat([crosswalk["code_from"], crosswalk["code_to"]])
        beyond = int((~qpv.index.isin(known)).sum())
        notes += [Note("policy.not_in_crosswalk", count=beyond)] if beyond else []
    grouped = members[members["unit"].isin(["epci", "ept"])]
    if len(grouped) and communes is None:
        notes.append(Note("policy.needs_communes", count=len(grouped), programmes=sorted(set(grouped["programme"]))))
    bare = int(qpv.geometry.isna().sum()) if (members["unit"] == PERIMETER).any() else 0
    return [*notes, *([Note("policy.qpv_without_outline", count=bare)] if bare else [])]
