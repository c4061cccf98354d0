"""What two layers of polygons share: what each tool makes of the same frames, trees and sessions inside the clock."""

import numpy as np
import shapely
from engines import as_wkb, duckdb_session, sedonadb_session

LEAST_M2 = 1e-6
"""Pairs that share less are slivers of rounding, which one tool has and another has not."""


def prepare(folder, one, other):
    """Write the layers down."""
    for name, layer in (("one", one), ("other", other)):
        layer[["geometry"]].rename_axis("label").to_parquet(folder / f"{name}.parquet")


def answer(found):
    """Rows of first position, second position, area, in order."""
    i, j, area = (np.asarray(column, dtype=float) for column in found())
    kept = area > LEAST_M2
    rows = np.stack([i[kept], j[kept], area[kept]], axis=1)
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def _layers(folder):
    import geopandas as gpd

    return [gpd.read_parquet(folder / f"{name}.parquet") for name in ("one", "other")]


def _shapes(folder):
    return [layer.geometry.to_numpy() for layer in _layers(folder)]


def qpvgeo_(folder):
    import qpvgeo.geometry.overlap_table

    one, other = _layers(folder)

    def call():
        found = qpvgeo.geometry.overlap_table.overlap(one, other)
        return lambda: (one.index.get_indexer(found["left"]), other.index.get_indexer(found["right"]), found["area_m2"])

    return call


def strtree(folder):
    one, other = _shapes(folder)

    def call():
        i, j = shapely.STRtree(other).query(one, predicate="intersects")
        area = shapely.area(shapely.intersection(one[i], other[j]))
        return lambda: (i, j, area)

    return call


def checked(folder):
    """With the look at every outline that `qpvgeo.overlap` does too: on invalid ones an area can be wrong."""
    one, other = _shapes(folder)
    search = strtree(folder)

    def call():
        if not (shapely.is_valid(one).all() and shapely.is_valid(other).all()):
            raise SystemExit("invalid outlines")
        return search()

    return call


def sedonadb_(folder):
    one, other = _shapes(folder)
    session = sedonadb_session()
    query = """
        SELECT one.area AS i, other.area AS j, ST_Area(ST_Intersection(one.shape, other.shape)) AS shared
        FROM (SELECT area, ST_GeomFromWKB(wkb) AS shape FROM one) AS one
        JOIN (SELECT area, ST_GeomFromWKB(wkb) AS shape FROM other) AS other ON ST_Intersects(one.shape, other.shape)
    """

    def call():
        for name, shapes in (("one", one), ("other", other)):
            session.create_data_frame(as_wkb(shapes)).to_view(name)
        found = session.sql(query).to_arrow_table()
        return lambda: [found[name].to_numpy() for name in ("i", "j", "shared")]

    return call


def duckdb_(folder):
    one, other = _shapes(folder)
    session = duckdb_session()
    query = """
        SELECT left_shapes.area AS i, right_shapes.area AS j,
            ST_Area(ST_Intersection(left_shapes.shape, right_shapes.shape)) AS shared
        FROM right_shapes JOIN left_shapes ON ST_Intersects(right_shapes.shape, left_shapes.shape)
    """

    def call():
        for name, shapes in (("left", one), ("right", other)):
            session.register(name, as_wkb(shapes))
            session.execute(
                f'CREATE TEMP TABLE {name}_shapes AS SELECT area, ST_GeomFromWKB(wkb) AS shape FROM "{name}"'
            )
        found = session.execute(query).fetchnumpy()
        return lambda: [found[name] for name in ("i", "j", "shared")]

    return call


def tobler_(folder):
    from tobler.area_weighted.area_interpolate import _area_tables_binning

    one, other = _layers(folder)

    def call():
        found = _area_tables_binning(other, one, "auto").tocoo()
        return lambda: (found.col, found.row, found.data)

    return call


def overlay(folder):
    import geopandas as gpd

    one, other = (layer.reset_index(drop=True).reset_index(names=f"at_{k}") for k, layer in enumerate(_layers(folder)))

    def call():
        pieces = gpd.overlay(one, other, how="intersection")
        area = pieces.area.to_numpy()
        return lambda: (pieces["at_0"], pieces["at_1"], area)

    return call


TOOLS = {
    "qpvgeo.overlap": qpvgeo_,
    "shapely STRtree + intersection": strtree,
    "shapely is_valid, STRtree + intersection": checked,
    "sedonadb": sedonadb_,
    "duckdb spatial": duckdb_,
    "tobler": tobler_,
    "geopandas.overlay": overlay,
}
