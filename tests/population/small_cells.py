"""Small grids and perimeters whose people are counted by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import assume
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from qpvgeo.geometry.insee_lattice import Cells, Lattice, format_ids
from qpvgeo.population.estimation import estimate_population

N, E = 3_070_000, 3_830_000  # near Lille
INSEE = Lattice(3035, 200)


def grid_of(people, *, lattice=INSEE, origin=(N, E), **columns):
    """Grid frame of a table of people, rows northwards; cells without a number are not in the file."""
    table = np.asarray(people, dtype=float)
    row, col = np.nonzero(~np.isnan(table))
    cells = Cells(lattice, origin[0] + row * lattice.size, origin[1] + col * lattice.size)
    values = table[row, col]
    frame = {
        "population": values,
        "households": values / 2,
        "poor_households": values / 8,
        "living_standard_sum_eur": values * 20_000,
        "imputed": np.zeros(len(values), bool),
        "communes": [["59350"]] * len(values),
    }
    return pd.DataFrame(frame | columns, index=format_ids(cells))


def at(x, y, width=200, height=200):
    return box(E + x, N + y, E + x + width, N + y + height)


def layer(*shapes, index=None, crs=3035):
    return gpd.GeoSeries(list(shapes), index=index, crs=crs)


def points(*places, crs=3035):
    return layer(*(Point(E + x, N + y) for x, y in places), crs=crs)


def estimate(shape, grid, column="estimate", **options):
    """One figure of one perimeter."""
    return estimate_population(layer(shape), grid, **options)[column].iloc[0]


UNIFORM = grid_of(np.full((6, 6), 100.0))
ROW = grid_of([[100, 200, 400]])  # three cells from west to east


@st.composite
def stars(draw):
    """Outline around a centre over the uniform grid, at times snapped to metres or to grid lines."""
    size, x, y = draw(st.floats(20, 700)), draw(st.floats(0, 1200)), draw(st.floats(0, 1200))
    radii = np.array(draw(st.lists(st.floats(0.1, 1), min_size=3, max_size=9))) * size
    angles = draw(st.floats(0, 6.3)) + np.arange(len(radii)) * 2 * np.pi / len(radii)
    shape = np.column_stack([E + x + radii * np.cos(angles), N + y + radii * np.sin(angles)])
    snap = draw(st.sampled_from([0, 1, 50, 200]))
    shape = Polygon(np.round(shape / snap) * snap if snap else shape)
    mended = shapely.make_valid(shape, method="structure")
    assume(shapely.get_dimensions(mended) == 2 and mended.area > 1)
    return mended


def metres(low, high):
    """Coordinates as files give them: to the millimetre, at times on the lines of a grid of 50 m."""
    steps = st.integers(0, 24).map(lambda step: step * 50.0)
    return st.floats(low, high).map(lambda value: round(value, 3)) | steps


places = st.lists(st.tuples(metres(-100, 1300), metres(-100, 1300)), min_size=1, max_size=25)


def homes(*places, **columns):
    """Points with what stands beside them."""
    return gpd.GeoDataFrame(columns, geometry=points(*places).array)


def cut(shape, cuts):
    """Shape cut along lines: parts that share their limits."""
    parts = [shape]
    for x, y, angle in cuts:
        foot = np.array([E + x, N + y])
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        ends = [
            foot - 9_000 * along,
            foot + 9_000 * along,
            foot + 9_000 * (across + along),
            foot + 9_000 * (across - along),
        ]
        side = Polygon(ends)
        parts = [piece for part in parts for piece in (part.intersection(side), part.difference(side))]
    return [part for part in parts if shapely.get_dimensions(part) == 2]
