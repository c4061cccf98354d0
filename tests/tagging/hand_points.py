"""Perimeters and points placed by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.tagging.points_in_qpv import tag_points

X, Y = 700_000.0, 6_600_000.0


def square(x, y, side=300.0):
    return shapely.box(X + x, Y + y, X + x + side, Y + y + side)


def layer(crs=2154, vintage=None, **shapes):
    frame = gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=crs)
    return frame if vintage is None else frame.assign(vintage=vintage)


ONE = layer(A=square(0, 0))


def tag(points, qpv=ONE, **options):
    x, y = np.array(points, dtype=float).reshape(-1, 2).T
    return tag_points((X + x, Y + y), qpv, crs=2154, **options)


def row(point, qpv=ONE, **options):
    found = tag([point], qpv, **options).iloc[0]
    return {name: None if pd.isna(value) else value for name, value in found.items()}


NEW = layer(QN07501M=square(100, 0), vintage=2024)
