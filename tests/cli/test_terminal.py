"""Tables and the notes under them: nothing cut, nothing empty, nothing said twice."""

import pytest
from tests.cli.runs import run

from qpvgeo.cli import app
from qpvgeo.cli.terminal import Column, Marks, Screen
from qpvgeo.language import Note, joined
from qpvgeo.language.notes import keys
from qpvgeo.samples import sample


def _people(*places):
    return Note("indicators.no_denominator", places=list(places))


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return Screen()


def test_each_note_of_a_row_has_its_own_mark_and_is_written_once(screen, capsys):
    area = Note("indicators.area_without", count=3)
    marks = Marks(screen)
    assert [marks.mark(note) for note in (area, "", joined([_people("Mayotte"), area]), area)] == [
        "(1)",
        "",
        "(1, 2)",
        "(1)",
    ]
    marks.write()
    assert capsys.readouterr().out.splitlines() == [
        "(1) area without 3 QPV that have no outline",
        "(2) no denominator for Mayotte",
    ]


def test_a_note_on_places_says_what_those_on_some_of_them_say(screen, capsys):
    notes = [_people("Mayotte"), _people("Guyane"), _people("Guyane", "Mayotte"), _people("Martinique")]
    marks = Marks(screen, notes)
    assert [marks.mark(note) for note in notes] == ["(1)", "(1)", "(1)", "(2)"]
    marks.write()
    assert capsys.readouterr().out.splitlines() == [
        "(1) no denominator for Guyane and Mayotte",
        "(2) no denominator for Martinique",
    ]


def test_notes_of_another_reason_are_not_put_together(screen):
    notes = [_people("Mayotte"), Note("indicators.census_not_stated", places=["Guyane", "Mayotte"])]
    marks = Marks(screen, notes)
    assert [marks.mark(note) for note in notes] == ["(1)", "(2)"]


def test_columns_that_hold_nothing_give_their_room_to_others(screen, capsys):
    columns = [Column("Name", "name"), Column("QPV"), Column("Census", rank=1), Column("Share"), Column("Note", "code")]
    screen.table(columns, [("Here", "1", "–", "–", ""), ("There", "2", "–", "–", "")])
    assert capsys.readouterr().out.splitlines()[0].split() == ["Name", "QPV", "Share"]


def test_a_table_without_rows_keeps_the_columns_that_every_table_has(screen, capsys):
    screen.table([Column("Name", "name"), Column("QPV")], [])
    assert capsys.readouterr().out.splitlines()[0].split() == ["Name", "QPV"]


@pytest.mark.parametrize("name", app.commands)
def test_help_of_every_option_is_a_sentence(name):
    said = keys()
    texts = [
        text
        for option in app.commands[name].params
        for text in said.get(getattr(option, "help", None) or "", {}).values()
    ]
    assert texts
    assert [text for text in texts if text[0].islower() or text[-1] not in ".?)…"] == []


@pytest.mark.parametrize(
    ("name", "heads"),
    [("population_2024", ["Problem", "Action"]), ("qpv_2015", ["Record", "Code", "Problem", "Action"])],
)
def test_doctor_has_no_columns_of_records_where_all_is_said_of_the_file(monkeypatch, name, heads):
    monkeypatch.setenv("COLUMNS", "80")
    out, _ = run("doctor", getattr(sample(), name))
    assert [line.split() for line in out.splitlines() if "Problem" in line] == [heads]
