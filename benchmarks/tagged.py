"""Which QPV holds each of millions of points, and how far the limits are: what each tool makes of the same arrays.

A call ends with what the tool itself returns: rows, positions or a frame. `answer` puts it in one form after the clock.
"""

import numpy as np
import shapely
from engines import as_wkb, duckdb_session, sedonadb_session

REACH_M = 500.0
BANDS = (300, 500)
SAMPLE = 200_000
"""Points that the slow tools measure to the nearest limit."""


def prepare(folder, quarters, x, y):
    """Write the input down: coordinates of the points, outlines of the QPV, the smaller first."""
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    ranked = quarters.iloc[np.lexsort((quarters.index, quarters.area))]
    ranked.reset_index()[["label", "geometry"]].to_parquet(folder / "quarters.parquet")


def answer(found):
    """In one form, outside of the clock."""
    return found()


def _points(folder):
    return np.load(folder / "x.npy"), np.load(folder / "y.npy")


def _quarters(folder):
    import geopandas as gpd

    return gpd.read_parquet(folder / "quarters.parquet").set_index("label")


def _winners(row, area, many):
    """Position of the first area that holds each point, from pairs; -1 for none."""
    found = np.full(many, np.iinfo(np.int16).max, np.int16)
    np.minimum.at(found, row, area.astype(np.int16))
    found[found == np.iinfo(np.int16).max] = -1
    return found


def _classes(row, distance, many):
    """0 in, 1 and 2 in the bands, 3 beyond, from the distances of the points in reach."""
    found = np.full(many, len(BANDS) + 1, np.int8)
    found[row] = np.searchsorted((0, *BANDS), distance, "left")
    return found


def positions(folder):
    import qpvgeo.tagging.perimeter_index

    (x, y), quarters = _points(folder), _quarters(folder)

    def call():
        codes, found = qpvgeo.tagging.perimeter_index.PerimeterIndex(quarters).positions(x, y)
        return lambda: np.append(quarters.index.get_indexer(codes), -1)[found].astype(np.int16)

    return call


def frame(folder):
    import qpvgeo.tagging

    (x, y), quarters = _points(folder), _quarters(folder)

    def call():
        tags = qpvgeo.tagging.tag_points((x, y), quarters, bands=(), crs=2154)

        def later():
            if (tags["state"] == "unknown").any():
                raise SystemExit("there are points of which nothing is known")
            return quarters.index.get_indexer(tags["qpv_code"]).astype(np.int16)

        return later

    return call


def frame_of_bands(folder):
    import qpvgeo.tagging

    (x, y), quarters = _points(folder), _quarters(folder)

    def call():
        tags = qpvgeo.tagging.tag_points((x, y), quarters, bands=BANDS, distance="band", crs=2154)
        return tags["band"].cat.codes.to_numpy

    return call


def sedonadb_(folder):
    session, view, many = _sedonadb(folder)
    query = """
        SELECT points.id, quarters.area FROM (SELECT id, ST_Point(x, y) AS point FROM points) AS points
        JOIN (SELECT area, ST_GeomFromWKB(wkb) AS shape FROM quarters) AS quarters ON ST_Intersects(shape, point)
    """

    def call():
        view()
        found = session.sql(query).to_arrow_table()
        return lambda: _winners(found["id"].to_numpy(), found["area"].to_numpy(), many)

    return call


def sedonadb_bands(folder):
    session, view, many = _sedonadb(folder)
    query = """
        SELECT id, MIN(distance) AS distance FROM (
            SELECT points.id, ST_Distance(shape, point) AS distance
            FROM (SELECT id, ST_Point(x, y) AS point FROM points) AS points
            JOIN (SELECT ST_GeomFromWKB(wkb) AS shape FROM quarters) AS quarters ON ST_DWithin(shape, point, 500)
        ) GROUP BY id
    """

    def call():
        view()
        found = session.sql(query).to_arrow_table()
        return lambda: _classes(found["id"].to_numpy(), found["distance"].to_numpy(), many)

    return call


def _sedonadb(folder):
    import pyarrow as pa

    (x, y), quarters = _points(folder), _quarters(folder)
    session = sedonadb_session()

    def view():
        points = pa.table({"id": np.arange(len(x), dtype=np.int32), "x": x, "y": y})
        session.create_data_frame(points).to_view("points")
        session.create_data_frame(as_wkb(quarters.geometry.to_numpy())).to_view("quarters")

    return session, view, len(x)


def duckdb_(folder):
    session, view, many = _duckdb(folder)
    query = """
        SELECT points.id, shapes.area FROM (SELECT id, ST_Point(x, y) AS point FROM points) AS points
        JOIN shapes ON ST_Intersects(points.point, shapes.shape)
    """

    def call():
        view()
        found = session.execute(query).fetchnumpy()
        return lambda: _winners(found["id"], found["area"], many)

    return call


def duckdb_bands(folder):
    session, view, many = _duckdb(folder)
    query = """
        SELECT points.id, MIN(ST_Distance(points.point, shapes.shape)) AS distance
        FROM (SELECT id, ST_Point(x, y) AS point FROM points) AS points
        JOIN shapes ON ST_DWithin(points.point, shapes.shape, 500) GROUP BY points.id
    """

    def call():
        view()
        found = session.execute(query).fetchnumpy()
        return lambda: _classes(found["id"], found["distance"], many)

    return call


