"""Tables of the caller: distances by cell and by QPV."""

import numpy as np
import pandas as pd
import pytest
from tests.builders import refused
from tests.resilience.test_exposed_people import box, grid_of, layer

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.resilience import exposure_beside

GRID = grid_of([100, 200, 400])
METRES = pd.Series([120.0, 480.0], index=GRID.index[:2], name="metres")


def area():
    return layer(box(0, 0, 3, 1))


def two():
    return layer(box(0, 0, 1, 1), box(1, 0, 3, 1))


TABLES = {
    "series": lambda: METRES,
    "frame": METRES.to_frame,
    "column of labels": lambda: METRES.rename_axis("cell_id").reset_index(),
    "another order": lambda: METRES.iloc[::-1],
    "rows of other cells": lambda: pd.concat([METRES, pd.Series([1.0], index=["CRS3035RES200mN9000E9000"])]),
    "whole numbers": lambda: METRES.astype("Int64").rename_axis("id").reset_index(),
}


@pytest.mark.parametrize("form", TABLES)
def test_distances_by_cell_count_the_people_of_near_cells(form):
    found = qg.exposure(area(), TABLES[form](), GRID, below=300)
    assert found[["low", "estimate", "high", "unknown"]].to_numpy().tolist() == [[100, 100, 500, 400]]
    # the cell that the table does not have is unknown
    assert found["share"].tolist() == [pytest.approx(1 / 3)]


def test_distances_by_cell_are_compared_with_the_rest():
    table = pd.Series([120.0, 480.0, 100.0], index=GRID.index, name="metres")
    found = qg.exposure(layer(box(0, 0, 2, 1)), table, GRID, below=300, around=area())
    assert found[["share", "ratio"]].to_numpy().tolist() == [[pytest.approx(1 / 3)] * 2]
    assert found.attrs["qpvgeo"]["mean_outside"] == 100
    beside = exposure_beside(layer(box(0, 0, 2, 1)), table, GRID, area(), below=300)
    assert beside["rest_share"].tolist() == [1]


QPV_TABLES = {
    "series": lambda: pd.Series([120.0], index=["a"], name="metres"),
    "column of codes": lambda: pd.DataFrame({"qpv_code": ["a", "z"], "metres": [120, 5]}),
}


@pytest.mark.parametrize("form", QPV_TABLES)
def test_distances_by_qpv_count_all_of_its_people(form):
    found = qg.exposure(two(), QPV_TABLES[form](), GRID, below=300, around=area())
    assert found[["low", "estimate", "high", "unknown"]].fillna(-1).to_numpy().tolist() == [
        [100, 100, 100, 0],
        [0, -1, 600, 600],
    ]
    assert found["share"].tolist() == [1, pd.NA]
    about = found.attrs["qpvgeo"]
    # of the rest around such a table says nothing
    assert about["outside"]["estimate"] is None
    assert "resilience.one_value_each" in {note.key for note in about["notes"]}


def test_a_quantile_of_values_by_qpv_is_that_of_their_people():
    table = pd.Series([900.0, 100.0], index=["a", "b"])
    found = qg.exposure(two(), table, GRID, quantile=0.9)
    assert found["estimate"].tolist() == [100, 0]
    assert found.attrs["qpvgeo"]["reached_share"] == pytest.approx(100 / 700)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (pd.Series([1.0, 2.0], index=["a", "a"]), "resilience.table_twice"),
        (pd.Series([1.0], index=["z"]), "resilience.table_of_nothing"),
        (pd.Series(["near"], index=["a"]), "resilience.table_of_text"),
        (pd.Series([np.inf], index=["a"], name="m"), "resilience.column_infinite"),
        (pd.DataFrame({"m": [1.0], "minutes": [2.0]}, index=["a"]), "resilience.table_columns"),
        (pd.DataFrame({"qpv_code": ["z"], "m": [1.0]}), "resilience.table_of_nothing"),
        (pd.DataFrame([[1.0, 2.0]], columns=["m", "m"], index=["a"]), "resilience.table_columns"),
    ],
    ids=["twice", "nowhere", "text", "infinite", "two columns", "codes of others", "a name twice"],
)
def test_tables_that_give_no_value_each_are_refused(table, key):
    error = refused(lambda: qg.exposure(two(), table, GRID, below=300), "resilience.options", UsageError)
    assert [problem.key for problem in error.problems] == [key]


def test_rows_without_labels_are_not_taken_for_qpv_that_are_numbered():
    numbered = layer(box(0, 0, 1, 1), box(1, 0, 3, 1), labels=[0, 1])
    table = pd.DataFrame({"code": ["QN00001M", "QN00002M"], "metres": [1.0, 2.0]})
    error = refused(lambda: qg.exposure(numbered, table, GRID, below=300), "resilience.options", UsageError)
    assert [problem.key for problem in error.problems] == ["resilience.table_of_nothing"]
