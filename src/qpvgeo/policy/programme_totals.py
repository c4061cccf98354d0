"""How many QPV and people programmes reach: each programme, each of its territories, and several programmes together.

A QPV is reached when a member of the programme covers some of it. How many of its people that makes is only known
where the member is the QPV itself; elsewhere there are two figures: the people of the parts covered, shared out as the
match says, and all people of the QPV reached.
"""

from typing import Any

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import forms, require
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.geographies.slivers import SIGNIFICANT_SHARE
from qpvgeo.indicators.by_programme import MATCH_COLUMNS, reach, required_matches
from qpvgeo.indicators.qpv_pieces import require_pairs_once
from qpvgeo.language import Note
from qpvgeo.policy.epts import ept_of
from qpvgeo.policy.programmes import programme_members

__all__ = ["carried_members", "programme_coverage", "programme_overlaps", "programme_territories"]

_LEVELS = ("commune", "epci", "ept", "department", "region")


@judged
def programme_coverage(
    joined: pd.DataFrame,
    links: pd.DataFrame,
    *,
    by: str | None = None,
) -> pd.DataFrame:
    """Count the QPV and the people that each programme reaches.

    Parameters
    ----------
    joined
        What `qpvgeo.join_programmes` gives.
    links
        What `qpvgeo.join_communes` gives for the same QPV, with their people.
    by
        None for all QPV together, or `commune`, `epci`, `ept`, `department`, `region`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `programme`, and by the unit before it where `by` is given:

        - `n_qpv`: QPV reached, wholly or in part; `n_whole`: those covered whole;
        - `population_covered`: people of the parts covered (people × share; missing where a share is);
        - `population_reached`: all people of the QPV reached, in the unit;
        - `share_of_qpv`: of the QPV of the unit.

        Programmes that reach none of these QPV have no row. People are missing where those of a QPV are.

    Raises
    ------
    UsageError
        The level does not exist, or these are not frames.
    DataError
        Columns are missing.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> links = qg.join_communes(qpv, None, population=qg.read_population(qg.sample().population_2024))
    >>> found = programme_coverage(qg.join_programmes(qpv, {"ours": ["QN09901M", "QN09902I"]}), links)
    >>> found[["n_qpv", "population_reached"]].to_numpy().tolist()
    [[2, 3312.0]]
    """
    _require(joined, links)
    if by is not None and by not in _LEVELS:
        raise UsageError(Note("policy.no_level", level=repr(by)), way_out=Note("policy.levels", levels=list(_LEVELS)))
    reached = reach(joined)
    parts = links.assign(people=links["population"].astype("Float64"))[["qpv_code", *([by] if by else []), "people"]]
    met = parts.merge(reached, on="qpv_code")
    met["covered"] = met["people"] * met["share"]
    keys = [by, "programme"] if by else ["programme"]
    grouped = met.groupby(keys)
    whole = met[met["whole"]].groupby(keys)["qpv_code"].nunique()
    found = pd.DataFrame({"n_qpv": grouped["qpv_code"].nunique()})
    found["n_whole"] = whole.reindex(found.index).fillna(0).astype("int64")
    found["population_covered"] = forms.whole_sums(grouped["covered"]).astype("Float64")
    found["population_reached"] = forms.whole_sums(grouped["people"]).astype("Float64")
    total = parts.groupby(by)["qpv_code"].nunique() if by else parts["qpv_code"].nunique()
    of = found.index.get_level_values(0).map(total) if by else total
    found["share_of_qpv"] = found["n_qpv"] / of
    return _stamped(found, joined, links)


