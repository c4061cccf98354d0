"""Populations as Insee publishes them: of the QPV, of the parts of QPV in each commune, of the communes.

The unit is the person of the municipal population (*population municipale*) of a year of reference. The census behind
it may be of another year: Mayotte had its own in 2012 and 2017, and tables do not state it for the collectivities.
Some tables have a row per QPV and commune. In some of them the row holds the people of the QPV who live in that
commune, in others it repeats the people of the whole QPV, so that a plain sum counts them several times; the reader
tells the two apart by the values, and says which it took.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.formats.text_tables import find_column, notes_of, to_number
from qpvgeo.frames.provenance import stamp
from qpvgeo.language import Note
from qpvgeo.read.communes.outlines import WHOLE, Arrondissements
from qpvgeo.read.population_rows import (
    gathered,
    lists_of,
    meaning_of,
    one_row_each,
    pairs_of,
    refuse_duplicates,
    table_of_year,
    with_others,
)
from qpvgeo.read.processed import kept
from qpvgeo.sources import file_memory, recognise
from qpvgeo.sources import population_columns as counts
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.catalog import published_year
from qpvgeo.sources.published_names import COMMUNE_CODE, COMMUNE_NAME, QPV_CODE, QPV_NAME

__all__ = ["Level", "read_population"]

Level = Literal["qpv", "qpv_commune", "commune"]

_YEAR_2024 = 2020
"""Reference year of the populations of the 2024 geography (insee.fr/fr/statistiques/8236231); tables omit it."""

_COMMUNES = re.compile(
    r"communes?|liste?_?(?:dep)?com(?:munes)?(?:_\d{4})?|insee_com|code_?com(?:mune)?|depcom|cog|com|codgeo"
)
_EPCI = re.compile(r"(?:siren_|code_|liste_?)?epci(?:_?\d+)*(?:_.*)?")
_LEVELS: dict[str, Literal["qpv", "commune"]] = {"qpv": "qpv", "qpv_commune": "qpv", "commune": "commune"}


@dataclass(slots=True)
class _Call:
    """What the caller says of the table, and the notes that gather while it is read."""

    where: str
    year: int | None
    columns: Mapping[str, str]
    arrondissements: Arrondissements = "fold"
    published: int | None = None
    notes: list[str] = field(default_factory=list)


@judged
@kept
def read_population(
    source: str | os.PathLike[str],
    *,
    year: int | None = None,
    level: Level = "qpv",
    arrondissements: Arrondissements = "fold",
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    data: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Read a published table of municipal populations.

    Parameters
    ----------
    source
        Path of a CSV, xls, xlsx or Parquet file, or of a zip with one such table, or a key of `qpvgeo.datasets()`
        (`"qpv-2015-population"`, `"qpv-2024-population"`), looked for on disk. Known forms: `pop_qp_2013` and its
        successors, `pop_QPV24.csv`, `pop_reference_communales_QPV24.csv`, tables of indicators with `popMuniQPV`,
        lists of QPV with `pop_muni_<year>`, `P13_POP` and the like by commune, `donnees_communes.csv`.
    year
        Year of reference. Needed when the table holds several, or states none.
    level
        `qpv`, a row per QPV; `qpv_commune`, the people of each QPV who live in each commune; `commune`, all the
        inhabitants of the communes.
    arrondissements
        For communes: `fold` gives Paris, Lyon and Marseille whole, as their 45 municipal arrondissements add up;
        `keep` leaves the arrondissements that the table lists.
    columns
        `{"name in the file": "canonical name"}` for names that are not known here. Canonical names: `qpv_code`,
        `commune`, `name`, `population` (of the QPV or commune), `population_part` (of the QPV in one commune).
    layer
        Name of a sheet, in a workbook of several; without it the one named after the year, else the first that fits,
        and a note names the others.
    data
        Folder searched for a key, before the others (see `qpvgeo.datasets`).

    Returns
    -------
    pandas.DataFrame
        `population` (persons, Int64; missing where secret or not given, never 0 instead), `reference_year` and
        `census_year` (Int64; the census is missing where the source does not state it), `name_published`, then every
        other published column under its name in lower case, with `_published` behind it where it is no figure: the
        frame joins one of perimeters or communes without a clash. Indexed by `qpv_code`, with `communes_published` and
        `epci_published` (lists of codes; None when the table has no codes), or by `qpv_code` and `commune`, or by
        `commune` without `census_year`. Order as published. `attrs["qpvgeo"]` says where it comes from; its `notes`
        count the totals left out, the codes repaired, what was rounded, and say how the rows of a QPV were understood.

    Raises
    ------
    DataError
        The table holds no population, or several years, or codes that are none; the rows of a QPV that should repeat
        its population differ; `qpv_commune` is asked of a table without parts. Every problem is listed.
    UsageError
        The level is unknown.
    MissingDataError
        There is no such file.

    Notes
    -----
    Source of the years: the name of the column, else `year`, else 2020 for the 2024 geography (Insee Première 2008).
    Fractions, which Insee's own tables of communes have, are rounded at the end, after any sum.

    Examples
    --------
    >>> from qpvgeo.samples import sample
    >>> people = read_population(sample().population_2015)
    >>> people.loc[["QP099001"], ["population", "reference_year", "name_published"]]
              population  reference_year name_published
    qpv_code
    QP099001        1583            2013     La Misaine
    >>> parts = read_population(sample().population_2024_communes, level="qpv_commune")
    >>> parts.loc["QN09908I", "population"].to_dict()
    {'99001': 584, '99002': 909}
    >>> parts.attrs["qpvgeo"]["notes"]
    ['reference year 2020 is that of the 2024 geography; the table does not state it',
     '1 QPV has rows that differ: read as parts by commune']
    """
    if level not in _LEVELS:
        raise UsageError(Note("read.no_level", level=str(level)), way_out=Note("read.levels_are", levels=list(_LEVELS)))
    if arrondissements not in {"fold", "keep"}:
        raise UsageError(
            Note("read.arrondissements_unknown", value=str(arrondissements)), way_out=Note("read.fold_or_keep")
        )
    path = recognise.paths(source, data, like="qpv-{}-population")[0]
    text = table_of_year(path, _LEVELS[level], columns, layer, year)
    table = text.attrs["table"]
    where = f"{path.name} ({table['member']})" if "member" in table else path.name
    call = _Call(where, year, columns or {}, arrondissements, published_year(path))
    text = published.rename_columns(text, columns, where=where)
    call.notes.extend(notes_of(text))
    frame = _of_communes(text, call) if level == "commune" else _of_qpv(text, call, by_commune=level == "qpv_commune")
    frame.attrs.clear()
    first = frame.index.get_level_values(0)
    _hold_against_facts(frame["population"], text, call, "commune" if level == "commune" else "qpv")
    held = _single(frame["reference_year"])
    fictional = published.is_sample(first)
    record = file_memory.record(path, member=table.get("member")) | {"kind": "population", "reference_year": held}
    # a table whose columns had to be named may be anyone's
    producer = {} if fictional or columns else {"producer": "Insee"}
    return stamp(
        frame,
        [record | producer],
        level=level,
        vintage=official.vintage_of(first[0]) if level != "commune" else None,
        reference_year=held,
        table=table,
        notes=call.notes,
        fictional=fictional,
    )


