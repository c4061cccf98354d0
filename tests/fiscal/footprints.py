"""Footprints beside a square QPV near Lille, and the reduced VAT rate of one footprint."""

import geopandas as gpd
import pandas as pd
import pyproj
from shapely import box

from qpvgeo.codes import territories
from qpvgeo.fiscal.vat import vat_zone

X, Y = 700_000, 7_050_000  # near Lille
DAY = "2025-03-01"
CODE, OTHER, OLD = "QN05901N", "QN05902N", "QP059001"
A, B = "CGI 278 sexies III 2° a", "CGI 278 sexies III 2° b"


def at(west, south, east, north):
    return box(X + west, Y + south, X + east, Y + north)


SQUARE = at(0, 0, 1000, 1000)
FAR_OFF = at(20_000, 0, 21_000, 1000)


def layer(shapes, crs=2154):
    """Perimeters by code."""
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=crs)


QPV = layer({CODE: SQUARE})
NONE_FORMER = layer({OLD: SQUARE}).iloc[:0]


def east(nearest, farthest):
    """Footprint east of the square, from one distance to the other."""
    return at(1000 + nearest, 400, 1000 + farthest, 450)


def zone(shape, qpv=QPV, *, npnru=(), on=DAY, **options):
    """Answer for one footprint; unless told, no former QPV is near."""
    series = gpd.GeoSeries([shape], crs=options.pop("crs", 2154))
    found = vat_zone(series, qpv, npnru=npnru, on=on, **{"former": NONE_FORMER} | options).iloc[0].copy()
    found["eligible"] = None if pd.isna(found["eligible"]) else bool(found["eligible"])
    return found


PLACES = {
    "971": ("97101", 16.24, -61.53),
    "972": ("97201", 14.61, -61.07),
    "973": ("97301", 4.92, -52.32),
    "974": ("97401", -20.9, 55.46),
    "976": ("97601", -12.79, 45.22),
    "978": ("97801", 18.07, -63.08),
    "987": ("98701", -17.56, -149.58),
}


def overseas(territory):
    """Legal projection and a square of 1 km there."""
    _, latitude, longitude = PLACES[territory]
    epsg = territories.get(territory).epsg
    x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(longitude, latitude)
    return epsg, box(round(x), round(y), round(x) + 1000, round(y) + 1000)
