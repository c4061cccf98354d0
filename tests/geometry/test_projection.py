"""Legal projections: square metres that agree with the ellipsoid, for every territory and for several at once."""

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.codes import territories
from qpvgeo.errors import DataError
from qpvgeo.geometry import projection
from qpvgeo.geometry.projection import (
    areas_m2,
    geodesic_areas_m2,
    looks_swapped,
    reproject,
    require_axes,
    territory_of,
    to_metric,
)

# towns at the corners of where QPV are
CORNERS = {
    "hexagone": [
        (2.37, 51.03),
        (-4.48, 48.39),
        (-1.47, 43.49),
        (2.90, 42.69),
        (7.75, 48.58),
        (8.74, 41.93),
        (9.45, 42.7),
    ],
    "971": [(-61.73, 16.00), (-61.53, 16.24), (-61.46, 16.33), (-61.28, 16.32)],
    "972": [(-61.07, 14.61), (-61.18, 14.74), (-60.87, 14.48)],
    "973": [(-52.33, 4.93), (-54.03, 5.50), (-51.80, 3.89), (-54.03, 3.64)],
    "974": [(55.45, -20.88), (55.22, -21.00), (55.48, -21.34), (55.72, -21.04)],
    "976": [(45.08, -12.75), (45.23, -12.78), (45.10, -12.96), (45.28, -12.80)],
    "978": [(-63.09, 18.07), (-63.03, 18.08)],
    "987": [(-149.57, -17.53), (-149.90, -17.56), (-149.28, -17.74)],
}
PLACES = [(code, *corner) for code, corners in CORNERS.items() for corner in corners]
LILLE, MAMOUDZOU, PAPEETE = (3.06, 50.63), (45.23, -12.78), (-149.57, -17.53)


def square(longitude, latitude, side=0.003):
    return box(longitude, latitude, longitude + side, latitude + side)


def cell_m2(south, north, degrees):
    """Area between two parallels and two meridians of GRS80, by the closed formula."""
    a, f = 6_378_137.0, 1 / 298.257222101
    e = math.sqrt(f * (2 - f))

    def zone(latitude):
        s = math.sin(math.radians(latitude))
        return s / (1 - (e * s) ** 2) + math.log((1 + e * s) / (1 - e * s)) / (2 * e)

    return math.radians(degrees) * (a * (1 - f)) ** 2 / 2 * (zone(north) - zone(south))


def test_hectare_in_lambert_93_is_a_hectare():
    assert areas_m2([box(700_000, 6_600_000, 700_100, 6_600_100)], 2154).tolist() == [10_000.0]


def test_geodesic_area_agrees_with_the_closed_formula():
    assert geodesic_areas_m2([square(3.0, 46.0)], 4326)[0] == pytest.approx(cell_m2(46.0, 46.003, 0.003), rel=1e-7)


def test_geodesic_area_does_not_depend_on_the_turn_of_the_ring_and_leaves_holes_out():
    outer, inner = square(3.0, 46.0), box(3.001, 46.001, 3.002, 46.002)
    ring = shapely.Polygon(outer.exterior.coords[::-1], [inner.exterior.coords])
    whole, hole, left = geodesic_areas_m2([outer.reverse(), inner, ring], 4326)
    assert left == pytest.approx(whole - hole, rel=1e-9)
    assert whole > left > 0


@pytest.mark.parametrize(("code", "longitude", "latitude"), PLACES)
def test_legal_area_of_a_small_square_is_within_0_6_percent_of_the_geodesic_one(code, longitude, latitude):
    shape = [square(longitude, latitude)]
    assert territory_of(shape, 4326).tolist() == [code]
    assert areas_m2(shape, 4326)[0] == pytest.approx(geodesic_areas_m2(shape, 4326)[0], rel=0.006)


