"""French of sentences: those of notes are their own."""

from qpvgeo.language import Note
from qpvgeo.language.sentences import say


def test_a_note_says_itself():
    note = Note("frames.several_rows", label="A", count=2)
    assert (say(note, "fr"), say(note, "en")) == (note.say("fr"), note)
