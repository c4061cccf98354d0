"""A fictional country to measure on: as many communes, QPV and cells as France, at the sizes of the published ones.

Made from a seed, in EPSG:2154. The limits of communes are drawn once and shared by neighbours, so that they tile the
country; QPV are irregular rings in clusters, some with a hole, some in two parts, some across a limit. The cells of the
grid, in EPSG:3035, gather around villages and fill the towns that have QPV. No place, name, outline or value comes from
a published file.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

SEED = 2024
COLUMNS, ROWS = 200, 175
SIDE_M = 4_250.0
ORIGIN_M = (200_000.0, 6_150_000.0)
COUNTRY = ORIGIN_M, (COLUMNS * SIDE_M, ROWS * SIDE_M)
INLAND = (400_000.0, 6_300_000.0), (520_000.0, 590_000.0)
"""South-west corner and sides of a part of the plane: the whole, and one without a point at sea or abroad."""

POINTS_OF_A_LIMIT = 25
CELL_M = 200
ACROSS_THE_GRID = 100_000


def communes(seed=SEED):
    """35,000 tiles of about 100 points and 18 km2."""
    chance = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(COLUMNS + 1), np.arange(ROWS + 1), indexing="ij")
    corners = np.stack([x, y], axis=-1) + chance.uniform(-0.18, 0.18, (COLUMNS + 1, ROWS + 1, 2))
    across = _limits(corners[:-1], corners[1:], chance)
    along = _limits(corners[:, :-1], corners[:, 1:], chance)
    # south, east, then north and west backwards; each leaves its last point to the next
    sides = [across[:, :-1], along[1:], across[:, 1:, ::-1], along[:-1, :, ::-1]]
    rings = np.concatenate([side[:, :, :-1] for side in sides], axis=2).reshape(COLUMNS * ROWS, -1, 2)
    shapes = shapely.polygons(rings * SIDE_M + ORIGIN_M)
    labels = [f"C{number:05d}" for number in range(len(shapes))]
    return _layer(shapes, labels)


def qpv(count=1_500, seed=SEED, *, points=65, where=COUNTRY):
    """Rings of about 75 points, the middle one of 16 ha; one in eight has a hole, one in fifteen a second part.

    `points` is the middle number of points of a ring, before holes and second parts.
    """
    chance = np.random.default_rng(seed + 1)
    corner, size = where
    towns = corner + chance.uniform(0.05, 0.95, (count // 5, 2)) * size
    # about three radii between the QPV of a town
    centres = towns[chance.integers(len(towns), size=count)] + chance.normal(0, 1_500, (count, 2))
    radii = 225 * np.exp(chance.normal(0, 0.35, count))
    shapes = _rings(centres, radii, points, chance)
    holed = np.arange(count) % 8 == 0
    holes = _rings(centres[holed], radii[holed] / 4, points, chance)
    shapes[holed] = shapely.difference(shapes[holed], holes)
    double = np.arange(count) % 15 == 1
    beside = centres[double] + np.stack([3 * radii[double], np.zeros(double.sum())], axis=-1)
    seconds = _rings(beside, radii[double] / 2, points, chance)
    shapes[double] = shapely.union(shapes[double], seconds)
    return _layer(shapes, [f"Q{number:04d}" for number in range(count)])


def older(quarters, seed=SEED):
    """1,514 QPV of a geography before: half are the same, the others lost a part, moved by some metres, or ended."""
    chance = np.random.default_rng(seed + 5)
    shapes = quarters.geometry.to_numpy()[: len(quarters) - 95].copy()
    fate = chance.choice(4, size=len(shapes), p=[0.5, 0.2, 0.2, 0.1])
    cut = fate == 1
    west, south, east, north = shapely.bounds(shapes[cut]).T
    shapes[cut] = shapely.intersection(shapes[cut], shapely.box(west, south, east - 0.2 * (east - west), north))
    moves = {2: chance.normal(0, 8, (len(shapes), 2)), 3: chance.uniform(2_000, 4_000, (len(shapes), 2))}
    for kind, away in moves.items():
        for row in np.flatnonzero(fate == kind):
            shapes[row] = shapely.transform(shapes[row], lambda xy, row=row, away=away: xy + away[row])
    # an outline drawn anew has other points, too
    redrawn = np.flatnonzero(fate == 2)[::2]
    shapes[redrawn] = shapely.simplify(shapes[redrawn], 2)
    return _layer(shapes, [f"P{number:04d}" for number in range(len(shapes))])


def national_qpv():
    """1,609 QPV in the projection of the grid, the middle one of 16 ha and 65 points."""
    return qpv(1_609, points=57).to_crs(3035)


def points(quarters, count, seed=SEED, *, hard=False):
    """Eastings and northings of addresses in EPSG:2154, in random order; 8 % lie in QPV, 10 % up to 500 m away.

    One in twelve is drawn around the middle of a QPV, a third in a town that has one, the others around villages, all
    `INLAND`. In the hard mix a third lie up to 500 m from a limit, in no QPV.
    """
    chance = np.random.default_rng(seed + 4)
    shapes = quarters.geometry.to_numpy()
    middles, radii = shapely.get_coordinates(shapely.centroid(shapes)), np.sqrt(shapely.area(shapes) / np.pi)
    corner, size = INLAND
    villages = corner + chance.uniform(0, 1, (COLUMNS * ROWS, 2)) * size
    reach = 500 * np.exp(chance.normal(0, 0.6, len(villages)))
    centres = np.concatenate([middles, middles, villages])
    spread = np.concatenate([radii / 2, np.full(len(middles), 1_500.0), reach])
    first = np.cumsum([0, len(middles), len(middles)])
    many = np.array([len(middles), len(middles), len(villages)])
    kind = chance.choice(3, size=count, p=[0.08, 0.35, 0.57])
    of = first[kind] + (chance.random(count) * many[kind]).astype(np.int64)
    x, y = (centres[of, axis] + chance.normal(size=count) * spread[of] for axis in (0, 1))
    if hard:
        near = chance.permutation(count)[: int(0.26 * count)]
        x[near], y[near] = _beside(shapes, len(near), chance)
    return x, y


def grid(quarters, count=2_300_000, seed=SEED):
    """Inhabited cells of 200 m: `north` and `east` of the lower-left corner, `people`, sum of their `living_standard`.

    In the order of the ids, as Insee writes them. Of the cells in the boxes of QPV, 93 % are inhabited, densely.
    """
    chance = np.random.default_rng(seed + 2)
    boxes = np.floor(quarters.bounds.to_numpy() / CELL_M).astype(np.int64)
    near = np.concatenate(
        [_keys(*np.meshgrid(np.arange(w, e + 1), np.arange(s, n + 1))).ravel() for w, s, e, n in boxes]
    )
    near = np.unique(near[chance.random(len(near)) < 0.93])
    size = np.array([COLUMNS, ROWS]) * SIDE_M
    villages = ORIGIN_M + chance.uniform(0, 1, (COLUMNS * ROWS, 2)) * size
    villages = np.stack(pyproj.Transformer.from_crs(2154, 3035, always_xy=True).transform(*villages.T), axis=-1)
    reach = 500 * np.exp(chance.normal(0, 0.6, len(villages)))
    far = np.empty(0, np.int64)
    while len(far) < count - len(near):
        of = chance.integers(len(villages), size=count)
        x, y = (villages[of] + chance.normal(0, 1, (count, 2)) * reach[of, None]).T
        drawn = _keys(np.floor(x / CELL_M).astype(np.int64), np.floor(y / CELL_M).astype(np.int64))
        far = np.setdiff1d(np.union1d(far, drawn), near)
    far = chance.choice(far, count - len(near), replace=False)
    keys = np.sort(np.concatenate([near, far]))
    dense = np.isin(keys, near)
    people = np.where(dense, chance.gamma(3, 90, count), chance.gamma(1.1, 20, count))
    people = np.maximum(np.round(people * 2) / 2, 1)
    mean = np.where(dense, 15_000, 23_000) * np.exp(chance.normal(0, 0.15, count))
    return pd.DataFrame(
        {
            "north": keys // ACROSS_THE_GRID * CELL_M,
            "east": keys % ACROSS_THE_GRID * CELL_M,
            "people": people,
            "living_standard": np.round(people * mean, 1),
        }
    )


def published(cells, seed=SEED):
    """The cells with the columns, names and order of the files of 2019 and 2021."""
    chance = np.random.default_rng(seed + 3)
    north, east = cells["north"], cells["east"]
    people = cells["people"]
    households = np.round(people / chance.uniform(1.7, 2.8, len(cells)), 1)
    # no department is 96
    communes = chance.integers(96_000, 97_000, len(cells)).astype("U5")
    # a cell in twelve lies in two communes
    beside = np.where(chance.random(len(cells)) < 1 / 12, communes[::-1], "")

    def some(whole):
        return np.round(whole * chance.beta(2, 7, len(cells)), 1)

    return pd.DataFrame(
        {
            "idcar_200m": ids(CELL_M, north, east),
            "idcar_1km": ids(1_000, north, east),
            "idcar_nat": ids(2_000, north, east),
            "i_est_200": (households < 11).astype(np.int64),
            "i_est_1km": np.zeros(len(cells), np.int64),
            "lcog_geo": pd.array(np.char.add(communes, beside), "str"),
            "ind": people,
            "men": households,
            "men_pauv": some(households),
            **{f"men_{name}": some(households) for name in ("1ind", "5ind", "prop", "fmp")},
            "ind_snv": cells["living_standard"],
            "men_surf": np.round(households * chance.uniform(50, 120, len(cells)), 1),
            **{f"men_{name}": some(households) for name in ("coll", "mais")},
            **{f"log_{name}": some(households) for name in ("av45", "45_70", "70_90", "ap90", "inc", "soc")},
            **{f"ind_{name}": some(people) for name in ("0_3", "4_5", "6_10", "11_17", "18_24", "25_39", "40_54")},
            **{f"ind_{name}": some(people) for name in ("55_64", "65_79", "80p", "inc")},
        }
    )


def _beside(shapes, count, chance):
    """Points outside, up to 500 m from a point of an outline."""
    outlines, tree = shapely.boundary(shapes), shapely.STRtree(shapes)
    found = np.empty((0, 2))
    while len(found) < count:
        of = chance.integers(len(outlines), size=count)
        at = shapely.line_interpolate_point(outlines[of], chance.random(count), normalized=True)
        turn, far = chance.uniform(0, 2 * np.pi, count), chance.uniform(0, 500, count)
        drawn = shapely.get_coordinates(at) + (far * np.stack([np.cos(turn), np.sin(turn)])).T
        inside, _ = tree.query(shapely.points(drawn), predicate="intersects")
        found = np.concatenate([found, np.delete(drawn, np.unique(inside), axis=0)])
    return found[:count].T


def _keys(column, row):
    return row * ACROSS_THE_GRID + column


def ids(size, north, east):
    """Ids of cells, or of the larger cells that they lie in."""
    pairs = zip((north // size * size).tolist(), (east // size * size).tolist(), strict=True)
    return pd.array([f"CRS3035RES{size}mN{n}E{e}" for n, e in pairs], "str")


def _limits(start, end, chance):
    """Winding lines between corners: a sum of waves that vanishes at both ends."""
    at = np.linspace(0, 1, POINTS_OF_A_LIMIT + 1)
    waves = np.sin(np.pi * np.arange(1, 8)[:, None] * at)
    strength = chance.normal(0, 0.02, (*start.shape[:2], len(waves))) / np.arange(1, 8)
    away = strength @ waves
    chord = (end - start)[:, :, None]
    normal = np.stack([-chord[..., 1], chord[..., 0]], axis=-1)
    return start[:, :, None] + at[:, None] * chord + away[..., None] * normal


def _rings(centres, radii, points, chance):
    return np.array([shapely.Polygon(_ring(*pair, points, chance)) for pair in zip(centres, radii, strict=True)])


def _ring(centre, radius, points, chance):
    points = int(np.clip(points * np.exp(chance.normal(0, 0.6)), 12, 400))
    turn = np.sort(chance.uniform(0, 2 * np.pi, points))
    far = radius * (1 + 0.25 * np.sin(3 * turn + chance.uniform(0, 6)) + chance.uniform(-0.1, 0.1, points))
    return centre + np.stack([far * np.cos(turn), far * np.sin(turn)], axis=-1)


def _layer(shapes, labels):
    invalid = int((~shapely.is_valid(shapes)).sum())
    if invalid:
        raise ValueError(f"{invalid} shapes are invalid: the waves or the rings are too wild")
    return gpd.GeoDataFrame({"label": labels}, geometry=shapes, crs=2154).set_index("label")