def test_mixed_territories_in_one_frame_are_measured_each_in_its_own_projection():
    shapes = [square(*LILLE), square(*MAMOUDZOU), square(*PAPEETE)]
    projected, place = to_metric(shapes, 4326)
    assert place.tolist() == ["hexagone", "976", "987"]
    for shape, got, epsg in zip(shapes, projected, (2154, 4471, 3297), strict=True):
        oracle = gpd.GeoSeries([shape], crs=4326).to_crs(epsg).iloc[0]
        assert shapely.equals_exact(got, oracle, tolerance=1e-6)


def test_order_of_mixed_territories_changes_nothing():
    shapes = np.array([square(*corner) for corners in CORNERS.values() for corner in corners])
    order = np.random.default_rng(0).permutation(len(shapes))
    assert areas_m2(shapes[order], 4326).tolist() == areas_m2(shapes, 4326)[order].tolist()


def test_web_mercator_is_not_what_is_measured():
    shape = gpd.GeoSeries([square(*LILLE)], crs=4326)
    inflated = shape.to_crs(3857)
    assert inflated.area.iloc[0] > 2.4 * areas_m2(shape, 4326)[0]
    assert areas_m2(inflated, 3857)[0] == pytest.approx(areas_m2(shape, 4326)[0], rel=1e-9)


def test_overseas_shape_in_lambert_93_is_measured_in_the_projection_of_its_territory():
    shape = gpd.GeoSeries([square(55.45, -20.88)], crs=4326)
    # far from its centre Lambert-93 stretches areas several times
    far = shape.to_crs(2154)
    assert far.area.iloc[0] > 2 * areas_m2(shape, 4326)[0]
    assert areas_m2(far, 2154)[0] == pytest.approx(areas_m2(shape, 4326)[0], rel=1e-6)


def test_missing_shape_stays_missing_in_no_territory():
    projected, place = to_metric([None, square(*LILLE)], 4326)
    assert projected[0] is None
    assert place.tolist() == [None, "hexagone"]
    assert np.isnan(areas_m2([None, square(*LILLE)], 4326)).tolist() == [True, False]


def test_empty_shape_has_no_area_and_no_territory():
    projected, place = to_metric([shapely.Polygon()], 4326)
    assert projected[0].is_empty
    assert place.tolist() == [None]


def test_no_shapes_give_no_areas():
    assert areas_m2([], 4326).shape == (0,)


def test_shapes_outside_france_are_all_listed():
    shapes = [square(*LILLE), square(13.4, 52.5), None, square(0, 0)]
    error = refused(lambda: to_metric(shapes, 4326, what="qpv"), "geometry.outside_france", DataError)
    assert error.message.values == {"what": "qpv", "count": 2, "total": 4}
    assert [problem.values["position"] for problem in error.problems] == [1, 3]


def test_swapped_axes_are_told_as_a_likely_cause():
    error = refused(lambda: to_metric([box(50.63, 3.06, 50.64, 3.07)], 4326), "geometry.outside_france", DataError)
    assert error.way_out.key == "geometry.swapped_or_wrong_crs"


def test_unknown_projection_is_refused_with_the_name_of_the_shapes():
    error = refused(lambda: to_metric([square(*LILLE)], None, what="cells"), "geometry.no_crs", DataError)
    assert error.message.values == {"what": "cells"}


def test_crs_without_a_way_to_degrees_is_refused():
    site = 'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
    error = refused(lambda: to_metric([square(*LILLE)], site), "geometry.no_transformation", DataError)
    assert error.message.values == {"source": "site", "target": "WGS 84"}


@pytest.mark.parametrize(("source", "target"), [(2154, 2154), (2154, "EPSG:2154"), (4326, "OGC:CRS84")])
def test_same_projection_is_untouched_bit_for_bit(source, target):
    shapes = np.array([box(0.1, 0.2, 0.3, 1 / 3), None], dtype=object)
    moved = reproject(shapes, source, target)
    assert moved[0].wkb == shapes[0].wkb
    assert moved[1] is None


