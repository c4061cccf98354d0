"""What people are counted by on the command line: the grid of each territory at hand, points of a file."""

import difflib
from pathlib import Path

import geopandas as gpd
import pandas as pd

from qpvgeo import territories
from qpvgeo.cli.inputs import grids_near
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.estimates import WEIGHT
from qpvgeo.projection import require_axes, territory_of
from qpvgeo.read import vector

__all__ = ["known_grids", "read_points"]


def known_grids(
    areas: gpd.GeoDataFrame, data: Path | None, *, grid: Path | None = None, layer: str | None = None
) -> list[pd.DataFrame]:
    """For each territory of the areas that has a grid, the finest at hand, the latest of these."""
    require_axes(areas, name="areas", what="polygons")
    drawn = areas[areas.geometry.notna()]
    place = territory_of(drawn.geometry.to_numpy(), drawn.crs)
    known = [one.code for one in territories.territories().values() if one.grid_epsg and one.code in set(place)]
    grids: list[pd.DataFrame] = []
    missing: list[MissingDataError] = []
    for territory in known:
        try:
            read = grids_near(data, drawn[place == territory], grid=grid, layer=layer, keep=[])
        except MissingDataError as error:
            missing.append(error)
            continue
        grids += [cells for cells in read if territories.of_grid(cells.attrs["epsg"]) == territory][:1]
    if missing and not grids:
        raise missing[0]
    if not grids:
        raise MissingDataError("No territory of these areas has a grid.", problems=sorted(set(map(str, place))))
    return grids


def read_points(path: Path, weight: str | None = None) -> gpd.GeoDataFrame:
    """Points or footprints of a layer, or addresses of a BAN table; each counts once, or by the column named."""
    if path.suffix.lower() in (*vector.SUFFIXES, ".zip"):
        frame = vector.read(vector.layers(path)[0])[0]
        places, columns = frame.geometry, frame.drop(columns=frame.geometry.name)
    else:
        columns = pd.read_csv(path, sep=None, engine="python", dtype="str")
        places = _addresses(columns, path)
    weights = {} if weight is None else {WEIGHT: _weights(columns, weight, path)}
    # counted from 1, as messages name them
    return gpd.GeoDataFrame(weights, geometry=places).set_axis(range(1, len(places) + 1), axis="index")


def _addresses(table: pd.DataFrame, path: Path) -> gpd.GeoSeries:
    """Points of a BAN table; a row without coordinates has none."""
    if not {"lon", "lat"} <= set(table.columns):
        raise DataError(f"{path.name} has no columns lon and lat.", way_out="Give a BAN table or a layer of points.")
    axes = [pd.to_numeric(table[axis].str.replace(",", "."), errors="coerce") for axis in ("lon", "lat")]
    unread = (axes[0].isna() & table["lon"].notna()) | (axes[1].isna() & table["lat"].notna())
    if unread.any():
        raise DataError(
            f"{path.name}: {int(unread.sum())} rows have coordinates that are no numbers.",
            problems=[f"row {row + 1}: {table['lon'][row]!r}, {table['lat'][row]!r}" for row in table.index[unread]],
            way_out="Correct them, or leave them empty.",
        )
    return gpd.GeoSeries(gpd.points_from_xy(*axes), crs=4326).where(axes[0].notna() & axes[1].notna(), None)


def _weights(columns: pd.DataFrame, name: str, path: Path) -> pd.Series:
    """Column that says how many times each point counts; a decimal comma is read."""
    if name not in columns.columns:
        names = [str(column) for column in columns.columns]
        lower = {column.lower(): column for column in names}
        near = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=5)]
        raise UsageError(
            f"{path.name} has no column {name!r} to weigh its points by.",
            problems=[f"there is {column!r}" for column in near or names],
            way_out="Name one of its columns: --weight COLUMN.",
        )
    given = columns[name]
    return given.str.replace(",", ".") if pd.api.types.is_string_dtype(given) else given
