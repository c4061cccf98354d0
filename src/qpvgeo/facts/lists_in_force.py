"""Which list of QPV was in force on a day, and what is not settled about it."""

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from qpvgeo.errors import UsageError, judged
from qpvgeo.facts.tables import names, rows
from qpvgeo.language import Note, joined

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIRST_DAY", "LAST_RELEASE", "caveats", "expected_counts", "geography", "unsettled"]

FIRST_DAY = dt.date(2015, 1, 1)
"""Day on which the regime of the QPV entered into force (loi 2014-173)."""

LAST_RELEASE = dt.date(2026, 1, 15)
"""Release of the ANCT list that the facts know last."""

_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(on: "str | dt.date") -> dt.date:
    # a missing day of pandas is of that type, and unequal to itself
    if isinstance(on, dt.datetime) and on == on:  # noqa: PLR0124
        return on.date()
    if isinstance(on, dt.date) and not isinstance(on, dt.datetime):
        return on
    try:
        # Python takes 20240630 and weeks too
        return dt.date.fromisoformat(_WRITTEN.fullmatch(on)[0])  # type: ignore[arg-type, index]
    except (TypeError, ValueError):
        plain = on is None or isinstance(on, str | int | float | dt.datetime)
        shown = repr(on) if plain else f"A {type(on).__name__}"
        raise UsageError(Note("facts.not_a_day", given=shown), way_out=Note("facts.write_day")) from None


def _start(row: Mapping[str, str]) -> dt.date:
    return dt.date.fromisoformat(row["valid_from"])


def _end(row: Mapping[str, str]) -> dt.date:
    return dt.date.fromisoformat(row["valid_to"]) if row["valid_to"] else dt.date.max


@judged
def geography(on: "str | dt.date") -> "pd.DataFrame":
    """Which lists of QPV were in force on a day, by territory.

    There is no single number of QPV: it depends on the day and on the territory. The lists of the 2015 geography
    held in the hexagone until 31 December 2023 and overseas until 31 December 2024.

    Parameters
    ----------
    on
        A day, as a date or as `YYYY-MM-DD`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `territory`: `name`, `vintage` (2015 or 2024), `release` (of the ANCT file that holds the list),
        `n_qpv`, `decree` (identifier in the table `decrees`), `signed_on`, `in_force_on` (dates of the decree, as
        text; missing where not established), `valid_from`, `valid_to` (missing while in force), `note`, `source`.
        A territory whose list on that day is not known keeps its row, with `n_qpv` missing. `attrs["n_qpv"]` is
        the total (None when a territory is not known), `attrs["known_until"]` the last release known here and
        `attrs["on"]` the day.

    Raises
    ------
    UsageError
        The text is not a day, or the day comes before 1 January 2015.

    Notes
    -----
    Sources: décrets 2014-1750, 2014-1751, 2015-1138, 2023-1314, 2024-806, 2024-1212 and loi 2025-797 article 40
    (Mayotte, every commune until 1 January 2030).

    Examples
    --------
    >>> import qpvgeo as qg
    >>> [qg.geography(on=day).attrs["n_qpv"] for day in ("2023-06-30", "2024-06-30", "2025-06-30", "2026-06-30")]
    [1514, 1580, 1609, 1584]
    >>> qg.geography(on="2024-06-30").loc[["hexagone", "974"], ["vintage", "n_qpv", "decree"]]
               vintage  n_qpv     decree
    territory
    hexagone      2024   1362  2023-1314
    974           2015     49  2014-1751
    """
    import pandas as pd  # noqa: PLC0415

    day = _day(on)
    if day < FIRST_DAY:
        raise UsageError(
            Note("facts.before_first_list", day=str(day), first=str(FIRST_DAY)), way_out=Note("facts.earlier_zonings")
        )
    known = rows("lists")
    decrees = {row["id"]: row for row in rows("decrees")}
    labels = names("territories")
    found = []
    for territory in dict.fromkeys(row["territory"] for row in known):
        of_it = [row for row in known if row["territory"] == territory]
        held = [row for row in of_it if _start(row) <= day <= _end(row)]
        decree = decrees[held[0]["decree"]] if held else {}
        last = held[0] if held else {"note": Note("facts.not_known_after", day=str(max(_end(row) for row in of_it)))}
        found.append(
            {
                "territory": territory,
                "name": labels[territory],
                **{key: last.get(key) for key in ("vintage", "release", "n_qpv", "decree")},
                "signed_on": decree.get("signed_on"),
                "in_force_on": decree.get("in_force_on"),
                **{key: last.get(key) for key in ("valid_from", "valid_to", "note", "source")},
            }
        )
    frame = pd.DataFrame(found).set_index("territory").replace({"": pd.NA})
    for column in ("vintage", "n_qpv"):
        frame[column] = pd.to_numeric(frame[column]).astype("Int64")
    frame.attrs["n_qpv"] = None if frame["n_qpv"].isna().any() else int(frame["n_qpv"].sum())
    frame.attrs["known_until"] = LAST_RELEASE.isoformat()
    frame.attrs["on"] = day.isoformat()
    return frame