def test_lambert_93_shapes_of_the_hexagone_are_untouched_bit_for_bit():
    shape = box(700_000.1, 6_600_000.2, 700_100.3, 6_600_100 + 1 / 3)
    assert to_metric([shape], 2154)[0][0].wkb == shape.wkb


def test_shapes_given_are_not_changed():
    shapes = np.array([square(*LILLE)], dtype=object)
    before = shapes[0].wkb
    to_metric(shapes, 4326)
    assert shapes[0].wkb == before


@settings(deadline=None, max_examples=40)
@given(place=st.sampled_from(PLACES), side=st.floats(1e-4, 0.02), slant=st.floats(0, 1))
def test_legal_area_is_within_0_6_percent_for_any_small_shape(place, side, slant):
    _, x, y = place
    shape = [shapely.Polygon([(x, y), (x + side, y + slant * side), (x + side / 2, y + side)])]
    assert areas_m2(shape, 4326)[0] == pytest.approx(geodesic_areas_m2(shape, 4326)[0], rel=0.006)


@settings(deadline=None, max_examples=40)
@given(place=st.sampled_from(PLACES), dx=st.floats(-0.01, 0.01), dy=st.floats(-0.01, 0.01))
def test_projection_and_back_is_the_same_place(place, dx, dy):
    code, x, y = place
    point = shapely.Point(x + dx, y + dy)
    projected, where = to_metric([point], 4326)
    assert where.tolist() == [code]
    back = reproject(projected, qg.codes.territories.get(code).epsg, 4326)[0]
    assert (back.x, back.y) == pytest.approx((point.x, point.y), abs=1e-9)


@pytest.fixture(scope="module")
def outlines(real_data):
    return qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp")


@pytest.mark.real
def test_legal_area_of_the_1514_outlines_is_within_0_6_percent_of_the_geodesic_one(outlines):
    shapes = outlines.geometry.to_numpy()
    gap = areas_m2(shapes, outlines.crs) / geodesic_areas_m2(shapes, outlines.crs) - 1
    widest = abs(outlines.assign(gap=gap)["gap"]).groupby(outlines["territory"]).max()
    assert len(gap) == 1514
    assert widest.max() < 0.006
    # measured: Lambert-93 comes closest to the bound, the UTM zones stay far below
    assert widest["hexagone"] == pytest.approx(0.0053, abs=5e-5)
    assert widest.drop("hexagone").max() < 0.0021


@pytest.mark.real
def test_area_of_the_hexagone_is_the_same_from_degrees_and_from_lambert_93(outlines, real_data):
    legal = qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLE_LB93.shp")
    degrees = outlines[outlines["territory"] == "hexagone"]
    km2 = areas_m2(degrees.geometry.to_numpy(), degrees.crs).sum() / 1e6
    assert km2 == pytest.approx(386.311, abs=5e-4)
    assert legal.area.sum() / 1e6 == pytest.approx(km2, rel=1e-8)


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "territory"),
    [
        ("QP_LAREUNION_RGR92_UTM40S", "974"),
        ("QP_MARTINIQUE_WGS84_UTM20N", "972"),
        ("QP_MAYOTTE_RGM04_UTM38S", "976"),
        ("QP_STMARTIN_WGS84_UTM20N", "978"),
    ],
)
def test_overseas_areas_are_the_same_from_both_published_files(outlines, real_data, file, territory):
    own = qg.read_qpv(real_data / "qpv2015" / "shp" / f"{file}.shp").sort_index()
    national = outlines[outlines["territory"] == territory].sort_index()
    assert own.index.tolist() == national.index.tolist()
    measured = areas_m2(own.geometry.to_numpy(), own.crs)
    assert measured == pytest.approx(areas_m2(national.geometry.to_numpy(), national.crs), rel=1e-6)


def swap(shapes):
    return shapes.geometry.transform(lambda xy: xy[:, ::-1])


def systems(code):
    """Projections in which places of a territory come."""
    territory = territories.get(code)
    return {4326, territory.epsg, territory.grid_epsg or territory.epsg}


