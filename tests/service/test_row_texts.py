"""Rows of a batch as JSON: put together from kept texts, the same as written one by one."""

import warnings

import geopandas as gpd
import numpy as np
import orjson
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.service.row_texts import RowTexts, said

X, Y = 700_000.0, 6_600_000.0
ASKED = (None, 2024, "fr")


@pytest.fixture(name="tags", scope="module")
def _tags():
    """Points in three perimeters that overlap, near them, far, abroad and nowhere."""
    squares = {f"QN0750{n}M": shapely.box(X + 100 * n, Y, X + 100 * n + 300, Y + 300) for n in (1, 2, 3)}
    areas = gpd.GeoDataFrame({"vintage": 2024}, geometry=list(squares.values()), index=list(squares), crs=2154)
    rng = np.random.default_rng(7)
    x, y = X + rng.uniform(-600, 1_000, 400), Y + rng.uniform(-600, 900, 400)
    x[[0, 1, 2]], y[3] = [np.nan, 9e9, X + 1_000_000], np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return qg.PerimeterIndex(areas).tag(x, y, crs=2154)


def test_rows_are_those_written_one_by_one(tags):
    texts = RowTexts()
    plain = [said(row, "fr") for row in tags.rows()]
    assert {len(row["perimeters"]) for row in plain} == {0, 1, 2, 3}
    assert {row["state"] for row in plain} == {"in", "out", "unknown"}
    for _ in range(2):
        assert [orjson.loads(text) for text in texts.of(tags, ASKED).to_pylist()] == plain


@pytest.mark.parametrize("first", [(350, 150), (150, 150)])
def test_a_row_of_two_perimeters_does_not_stand_for_those_of_one(first):
    """Points in the same smallest perimeter, the first of them in another too."""
    x, y = X + np.array([first[0], 110, 350, 700]), Y + np.array([first[1], 10, 150, 150])
    squares = [shapely.box(X + 100, Y, X + 400, Y + 300), shapely.box(X + 300, Y, X + 900, Y + 900)]
    areas = gpd.GeoDataFrame({"vintage": 2024}, geometry=squares, index=["QN07501M", "QN07502M"], crs=2154)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tags = qg.PerimeterIndex(areas).tag(x, y, crs=2154)
    texts = RowTexts()
    for rows in ([0, 1, 2, 3], [1], [2, 1], [1, 2]):
        some = tags.taken(rows)
        found = [orjson.loads(text) for text in texts.of(some, ASKED).to_pylist()]
        assert found == [said(row, "fr") for row in some.rows()]


def test_a_part_of_the_rows_and_none_at_all(tags):
    texts = RowTexts()
    some = tags.taken([7, 0, 200, 7])
    assert [orjson.loads(text) for text in texts.of(some, ASKED).to_pylist()] == [
        said(row, "fr") for row in some.rows()
    ]
    assert texts.of(tags.taken([]), ASKED).to_pylist() == []