def _hold_against_facts(people: pd.Series, text: pd.DataFrame, call: _Call, kind: Literal["commune", "qpv"]) -> None:
    """Refuse populations whose sum cannot be that of the places; say that names were not found.

    Raises
    ------
    DataError
        Lists the places, with the sum in the table and what is known.
    """
    if people.index.nlevels > 1:
        people = people.groupby(level=0).sum(min_count=1)
    problems = counts.impossible_sums(people, kind)
    if problems:
        others = [column.column for column in counts.population_columns(text)]
        raise DataError(
            Note("read.sums_impossible", file=call.where),
            problems=problems,
            way_out=Note("read.name_one_of", choices=[f"{{{name!r}: 'population'}}" for name in others])
            if len(others) > 1
            else Note("read.give_people_of_each", kind=kind),
        )


def _single(years: pd.Series) -> int | None:
    return None if years.isna().all() else int(years.max())


def _of_communes(text: pd.DataFrame, call: _Call) -> pd.DataFrame:
    text = published.communes_alone(text, call.notes)
    given = published.commune_codes(text)
    if given is None:
        raise DataError(
            Note("read.no_commune_codes", file=call.where),
            problems=published.unlike_codes(text, COMMUNE_CODE),
            way_out=_way_out(text, "commune"),
        )
    label = published.label(text, COMMUNE_NAME, given)
    text, codes_of = _identified(text, given, "commune", label, call)
    text, codes_of = _of_today(text, codes_of, call.notes)
    codes_of = _followed(codes_of, call.notes)
    refuse_duplicates(codes_of, "communes", call.where)
    chosen = _choose(text, call, scope="commune")
    values = counts.people(text[chosen.column], where=call.where, notes=call.notes)
    epci = published.epci_column(text)
    obeyed = "population" in call.columns.values() and epci and text[epci].is_unique
    judged_by = epci if chosen.scope != "commune" and not obeyed else None
    whole = counts.of_groups(text, chosen.column, text[judged_by]) if judged_by else False
    if whole:
        raise DataError(
            Note("read.populations_of_epci", file=call.where, column=chosen.column),
            way_out=Note("read.give_people_of_each", kind="commune"),
        )
    call.notes += [Note("read.one_commune_an_epci", file=call.where, column=chosen.column)] if whole is None else []
    reference = chosen.year or _stated(text) or call.year
    if reference is None and call.published is not None:
        reference = call.published
        call.notes.append(Note("read.year_of_folder", year=reference))
    labels = published.commune_labels(text, given)
    frame = pd.DataFrame({"population": values, "reference_year": pd.Series(reference, text.index, dtype="Int64")})
    frame["name_published"] = labels if labels is not None else pd.Series(pd.NA, text.index, dtype="str")
    call.notes += [] if label else [Note("read.no_names")]
    frame = with_others(frame, text, {chosen.column, given.name, label}, call.notes)
    frame = frame.set_axis(pd.Index(codes_of, name="commune"), axis="index")
    if call.arrondissements == "fold":
        frame = _folded(frame, call.notes)
    frame["population"] = counts.whole_people(frame["population"], call.notes)
    return frame