BOTH_WAYS = (-51.80, 3.89)  # around Saint-Georges easting and northing may be taken for one another


@pytest.mark.parametrize(("code", "longitude", "latitude"), PLACES, ids=str)
def test_exchanged_axes_are_seen_in_the_projections_of_each_territory(code, longitude, latitude):
    for epsg in sorted(systems(code)):
        place = shapely.get_coordinates(reproject(shapely.points([[longitude, latitude]]), 4326, epsg))[0]
        seen = (longitude, latitude) != BOTH_WAYS or epsg == 4326
        assert looks_swapped(place[1], place[0], epsg).tolist() == [seen]
        assert looks_swapped(*place, epsg).tolist() == [False]


def test_axes_of_places_abroad_nowhere_and_at_infinity_do_not_look_exchanged():
    x, y = [13.4, 0.0, np.nan, np.inf, 3.06], [52.5, 0.0, 50.0, 50.0, np.nan]
    assert not looks_swapped(x, y, 4326).any()
    assert not looks_swapped(x, y, 2154).any()
    assert looks_swapped([], [], 2154).tolist() == []


def test_only_places_out_of_france_are_looked_at_with_their_axes_exchanged(monkeypatch):
    real, moved = projection.to_degrees, []
    monkeypatch.setattr(projection, "to_degrees", lambda x, y, crs: (moved.append(len(x)), real(x, y, crs))[1])
    assert not looks_swapped([652_000, 700_000], [6_862_000, 7_060_000], 2154).any()
    assert moved == [2]
    assert looks_swapped([652_000, 7_060_000], [6_862_000, 704_000], 2154).tolist() == [False, True]
    assert moved == [2, 2, 1]


def test_places_overseas_drawn_in_lambert_93_do_not_look_exchanged():
    places = reproject(shapely.points([place[1:] for place in PLACES]), 4326, 2154)
    assert not looks_swapped(shapely.get_x(places), shapely.get_y(places), 2154).any()


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_axes_never_look_exchanged_both_ways(x, y):
    assert not (looks_swapped(x, y, 4326) & looks_swapped(y, x, 4326)).any()


def town(*places, crs=4326):
    return gpd.GeoSeries([square(*place) for place in places], crs=4326).to_crs(crs)


@pytest.mark.parametrize("crs", [4326, 2154, 3035])
@pytest.mark.parametrize("frame", [False, True], ids=["GeoSeries", "GeoDataFrame"])
def test_way_out_of_exchanged_axes_works(crs, frame):
    right = town(LILLE, (3.2, 50.7), crs=crs)
    wrong = swap(right)
    if frame:
        wrong = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=wrong)
    with pytest.raises(DataError, match="2 of 2 would with their axes exchanged") as caught:
        require_axes(wrong, name="qpv", what="areas")
    found = eval(caught.value.way_out.removeprefix("Exchange them: qpv = ").removesuffix("."), {"qpv": wrong})
    assert type(found) is type(wrong)
    assert found.crs == wrong.crs
    assert found.geometry.geom_equals(right).all()
    require_axes(found, name="qpv", what="areas")


@pytest.mark.parametrize(
    "shapes",
    [
        pytest.param([LILLE, LILLE[::-1], LILLE[::-1]], id="one is right"),
        pytest.param([LILLE[::-1], (0.0, 0.0)], id="half"),
        pytest.param([(13.4, 52.5)], id="abroad"),
        pytest.param([], id="none"),
    ],
)
def test_axes_that_are_not_those_of_the_whole_layer_are_let_through(shapes):
    require_axes(town(*shapes), name="qpv", what="areas")


def test_missing_and_empty_shapes_do_not_count_among_the_exchanged():
    wrong = gpd.GeoSeries([None, shapely.Polygon(), square(*LILLE[::-1])], crs=4326)
    with pytest.raises(DataError, match="1 of 1 would"):
        require_axes(wrong, name="qpv", what="areas")
