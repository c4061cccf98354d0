"""From files to the people of all QPV: a grid and perimeters on the disk, an estimate for each QPV at the end."""

import os
import tempfile
from functools import partial

import grid_files
import numpy as np
import shapely
from engines import duckdb_session

CELL_M = 200
PERIMETERS = "quarters.gpkg"


def prepare(folder, quarters, cells, table):
    """Write the grid in its three forms, and the QPV in EPSG:2154: megabytes of each form."""
    rank = np.arange(len(quarters))
    codes = [f"QP0{21 + one % 75}{1 + one // 75:03d}" for one in rank]
    named = quarters.to_crs(2154).reset_index(drop=True)[["geometry"]].assign(code_qp=codes, nom_qp="Fictif")
    named.to_file(folder / PERIMETERS, engine="pyogrio")
    return grid_files.prepare(folder, cells, table, grid_files.BARE)


def answer(found):
    """People of each QPV in the order of the codes; a bare read has none."""
    return np.asarray(found, float)


def _perimeters(folder):
    import pyogrio

    return pyogrio.read_dataframe(folder / PERIMETERS).sort_values("code_qp", ignore_index=True)


def _by_code(table):
    return table.sort_index()["estimate"].to_numpy()


def qpvgeo_(folder, form, *, kept=False):
    """The three calls of the README with an empty cache; `kept` has the frames that an earlier run left there."""
    from qpvgeo.population.estimation import estimate_population
    from qpvgeo.read.grid.reader import read_grid
    from qpvgeo.read.qpv import read_qpv

    grid_files.warm(folder, form)
    os.environ["QPVGEO_CACHE"] = str(folder / "cache" if kept else tempfile.mkdtemp(dir=folder))
    os.environ["QPVGEO_PROCESSED"] = str(int(kept))

    def call():
        qpv = read_qpv(folder / PERIMETERS)
        grid = read_grid(folder / grid_files.FILES[form], keep=[])
        return _by_code(estimate_population(qpv, grid))

    if kept:
        call()
    return call


def bare(folder, form):
    """The readers alone, of the perimeters and of the columns that are used."""
    read = grid_files.bare(folder, form)

    def call():
        _perimeters(folder)
        read()
        return []

    return call


def _cells(table):
    """Northings, eastings and people of a table of Arrow, ids cut by their bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    raw = table["idcar_200m"].cast(pa.binary())
    north, east = (pc.binary_slice(raw, at, at + 7).cast(pa.string()).cast(pa.int64()).to_numpy() for at in (15, 23))
    return north, east, table["ind"].to_numpy()


def exactextract_(folder, form):
    import fiona  # noqa: F401 - exactextract looks for it inside the clock
    import pandas as pd  # noqa: F401 - the output asked for needs it
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    read = grid_files.bare(folder, form)

    def call():
        quarters, (north, east, people) = _perimeters(folder).to_crs(3035), _cells(read())
        top, left = north.max() // CELL_M, east.min() // CELL_M
        down, right = top - north // CELL_M, east // CELL_M - left
        raster = np.zeros((down.max() + 1, right.max() + 1))
        raster[down, right] = people
        west, ceiling = float(left * CELL_M), float((top + 1) * CELL_M)
        box = (west, ceiling - float(raster.shape[0] * CELL_M), west + float(raster.shape[1] * CELL_M), ceiling)
        source = NumPyRasterSource(raster, *box, name="people")
        return exact_extract(source, quarters, ["sum"], output="pandas")["sum"].to_numpy()

    return call


def tobler_(folder, form):
    import geopandas as gpd
    from tobler.area_weighted import area_interpolate

    read = grid_files.bare(folder, form)

    def call():
        quarters, (north, east, people) = _perimeters(folder).to_crs(3035), _cells(read())
        squares = shapely.box(east, north, east + CELL_M, north + CELL_M)
        cells = gpd.GeoDataFrame({"people": people}, geometry=squares, crs=3035)
        found = area_interpolate(cells, quarters, extensive_variables=["people"], allocate_total=False)
        return found["people"].to_numpy()

    return call


_SQL = """
    WITH cells AS (
        SELECT ind, idcar_200m[16:22]::DOUBLE AS north, idcar_200m[24:30]::DOUBLE AS east FROM {source}
    ), quarters AS (
        SELECT code_qp, ST_Transform(geom, 'EPSG:2154', 'EPSG:3035', always_xy := true) AS shape
        FROM ST_Read('{perimeters}')
    )
    SELECT code_qp, SUM(ind * ST_Area(ST_Intersection(shape, square)) / 40000) AS people FROM (
        SELECT ind, ST_MakeEnvelope(east, north, east + 200, north + 200) AS square FROM cells
    ) JOIN quarters ON ST_Intersects(square, shape) GROUP BY code_qp ORDER BY code_qp
"""


def duckdb_(folder, form):
    path = grid_files.warm(folder, form)
    session = duckdb_session()
    source = {"CSV": f"read_csv('{path}')", "Parquet": f"'{path}'", "GPKG": f"ST_Read('{path}')"}[form]
    query = _SQL.format(source=source, perimeters=folder / PERIMETERS)

    def call():
        return session.execute(query).df()["people"].to_numpy()

    return call


CALLS = {
    "qpvgeo": qpvgeo_,
    "qpvgeo, kept": partial(qpvgeo_, kept=True),
    "bare readers": bare,
    "geopandas and exactextract": exactextract_,
    "geopandas and tobler": tobler_,
    "duckdb spatial": duckdb_,
}
TOOLS = {f"{name}, {form}": partial(call, form=form) for name, call in CALLS.items() for form in grid_files.BARE}
