"""Limits of departments: by hand, against areas that were joined, and on the published communes."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.maps.department_lines import department_lines


def test_lines_between_communes_of_one_department_fall_out():
    squares = gpd.GeoSeries([shapely.box(x, y, x + 1, y + 1) for y in range(2) for x in range(2)])
    lines = department_lines(squares, pd.Series(["01", "01", "02", "02"]))
    assert shapely.length(lines).sum() == 10  # all around, and between the two
    assert shapely.equals(
        shapely.union_all(lines).intersection(shapely.box(0.1, 0.9, 1.9, 1.1)), shapely.LineString([(0.1, 1), (1.9, 1)])
    )


def test_nothing_gives_nothing():
    assert len(department_lines(gpd.GeoSeries([], dtype="geometry"), pd.Series([], dtype="str"))) == 0


def test_lines_are_those_of_areas_that_were_joined():
    sample = qg.sample()
    communes = qg.read_communes(sample.communes, table=sample.communes_table).to_crs(2154)
    grid = shapely.set_precision(communes.geometry.to_numpy(), 0.01)
    shapes = gpd.GeoSeries(grid, index=communes.index)
    halves = pd.Series(np.where(np.arange(len(shapes)) % 2, "01", "02"), index=shapes.index)
    joined = [shapely.union_all(grid[(halves == code).to_numpy()]) for code in ("01", "02")]
    slow = shapely.union_all([shapely.boundary(one) for one in joined])
    fast = shapely.union_all(department_lines(shapes, halves))
    assert fast.length == pytest.approx(slow.length, rel=0.01)
    assert shapely.hausdorff_distance(fast, slow) < 1


@pytest.mark.real
def test_published_communes_leave_the_departments(real_data):
    communes = qg.read_communes(
        real_data / "admin/communes_2024_100m_sauf_44_75_76.parquet", table=real_data / "admin/cog2024_communes.csv"
    )
    near = communes[communes["department"].isin(["59", "62", "80", "02"])].to_crs(2154)
    lines = department_lines(near.geometry, near["department"])
    joined = near.dissolve("department").boundary
    assert shapely.length(lines).sum() == pytest.approx(shapely.union_all(joined.to_numpy()).length, rel=0.01)