@judged
def unsettled(on: "str | dt.date") -> dict[str, Mapping[str, str]]:
    """Territories whose next list may already have been in force on a day, and the list before it.

    From the publication of a law without a first day that could be established, to the release that holds its list.

    Raises
    ------
    UsageError
        The text is not a day.

    Examples
    --------
    >>> [list(unsettled(day)) for day in ("2025-08-11", "2025-08-12", "2026-01-14", "2026-01-15")]
    [[], ['976'], ['976'], []]
    """
    day = _day(on)
    decrees = {row["id"]: row for row in rows("decrees")}
    found = {}
    for row in rows("lists"):
        law = decrees[row["decree"]]
        if not law["in_force_on"] and law["journal_on"] <= day.isoformat() < row["release"]:
            before = [one for one in rows("lists") if one["territory"] == row["territory"] and _end(one) < _start(row)]
            found[row["territory"]] = before[-1]
    return found


@judged
def caveats(on: "str | dt.date", held: Collection[str]) -> list[str]:
    """What the lists of some territories do not say of a day, as notes.

    A decree that corrected outlines and whose first day is not established is reported to the end of the year of its
    signature; the end of what is known, for any day after it.

    Parameters
    ----------
    on
        A day.
    held
        Codes of the territories.

    Raises
    ------
    UsageError
        The text is not a day.

    Examples
    --------
    >>> caveats("2028-01-01", ["hexagone"])
    ['the lists are known up to the release of 2026-01-15: what changed by 2028-01-01 is not']
    >>> caveats("2019-03-14", ["hexagone"])
    []
    """
    day = _day(on)
    labels, found = names("territories"), []
    for decree in rows("decrees"):
        open_until = f"{decree['signed_on'][:4]}-12-31"
        if decree["in_force_on"] or "outlines" not in decree["effect"] or day.isoformat() > open_until:
            continue
        noted = [
            row
            for row in rows("lists")
            if row["territory"] in held and _start(row) <= day <= _end(row) and decree["id"] in row["note"]
        ]
        more = [
            Note("facts.of_territory", territory=labels[row["territory"]], note=row["note"])
            for row in noted
            if not row["note"].endswith(decree["id"])
        ]
        if noted:
            told = Note("facts.not_established", title=decree["title"], effect=decree["effect"], day=str(day))
            found.append(joined([told, *more]))
    if day > LAST_RELEASE and held:
        found.append(Note("facts.known_until", release=str(LAST_RELEASE), day=str(day)))
    return found


@judged
def expected_counts(vintage: int) -> dict[str, set[int]]:
    """Numbers of QPV that the lists of a geography had, by territory.

    A set, since the same geography can hold several lists in time (Mayotte: 42 then 17).

    Examples
    --------
    >>> sorted(expected_counts(2024)["976"])
    [17, 42]
    """
    counts: dict[str, set[int]] = {}
    for row in rows("lists"):
        if int(row["vintage"]) == vintage:
            counts.setdefault(row["territory"], set()).add(int(row["n_qpv"]))
    return counts