@judged
def programme_overlaps(joined: pd.DataFrame, population: pd.DataFrame | pd.Series, qpv: pd.DataFrame) -> pd.DataFrame:
    """Count the QPV that each set of programmes reaches together, and no other programme.

    Parameters
    ----------
    joined
        What `qpvgeo.join_programmes` gives.
    population
        Published people of the QPV.
    qpv
        Frame of `qpvgeo.read_qpv`: those that no programme reaches are counted too.

    Returns
    -------
    pandas.DataFrame
        A row per set, the most QPV first: a column of True and False per programme, then `n_qpv` and `population`
        (missing where that of a QPV is). Each QPV is in one row: both columns add up.

    Raises
    ------
    DataError
        Columns are missing.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> joined = qg.join_programmes(qpv, {"a": ["QN09901M", "QN09902I"], "b": ["QN09902I"]})
    >>> programme_overlaps(joined, qg.read_population(qg.sample().population_2024), qpv)["n_qpv"].tolist()
    [14, 1, 1]
    """
    require.require_columns(joined, MATCH_COLUMNS, what="joined", way_out=Note("policy.make_joined"))
    forms.require_one_geography(qpv.index, {"joined": joined["qpv_code"]})
    names = sorted(joined["programme"].unique())
    inside = joined.assign(there=True).pivot_table(
        index="qpv_code", columns="programme", values="there", aggfunc="any", fill_value=False
    )
    table = inside.reindex(index=qpv.index.astype("str"), columns=names, fill_value=False).astype(bool)
    table["population"] = forms.align_population(qpv.index, population).astype("Float64").to_numpy()
    if names:
        grouped = table.groupby(names)["population"]
        found = pd.DataFrame({"n_qpv": grouped.size(), "population": forms.whole_sums(grouped).astype("Float64")})
    else:
        found = pd.DataFrame({"n_qpv": [len(table)], "population": [_sum(table["population"])]})
    found = found.reset_index(drop=not names).sort_values("n_qpv", ascending=False, kind="stable", ignore_index=True)
    return _stamped(found, joined, qpv, vintage=official.vintage_of(str(qpv.index[0])) if len(qpv) else None)


