"""Errors: sentences with every problem and a way out, and the exit status of each."""

import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo import errors

EXIT_CODES = {"UsageError": 2, "OutputError": 2, "DataError": 1, "ArchiveError": 1, "QpvgeoError": 1}
CLASSES = [getattr(errors, name) for name in errors.__all__]


def test_message_is_the_sentence_the_problems_and_the_way_out():
    error = errors.DataError("Two rows are wrong.", problems=["row 1", "row 2"], way_out="Correct them.")
    assert str(error) == "Two rows are wrong.\n  - row 1\n  - row 2\nCorrect them."
    assert (error.problems, error.way_out) == (("row 1", "row 2"), "Correct them.")


def test_message_alone_is_enough():
    assert str(errors.UsageError("No.")) == "No."


def test_first_twenty_problems_are_listed_and_the_rest_counted():
    error = errors.DataError("Many.", problems=(f"row {k}" for k in range(23)))
    lines = str(error).splitlines()
    assert len(lines) == 22
    assert lines[20] == "  - row 19"
    assert lines[21] == "  - and 3 more (all in the error's `problems`)"
    assert len(error.problems) == 23


def test_twenty_problems_are_all_listed():
    assert "more" not in str(errors.DataError("Many.", problems=["row"] * 20))


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_one_of_qpvgeo_with_an_exit_status(kind):
    assert issubclass(kind, errors.QpvgeoError)
    # whatever is fetched is a source that could not be had
    assert kind.exit_code == EXIT_CODES.get(kind.__name__, 3)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.DataError, ValueError),
        (errors.UsageError, ValueError),
        (errors.ArchiveError, ValueError),
        (errors.MissingDataError, LookupError),
        (errors.HashMismatchError, OSError),
        (errors.OfflineError, errors.FetchError),
        (errors.OutputError, OSError),
    ],
)
def test_errors_can_be_caught_as_python_would(kind, builtin):
    with pytest.raises(builtin, match="No"):
        raise kind("No.")


def test_lookup_error_prints_its_sentence_and_not_a_key():
    assert str(errors.MissingDataError("The file is not here.")) == "The file is not here."


def test_all_names_every_error_class():
    held = {name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error")}
    assert held == set(errors.__all__)


def test_a_whole_geography_in_place_of_a_frame_is_told_to_name_one():
    whole = qg.load(2024, sample=True)
    for call in (lambda: qg.summary(whole), lambda: qg.tag_points(([0.0], [0.0]), whole, crs=4326)):
        error = refused(call, kind=errors.UsageError)
        assert error.way_out.key == "errors.name_one_frame"


def test_a_warning_points_at_the_line_that_called():
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    qpv.loc["QN09901M", "geometry"] = None
    with pytest.warns(UserWarning, match="has no outline") as warned:
        qg.tag_points(([0.0], [0.0]), qpv, crs=4326)
    assert warned[0].filename == __file__
