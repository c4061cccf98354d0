"""Codes of communes against places: by communes, by departments, by territory."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from tests.builders import refused

from qpvgeo.errors import UsageError
from qpvgeo.tagging.files import tag_file
from qpvgeo.tagging.points_in_qpv import tag_points

pytestmark = pytest.mark.filterwarnings("ignore:.*perimeter")

X, Y = 700_000.0, 6_600_000.0


def box(east, north, side=5_000):
    return shapely.box(X + east, Y + north, X + east + side, Y + north + side)


@pytest.fixture
def qpv():
    return gpd.GeoDataFrame({"vintage": [2024]}, geometry=[box(0, 0, 100)], crs=2154).set_axis(["QN07501M"])


@pytest.fixture
def communes():
    return gpd.GeoDataFrame({"name": list("ab")}, geometry=[box(0, 0), box(5_000, 0)], crs=2154).set_axis(
        ["75056", "75101"]
    )


@pytest.fixture
def points():
    """In its commune, 300 m out of it, 4 km out of it, a code of another territory, none."""
    return pd.DataFrame(
        {
            "x": [X + 50, X + 5_300, X + 9_000, X + 50, X + 50],
            "y": [Y + 50] * 5,
            "depcom": ["75056", "75056", "75056", "97411", None],
        }
    )


OPTIONS = {"xy": ("x", "y"), "crs": 2154}


def test_codes_are_tested_against_communes(points, qpv, communes):
    found = tag_points(points, qpv, commune="depcom", communes=communes, **OPTIONS)
    assert found["state"].tolist() == ["in", "out", "unknown", "unknown", "in"]
    assert found["commune_check"].fillna("").tolist() == [
        "commune agrees",
        "commune agrees",
        "commune differs",
        "territory differs",
        "",
    ]
    assert found["reason"].tolist()[2] == "commune and place disagree"
    assert found["point_commune"].tolist() == ["75056", "75101", "75101", "75056", "75056"]
    assert found["point_department"].tolist() == ["75"] * 5
    keys = [note.key for note in found.attrs["qpvgeo"]["notes"] if hasattr(note, "key")]
    assert keys[-2:] == ["tagging.commune_tested", "tagging.commune_differs"]
    assert found.attrs["qpvgeo"]["counted"]["elsewhere"] == 2


def test_departments_test_departments(points, qpv, communes):
    departments = communes.iloc[:1].set_axis(["75"])
    found = tag_points(points, qpv, commune="depcom", communes=departments, **OPTIONS)
    assert found["commune_check"].tolist()[:3] == ["department agrees", "department agrees", "department differs"]
    assert "point_commune" not in found


def test_without_outlines_only_what_is_certain_is_doubted(qpv):
    points = pd.DataFrame({"x": [X, X - 150_000, X - 250_000], "y": [Y] * 3, "depcom": ["75056"] * 3})
    found = tag_points(points, qpv, commune="depcom", **OPTIONS)
    assert found["commune_check"].tolist() == ["territory agrees", "territory agrees", "department differs"]
    assert found["state"].tolist() == ["in", "out", "unknown"]


def test_a_file_is_tested_as_its_frame(points, qpv, communes, tmp_path):
    points.to_csv(tmp_path / "in.csv", index=False)
    found = tag_file(
        tmp_path / "in.csv", tmp_path / "out.csv", qpv, commune="depcom", communes=communes, batch_rows=2, **OPTIONS
    )
    assert found["reasons"] == {"commune and place disagree": 2}
    written = pd.read_csv(tmp_path / "out.csv")
    assert written["commune_check"].isna().tolist() == [False] * 4 + [True]


def test_what_cannot_be_tested_is_a_wrong_call(points, qpv):
    refused(lambda: tag_points(points, qpv, commune="insee", **OPTIONS), "tagging.no_columns", UsageError)
    refused(lambda: tag_points(points, qpv, commune=3, **OPTIONS), "tagging.invalid_options", UsageError)
    refused(lambda: tag_points(points, qpv, communes=points, **OPTIONS), "tagging.not_communes", UsageError)
    refused(lambda: tag_points(points, qpv, communes=qpv, **OPTIONS), "tagging.not_communes", UsageError)


def test_numbers_of_rows_are_no_codes_of_departments(points, qpv):
    departments = gpd.GeoDataFrame({"code": ["75"] * 96}, geometry=[box(0, 0)] * 96, crs=2154)
    refused(lambda: tag_points(points, qpv, communes=departments, **OPTIONS), "tagging.not_communes", UsageError)


def test_lands_without_a_list_of_qpv_are_left_out_of_the_communes(points, qpv, communes):
    austral = gpd.GeoDataFrame({"name": ["Îles Kerguelen"]}, geometry=[shapely.box(69, -49.5, 70, -49)], crs=4326)
    austral.index = ["98413"]
    more = pd.concat([communes, austral.to_crs(communes.crs)])
    expected, found = (tag_points(points, qpv, communes=frame, **OPTIONS) for frame in (communes, more))
    pd.testing.assert_frame_equal(found, expected)
