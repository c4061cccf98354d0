"""The boundary around libraries that read files."""

import errno

import pytest
from tests.builders import refused

from qpvgeo.errors import ArchiveError, DataError, UsageError
from qpvgeo.formats.reader_errors import cause_of, foreign


class PanicException(BaseException):
    """As pyo3 raises it."""


@pytest.mark.parametrize(
    "raised", [KeyError("x"), UnboundLocalError("x"), OSError(errno.EIO, "x"), PanicException("x"), RecursionError()]
)
def test_whatever_a_library_raises_becomes_ours_with_its_cause(raised):
    def call():
        with foreign("a.gpkg"):
            raise raised

    error = refused(call, "formats.unreadable", DataError)
    assert error.__cause__ is raised
    assert error.message.values["file"] == "a.gpkg"


@pytest.mark.parametrize("raised", [UsageError("ours"), ArchiveError("ours"), KeyboardInterrupt()])
def test_errors_of_ours_and_interruptions_pass(raised):
    with pytest.raises(type(raised)) as caught, foreign("a.gpkg"):
        raise raised
    assert caught.value is raised


def test_causes_are_one_line_of_bounded_length():
    assert cause_of(ValueError("a\n  b.")) == "a b"
    assert cause_of(KeyError("x")) == "KeyError: 'x'"
    assert len(cause_of(ValueError("x" * 1000))) < 400