@judged
def programme_territories(
    joined: pd.DataFrame, links: pd.DataFrame, communes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Count the QPV and people of each territory of programmes, and of all of them once.

    Parameters
    ----------
    joined
        What `qpvgeo.join_programmes` gives.
    links
        What `qpvgeo.join_communes` gives for the same QPV, with their people.
    communes
        Frame of communes, for the EPT of the Grand Paris that the links do not name.

    Returns
    -------
    pandas.DataFrame
        On `programme` and `member`: `n_qpv` (that lie in the territory, wholly or in part) and `population` (of the
        parts in it; of members that are QPV, people × share). `attrs["qpvgeo"]["once"]` gives `n_qpv` and `population`
        of each programme with what several members share counted once; `shared_qpv` how many QPV that concerns.

    Raises
    ------
    DataError
        Columns are missing.

    Examples
    --------
    >>> import pandas as pd, qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> towns = pd.DataFrame({"programme": "ours", "unit": "commune", "code": ["99001", "99003"]})
    >>> split = qg.read_population(sample.population_2024_communes, level="qpv_commune")
    >>> links = qg.join_communes(qpv, communes, population=split)
    >>> programme_territories(qg.join_programmes(qpv, towns), links)["n_qpv"].tolist()
    [8, 2]
    """
    _require(joined, links)
    ept = links["ept"] if communes is None else links["ept"].fillna(links["commune"].map(ept_of(communes)))
    parts = links.assign(ept=ept, people=links["population"].astype("Float64"))
    met = []
    for basis, rows in joined.groupby("basis"):
        if basis in ("commune", "epci", "ept"):
            met.append(rows.merge(parts, left_on=["qpv_code", "code"], right_on=["qpv_code", basis]))
        else:
            whole = rows.merge(parts, on="qpv_code", suffixes=("", "_of_link"))
            met.append(whole.assign(people=whole["people"] * whole["share"]))
    columns = ["programme", "member", "qpv_code", "commune", "people"]
    all_rows = pd.concat([part[columns] for part in met]) if met else pd.DataFrame(columns=columns)
    # a member of several communes has each part of a QPV once
    rows = all_rows.drop_duplicates(columns[:-1])
    grouped = rows.groupby(["programme", "member"])
    found = pd.DataFrame({"n_qpv": grouped["qpv_code"].nunique(), "population": forms.whole_sums(grouped["people"])})
    found["population"] = found["population"].astype("Float64")
    once = rows.drop_duplicates(["programme", "qpv_code", "commune"]).groupby("programme")
    members = rows.groupby(["programme", "qpv_code"])["member"].nunique()
    about = {
        str(name): {
            "n_qpv": int(part["qpv_code"].nunique()),
            "population": _plain(_sum(part["people"])),
            "shared_qpv": int((members[name] > 1).sum()),
        }
        for name, part in once
    }
    return _stamped(found, joined, links, once=about)


@judged
def carried_members(
    crosswalk: pd.DataFrame,
    programme: str = "npnru",
    *,
    population: pd.DataFrame | pd.Series | None = None,
) -> pd.DataFrame:
    """Carry the QPV of 2015 of a programme over to the geography of 2024, with the part that cannot be placed.

    Parameters
    ----------
    crosswalk
        Frame of `qpvgeo.crosswalk`; by people where it has a grid as weights, else by area.
    programme
        Key of a programme whose members are QPV of 2015.
    population
        Published people of the QPV of 2015.

    Returns
    -------
    pandas.DataFrame
        On the codes of the members: `name`, `into` (QPV of 2024, joined by commas, the most in common first),
        `placed_share` and `unplaced_share` (of the QPV of 2015; they add up to 1, and are missing for a QPV that the
        crosswalk does not have), `by` (`population` or `area`), and `population`, `placed`, `unplaced` (people, missing
        where they are not published).

    Raises
    ------
    UsageError
        The list is not held, or is not one of QPV of 2015.
    DataError
        The frame is not a crosswalk.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> walk = qg.crosswalk(qg.read_qpv(qg.sample().qpv_2015), qg.read_qpv(qg.sample().qpv_2024))
    >>> carried_members(walk)["placed_share"].notna().sum()
    np.int64(0)
    """
    require.require_columns(crosswalk, ["code_from", "code_to", "from_share"], what="crosswalk")
    members = programme_members(programme)
    if set(members["unit"]) != {"qpv_2015"}:
        raise UsageError(Note("policy.not_a_list_of_qpv", programme=programme))
    column = "population_from_share" if "population_from_share" in crosswalk.columns else "from_share"
    rows = crosswalk[crosswalk["code_from"].isin(members["code"])]
    # where the grid has no one, the area says how much
    share = rows[column].astype("Float64").fillna(rows["from_share"].astype("Float64"))
    placed = share[rows["code_to"].notna()].groupby(rows["code_from"]).sum()
    known = pd.Index(rows["code_from"].unique())
    found = members[["code", "name"]].drop_duplicates("code").set_index("code")
    shares = rows.reindex(columns=["from_share", "to_share"]).astype(float)
    descends = (shares > SIGNIFICANT_SHARE).any(axis=1)
    into = rows.assign(part=share)[descends & rows["code_to"].notna()].sort_values(
        "part", ascending=False, kind="stable"
    )
    found["into"] = into.groupby("code_from")["code_to"].agg(", ".join).reindex(found.index).astype("str")
    shares = placed.reindex(known).fillna(0).clip(0, 1).reindex(found.index).astype("Float64")
    found["placed_share"], found["unplaced_share"] = shares, 1 - shares
    found["by"] = "area" if column == "from_share" else "population"
    people = forms.align_population(found.index, population).astype("Float64")
    found["population"], found["placed"], found["unplaced"] = people, people * shares, people * (1 - shares)
    return _stamped(found, crosswalk, as_of=str(members["as_of"].iloc[0]))


def _require(joined: pd.DataFrame, links: pd.DataFrame) -> None:
    require.require_columns(joined, MATCH_COLUMNS, what="joined", way_out=Note("policy.make_joined"))
    needed = ["qpv_code", "commune", "epci", "ept", "population"]
    require.require_columns(links, needed, what="links", way_out=Note("indicators.make_links"))
    require_pairs_once(links)
    required_matches(joined, links)


def _sum(values: pd.Series) -> Any:  # noqa: ANN401 - a number, or missing
    return values.astype("Float64").sum(skipna=False)


def _plain(value: Any) -> float | None:  # noqa: ANN401 - a number, or missing
    return None if pd.isna(value) else float(value)


def _stamped(found: pd.DataFrame, *frames: pd.DataFrame, **about: Any) -> pd.DataFrame:  # noqa: ANN401
    files = [record for frame in frames for record in provenance(frame).get("files", [])]
    notes = list(dict.fromkeys(note for frame in frames for note in provenance(frame).get("notes", [])))
    return stamp(found, files, fictional=is_fictional(*frames), notes=notes, **about)
