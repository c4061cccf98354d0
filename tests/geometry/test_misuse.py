"""Each public function that takes outlines, given anything: an answer, or one error of ours, never one from inside."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import box
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, QpvgeoError, UsageError
from qpvgeo.geometry.insee_lattice import Lattice

X, Y = 3_830_000, 3_070_000
GRID = pd.DataFrame(
    {"population": [100.0, 200.0], "households": [50.0, 100.0], "communes": [["59350"]] * 2},
    index=pd.Index([f"CRS3035RES200mN{Y}E{X}", f"CRS3035RES200mN{Y}E{X + 200}"], name="cell_id"),
)
CODES = ["QN05901M", "QN05902M"]
SQUARES = [box(X, Y, X + 150, Y + 150), box(X + 200, Y, X + 350, Y + 150)]
QPV = gpd.GeoDataFrame({"name": ["Un", "Deux"]}, geometry=SQUARES, index=CODES, crs=3035).to_crs(2154)
POINTS = gpd.GeoDataFrame(geometry=[shapely.Point(X + 10, Y + 10)], index=["p"], crs=3035)


def polygon(*points):
    """Polygon of any coordinates, finite or not."""
    with np.errstate(invalid="ignore"):
        return shapely.Polygon(points)


def with_first(shape):
    """Perimeters with another shape in the place of the first."""
    shapes = QPV.geometry.to_numpy().copy()
    shapes[0] = shape
    return QPV.set_geometry(gpd.GeoSeries(shapes, index=QPV.index, crs=2154))


FIRST = QPV.geometry.iloc[0]
CORNER = (FIRST.bounds[0], FIRST.bounds[1])

NO_LAYER = {
    "nothing": None,
    "path": Path("qpv.gpkg"),
    "name": "qpv_2024",
    "number": 3,
    "list": [FIRST],
    "shape": FIRST,
    "plain frame": pd.DataFrame(QPV.drop(columns="geometry")),
    "plain series": pd.Series([FIRST]),
    "grid": GRID,
    "without geometry": gpd.GeoDataFrame({"a": [1]}),
    "geometry dropped": pd.DataFrame(QPV).drop(columns="geometry").pipe(gpd.GeoDataFrame),
}
BAD_LAYER = {
    "no CRS": QPV.set_crs(None, allow_override=True),
    "engineering CRS": QPV.set_crs(
        'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]',
        allow_override=True,
    ),
    "CRS of another country": QPV.set_crs(27700, allow_override=True),
    "CRS of degrees over metres": QPV.set_crs(4326, allow_override=True),
    "not finite": with_first(polygon(CORNER, (CORNER[0] + 9, np.inf), (CORNER[0] + 9, CORNER[1]))),
    "not a number": with_first(polygon(CORNER, (CORNER[0] + 9, np.nan), (CORNER[0] + 9, CORNER[1]))),
    "abroad": QPV.set_geometry(QPV.translate(xoff=9_000_000)),
}
ODD_LAYER = {
    "of the library": QPV,
    "outlines alone": QPV.geometry,
    "other geometry name": QPV.rename_geometry("contour"),
    "two geometries": QPV.assign(other=QPV.centroid),
    "degrees": QPV.to_crs(4326),
    "another country's CRS": QPV.to_crs(27700),
    "no rows": QPV.iloc[:0],
    "label twice": QPV.set_axis(["QN05901M"] * 2, axis="index"),
    "numbers": QPV.reset_index(drop=True),
    "missing label": QPV.set_axis(["QN05901M", None], axis="index"),
    "two levels": QPV.set_axis(pd.MultiIndex.from_arrays([CODES, [1, 2]]), axis="index"),
    "column twice": pd.concat([QPV, QPV["name"]], axis="columns"),
    "missing": with_first(None),
    "all missing": QPV.set_geometry(gpd.GeoSeries([None, None], index=QPV.index, crs=2154)),
    "empty": with_first(shapely.Polygon()),
    "empty point": with_first(shapely.Point()),
    "line": with_first(shapely.LineString([CORNER, (CORNER[0] + 9, CORNER[1])])),
    "point": with_first(shapely.Point(CORNER)),
    "collection": with_first(shapely.GeometryCollection([FIRST, shapely.Point(CORNER)])),
    "empty collection": with_first(shapely.GeometryCollection()),
    "3D": QPV.set_geometry(shapely.force_3d(QPV.geometry.to_numpy(), 7.0)),
    "crosses itself": with_first(
        shapely.Polygon([(CORNER[0] + a, CORNER[1] + b) for a, b in ((0, 0), (99, 99), (99, 0), (0, 99))])
    ),
    "collapsed": with_first(shapely.Polygon([CORNER, (CORNER[0] + 9, CORNER[1]), (CORNER[0] + 4, CORNER[1])])),
}
CALLS = {
    "check": qg.check,
    "repair": qg.repair,
    "overlap a": lambda layer: qg.overlap(layer, QPV),
    "overlap b": lambda layer: qg.overlap(QPV, layer),
    "overlap_cells of a lattice": lambda layer: qg.geometry.overlap_cells(layer, Lattice(3035, 200)),
    "overlap_cells of a grid": lambda layer: qg.geometry.overlap_cells(layer, GRID),
    "estimate_population": lambda layer: qg.estimate_population(layer, GRID),
    "points of estimate_population": lambda layer: qg.estimate_population(QPV, GRID, method="points", points=layer),
    "boundary_profile": lambda layer: qg.boundary_profile(layer, GRID, bands=(0, 100)),
    "crosswalk from": lambda layer: qg.crosswalk(layer, QPV),
    "crosswalk to": lambda layer: qg.crosswalk(QPV, layer),
    "footprints of vat_zone": lambda layer: qg.vat_zone(layer, QPV, npnru=(), on="2025-03-01"),
    "perimeters of vat_zone": lambda layer: qg.vat_zone(QPV, layer, npnru=(), on="2025-03-01"),
    "perimeters of tag_points": lambda layer: qg.tag_points(POINTS, layer),
    "points of tag_points": lambda layer: qg.tag_points(layer, QPV),
    "qpv of join_communes": lambda layer: qg.join_communes(layer, QPV.set_axis(["59350", "59009"], axis="index")),
    "communes of join_communes": lambda layer: qg.join_communes(QPV, layer),
    "where of read_grid": lambda layer: qg.read_grid(qg.sample().grid_2019, where=layer),
}


def answered(call, layer):
    """Answer, or the error of ours."""
    try:
        return call(layer)
    except QpvgeoError as error:
        return error if error.say("en") and error.say("fr") else None


@pytest.mark.filterwarnings("ignore:1 perimeter has no outline:UserWarning")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("layer", ODD_LAYER.values(), ids=ODD_LAYER)
def test_odd_layer_gets_an_answer_or_one_error_of_ours(call, layer):
    assert answered(call, layer) is not None


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("layer", NO_LAYER.values(), ids=NO_LAYER)
def test_what_is_not_a_layer_is_refused(call, layer):
    if call in (CALLS["where of read_grid"], CALLS["points of tag_points"]):
        assert answered(call, layer) is not None
    else:
        assert refused(lambda: call(layer), kind=QpvgeoError).way_out


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("layer", BAD_LAYER.values(), ids=BAD_LAYER)
def test_layer_without_a_place_in_france_gives_no_figure(call, layer):
    found = answered(call, layer)
    assert isinstance(found, DataError | UsageError | pd.DataFrame | tuple)


OUTLINES = [
    name
    for name in CALLS
    if "join" not in name and name not in ("points of estimate_population", "points of tag_points")
]
SAME = ["other geometry name", "3D", "column twice"]


def figures(answer):
    """Numbers of an answer."""
    frame = answer[0] if isinstance(answer, tuple) else answer
    return pd.DataFrame(frame).select_dtypes("number").to_numpy(dtype=float)


@pytest.mark.parametrize("name", OUTLINES)
@pytest.mark.parametrize("layer", SAME)
def test_same_outlines_in_another_frame_get_the_same_figures(name, layer):
    call = CALLS[name]
    np.testing.assert_allclose(figures(call(ODD_LAYER[layer])), figures(call(QPV)))


@pytest.mark.parametrize(
    "source",
    [None, 3, "nowhere.csv", Path("nowhere.gpkg"), QPV, GRID.reset_index(drop=True)],
    ids=lambda one: type(one).__name__,
)
def test_check_grid_takes_files_of_cells_alone(source):
    refused(lambda: qg.quality.check_grid(source))
