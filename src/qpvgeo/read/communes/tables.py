"""What published tables say of communes: name, population, EPCI, EPT, and where former communes went.

The Etalab and Insee COG, the *table d'appartenance*, the compositions of EPCI and EPT and the legal populations all
have a row per commune and differ in all else. Several can be read together: each thing is taken from the first table
that gives it.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import DataError
from qpvgeo.formats.text_tables import existing_path, find_column, normalise, notes_of
from qpvgeo.language import Note
from qpvgeo.read.processed import kept
from qpvgeo.sources import file_memory
from qpvgeo.sources import population_columns as counts
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.known_tables import read_known
from qpvgeo.sources.long_tables import LONG, widened
from qpvgeo.sources.published_names import COMMUNE_CODE, COMMUNE_NAME

__all__ = [
    "CommuneTable",
    "Source",
    "attributes",
    "cog_year_of",
    "merged",
    "read_commune_table",
    "read_former_communes",
    "require_there",
    "require_used",
    "twin_notes",
    "year_of",
]

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_SHOWN = 10
_GRAND_PARIS = "200054781"
_PARENT = ("pole", "cheflieu", "comparent", "commune")
_EPT = ("ept", "code_ept", "siren_ept")
_MERGERS = {"31", "32", "33", "34", "41", "50"}
"""Events of Insee's file of movements after which all of a commune is found under another code."""

_EXPECT = [
    LONG,
    {"mod", "com_av", "com_ap"},
    {"typecom", "com"},
    {"dep", "com", "nccenr"},
    {"code", "type", "nom"},
    {"codgeo", "ept"},
    {"codgeo", "epci"},
    {"com", "pmun"},
    {"codcom", "pmun"},
    *({name} for name in COMMUNE_CODE),
]
_YEAR = re.compile(r"(?<!\d)(?:0101)?(199\d|20[0-4]\d)(?!\d)")
_SHORT_YEAR = re.compile(r"communes[-_](\d\d)(?:_v\d+)?$")


class CommuneTable(NamedTuple):
    """What a published table says of communes: one row per code, and the successors of former communes."""

    rows: pd.DataFrame
    parents: dict[str, str]
    typed: bool
    record: dict[str, Any]
    year: int | None


_NOBODY = pd.DataFrame(
    {"name": [], "population": [], "epci": [], "ept": []}, index=pd.Index([], name="code", dtype="str")
).astype({"name": "str", "population": "Int64", "epci": "str", "ept": "str"})


def year_of(name: str) -> int | None:
    """Year of the COG that a file name states; the year of a census is none."""
    stem = Path(name).stem.casefold()
    found = _YEAR.findall(stem)
    if "pop" in stem or len(set(found)) > 1:
        return None
    if found:
        return int(found[0])
    short = _SHORT_YEAR.search(stem)
    return 2000 + int(short[1]) if short else None


def twin_notes(path: Path) -> list[str]:
    """Note that a table has the same bytes as one beside it that is dated to another year by its name.

    Nothing in such a table is newer than in the other: whoever publishes it had no list of that year.
    """
    year = year_of(path.name)
    if year is None:
        return []
    beside: list[Path] = []
    with suppress(OSError):  # the folder may be closed to listing, and the file is read all the same
        beside = sorted(path.parent.iterdir())
    dated = [
        one for one in beside if one.suffix.lower() == path.suffix.lower() and year_of(one.name) not in (None, year)
    ]
    same = [one.name for one in dated if _is_copy(one, path)]
    return [Note("read.same_bytes", file=path.name, others=same)] if same else []


def _is_copy(other: Path, path: Path) -> bool:
    """Whether a file has the bytes of another; one that cannot be read is none."""
    with suppress(OSError):
        alike = other.is_file() and other.stat().st_size == path.stat().st_size
        return alike and file_memory.sha256_of(other) == file_memory.sha256_of(path)
    return False


