"""People and living standards of every QPV from the national grid: what each tool makes of the same arrays."""

import numpy as np
import shapely
from engines import as_wkb, duckdb_session, sedonadb_session

CELL_M = 200
NAMES = ("people", "living_standard")


def prepare(folder, quarters, cells):
    """Write the input down: arrays of the cells, outlines of the QPV."""
    for name in cells:
        np.save(folder / f"{name}.npy", cells[name].to_numpy())
    quarters.reset_index(drop=True)[["geometry"]].to_parquet(folder / "quarters.parquet")


def answer(sums):
    """Shape (2, QPV)."""
    return np.stack(sums)


def _cells(folder):
    return [np.load(folder / f"{name}.npy") for name in ("north", "east", *NAMES)]


def _quarters(folder):
    import geopandas as gpd

    return gpd.read_parquet(folder / "quarters.parquet")


def _squares(north, east):
    return shapely.box(east, north, east + CELL_M, north + CELL_M)


def qpvgeo_(folder):
    from qpvgeo.geometry.cell_cover import cover
    from qpvgeo.geometry.insee_lattice import Cells, Lattice, locate

    (north, east, *values), quarters = _cells(folder), _quarters(folder)
    table = Cells(Lattice(3035, CELL_M), north, east)

    def call():
        found = cover(quarters, table.lattice)
        at = locate(found.cells, table)
        there = at >= 0
        area, share, at = found.area[there], found.share[there], at[there]
        return [np.bincount(area, share * value[at], len(quarters)) for value in values]

    return call


def shapely_(folder):
    (north, east, *values), quarters = _cells(folder), _quarters(folder)
    shapes = quarters.geometry.to_numpy()

    def call():
        squares = _squares(north, east)
        cell, area = shapely.STRtree(shapes).query(squares)
        share = shapely.area(shapely.intersection(shapes[area], squares[cell])) / CELL_M**2
        return [np.bincount(area, share * value[cell], len(shapes)) for value in values]

    return call


def exactextract_(folder):
    import fiona  # noqa: F401 - exactextract looks for it inside the clock
    import pandas as pd  # noqa: F401 - the output asked for needs it
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    (north, east, *values), quarters = _cells(folder), _quarters(folder)

    def call():
        top, left = north.max() // CELL_M, east.min() // CELL_M
        down, right = top - north // CELL_M, east // CELL_M - left
        height, width = down.max() + 1, right.max() + 1
        west, ceiling = float(left * CELL_M), float((top + 1) * CELL_M)
        box = (west, ceiling - float(height * CELL_M), west + float(width * CELL_M), ceiling)
        rasters = []
        for name, value in zip(NAMES, values, strict=True):
            raster = np.zeros((height, width))
            raster[down, right] = value
            rasters.append(NumPyRasterSource(raster, *box, name=name))
        found = exact_extract(rasters, quarters, ["sum"], output="pandas")
        return [found[f"{name}_sum"].to_numpy() for name in NAMES]

    return call


def sedonadb_(folder):
    import pyarrow as pa

    (north, east, *values), quarters = _cells(folder), _quarters(folder)
    shapes = quarters.geometry.to_numpy()
    session = sedonadb_session()
    query = """
        SELECT area, SUM(share * people) AS people, SUM(share * living_standard) AS living_standard FROM (
            SELECT area, people, living_standard, ST_Area(ST_Intersection(shape, square)) / 40000 AS share
            FROM (SELECT area, ST_GeomFromWKB(wkb) AS shape FROM quarters) JOIN (
                SELECT people, living_standard,
                    ST_Envelope(ST_MakeLine(ST_Point(east, north), ST_Point(east + 200, north + 200))) AS square
                FROM cells
            ) ON ST_Intersects(shape, square)
        ) GROUP BY area
    """

    def call():
        columns = {"north": north.astype(float), "east": east.astype(float), **dict(zip(NAMES, values, strict=True))}
        session.create_data_frame(pa.table(columns)).to_view("cells")
        session.create_data_frame(as_wkb(shapes)).to_view("quarters")
        return _by_area(session.sql(query).to_pandas(), len(shapes))

    return call


def duckdb_(folder):
    import pyarrow as pa

    (north, east, *values), quarters = _cells(folder), _quarters(folder)
    shapes = quarters.geometry.to_numpy()
    session = duckdb_session()
    query = """
        SELECT area, SUM(share * people) AS people, SUM(share * living_standard) AS living_standard FROM (
            SELECT area, people, living_standard, ST_Area(ST_Intersection(shape, square)) / 40000 AS share
            FROM (
                SELECT people, living_standard, ST_MakeEnvelope(east, north, east + 200, north + 200) AS square
                FROM cells
            ) JOIN shapes ON ST_Intersects(square, shape)
        ) GROUP BY area
    """

    def call():
        columns = {"north": north, "east": east, **dict(zip(NAMES, values, strict=True))}
        session.register("cells", pa.table(columns))
        session.register("quarters", as_wkb(shapes))
        session.execute("CREATE TEMP TABLE shapes AS SELECT area, ST_GeomFromWKB(wkb) AS shape FROM quarters")
        return _by_area(session.execute(query).df(), len(shapes))

    return call


def tobler_(folder):
    import geopandas as gpd
    from tobler.area_weighted import area_interpolate

    (north, east, *values), quarters = _cells(folder), _quarters(folder)

    def call():
        columns = dict(zip(NAMES, values, strict=True))
        cells = gpd.GeoDataFrame(columns, geometry=_squares(north, east), crs=quarters.crs)
        found = area_interpolate(cells, quarters, extensive_variables=list(NAMES), allocate_total=False)
        return [found[name].to_numpy() for name in NAMES]

    return call


def overlay(folder):
    import geopandas as gpd

    (north, east, *values), quarters = _cells(folder), _quarters(folder)

    def call():
        columns = dict(zip(NAMES, values, strict=True))
        cells = gpd.GeoDataFrame(columns, geometry=_squares(north, east), crs=quarters.crs)
        pieces = gpd.overlay(quarters.reset_index(names="area"), cells, how="intersection")
        share = pieces.area.to_numpy() / CELL_M**2
        return [np.bincount(pieces["area"], share * pieces[name], len(quarters)) for name in NAMES]

    return call


def _by_area(found, count):
    """Sums by position; an area without people has no row."""
    return [np.bincount(found["area"], found[name], count) for name in NAMES]


TOOLS = {
    "qpvgeo": qpvgeo_,
    "exactextract": exactextract_,
    "sedonadb": sedonadb_,
    "duckdb spatial": duckdb_,
    "shapely STRtree + intersection": shapely_,
    "tobler area_interpolate": tobler_,
    "geopandas.overlay": overlay,
}
