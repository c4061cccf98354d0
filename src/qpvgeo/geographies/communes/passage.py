"""Communes through time: which communes of one year became which of another, and tables moved from one to the other.

The *code officiel géographique* (COG) of a year is the state of the communes on 1 January of it. Between two years
communes merge, part again, change name, code or department. Insee's file of events says so, day by day; two tables of
communes say less, and the passage tells which of its rows rest on what.

Source: Insee, code officiel géographique and its file of events, insee.fr/fr/information/2560452.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypedDict, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa

from qpvgeo.codes import official
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import provenance
from qpvgeo.frames.interchange import Returns, by_code, require_returns, returned
from qpvgeo.geographies.apportionment import apportion
from qpvgeo.geographies.communes.code_audit import require_codes
from qpvgeo.geographies.communes.genealogy import BASES, Part, trace
from qpvgeo.geographies.communes.inputs import Given, Held, Listing, gather
from qpvgeo.language import Note
from qpvgeo.sources.published_columns import is_sample

__all__ = ["ESTIMATED", "PASSAGE_COLUMNS", "Sources", "commune_passage", "move_communes"]

PASSAGE_COLUMNS = ("code_from", "code_to", "from_name", "to_name", "share", "weight", "kind", "date", "basis")

ESTIMATED = "estimated"
"""Column of moved tables: whether a value rests on a split weighed by population."""

_ARTICLE = re.compile(r"(?:l'|(?:le|la|les|las|los|au|aux)\s)\s*")

Links = dict[str, dict[str | None, Part]]


class Sources(TypedDict, total=False):
    """What the passage of communes is made from, as `commune_passage` takes it."""

    events: Given | None
    communes: Mapping[int, Given] | None
    population: pd.Series | pd.DataFrame | None


@judged
def commune_passage(
    from_year: int,
    to_year: int,
    *,
    events: Given | None = None,
    communes: Mapping[int, Given] | None = None,
    population: pd.Series | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell which communes of one year became which communes of another.

    Parameters
    ----------
    from_year, to_year
        Years of the COG, each the state of its 1 January, events of that very day included. The passage goes back in
        time too: mergers become splits.
    events
        Insee's file of events (`v_mvt_commune_<year>.csv`), its path or frame (`qpvgeo.read_commune_events`); found
        among the local files when not given.
    communes
        Tables of communes, `{year: path or frame of read_communes}`. Those of the two years complete the passage
        (communes without events, people) and check it (codes without successor); found among the local files when
        not given. Where there is no file of events they stand in for it: the path of the COG of the later year is
        needed, whose *déléguées* and *associées* name the commune that they are part of.
    population
        People by code of commune of `to_year`, needed only to weigh splits. Where they do not tell, those of the tables
        of `communes` do, the nearest year first, as long as the parts have the same extent in it.

    Returns
    -------
    pandas.DataFrame
        A row for each commune of `from_year` and commune of `to_year` that have territory in common, by code. Rows
        without `code_from` are communes of the table of `to_year` that nothing leads to.

        - `code_from`, `code_to`: the second is missing where nothing says what became of the first.
        - `from_name`, `to_name`: missing where not known.
        - `share`: of `code_from`, 0 to 1; missing where a commune was split and the people of its parts are not known.
        - `weight`: people of the part: those of `code_from` in the table of `from_year`, by the share; missing for all
          the parts of a commune when they are not known for one.
        - `kind`: the first that fits of `no successor`, `no predecessor`, `split` (`code_from` goes to several),
          `merged` (`code_to` comes from several), `moved to another department`, `code changed`, `renamed`, `same`.
        - `date`: first day of the last event; missing without one.
        - `basis`: the weakest link: `certain` (events, or no event at all), `code` (both tables have it), `parent` (a
          table names the commune that it is part of), `population` (a split weighed by people), `unknown`.

        `attrs["qpvgeo"]` holds the files, `source` (`events` or `tables`), `without_successor`,
        `without_predecessor`, `unknown_shares` (codes) and the notes. Without a table of either year, only communes
        with events between the two are listed: all others are unchanged.

    Raises
    ------
    MissingDataError
        No file of events is available locally and no tables are given.
    DataError
        The file of events ends before the later year, or without events the tables do not do.
    UsageError
        A year is none.

    Notes
    -----
    Shares by population share out counts as if what is counted lived where people do. They are given only where each
    part of the split comes from that commune alone. A commune that merged and was restored since takes its own
    territory again, and what merged with it keeps the rest: no weights are needed.

    Communes are followed; a *déléguée* or an *associée* is a part of one, and arrondissements of Paris, Lyon and
    Marseille are not communes here. Parcels that change hands between communes that stay are no events.

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame(
    ...     [("2019-01-01", "32", "99008", "99001"), ("2019-01-01", "32", "99001", "99001")],
    ...     columns=["date", "event", "code_before", "code_after"],
    ... ).assign(type_before="COM", type_after="COM", name_before="Le Ressac", name_after="Port-Brume")
    >>> passage = commune_passage(2018, 2024, events=events, communes={})
    >>> passage[["code_from", "code_to", "share", "kind", "basis"]].to_numpy().tolist()
    [['99001', '99001', 1.0, 'merged', 'certain'], ['99008', '99001', 1.0, 'merged', 'certain']]
    >>> commune_passage(2024, 2018, events=events, communes={}, population=pd.Series({"99001": 60, "99008": 20}))[
    ...     ["code_from", "code_to", "share", "kind", "basis"]
    ... ].to_numpy().tolist()
    [['99001', '99001', 0.75, 'split', 'population'], ['99001', '99008', 0.25, 'split', 'population']]
    """
    held = gather((from_year, to_year), events=events, communes=communes, population=population)
    return _passage(held)