def read_commune_table(
    path: Path, columns: Mapping[str, str], unused: set[str], notes: list[str], sheet: str | None = None
) -> CommuneTable:
    """What a table says of communes, whichever form it has."""
    named = [set(columns)] if columns else []
    text = widened(read_known(path, [*named, *_EXPECT], sheet=sheet), "commune")
    record = file_memory.record(path, member=text.attrs["table"].get("member"))
    record |= {"kind": "communes", "cog_year": year_of(path.name)}
    notes += [*notes_of(text), *twin_notes(path)]
    text = published.rename_columns(text, columns, where=path.name, unused=unused)
    if find_column(text, ["com_av"]) is not None:
        return CommuneTable(_NOBODY, _movements(text), False, record, year_of(path.name))
    text = published.communes_alone(text, notes)
    given = published.commune_codes(text)
    if given is None:
        raise DataError(
            Note("read.no_commune_codes", file=path.name),
            problems=published.unlike_codes(text, COMMUNE_CODE),
            way_out=Note("read.name_the_column", canonical="code", columns=list(map(str, text.columns))),
        )
    typed = published.type_column(text) is not None or find_column(text, ["nccenr"]) is not None
    # codes of former communes may be of a department that is no more, such as Corsica before 1976
    former = published.commune_kinds(text, given).eq("former")
    label = published.label(text, COMMUNE_NAME, given)
    told, names = given[~former], [label] if label else []
    kept, (cleaned, *_) = published.identified(text[~former], told, "commune", names=names, where=path.name)
    notes += [Note("read.totals_left_out", count=len(told) - len(kept))] if len(kept) < len(told) else []
    kinds = published.commune_kinds(kept, cleaned)
    odd = [str(line) for line in kept.index[kinds.isna()]]
    notes += [Note("read.kinds_left_out", count=len(odd), lines=odd)] if odd else []
    rows = attributes(kept, cleaned, path.name, notes)[kinds.isin(["commune", "arrondissement"]).to_numpy()]
    twice = rows.index[rows.index.duplicated()].unique()
    if len(twice):
        raise DataError(
            Note("read.communes_repeated", file=path.name, count=len(twice)),
            problems=twice,
            way_out=Note("read.keep_one_row"),
        )
    old = official.clean(given[former], "commune").codes.fillna(given[former])
    parents = dict(zip(old, _parents(text[former]), strict=True))
    parents = {code: parent for code, parent in parents.items() if isinstance(parent, str)}
    return CommuneTable(rows, parents, typed, record, year_of(path.name))


@kept
def read_former_communes(source: Path) -> pd.DataFrame:
    """Former communes of a table, on their codes, with the `commune` that each is part of."""
    parents = read_commune_table(source, {}, set(), []).parents
    return pd.DataFrame({"commune": pd.Series(parents, dtype="str")}).rename_axis("code")


def _movements(text: pd.DataFrame) -> dict[str, str]:
    """Where former communes went, by Insee's file of movements (`v_mvt_commune_<year>.csv`), last event last."""
    names = {normalise(column): column for column in text.columns}
    rows = text[text[names["mod"]].isin(_MERGERS)]
    for side in ("typecom_av", "typecom_ap"):
        if side in names:
            rows = rows[rows[names[side]].eq("COM")]
    if "date_eff" in names:
        rows = rows.sort_values(names["date_eff"], kind="stable")
    before, after = (official.clean(rows[names[side]], "commune").codes for side in ("com_av", "com_ap"))
    whole = before.notna() & after.notna() & before.ne(after)
    return dict(zip(before[whole], after[whole], strict=True))


def _parents(text: pd.DataFrame) -> pd.Series:
    found = pd.Series(pd.NA, index=text.index, dtype="str")
    for name in _PARENT:
        column = find_column(text, [name])
        if column is not None:
            found = found.fillna(official.clean(text[column], "commune").codes)
    return found


def attributes(text: pd.DataFrame, given: pd.Series, where: str, notes: list[str]) -> pd.DataFrame:
    """Name, population, EPCI and EPT of the rows of a table or of outlines, by code."""
    rows = pd.DataFrame(index=text.index)
    code_column = next((column for column in text.columns if text[column].equals(given)), None)
    labels = published.commune_labels(text.drop(columns=[code_column] if code_column else []), given)
    rows["name"] = labels if labels is not None else pd.Series(pd.NA, text.index, dtype="str")
    epci_column = published.epci_column(text)
    epci = _sirens(text, [epci_column] if epci_column else [], where, notes)
    rows["population"] = _people(text, epci(lambda found: found[0]), where, notes)
    epts = set(facts.names("epts"))
    in_ept = epci(lambda found: next((one for one in found if one in epts), None))
    rows["ept"] = _sirens(text, _EPT, where, notes)(lambda found: found[0]).fillna(in_ept)
    # Admin Express gives both for the Grand Paris, some tables the EPT alone; by law it lies in the métropole
    rows["epci"] = epci(lambda found: next((one for one in found if one not in epts), None))
    rows["epci"] = rows["epci"].mask(rows["epci"].isna() & in_ept.notna(), _GRAND_PARIS)
    rows = rows[["name", "population", "epci", "ept"]]
    return rows.set_axis(pd.Index(given, name="code"), axis="index")


