"""Events of communes: which commune became which, on which day, by Insee's file of events.

The file (*événements sur les communes*, `v_mvt_commune_<year>.csv`) holds what happened to communes since 1943, a line
for each pair of a unit before and a unit after: a merger of two communes into one is two lines of one day, and as many
more for the *communes déléguées* or *associées* that they become. It comes with the *code officiel géographique* (COG)
of each year, at insee.fr/fr/information/2560452.
"""

import os
import re

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, judged
from qpvgeo.formats.text_tables import existing_path, find_column, notes_of, read_table
from qpvgeo.frames import provenance, require
from qpvgeo.language import Note
from qpvgeo.read.communes.tables import twin_notes, year_of
from qpvgeo.sources import file_memory, recognise
from qpvgeo.sources import published_columns as published

__all__ = ["EVENTS_PAGE", "EVENT_COLUMNS", "EVENT_KINDS", "UNIT_TYPES", "events_frame", "read_commune_events"]

EVENTS_PAGE = "https://www.insee.fr/fr/information/2560452"
"""Page of Insee where the file of events is offered, with the COG."""

EVENT_COLUMNS = (
    "date",
    "event",
    "kind",
    "type_before",
    "code_before",
    "name_before",
    "type_after",
    "code_after",
    "name_after",
)

EVENT_KINDS = {
    "10": "name changed",
    "20": "created",
    "21": "restored",
    "30": "suppressed",
    "31": "merged",
    "32": "merged in a commune nouvelle",
    "33": "merged by association",
    "34": "association made a full merger",
    "35": "commune déléguée suppressed",
    "41": "code changed with the department",
    "50": "code changed with the seat",
    "70": "commune associée made déléguée",
    "71": "commune déléguée restored",
    "72": "commune déléguée created",
}
"""What the codes of events (MOD) mean."""

UNIT_TYPES = ("COM", "COMA", "COMD", "ARM")
"""Types of units: commune, commune associée, commune déléguée, municipal arrondissement."""

_HEADER = {"mod", "date_eff", "typecom_av", "com_av", "typecom_ap", "com_ap"}
_DAYS = {
    "%Y-%m-%d": re.compile(r"\d{4}-\d\d-\d\d(?:[ T]00:00:00)?"),
    "%d/%m/%Y": re.compile(r"\d\d/\d\d/\d{4}"),
}
_CORSICA = re.compile(r"20\d{3}")
"""Codes of Corsica before 1976, of a department that is no more."""