def _duckdb(folder):
    import pyarrow as pa

    (x, y), quarters = _points(folder), _quarters(folder)
    session = duckdb_session()

    def view():
        session.register("points", pa.table({"id": np.arange(len(x), dtype=np.int32), "x": x, "y": y}))
        session.register("quarters", as_wkb(quarters.geometry.to_numpy()))
        session.execute("CREATE TEMP TABLE shapes AS SELECT area, ST_GeomFromWKB(wkb) AS shape FROM quarters")

    return session, view, len(x)


def sjoin(folder):
    import geopandas as gpd

    (x, y), quarters = _points(folder), _quarters(folder)
    quarters = quarters.reset_index(drop=True)

    def call():
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=quarters.crs)
        found = points.sjoin(quarters, predicate="intersects")
        return lambda: _winners(found.index.to_numpy(), found["index_right"].to_numpy(), len(x))

    return call


def prepared(folder):
    """Points in order of their eastings; each QPV tests those in its box. The fastest simple way for few points."""
    (x, y), quarters = _points(folder), _quarters(folder)
    shapes = quarters.geometry.to_numpy()

    def call():
        order = np.argsort(x)
        right, up = x[order], y[order]
        west, south, east, north = shapely.bounds(shapes).T
        first, last = np.searchsorted(right, west), np.searchsorted(right, east, "right")
        shapely.prepare(shapes)
        rows = []
        for area, shape in enumerate(shapes):
            part = up[first[area] : last[area]]
            near = np.flatnonzero((part >= south[area]) & (part <= north[area])) + first[area]
            rows.append(order[near[shapely.intersects_xy(shape, right[near], up[near])]])
        areas = np.repeat(np.arange(len(shapes)), [len(part) for part in rows])
        found = np.concatenate(rows)
        return lambda: _winners(found, areas, len(x))

    return call


def dwithin(folder):
    (x, y), quarters = _points(folder), _quarters(folder)
    shapes = quarters.geometry.to_numpy()

    def call():
        points = shapely.points(x, y)
        row, area = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=REACH_M)
        distance = shapely.distance(points[row], shapes[area])

        def later():
            least = np.full(len(x), np.inf)
            np.minimum.at(least, row, distance)
            return _classes(slice(None), least, len(x))

        return later

    return call


def _index(quarters):
    import qpvgeo.tagging  # outside of the clock
    import qpvgeo.tagging.perimeter_index

    index = qpvgeo.tagging.perimeter_index.PerimeterIndex(quarters, reach_m=REACH_M)
    layer = index.layer("hexagone", None)
    return index, layer.grid, layer.boundaries(REACH_M)


def frame_of_distances(folder):
    from qpvgeo.tagging.points_in_qpv import tag_points

    (x, y), (index, *_) = _points(folder), _index(_quarters(folder))

    def call():
        tags = tag_points((x, y), index, bands=BANDS, crs=2154)
        return tags["distance_m"].to_numpy

    return call


def nearest(folder):
    (x, y), (_, grid, limits) = _points(folder), _index(_quarters(folder))

    def call():
        outside = np.flatnonzero(grid.locate(x, y) < 0)
        distance, _ = limits.nearest(x[outside], y[outside])

        def later():
            found = np.zeros(len(x))
            found[outside] = distance
            return found

        return later

    return call


def query_nearest(folder):
    (x, y), quarters = _points(folder), _quarters(folder)
    x, y = x[:SAMPLE], y[:SAMPLE]

    def call():
        points, tree = shapely.points(x, y), shapely.STRtree(quarters.geometry.to_numpy())
        options = {"max_distance": REACH_M, "return_distance": True, "all_matches": False}
        (row, _), distance = tree.query_nearest(points, **options)
        return lambda: _in_reach(row, distance)

    return call


def sjoin_nearest(folder):
    import geopandas as gpd

    (x, y), quarters = _points(folder), _quarters(folder)
    x, y = x[:SAMPLE], y[:SAMPLE]

    def call():
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=quarters.crs)
        found = points.sjoin_nearest(quarters, max_distance=REACH_M, distance_col="distance")
        return lambda: _in_reach(found.index.to_numpy(), found["distance"].to_numpy())

    return call


def _in_reach(row, distance):
    found = np.full(SAMPLE, np.nan)
    found[row] = distance
    return found


def build(folder):
    import qpvgeo.tagging.perimeter_index  # noqa: F401 - outside of the clock

    quarters = _quarters(folder)

    def call():
        _index(quarters)
        return lambda: np.zeros(0)

    return call


def save(folder):
    index, *_ = _index(_quarters(folder))

    def call():
        index.save(folder / "index.npz")
        return lambda: np.zeros(0)

    return call


def load(folder):
    """The file that `save` left."""
    from qpvgeo.tagging.perimeter_index import PerimeterIndex

    def call():
        PerimeterIndex.load(folder / "index.npz")
        return lambda: np.zeros(0)

    return call


KEPT = {"tag_points, index kept": frame_of_distances, "locate and BoundaryDistance.nearest": nearest}
NEAREST = {"shapely STRtree.query_nearest": query_nearest, "geopandas.sjoin_nearest": sjoin_nearest}
INDEX = {"built": build, "saved": save, "loaded": load}
TOOLS = {
    "PerimeterIndex.positions": positions,
    "tag_points, bands=()": frame,
    "sedonadb": sedonadb_,
    "duckdb spatial": duckdb_,
    "geopandas.sjoin": sjoin,
    "shapely, sorted and prepared": prepared,
    "tag_points, distance=band": frame_of_bands,
    "sedonadb, bands": sedonadb_bands,
    "duckdb spatial, bands": duckdb_bands,
    "shapely STRtree dwithin": dwithin,
    **KEPT,
    **NEAREST,
    **INDEX,
}
