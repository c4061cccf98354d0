"""Names under which people hold coordinates."""

import pytest

from qpvgeo.tagging.locations import Location


@pytest.mark.parametrize(
    "names",
    [
        ("lon", "lat"),
        ("Longitude", "Latitude"),
        ("LONG", "LAT"),
        ("gps_longitude", "gps_latitude"),
        ("Longitude (WGS84)", "Latitude (WGS84)"),
        ("lon_dd", "lat_dd"),
        ("x_wgs84", "y_wgs84"),
        ("coord_x_wgs84", "coord_y_wgs84"),
        ("result_longitude", "result_latitude"),
        ("x_longitude", "y_latitude"),
    ],
)
def test_degrees(names):
    assert Location.found(["id", "x", "y", *names]) == Location(names, 4326)
    assert Location.found(["id", *reversed(names)]) == Location(names, 4326)


@pytest.mark.parametrize(
    "names",
    [
        ("X_L93", "Y_L93"),
        ("x_lambert_93", "y_lambert_93"),
        ("coord_x_l93", "coord_y_l93"),
        ("X L93", "Y L93"),
        ("l93_x", "l93_y"),
        ("x2154", "y2154"),
    ],
)
def test_lambert_93(names):
    assert Location.found(["id", *names]) == Location(names, 2154)


@pytest.mark.parametrize(
    "name",
    ["geo_point_2d", "Geo Point", "_geopoint", "geolocalisation", "Coordonnées GPS", "location", "Lat,Lon", "WKT"],
)
def test_cells_that_hold_both(name):
    assert Location.found(["id", name]) == Location((name,), 4326)


@pytest.mark.parametrize(
    "names", [("x", "y"), ("x_lambert", "y_lambert"), ("lon_l93", "lat_l93"), ("longitude", "name"), ("x_utm", "y_utm")]
)
def test_what_does_not_say_its_projection_is_not_taken(names):
    assert Location.found(["id", *names]) is None
