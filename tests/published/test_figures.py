"""How published figures are read: what was printed, and how finely."""

import pandas as pd
import pytest
from tests.builders import refused

from qpvgeo.errors import DataError
from qpvgeo.published.figures import figures_of, published_figures, step_of, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5 307 455", 5307455),
        ("5\u202f307\u202f455", 5307455),
        ("1,362", 1362),
        ("7,9", 7.9),
        ("−3.5", -3.5),
        ("1/6", 1 / 6),
    ],
)
def test_values_are_read_as_publications_print_them(text, value):
    assert value_of(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "about 8", "1/0", "8 %"])
def test_what_is_not_a_number_is_refused(text):
    with pytest.raises(ValueError, match="value"):
        value_of(text)


@pytest.mark.parametrize(
    ("text", "unit", "step"),
    [
        ("7.9", "percent", 0.1),
        ("48.0", "percent", 0.1),
        ("8", "percent", 1),
        ("30", "percent", 1),
        ("5400000", "persons", 1e5),
        ("667970", "persons", 10),
        ("8403", "persons", 1),
        ("0", "persons", 1),
        ("140", "QPV", 1),
        ("386.26", "km2", 0.01),
        ("2/3", "share", 1 / 9),
    ],
)
def test_the_step_is_the_last_digit_that_was_printed(text, unit, step):
    assert step_of(text, unit) == pytest.approx(step)


def test_the_rounding_that_is_stated_comes_before_the_one_that_is_read():
    table = pd.DataFrame(
        {"value": ["667970", "667970"], "unit": "persons", "measure": "population", "rounding": ["1", ""]}
    )
    assert [figure.step for figure in figures_of(table)] == [1, 10]


def test_percents_become_shares_and_square_kilometres_square_metres():
    table = pd.DataFrame({"value": ["8", "386.26"], "unit": ["percent", "km2"], "measure": ["share", "area"]})
    share, area = figures_of(table)
    assert (share.value, share.step) == (0.08, 0.01)
    assert (area.value, area.step) == (pytest.approx(386_260_000), pytest.approx(10_000))


def test_columns_of_other_names_are_understood():
    table = pd.DataFrame(
        {
            "published_value": [8.5],
            "geography": ["2024, release 2026"],
            "reference_year": ["2013 (Mayotte 2012)"],
            "measure": "share",
        }
    )
    (figure,) = figures_of(table)
    assert (figure.vintage, figure.release, figure.year, figure.territory) == (2024, "2026", 2013, "France")


def test_a_whole_number_among_decimals_is_marked_for_its_lost_digits():
    table = pd.DataFrame({"value": [8.0, 7.9], "measure": "share"})
    assert [figure.digits_lost for figure in figures_of(table)] == [True, False]


def test_changes_touch_fields_and_arguments_alone_or_together():
    (figure,) = figures_of(pd.DataFrame({"value": ["1"], "measure": "share", "year": "2018", "vintage": "2015"}))
    assert figure.changed("year=2013").year == 2013
    assert figure.changed("base=2019").arguments == {"base": "2019"}
    both = figure.changed("measure=n_units_with & by=uu")
    assert (both.measure, both.arguments) == ("n_units_with", {"by": "uu"})


def test_every_bad_row_is_told_at_once():
    table = pd.DataFrame(
        {
            "id": ["a", "b", "c", "c"],
            "value": ["many", "1", "2", "3"],
            "measure": ["share", "", "share", "share"],
            "relation": ["=", "=", "~", "="],
        }
    )
    error = refused(lambda: figures_of(table), "published.bad_figures", DataError)
    assert len(error.problems) == 3


@pytest.mark.parametrize("table", [pd.DataFrame({"value": ["1"]}), pd.DataFrame({"measure": ["share"]}), [1, 2]])
def test_a_table_without_values_or_measures_is_refused(table):
    refused(lambda: figures_of(table), kind=DataError)


def test_every_figure_of_the_library_has_a_source_a_statement_and_a_known_measure():
    from qpvgeo.published.measure_registry import measures

    figures = published_figures()
    known = set(measures().index)
    assert len(figures) >= 250
    assert figures[["statement", "value", "unit", "source"]].notna().all().all()
    assert set(figures["measure"]) <= known
    assert len(figures_of(None)) == len(figures)