@judged
def move_communes(
    table: pd.Series | pd.DataFrame,
    from_year: int,
    to_year: int,
    *,
    kind: str = "count",
    denominators: pd.Series | None = None,
    returns: Returns = "pandas",
    **sources: Unpack[Sources],
) -> pd.DataFrame | pa.Table:
    """Move a table of communes of one year to the communes of another.

    Parameters
    ----------
    table
        Values by code of commune of `from_year`: a Series, or a frame whose columns are moved alike. A frame that
        speaks the Arrow PyCapsule interface (pyarrow, polars, DuckDB) has the codes in its first column of text.
    from_year, to_year
        Years of the COG; back in time too.
    kind
        `count`: shared out, by population where a commune was split. `rate`: mean weighted by the denominators.
        `category`: the one that most people of the commune after have; missing for a tie, and where the people of
        communes that differ are not known.
    denominators
        By code of `from_year`: for rates, what the rate is of (households for a share of households); for categories,
        what weighs each commune in place of the people of the table of `from_year`.
    returns
        `pandas`, or `pyarrow`: a table whose first column is `code`, with the provenance in its metadata, as JSON.
    **sources
        `events`, `communes`, `population`: as for `commune_passage`.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        Indexed by `code` of `to_year` (those that the communes of the table lead to):

        - the columns of the table; a value is missing where one of the communes before is not in the table or has
          none, or was split in parts of unknown share.
        - `covered_share`: share of the commune after that comes from communes of `from_year`; missing where not known.
        - `estimated`: whether a part of it comes from a split shared out by population.

        `qpvgeo.geographies.unplaced` gives what no commune after receives, by code before; `attrs["qpvgeo"]` holds the
        provenance of the passage.

    Raises
    ------
    DataError
        Codes are not those of communes of `from_year` (each is listed with what is known of it, and their common year
        when there is one), are repeated, or values cannot be moved.
    UsageError, MissingDataError
        As for `commune_passage` and `qpvgeo.geographies.apportionment.apportion`.

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame(
    ...     [("2019-01-01", "32", "99008", "99001"), ("2019-01-01", "32", "99001", "99001")],
    ...     columns=["date", "event", "code_before", "code_after"],
    ... ).assign(type_before="COM", type_after="COM", name_before="Le Ressac", name_after="Port-Brume")
    >>> homes = pd.Series({"99001": 300, "99008": 100, "99002": 50}, name="homes")
    >>> moved = move_communes(homes, 2018, 2024, events=events, communes={})
    >>> moved[["homes", "estimated"]].to_numpy().tolist()
    [[400.0, False], [50.0, False]]
    """
    unknown = sorted(sources.keys() - Sources.__annotations__.keys())
    if unknown:
        raise UsageError(
            Note("geographies.no_such_source", names=unknown), way_out=Note("geographies.no_such_source_way_out")
        )
    require_returns(returns)
    table = by_code(table)
    if not isinstance(table, pd.Series | pd.DataFrame):
        raise UsageError(
            Note("geographies.values_type", given=type(table).__name__),
            way_out=Note("geographies.move_communes_way_out"),
        )
    held = gather(
        (from_year, to_year),
        events=sources.get("events"),
        communes=sources.get("communes"),
        population=sources.get("population"),
        asked=table.index,
    )
    if isinstance(table, pd.DataFrame) and ESTIMATED in table.columns:
        raise UsageError(
            Note("geographies.reserved_name", column=ESTIMATED), way_out=Note("geographies.reserved_name_way_out")
        )
    require_codes(table.index, held)
    passage = _passage(held, table.index)
    reached = passage.loc[passage["code_from"].isin(table.index), "code_to"].dropna()
    parts = passage[passage["code_from"].isin(table.index) | passage["code_to"].isin(reached)]
    if kind == "category" and denominators is not None:
        parts = parts.assign(weight=_weights(parts, denominators))
    found = apportion(table, parts, kind=kind, denominators=denominators if kind == "rate" else None)
    values = found.table.sort_index().rename_axis("code")
    foreign = parts.loc[parts["code_from"].isna(), "code_to"].dropna()
    values["covered_share"] = values["covered_share"].where(values.index.isin(foreign), 1.0)
    values[ESTIMATED] = values.index.isin(parts.loc[parts["basis"] == "population", "code_to"].dropna())
    about = provenance.provenance(passage)
    lacking = sorted(set(parts["code_from"].dropna()) - set(table.index))
    told = [_named("geographies.not_in_table", lacking)] if lacking else []
    return returned(found._replace(table=values).frame(**{**about, "notes": [*about["notes"], *told]}), returns)


