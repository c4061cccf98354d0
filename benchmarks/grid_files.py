"""Ids and files of the national grid: qpvgeo, and the readers that it calls."""

from functools import partial

import numpy as np

COLUMNS = ["idcar_200m", "i_est_200", "lcog_geo", "ind", "men", "men_pauv", "ind_snv"]
"""What `read_grid(..., keep=[])` reads."""

FILES = {"CSV": "grid.csv", "GPKG": "grid.gpkg", "Parquet": "grid.parquet"}
_HEAD = "CRS3035RES200mN"


def prepare(folder, cells, table, forms):
    """Write the grid in some forms, with the outlines that Insee's own have: megabytes of each."""
    import geopandas as gpd
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import shapely

    north, east = cells["north"], cells["east"]
    drawn = gpd.GeoDataFrame(table, geometry=shapely.box(east, north, east + 200, north + 200), crs=3035)
    if "CSV" in forms:
        plain = pacsv.WriteOptions(quoting_style="none")
        pacsv.write_csv(pa.Table.from_pandas(table, preserve_index=False), folder / FILES["CSV"], plain)
    if "Parquet" in forms:
        drawn.to_parquet(folder / FILES["Parquet"])
    if "GPKG" in forms:
        drawn.to_file(folder / FILES["GPKG"], layer="grid", engine="pyogrio", use_arrow=True)
    return {form: (folder / FILES[form]).stat().st_size / 1e6 for form in forms}


def answer(found):
    """What tells one answer from another: coordinates, or the rows and the sums of the columns of numbers."""
    if isinstance(found, tuple):
        return np.stack(found)
    names = ("population", "ind"), ("households", "men"), ("poor_households", "men_pauv")
    names = *names, ("living_standard_sum_eur", "ind_snv"), ("imputed", "i_est_200")
    there = set(getattr(found, "columns" if hasattr(found, "attrs") else "column_names"))
    sums = (np.sum(np.asarray(found[next(name for name in pair if name in there)], float)) for pair in names)
    return np.array([len(found), *sums])


def _ids(folder):
    import pyarrow.parquet as pq

    return pq.read_table(folder / FILES["Parquet"], columns=["idcar_200m"])["idcar_200m"]


def parse_ids(folder):
    from qpvgeo.geometry.insee_lattice import parse_ids as parse

    ids = _ids(folder)

    def call():
        cells = parse(ids)
        return cells.north, cells.east

    return call


def slices(folder, *, checked=False):
    """Numbers cut out of the bytes; with a look at the length and the prefix of every row, or on trust."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = _ids(folder)

    def call():
        raw = ids.cast(pa.binary())
        if checked:
            well = pc.and_(pc.equal(pc.binary_length(raw), 30), pc.starts_with(ids, _HEAD))
            between = pc.equal(pc.binary_slice(raw, 22, 23), b"E")
            if not pc.all(pc.and_(well, between)).as_py():
                raise SystemExit("other ids")
        return tuple(
            pc.binary_slice(raw, start, start + 7).cast(pa.string()).cast(pa.int32()).to_numpy() for start in (15, 23)
        )

    return call


def warm(folder, form):
    """Path of a file that is in the page cache."""
    path = folder / FILES[form]
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass
    return path


def read_grid(folder, form, *, hashed=False):
    """The whole call; or with the SHA-256 of the file known, as in the second call of a session."""
    from qpvgeo.frames.provenance import file_record
    from qpvgeo.read.grid.reader import read_grid as read

    path = warm(folder, form)
    if hashed:
        file_record(path)
    return lambda: read(path, keep=[])


def bare(folder, form):
    path = warm(folder, form)
    if form == "CSV":
        import pyarrow as pa
        import pyarrow.csv as pacsv

        # types are stated, as read_grid does: guessing them costs pyarrow as much again
        types = {name: pa.string() if name in ("idcar_200m", "lcog_geo") else pa.float64() for name in COLUMNS}
        options = pacsv.ConvertOptions(include_columns=COLUMNS, column_types=types)
        return lambda: pacsv.read_csv(path, convert_options=options)
    if form == "GPKG":
        import pyogrio

        return lambda: pyogrio.read_arrow(path, columns=COLUMNS, read_geometry=False)[1]
    import pandas as pd  # noqa: F401 - pyarrow would load it, and what follows, inside the clock
    import pyarrow.dataset  # noqa: F401
    import pyarrow.parquet as pq

    return lambda: pq.read_table(path, columns=COLUMNS)


BARE = {"CSV": "pyarrow.csv", "GPKG": "pyogrio.read_arrow", "Parquet": "pyarrow.parquet"}
"""What `read_grid` calls for each form."""

PARSERS = {
    "lattice.parse_ids": parse_ids,
    "pyarrow binary slices": slices,
    "pyarrow binary slices, checked": partial(slices, checked=True),
}

TOOLS = {
    **PARSERS,
    **{f"read_grid, {form}": partial(read_grid, form=form) for form in BARE},
    **{f"read_grid, {form}, hashed before": partial(read_grid, form=form, hashed=True) for form in BARE},
    **{f"{tool}, {form}": partial(bare, form=form) for form, tool in BARE.items()},
}
