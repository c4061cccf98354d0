"""A perimeter whose points are known by hand."""

import geopandas as gpd
import pytest
import shapely
from tests.tagging.point_files import X, Y

import qpvgeo as qg


@pytest.fixture(scope="module")
def square():
    """A square of a kilometre in Lambert-93."""
    outline = shapely.box(X, Y, X + 1000, Y + 1000)
    return gpd.GeoDataFrame({"vintage": [2024]}, index=["QN00101M"], geometry=[outline], crs=2154)


@pytest.fixture(scope="module")
def index(square):
    return qg.PerimeterIndex(square)