def _followed(given: pd.Series, notes: list[str]) -> pd.Series:
    """Codes, where one that tables kept after it changed gives way to its successor (`facts/errata.csv`)."""
    listed = set(given.tolist())
    known = {row["published"]: row["corrected"] for row in facts.rows("errata") if row["field"] == "commune_code"}
    moved = {old: new for old, new in known.items() if old in listed and new not in listed}
    notes += [Note("read.code_followed", code=old, successor=new) for old, new in moved.items()]
    return given.replace(moved)


def _folded(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Paris, Lyon and Marseille in place of their arrondissements; unknown where one of these is not listed."""
    for whole, parts in official.ARRONDISSEMENTS.items():
        present = frame.index.intersection(list(parts))
        if not len(present):
            continue
        people = frame.loc[present, "population"].sum(skipna=False) if len(present) == len(parts) else pd.NA
        new = frame.loc[present[:1], ["population", "reference_year", "name_published"]].set_axis(
            pd.Index([whole], name="commune"), axis="index"
        )
        new["population"], new["name_published"] = people, WHOLE[whole]
        absent = len(parts) - len(present)
        key = "read.made_from_some_parts" if absent else "read.made_from_parts"
        notes.append(Note(key, commune=WHOLE[whole], count=len(present), absent=absent))
        kept = frame.drop(index=present)
        frame = pd.concat([kept, new.reindex(columns=kept.columns).astype(kept.dtypes.to_dict())])
    return frame


def _of_today(text: pd.DataFrame, given: pd.Series, notes: list[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of communes, each inhabitant once: former communes left out, and arrondissements beside their commune."""
    kinds = published.commune_kinds(text, given)
    former = ~kinds.isin(["commune", "arrondissement"])
    parts = kinds.eq("arrondissement")
    beside = parts & given.map(official.fold_arrondissement).isin(given)
    for key, rows in (
        ("read.former_left_out", former),
        ("read.arrondissements_left_out", beside),
        ("read.arrondissements_listed", parts & ~beside),
    ):
        notes += [Note(key, count=int(rows.sum()))] if rows.any() else []
    return text[~former & ~beside], given[~former & ~beside]


def _of_qpv(text: pd.DataFrame, call: _Call, *, by_commune: bool) -> pd.DataFrame:
    where, notes = call.where, call.notes
    column = _qpv_column(text, where)
    label = published.label(text, QPV_NAME, text[column])
    notes += [] if label else [Note("read.no_names")]
    text, qpv = _identified(text, text[column], "qpv", label, call)
    vintage = _vintage(qpv, where)
    chosen = _choose(text, call, scope="commune" if by_commune else "qpv")
    reference = _reference_year(chosen, text, call, vintage)
    values = counts.people(text[chosen.column], where=where, notes=notes)
    communes = lists_of(text, _COMMUNES, "commune", skip={column, chosen.column})
    epci = lists_of(text, _EPCI, "siren", skip={column, chosen.column})
    meaning = meaning_of(values, qpv, chosen, where, notes)
    used = {column, chosen.column, label, *communes.attrs["from"], *epci.attrs["from"]}
    rows = text.drop(columns=[name for name in text.columns if name in used])
    names = text[label] if label else pd.Series(pd.NA, text.index, dtype="str")
    if by_commune:
        index = pairs_of(qpv, communes, meaning, where, notes)
        frame = pd.DataFrame({"population": counts.whole_people(values, notes)})
    else:
        people = _people(values, qpv, communes, meaning, where)
        frame = pd.DataFrame({"population": counts.whole_people(people, notes)})
        index = pd.Index(frame.index, name="qpv_code")
        names = names.groupby(qpv, sort=False).first()
        rows = one_row_each(rows, qpv, notes)
    frame["reference_year"] = pd.Series(reference, frame.index, dtype="Int64")
    frame["census_year"] = _census_years(index.get_level_values(0), vintage, reference).set_axis(frame.index)
    frame["name_published"] = names
    if not by_commune:
        frame["communes_published"], frame["epci_published"] = gathered(communes, qpv), gathered(epci, qpv)
    return with_others(frame, rows, set(), notes).set_axis(index, axis="index")


def _qpv_column(text: pd.DataFrame, where: str) -> str:
    held = published.qpv_columns(text)
    if len(held) > 1:
        raise DataError(
            Note("read.several_code_columns", file=where, count=len(held)),
            problems=held,
            way_out=Note("read.name_one_of", choices=[f"{{{column!r}: 'qpv_code'}}" for column in held]),
        )
    if not held:
        raise DataError(
            Note("read.no_qpv_codes", file=where),
            problems=published.unlike_codes(text, QPV_CODE),
            way_out=_way_out(text, "qpv_code"),
        )
    return held[0]


def _people(values: pd.Series, qpv: pd.Series, communes: pd.Series, meaning: str, where: str) -> pd.Series:
    """People of each QPV: said once, or the sum of its parts, unknown when one of them is."""
    groups = values.groupby(qpv, sort=False)
    if meaning == "whole":
        return groups.first()
    if not communes.isna().all():
        refuse_duplicates(qpv + " in " + communes.map(",".join, na_action="ignore"), "pairs", where)
    return groups.agg(lambda parts: parts.sum(skipna=False))


def _way_out(text: pd.DataFrame, canonical: str) -> Note:
    return Note("read.name_the_column", canonical=canonical, columns=list(map(str, text.columns)))


def _identified(
    text: pd.DataFrame, given: pd.Series, kind: Literal["qpv", "commune"], label: str | None, call: _Call
) -> tuple[pd.DataFrame, pd.Series]:
    """Rows that are not totals, and their codes."""
    kept, cleaned = published.identified(text, given, kind, names=[label] if label else [], where=call.where)
    if len(kept) < len(text):
        call.notes.append(Note("read.totals_left_out", count=len(text) - len(kept)))
    for repair, count in cleaned.repairs["repair"].value_counts().items():
        call.notes.append(Note("read.codes_repaired", count=int(count), repair=repair))
    return kept, cleaned.codes


def _vintage(qpv: pd.Series, where: str) -> int:
    vintages = qpv.map(official.vintage_of)
    held = vintages.value_counts().sort_index()
    if len(held) != 1:
        raise DataError(
            Note("read.several_geographies", file=where),
            problems=[Note("read.codes_of", count=int(number), vintage=vintage) for vintage, number in held.items()],
            way_out=Note("read.one_geography"),
        )
    return int(vintages.iloc[0])


def _choose(text: pd.DataFrame, call: _Call, *, scope: str) -> counts.PopulationColumn:
    """Column of populations to take: that of the caller, else of the year, then of the scope that suits the level."""
    for original, canonical in call.columns.items():
        column = find_column(text, [canonical])
        if canonical in {"population", "population_part"} and column is not None:
            stated = next(iter(counts.population_columns(pd.DataFrame(columns=[original]))), None)
            year = call.year or (stated.year if stated else None) or counts.year_in(original)
            return counts.PopulationColumn(column, year, "commune" if canonical == "population_part" else "")
    found, year, where = counts.population_columns(text), call.year, call.where
    if not found:
        raise DataError(Note("read.no_population_column", file=where), way_out=_way_out(text, "population"))
    years = sorted({column.year for column in found if column.year})
    if year is not None and years and (year in years or all(column.year for column in found)):
        found = [column for column in found if column.year == year]
        if not found:
            raise DataError(
                Note("read.no_population_of", file=where, year=year), way_out=Note("read.years_are", years=years)
            )
    elif len(years) > 1:
        raise DataError(
            Note("read.several_years", file=where, years=years), way_out=Note("read.choose_year", year=years[-1])
        )
    suited = [column for column in found if column.scope == scope] or found
    if len(suited) > 1:
        raise DataError(
            Note("read.several_populations", file=where, count=len(suited)),
            problems=[column.column for column in suited],
            way_out=Note("read.name_one_of", choices=[f"{{{column.column!r}: 'population'}}" for column in suited]),
        )
    return suited[0]


def _stated(text: pd.DataFrame) -> int | None:
    """Year that a column `reference_year` states for every row."""
    column = find_column(text, ["reference_year"])
    years = to_number(text[column]).numbers.dropna().unique() if column else []
    return int(years[0]) if len(years) == 1 else None


def _reference_year(chosen: counts.PopulationColumn, text: pd.DataFrame, call: _Call, vintage: int) -> int:
    known = chosen.year or _stated(text) or call.year
    if known:
        return known
    if vintage == 2024:
        call.notes.append(Note("read.year_supposed", year=_YEAR_2024))
        return _YEAR_2024
    raise DataError(Note("read.no_year", file=call.where), way_out=Note("read.give_year"))


def _census_years(qpv: pd.Index, vintage: int, reference: int) -> pd.Series:
    """Year of the census behind the populations of each QPV, where the source states it."""
    known = {
        territory: census
        for territory, (_, _, census) in facts.qpv_populations(vintage).get(reference, {}).items()
        if census is not None
    }
    return official.classify_qpv(qpv.to_series())["territory"].map(known).astype("Int64")
