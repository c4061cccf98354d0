"""A fictional country to measure on: as many communes and QPV as France, at the sizes of the published ones.

Made from a seed, in EPSG:2154. The limits of communes are drawn once and shared by neighbours, so that they tile the
country; QPV are irregular rings in clusters, some with a hole, some in two parts, some across a limit. No place, name
or outline comes from a published file.
"""

import geopandas as gpd
import numpy as np
import shapely

SEED = 2024
COLUMNS, ROWS = 200, 175
SIDE_M = 4_250.0
ORIGIN_M = (200_000.0, 6_150_000.0)
POINTS_OF_A_LIMIT = 25


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


def qpv(count=1_500, seed=SEED):
    """Rings of about 75 points, the middle one of 16 ha; one in eight has a hole, one in fifteen a second part."""
    chance = np.random.default_rng(seed + 1)
    size = np.array([COLUMNS, ROWS]) * SIDE_M
    towns = ORIGIN_M + chance.uniform(0.05, 0.95, (count // 5, 2)) * size
    # about three radii between the QPV of a town
    centres = towns[chance.integers(len(towns), size=count)] + chance.normal(0, 1_500, (count, 2))
    radii = 225 * np.exp(chance.normal(0, 0.35, count))
    shapes = _rings(centres, radii, chance)
    holed = np.arange(count) % 8 == 0
    holes = _rings(centres[holed], radii[holed] / 4, chance)
    shapes[holed] = shapely.difference(shapes[holed], holes)
    double = np.arange(count) % 15 == 1
    beside = centres[double] + np.stack([3 * radii[double], np.zeros(double.sum())], axis=-1)
    seconds = _rings(beside, radii[double] / 2, chance)
    shapes[double] = shapely.union(shapes[double], seconds)
    return _layer(shapes, [f"Q{number:04d}" for number in range(count)])


def _limits(start, end, chance):
    """Winding lines between corners: a sum of waves that vanishes at both ends."""
    at = np.linspace(0, 1, POINTS_OF_A_LIMIT + 1)
    waves = np.sin(np.pi * np.arange(1, 8)[:, None] * at)
    strength = chance.normal(0, 0.02, (*start.shape[:2], len(waves))) / np.arange(1, 8)
    away = strength @ waves
    chord = (end - start)[:, :, None]
    normal = np.stack([-chord[..., 1], chord[..., 0]], axis=-1)
    return start[:, :, None] + at[:, None] * chord + away[..., None] * normal


def _rings(centres, radii, chance):
    return np.array([shapely.Polygon(_ring(*pair, chance)) for pair in zip(centres, radii, strict=True)])


def _ring(centre, radius, chance):
    points = int(np.clip(65 * np.exp(chance.normal(0, 0.6)), 12, 400))
    turn = np.sort(chance.uniform(0, 2 * np.pi, points))
    far = radius * (1 + 0.25 * np.sin(3 * turn + chance.uniform(0, 6)) + chance.uniform(-0.1, 0.1, points))
    return centre + np.stack([far * np.cos(turn), far * np.sin(turn)], axis=-1)


def _layer(shapes, labels):
    invalid = int((~shapely.is_valid(shapes)).sum())
    if invalid:
        raise ValueError(f"{invalid} shapes are invalid: the waves or the rings are too wild")
    return gpd.GeoDataFrame({"label": labels}, geometry=shapes, crs=2154).set_index("label")