def _passage(held: Held, asked: Iterable[str] = ()) -> pd.DataFrame:
    """Passage of all communes known of the first year, and of those asked for."""
    ends, absent = trace(held.steps, held.weights)
    target = held.tables.get(held.to_year)
    own = Part(1.0, "certain" if held.by_events else "code")
    known = _known(held, ends, absent, asked)
    links = {code: ends.get(code, {code: own}) for code in known}
    if target is not None:
        # without events nothing says that a commune out of the reach of the table is still there
        departments = {official.of_commune(code) for code in target.codes} if held.by_events else None
        links = {code: _settled(parts, target, departments) for code, parts in links.items()}
    frame = _frame(links, held)
    frame["weight"] = _weights(frame, held.tables[held.from_year].people) if held.from_year in held.tables else np.nan
    frame["kind"] = _kinds(frame, held)
    return _stamped(frame[list(PASSAGE_COLUMNS)], held)


def _known(held: Held, ends: Links, absent: set[str], asked: Iterable[str]) -> list[str]:
    """Codes of the communes of the first year: those of its table, else all that is known of it."""
    table = held.tables.get(held.from_year)
    if table is not None:
        odd = [code for code in sorted(table.codes) if not held.existed(code, held.from_year)]
        if odd:
            held.notes.append(_named("geographies.not_communes_by_events", odd, year=held.from_year))
        return sorted(table.codes)
    found = ends.keys() | set(asked)
    target = held.tables.get(held.to_year)
    if target is not None and held.by_events:
        found |= target.codes - absent
        return sorted(code for code in found if code not in absent and held.existed(code, held.from_year))
    if held.by_events and held.from_year != held.to_year:
        held.notes.append(Note("geographies.not_all_listed", year=held.from_year))
    return sorted(found - absent)


def _settled(parts: Mapping[str | None, Part], target: Listing, departments: set[str] | None) -> dict[str | None, Part]:
    """Parts that end in communes of the table of the second year: a former one in its parent, another nowhere.

    The table is asked only for some departments, where they are given: those that it has communes of.
    """
    found: dict[str | None, Part] = {}
    for end, part in parts.items():
        now, basis = end, part.basis
        asked = end is not None and (departments is None or official.of_commune(end) in departments)
        if end is not None and asked and end not in target.codes:
            now = (target.parents or {}).get(end)
            now = now if now in target.codes else None
            basis = max(basis, "parent" if now else "unknown", key=BASES.index)
        name = part.name_after if now == end else None
        moved = part._replace(basis=basis, name_after=name)
        other = found.get(now)
        if other is not None:
            weakest = max(other.basis, moved.basis, key=BASES.index)
            moved = moved._replace(share=moved.share + other.share, basis=weakest, name_after=name or other.name_after)
        found[now] = moved
    return found


def _frame(links: Links, held: Held) -> pd.DataFrame:
    """Rows of the passage, with the communes of the second year that nothing leads to."""
    rows: list[tuple[object, ...]] = [
        (code, end, *part) for code, parts in links.items() for end, part in parts.items()
    ]
    table = held.tables.get(held.to_year)
    if table is not None:
        reached = {end for parts in links.values() for end in parts}
        new, apart = _new(sorted(table.codes - reached), links, table, held)
        rows += [(None, code, np.nan, "unknown", None, None, None) for code in new]
        if apart:
            years = {"year": held.to_year, "other": held.from_year}
            held.notes.append(_named("geographies.departments_left_out", apart, **years))
    frame = pd.DataFrame(rows, columns=["code_from", "code_to", "share", "basis", "date", "from_name", "to_name"])
    frame = frame.astype({"code_from": "str", "code_to": "str", "share": float, "from_name": "str", "to_name": "str"})
    frame["date"] = pd.to_datetime(frame["date"]).astype("datetime64[us]")
    for side, year in (("from", held.from_year), ("to", held.to_year)):
        if year in held.tables:
            listed = frame[f"code_{side}"].map(held.tables[year].names)
            frame[f"{side}_name"] = frame[f"{side}_name"].fillna(listed.astype("str"))
    quiet = frame["date"].isna() & (frame["code_from"] == frame["code_to"])
    for name, other in (("from_name", "to_name"), ("to_name", "from_name")):
        frame[name] = frame[name].mask(quiet & frame[name].isna(), frame[other])
    return frame.sort_values(["code_from", "code_to"], na_position="last", ignore_index=True)