def _people(text: pd.DataFrame, epci: pd.Series, where: str, notes: list[str]) -> pd.Series:
    """Municipal populations of the communes; of the last year when a table has several."""
    found = counts.population_columns(text)
    suited = [column for column in found if column.scope == "commune"] or found
    # the tables of the DGCL give those of the EPCI beside those of the commune, or alone
    unsaid = [column for column in suited if column.scope != "commune"]
    of_epci = {column: counts.of_groups(text, column.column, epci) for column in unsaid}
    whole = [column for column in suited if of_epci.get(column)]
    notes += [Note("read.epci_totals", file=where, column=column.column) for column in whole]
    suited = [column for column in suited if column not in whole]
    if not suited:
        return pd.Series(pd.NA, index=text.index, dtype="Int64")
    last = max(suited, key=lambda column: column.year or 0)
    if of_epci.get(last, False) is None:
        notes.append(Note("read.one_commune_an_epci", file=where, column=last.column))
    if len(found) > 1:
        notes.append(Note("read.populations_from", file=where, column=last.column))
    return counts.whole_people(counts.people(text[last.column], where=where, notes=[]), notes)


def _sirens(
    text: pd.DataFrame, names: Iterable[str], where: str, notes: list[str]
) -> Callable[[Callable[[list[str]], str | None]], pd.Series]:
    """What gives one of the SIREN of each row, in the first column that has one of the names."""
    column = find_column(text, names)
    if column is None:
        return lambda _: pd.Series(pd.NA, index=text.index, dtype="str")
    cells = text[column]
    # a spreadsheet's 2,00093201E+08 is one SIREN, and its comma no separator
    alone = {cell: official.repaired(cell, "siren")[0] for cell in cells.dropna().unique().tolist()}
    split = {cell: [code] if code else official.split_list(cell, "siren") for cell, code in alone.items()}
    held = {cell: found for cell, found in split.items() if found}
    odd = cells[~cells.isin(list(held))].dropna()
    odd = odd[~odd.str.upper().isin(["ZZZZZZZZZ", "NR", "NA", "NC"])]
    if len(odd):
        notes.append(Note("read.not_siren", file=where, column=column, count=len(odd), example=odd.iloc[0]))
    return lambda pick: cells.map({cell: pick(found) for cell, found in held.items()}).astype("str")


def merged(tables: Sequence[CommuneTable], notes: list[str]) -> pd.DataFrame | None:
    """What several tables say of the communes, each thing from the first table that gives it.

    The communes are those of the first COG, which names its types of communes, else those of the longest table.
    """
    if not any(len(one.rows) for one in tables):
        return None
    main = next((one for one in tables if one.typed), max(tables, key=lambda one: len(one.rows)))
    known = pd.DataFrame(index=main.rows.index, columns=main.rows.columns).astype(main.rows.dtypes.to_dict())
    for one in tables:
        foreign = one.rows.index.difference(known.index)
        if len(foreign):
            notes.append(
                Note(
                    "read.not_in_main",
                    file=one.record["file"],
                    main=main.record["file"],
                    count=len(foreign),
                    codes=list(foreign[:_SHOWN]),
                )
            )
        known = known.fillna(one.rows.reindex(known.index))
    for whole, parts in official.ARRONDISSEMENTS.items():
        present = known.index.intersection(list(parts))
        if whole in known.index and len(present):
            for column in ("epci", "ept"):
                known.loc[present, column] = known.loc[present, column].fillna(known.loc[whole, column])
    return known


def require_there(paths: Iterable[Path]) -> None:
    """Raise when a file is not there."""
    for path in paths:
        if not path.is_dir():
            existing_path(path)


def require_used(unused: set[str]) -> None:
    """Raise when columns were named that no file has."""
    if unused:
        raise DataError(Note("read.no_file_has_column", columns=sorted(unused)), way_out=Note("read.correct_columns"))


def cog_year_of(groups: Iterable[Iterable[int | None]], notes: list[str]) -> int | None:
    """Year of the COG of the whole, by the first kind of file that states one; unknown when two of a kind differ."""
    stated = [{year for year in years if year is not None} for years in groups]
    found = next((years for years in stated if years), set())
    year = next(iter(found)) if len(found) == 1 else None
    everything = sorted(set().union(*stated))
    if len(everything) > 1:
        notes.append(
            Note("read.cog_years", years=everything, year=year)
            if year
            else Note("read.cog_years_differ", years=everything)
        )
    return year
