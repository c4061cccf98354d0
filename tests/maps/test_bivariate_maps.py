"""Two figures on one map: classes by hand, the legend, what is missing, and what is refused."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.colors import to_hex
from tests.builders import layer, refused

from qpvgeo import maps
from qpvgeo.errors import DataError, UsageError
from qpvgeo.maps.palettes import BIVARIATE


def made(rows=9):
    """Squares side by side, the first figure rising and the second falling."""
    codes = [f"590{row:02}" for row in range(rows)]
    shapes = {
        code: shapely.box(700_000 + 1_000 * row, 7_000_000, 701_000 + 1_000 * row, 7_001_000)
        for row, code in enumerate(codes)
    }
    values = np.arange(rows) / 10
    index = pd.Index(codes, name="commune")
    return pd.DataFrame({"share": values, "area_share": values[::-1]}, index=index), layer(shapes)


def colours(ax):
    return [to_hex(one) for one in ax.collections[0].get_facecolor()]


def test_each_unit_has_the_colour_of_both_classes():
    frame, units = made()
    found = colours(maps.bivariate(frame, units, ("share", "area_share")))
    # limits are 20 and 60 %: low with high, the middle of both, high with low, and what lies between
    assert found == [BIVARIATE[one] for one in (6, 6, 7, 4, 4, 4, 5, 2, 2)]


def test_columns_exchanged_exchange_the_classes():
    frame, units = made()
    found = colours(maps.bivariate(frame, units, ("area_share", "share")))
    assert found == [BIVARIATE[one] for one in (2, 2, 5, 4, 4, 4, 7, 6, 6)]


def test_missing_number_has_no_class_and_is_in_the_legend():
    frame, units = made()
    frame.loc["59004", "area_share"] = np.nan
    ax = maps.bivariate(frame, units, ("share", "area_share"), lang="fr")
    assert colours(ax)[4] == "#ffffff"
    assert "Non disponible" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_legend_is_a_square_with_the_limits_of_both():
    frame, units = made()
    square = maps.bivariate(frame, units, ("share", "area_share"), lang="fr").child_axes[0]
    assert [text.get_text() for text in square.get_xticklabels()] == ["20\u202f%", "60\u202f%"]
    assert square.get_xlabel().startswith("Part de la population")
    assert square.get_ylabel().startswith("Part de la superficie")


@pytest.mark.parametrize("columns", ["share", ("share",), ("share", "share"), 3])
def test_two_different_columns_are_asked(columns):
    frame, units = made()
    refused(lambda: maps.bivariate(frame, units, columns), "maps.two_columns", UsageError)


def test_few_units_are_refused_with_a_way_out():
    frame, units = made(6)
    refused(lambda: maps.bivariate(frame, units, ("share", "area_share")), "maps.bivariate_few", DataError)


def test_unknown_column_names_those_near():
    frame, units = made()
    error = refused(lambda: maps.bivariate(frame, units, ("shares", "area_share")), "maps.no_column", UsageError)
    assert any("share" in str(problem) for problem in error.problems)


def test_outlines_of_other_units_are_refused():
    frame, _ = made()
    other = gpd.GeoDataFrame(geometry=[shapely.box(700_000, 7_000_000, 701_000, 7_001_000)], index=["x"], crs=2154)
    refused(lambda: maps.bivariate(frame, other, ("share", "area_share")), "maps.no_unit_has_an_outline", DataError)