def _new(codes: list[str], links: Links, table: Listing, held: Held) -> tuple[list[str], list[str]]:
    """Communes that nothing leads to, and those left out: their departments are not covered by the first year.

    Two tables of the country differ by a few departments or collectivités at most, whose communes are new in the
    second; a table of one region says nothing about the others.
    """
    covered = {official.of_commune(code) for code in links}
    departments = {official.of_commune(code) for code in table.codes}
    whole = not held.by_events and held.from_year in held.tables and 2 * len(departments & covered) >= len(departments)
    new = [code for code in codes if whole or official.of_commune(code) in covered]
    return new, sorted(set(codes) - set(new))


def _weights(frame: pd.DataFrame, people: pd.Series) -> pd.Series:
    """People of each part; missing for all the parts of a commune where those of one are not known."""
    given = people.reindex(frame["code_from"]).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    weight = pd.Series(given * frame["share"].to_numpy(), index=frame.index)
    unknown = weight.isna().groupby(frame["code_to"]).transform("any")
    return weight.mask(unknown.fillna(False).astype(bool))


def _kinds(frame: pd.DataFrame, held: Held) -> pd.Series:
    """What happened to each row, the gravest first."""
    several_to = frame.groupby("code_from")["share"].transform("size") > 1
    several_from = frame.groupby("code_to")["share"].transform("size") > 1
    department = [frame[side].map(official.of_commune, na_action="ignore") for side in ("code_from", "code_to")]
    conditions = {
        "no successor": frame["code_to"].isna(),
        "no predecessor": frame["code_from"].isna(),
        "split": several_to,
        "merged": several_from,
        "moved to another department": department[0] != department[1],
        "code changed": frame["code_from"] != frame["code_to"],
        "renamed": _renamed(frame, held),
    }
    masks = [mask.fillna(False).to_numpy(dtype=bool) for mask in conditions.values()]
    return pd.Series(np.select(masks, list(conditions), "same"), index=frame.index, dtype="str")


def _renamed(frame: pd.DataFrame, held: Held) -> pd.Series:
    """Whether names differ: by an event, else in two tables, their articles left aside where one table has none."""
    both = frame["from_name"].notna() & frame["to_name"].notna()
    if held.by_events:
        return both & frame["date"].notna() & (frame["from_name"] != frame["to_name"])
    complete = all(table.complete for table in held.tables.values())
    names = [frame[side].str.replace("’", "'").str.casefold() for side in ("from_name", "to_name")]
    if not complete:
        names = [name.str.replace(rf"^{_ARTICLE.pattern}", "", regex=True) for name in names]
    return both & (names[0] != names[1])


def _stamped(frame: pd.DataFrame, held: Held) -> pd.DataFrame:
    """Passage with its provenance, and notes on what is not known."""
    lost = frame.loc[frame["code_to"].isna(), "code_from"].tolist()
    new = frame.loc[frame["code_from"].isna(), "code_to"].tolist()
    vague = sorted(frame.loc[frame["share"].isna() & frame["code_from"].notna(), "code_from"].unique())
    notes = list(held.notes)
    notes += [_named("geographies.no_successor", lost)] if lost else []
    notes += [_named("geographies.no_predecessor", new, year=held.to_year)] if new else []
    notes += [_named("geographies.split_unknown", vague)] if vague else []
    notes += [Note("geographies.split_weighed", by=name) for name in sorted(held.weights.used)]
    given = [*frame["code_from"].dropna(), *frame["code_to"].dropna()]
    return provenance.stamp(
        frame,
        held.files,
        from_year=held.from_year,
        to_year=held.to_year,
        source="events" if held.by_events else "tables",
        without_successor=lost,
        without_predecessor=new,
        unknown_shares=vague,
        notes=notes,
        fictional=bool(given) and is_sample(given),
    )


def _named(key: str, codes: list[str], **values: int) -> Note:
    """Note on some communes: how many, and which."""
    return Note(key, count=len(codes), codes=list(map(str, codes)), **values)
