"""One point without arrays: to the last bit the row that `PerimeterIndex.tag` gives, wherever the point lies."""

import math

import numpy as np
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.tagging.scalar_tags import OnePoint

ASKED = [{"vintage": 2024}, {"vintage": 2015}, {"on": "2020-01-01"}, {"on": "2025-09-01"}]


def rows_alike(index, lon, lat, asked, tolerance):
    one = OnePoint(index, **asked)
    rows = index.tag(lon, lat, **asked, tolerance_m=np.full(len(lon), tolerance) if tolerance else 0.0).rows()
    found = [one.row(x, y, tolerance) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    assert found == rows
    assert [list(row) for row in found] == [list(row) for row in rows]
    return rows


@pytest.fixture(scope="module")
def index():
    sample = qg.sample()
    return qg.PerimeterIndex([qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)])


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("tolerance", [0.0, 50.0, math.inf])
def test_points_of_the_sample_and_of_anywhere(index, asked, tolerance):
    rng = np.random.default_rng(0)
    lon = np.r_[rng.uniform(-3.9, -3.4, 1_500), rng.uniform(-180, 180, 300), 2.35, 45.97, 1e308, -180]
    lat = np.r_[rng.uniform(45.8, 46.1, 1_500), rng.uniform(-90, 90, 300), 48.85, -3.6, -1e308, 90]
    rows = rows_alike(index, lon, lat, asked, tolerance)
    assert {row["state"] for row in rows} >= {"unknown"}


def test_vertices_of_outlines_and_middles_of_their_edges(index):
    qpv = qg.read_qpv(qg.sample().qpv_2024).to_crs(4326)
    corners = shapely.get_coordinates(qpv.geometry.to_numpy())
    lon, lat = np.concatenate([corners, (corners[1:] + corners[:-1]) / 2]).T
    rows = rows_alike(index, lon, lat, {"vintage": 2024}, 0.0)
    assert {"in", "out"} <= {row["state"] for row in rows}


def test_perimeters_that_share_ground_are_all_named():
    square = shapely.box(2.3, 48.8, 2.32, 48.82)
    import geopandas as gpd

    frame = gpd.GeoDataFrame(
        {"name": ["a", "b"], "vintage": 2024},
        geometry=[square, square.buffer(0.01)],
        crs=4326,
        index=["QN09301M", "QN09302M"],
    )
    with pytest.warns(UserWarning, match="2 of the"):
        index = qg.PerimeterIndex(frame)
    rows = rows_alike(index, np.array([2.31, 2.325, 2.4]), np.array([48.81, 48.81, 48.9]), {"vintage": 2024}, 0.0)
    assert [(row["qpv_code"], row["also_in"]) for row in rows] == [
        ("QN09301M", "QN09302M"),
        ("QN09302M", None),
        (None, None),
    ]


def test_no_vintage_is_chosen_for_the_asker(index):
    with pytest.raises(UsageError) as caught:
        OnePoint(index)
    assert caught.value.key == "tagging.several_vintages"


@pytest.mark.real
@pytest.mark.parametrize("asked", [{"vintage": 2024}, {"on": "2026-03-01"}, {"on": "2025-09-01"}], ids=str)
def test_points_around_all_published_perimeters(real_data, asked):
    qpv = qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson")
    with pytest.warns(UserWarning, match="3 perimeters have no outline"):
        index = qg.PerimeterIndex(qpv)
    shapes = qpv.geometry[qpv.geometry.notna()].to_crs(4326).representative_point()
    rng = np.random.default_rng(0)
    middle = shapes.iloc[rng.integers(0, len(shapes), 6_000)]
    lon = np.r_[middle.x + rng.normal(0, 0.004, 6_000), rng.uniform(-6, 10, 1_000)]
    lat = np.r_[middle.y + rng.normal(0, 0.004, 6_000), rng.uniform(41, 52, 1_000)]
    rows = rows_alike(index, lon, lat, asked, 0.0)
    assert len({row["territory"] for row in rows}) > 5
