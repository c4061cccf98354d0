"""Members of one programme on the command line: QPV and people of each in both geographies, and of all once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.language import Note, number

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from qpvgeo.cli.outputs import Target
    from qpvgeo.cli.reading import Reading

__all__ = ["answer_of", "table"]

_PER_VINTAGE = ("n_qpv", "population")


def answer_of(
    programme: str, data: Path | None, *, place: str | None, lists: Path | None, reading: Reading, output: Target
) -> dict[str, Any]:
    """Members of a programme, with their QPV and people in each geography that is available.

    Raises
    ------
    UsageError
        Its list is not held, and none was given.
    DataError
        It reaches no QPV of any geography.
    MissingDataError
        No perimeters are available.
    """
    from qpvgeo.cli import answers
    from qpvgeo.cli.programme_lists import VINTAGES

    found: dict[int, tuple[pd.DataFrame, list[Any]]] = {}
    lacking: list[MissingDataError | DataError] = []
    for vintage in VINTAGES:
        try:
            found[vintage] = _of_vintage(vintage, programme, data, place=place, lists=lists, reading=reading)
        except MissingDataError as error:
            lacking.append(error)
        except DataError as error:
            if error.key != "cli.programme_reaches_none":
                raise
            lacking.append(error)
    if not found:
        raise lacking[0]
    whole = _side_by_side({vintage: one[0] for vintage, one in found.items()})
    output.write(whole)
    frames = [frame for one in found.values() for frame in one[1]]
    about = {vintage: one[0].attrs["qpvgeo"] for vintage, one in found.items()}
    answer = {
        "programme": programme,
        "place": place,
        "rows": answers.records(whole, "member"),
        "totals": {str(vintage): about[vintage]["once"][programme] for vintage in found},
        "years": {str(vintage): about[vintage]["reference_year"] for vintage in found},
        "output": output.name,
        "sources": answers.sources(*frames),
        "notes": answers.notes(*(one[0] for one in found.values())),
    }
    return answer | answers.fictional(*frames)


def _of_vintage(
    vintage: int, programme: str, data: Path | None, *, place: str | None, lists: Path | None, reading: Reading
) -> tuple[pd.DataFrame, list[Any]]:
    """Members with their QPV and people in a geography, and the frames that they were made of."""
    from qpvgeo.at_hand.places import qpv_of
    from qpvgeo.cli import inputs
    from qpvgeo.cli.programme_lists import joined, reached
    from qpvgeo.policy import programme_territories

    made = inputs.covered(vintage, data, by="epci", reading=reading)
    here = made.qpv if place is None else qpv_of(made.qpv, place, data)[0]
    matches = joined(made.qpv, data, lists=lists, communes=made.communes, links=made.links, only=here.index)
    inside = reached(matches, programme)
    own = matches[matches["qpv_code"].isin(list(inside)) & (matches["programme"] == programme)]
    members = programme_territories(own, made.links, made.communes)
    members.attrs["qpvgeo"] = members.attrs["qpvgeo"] | {
        "reference_year": made.links.attrs["qpvgeo"].get("reference_year")
    }
    return members, [frame for frame in (made.qpv, made.people, made.parts, made.communes) if frame is not None]


def _side_by_side(tables: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """A row per member, with the figures of each geography; no QPV there is 0, and of people missing."""
    import pandas as pd

    parts = [one.droplevel("programme").add_suffix(f"_{vintage}") for vintage, one in tables.items()]
    whole = pd.concat(parts, axis="columns").sort_index().rename_axis("member")
    counts = [f"n_qpv_{vintage}" for vintage in tables]
    whole[counts] = whole[counts].astype("Int64").fillna(0)
    whole.attrs = next(iter(tables.values())).attrs
    return whole


def table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per member, then all of them once."""
    from qpvgeo.policy import programmes

    lang, vintages = screen.lang, list(answer["totals"])
    columns = [Column("Member", "name")]
    for vintage in vintages:
        columns += [Column(Note("cli.head_qpv", vintage=vintage)), Column(Note("cli.head_people", vintage=vintage))]
    rows = [
        (
            row["member"],
            *(number(row[f"{name}_{vintage}"], lang) for vintage in vintages for name in _PER_VINTAGE),
        )
        for row in answer["rows"]
    ]
    title = programmes()["title"].get(answer["programme"], answer["programme"])
    screen.table(columns, rows, title=Note("cli.programmes_members", title=title))
    screen.line()
    for vintage in vintages:
        once = answer["totals"][vintage]
        screen.line(
            Note(
                "cli.programmes_in_all",
                vintage=vintage,
                count=once["n_qpv"],
                people=number(once["population"], lang),
                shared=once["shared_qpv"],
            ),
            style="bold",
        )
    years = [str(year) for year in answer["years"].values() if year is not None]
    screen.line(Note("cli.programmes_members_people", years=years), style="dim")
    screen.notes(answer["notes"])
    screen.written(answer["output"])
