"""Calls that cannot be: one error of ours, or the right answer, never an error from inside a library."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qpvgeo.errors import QpvgeoError
from qpvgeo.tagging.files import tag_file
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points_in_qpv import tag_points

pytestmark = pytest.mark.filterwarnings("ignore:.*perimeter")

X, Y = 700_000.0, 6_600_000.0
SQUARE = shapely.box(X, Y, X + 9, Y + 9)
QPV = gpd.GeoDataFrame({"vintage": [2024]}, geometry=[SQUARE], crs=2154).set_axis(["QN07501M"])
POINTS = gpd.GeoDataFrame({"a": [1, 2]}, geometry=gpd.points_from_xy([X + 1, X + 99], [Y + 1, Y]), crs=2154)
MULTI = pd.MultiIndex.from_tuples([("a", 1)])

PERIMETERS = {
    "None": None,
    "path": "qpv.gpkg",
    "number": 5,
    "empty list": [],
    "list of nothing": [None],
    "dictionary": {"a": 1},
    "plain frame": pd.DataFrame({"a": [1]}),
    "series": pd.Series([1]),
    "no CRS": QPV.set_crs(None, allow_override=True),
    "wrong CRS": QPV.set_crs(4326, allow_override=True),
    "repeated labels": pd.concat([QPV, QPV]),
    "MultiIndex": QPV.set_axis(MULTI),
    "lines": QPV.set_geometry(QPV.boundary),
    "no outline": QPV.set_geometry(gpd.GeoSeries([None], index=QPV.index, crs=2154)),
    "no geometry": gpd.GeoDataFrame({"a": [1]}),
    "no row": QPV.iloc[:0],
    "infinite vintage": QPV.assign(vintage=np.inf),
    "vintage in words": QPV.assign(vintage="late"),
    "two vintages": QPV.assign(vintage=2024.5),
    "infinite vertex": QPV.set_geometry([shapely.Polygon([(X, Y), (X, np.inf), (X + 1, Y)])], crs=2154),
}

WRONG_POINTS = {
    "None": (None, {}),
    "path": ("points.csv", {}),
    "number": (3, {}),
    "plain frame": (pd.DataFrame({"a": [1]}), {}),
    "no CRS": (POINTS.set_crs(None, allow_override=True), {}),
    "polygons": (QPV, {}),
    "no active geometry": (gpd.GeoDataFrame({"a": [1]}), {}),
    "three arrays": (([1], [2], [3]), {"crs": 2154}),
    "arrays of other lengths": (([1], [2, 3]), {"crs": 2154}),
    "arrays of text": ((["a"], ["b"]), {"crs": 2154}),
    "arrays in two dimensions": ((np.ones((2, 2)), np.ones((2, 2))), {"crs": 2154}),
    "columns of a GeoDataFrame": (POINTS, {"xy": ("x", "y")}),
    "three columns": (pd.DataFrame({"x": [1.0]}), {"xy": ("x", "x", "x"), "crs": 2154}),
    "column twice": (pd.DataFrame([[1.0, 2.0, 3.0]], columns=["x", "x", "y"]), {"xy": ("x", "y"), "crs": 2154}),
    "unknown CRS": (POINTS, {"crs": "EPSG:0"}),
    "CRS that is no CRS": (pd.DataFrame({"x": [1.0], "y": [1.0]}), {"xy": ("x", "y"), "crs": object()}),
    "other CRS": (POINTS, {"crs": 4326}),
    "bands of text": (POINTS, {"bands": "300"}),
    "infinite band": (POINTS, {"bands": (np.inf,)}),
    "negative band": (POINTS, {"bands": (-1,)}),
    "bands of nothing": (POINTS, {"bands": None}),
    "tolerance of nothing": (POINTS, {"tolerance_m": None}),
    "tolerance of a dictionary": (POINTS, {"tolerance_m": {}}),
    "tolerances of other length": (POINTS, {"tolerance_m": [1, 2, 3]}),
    "unknown column of tolerance": (POINTS, {"tolerance_m": "off"}),
    "day in words": (POINTS, {"on": "someday"}),
    "day as a list": (POINTS, {"on": []}),
    "distance": (POINTS, {"distance": None}),
    "commune": (POINTS, {"commune": "insee"}),
    "communes": (POINTS, {"communes": "communes.gpkg"}),
}


@pytest.mark.parametrize("qpv", PERIMETERS.values(), ids=PERIMETERS)
@pytest.mark.filterwarnings("ignore")
def test_wrong_perimeters(qpv, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text(f"lon,lat\n3,46.5\n{X},1\n")
    for call in (
        lambda: PerimeterIndex(qpv),
        lambda: tag_points(POINTS, qpv),
        lambda: tag_file(source, tmp_path / "out.csv", qpv),
    ):
        with pytest.raises(QpvgeoError):
            call()
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("points", "options"), WRONG_POINTS.values(), ids=WRONG_POINTS)
def test_wrong_points(points, options):
    with pytest.raises(QpvgeoError):
        tag_points(points, PerimeterIndex(QPV), **options)


@pytest.mark.parametrize("reach", [None, True, "500", -1, np.nan, np.inf, [500], 1e9])
def test_wrong_reach(reach):
    with pytest.raises(QpvgeoError):
        PerimeterIndex(QPV, reach_m=reach)


@pytest.mark.parametrize("path", [None, 5, b"in.csv", QPV])
def test_wrong_files(path, tmp_path):
    with pytest.raises(QpvgeoError):
        tag_file(path, None, QPV)
    with pytest.raises(QpvgeoError):
        PerimeterIndex.load(path)
    (tmp_path / "in.csv").write_text("lon,lat\n3,46.5\n")
    if path is not None:
        with pytest.raises(QpvgeoError):
            tag_file(tmp_path / "in.csv", path, QPV)


@pytest.mark.parametrize(
    "points",
    [
        POINTS.set_axis([7, 7]),
        POINTS.set_axis(pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
        POINTS.rename_geometry("where"),
        POINTS.geometry,
        POINTS.to_crs(4326),
        pd.DataFrame({"lon": pd.array(["2,99", None]), "lat": pd.array([46.5, pd.NA], dtype="Float64")}),
    ],
    ids=["repeated labels", "MultiIndex", "other name", "series", "degrees", "nullable"],
)
def test_right_answers_on_the_index_of_the_points(points):
    found = tag_points(points, QPV.rename_geometry("outline").set_axis(["A"]))
    assert found.index.equals(points.index)
    assert set(found["state"]) <= {"in", "out", "unknown"}