@judged
def read_commune_events(source: str | os.PathLike[str], *, data: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    r"""Read Insee's file of events of communes.

    Parameters
    ----------
    source
        A key of `qpvgeo.datasets()` (`"commune-events-2026"`), looked for on disk, or a file: CSV with commas or
        semicolons, with or without byte order mark, header in either case (`MOD`, `DATE_EFF`, `TYPECOM_AV`, `COM_AV`,
        `LIBELLE_AV`, the same with `_AP`), a workbook of it, or the zip of the COG.
    data
        Folder searched for a key, before the others.

    Returns
    -------
    pandas.DataFrame
        Indexed by `line` of the file, in the order of the days: `date` (first day of the state after), `event` (code
        MOD, as text), `kind` (its meaning, `EVENT_KINDS`; `other` for a code that is not known here), `type_before`,
        `code_before`, `name_before`, `type_after`, `code_after`, `name_after`. Types are `COM` (commune), `COMA`
        (associée), `COMD` (déléguée) and `ARM` (municipal arrondissement). A side is missing where a unit enters or
        leaves the COG. Lines that repeat another are left out. `attrs["qpvgeo"]` holds the file, `cog_year` (that its
        name states: events up to 1 January of it; None when it states none) and the notes.

    Raises
    ------
    DataError
        The header is not that of the file of events, or lines cannot be read: all are listed.
    MissingDataError
        There is no such file.

    Notes
    -----
    Codes of events: 10 name changed; 20 created, from parts of others; 21 restored (*rétablissement*: communes that
    had merged part again); 30 suppressed, its territory shared out; 31 merged; 32 *commune nouvelle*; 33 merged by
    association; 34 association made a full merger; 35 *commune déléguée* suppressed; 41 code changed with the
    department; 50 code changed with the seat (*chef-lieu*); 70 *associée* made *déléguée*; 71 and 72 *commune déléguée*
    restored, created. Source: Insee, code officiel géographique, insee.fr/fr/information/2560452.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "v_mvt_commune_2024.csv")
    >>> _ = path.write_text(
    ...     "MOD,DATE_EFF,TYPECOM_AV,COM_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,LIBELLE_AP\n"
    ...     "32,2019-01-01,COM,99001,Port-Brume,COM,99001,Port-Brume\n"
    ...     "32,2019-01-01,COM,99008,Le Ressac,COM,99001,Port-Brume\n"
    ...     "32,2019-01-01,COM,99008,Le Ressac,COMD,99008,Le Ressac\n"
    ... )
    >>> events = read_commune_events(path)
    >>> events[["code_before", "type_after", "code_after"]].to_numpy().tolist()
    [['99001', 'COM', '99001'], ['99008', 'COM', '99001'], ['99008', 'COMD', '99008']]
    >>> events["kind"].unique().tolist(), events.attrs["qpvgeo"]["cog_year"]
    (['merged in a commune nouvelle'], 2024)
    """
    file = existing_path(recognise.paths(source, data)[0])
    text = read_table(file, expect=[_HEADER])
    record = file_memory.record(file, member=text.attrs["table"].get("member"))
    notes: list[str] = [*notes_of(text), *twin_notes(file)]
    frame = pd.DataFrame({"date": _days(_column(text, "date_eff")), "event": _column(text, "mod")}, index=text.index)
    frame["kind"] = frame["event"].map(EVENT_KINDS).fillna("other").astype("str")
    problems = _unread(text, frame, _column(text, "date_eff"))
    for side, suffix in (("before", "av"), ("after", "ap")):
        frame[f"type_{side}"] = _column(text, f"typecom_{suffix}").str.upper()
        frame[f"code_{side}"] = _codes(_column(text, f"com_{suffix}"), notes)
        frame[f"name_{side}"] = _names(text, suffix)
        problems += _unread_side(frame, side, _column(text, f"com_{suffix}"))
    nobody = frame["code_before"].isna() & frame["code_after"].isna()
    problems += [(line, Note("read.no_unit")) for line in frame.index[nobody]]
    if problems:
        listed = sorted({line: (line, what) for line, what in reversed(problems)}.values())
        raise DataError(
            Note("read.not_events", file=file.name, count=len(listed), of=len(frame)),
            problems=[Note("read.of_line", line=line, note=what) for line, what in listed],
            way_out=Note("read.events_again", page=EVENTS_PAGE),
        )
    return _stamped(frame, record, file.name, notes)


def _stamped(frame: pd.DataFrame, record: dict[str, object], name: str, notes: list[str]) -> pd.DataFrame:
    """Events in the order of the days, each once, with their provenance."""
    repeated = frame.duplicated()
    if repeated.any():
        notes.append(Note("read.lines_repeated", file=name, count=int(repeated.sum())))
    strange = sorted(frame.loc[frame["kind"] == "other", "event"].unique())
    if strange:
        notes.append(Note("read.strange_events", file=name, codes=strange))
    frame = frame[~repeated].sort_values("date", kind="stable")[list(EVENT_COLUMNS)]
    given = pd.concat([frame["code_before"], frame["code_after"]]).dropna()
    return provenance.stamp(
        frame, [record], cog_year=year_of(name), notes=notes, fictional=bool(len(given)) and published.is_sample(given)
    )


def events_frame(events: pd.DataFrame) -> pd.DataFrame:
    """Events given as a frame: columns that are needed, days as days.

    Raises
    ------
    DataError
        A column is missing, or a day cannot be read.
    """
    require.require_columns(
        events,
        [name for name in EVENT_COLUMNS if name != "kind"],
        what="events",
        way_out=Note("frames.make_events"),
    )
    if pd.api.types.is_datetime64_any_dtype(events["date"]):
        return events
    days = _days(events["date"].astype("str"))
    if days.isna().any():
        raise DataError(
            Note("read.events_without_day"),
            problems=[
                Note("read.of_line", line=str(row), note=str(events.loc[row, "date"]))
                for row in events.index[days.isna()]
            ],
            way_out=Note("read.write_days"),
        )
    return events.assign(date=days)


def _column(text: pd.DataFrame, name: str) -> pd.Series:
    column = find_column(text, [name])
    return pd.Series(pd.NA, index=text.index, dtype="str") if column is None else text[column]


def _days(values: pd.Series) -> pd.Series:
    """Days written the one way or the other; missing where the text is none."""
    days = pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
    for form, pattern in _DAYS.items():
        fits = values.str.fullmatch(pattern.pattern).fillna(False).astype(bool)
        days[fits] = pd.to_datetime(values[fits].str.slice(0, 10), format=form, errors="coerce")
    return days


def _codes(values: pd.Series, notes: list[str]) -> pd.Series:
    """Codes of communes, those of Corsica before 1976 among them; missing where there is none or it is none."""
    cleaned = official.clean(values, "commune")
    if len(cleaned.repairs):
        notes.append(
            Note(
                "read.codes_repaired_such",
                count=len(cleaned.repairs),
                column=str(values.name),
                example=str(cleaned.repairs["value"][0]),
            )
        )
    old = values.str.fullmatch(_CORSICA.pattern).fillna(False).astype(bool)
    return cleaned.codes.mask(old, values)


def _names(text: pd.DataFrame, suffix: str) -> pd.Series:
    """Names with their article; without it, or in capitals, where the file has no other."""
    name = _column(text, f"libelle_{suffix}")
    for other in ("nccenr", "ncc"):
        name = name.fillna(_column(text, f"{other}_{suffix}"))
    return name.astype("str")


def _unread(text: pd.DataFrame, frame: pd.DataFrame, days: pd.Series) -> list[tuple[int, str]]:
    """Lines whose day or code of event cannot be read."""
    problems = [(line, Note("read.not_a_day", value=str(days[line]))) for line in text.index[frame["date"].isna()]]
    odd = ~frame["event"].str.fullmatch(r"\d\d").fillna(False).astype(bool)
    return problems + [
        (line, Note("read.not_an_event", value=str(frame.loc[line, "event"]))) for line in text.index[odd]
    ]


def _unread_side(frame: pd.DataFrame, side: str, written: pd.Series) -> list[tuple[int, str]]:
    """Lines whose unit before or after cannot be read."""
    kind, code = frame[f"type_{side}"], frame[f"code_{side}"]
    problems = [
        (line, Note("read.not_a_commune", value=str(written[line])))
        for line in frame.index[code.isna() & written.notna() & ~written.str.upper().isin(["NA", "NAN"])]
    ]
    problems += [(line, Note("read.no_type", code=code[line])) for line in frame.index[code.notna() & kind.isna()]]
    unknown = kind.notna() & ~kind.isin(UNIT_TYPES)
    problems += [(line, Note("read.not_a_type", value=str(kind[line]))) for line in frame.index[unknown]]
    return problems + [
        (line, Note("read.no_code", kind=kind[line])) for line in frame.index[kind.notna() & written.isna()]
    ]
