"""Is this point in a QPV, and how far is the boundary? An exact answer for each row, or the reason for having none.

A point is `in` when a perimeter covers it (boundary included), `out` when it is known to lie in none, and `unknown` in
every other case, with the reason. Distances are those of the legal texts: to the boundary, in metres of the legal
projection of the territory, never to a vertex and never by a buffer.

Source of the distances that matter (300 and 500 m): CGI article 278 sexies; see `qpvgeo.vat_zone` for the rules, which
apply to buildings and not to points.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import provenance, require
from qpvgeo.frames.interchange import Returns, described, require_returns, speaks_arrow, table_of
from qpvgeo.language import Note
from qpvgeo.tagging.arrow_points import points_of_arrow
from qpvgeo.tagging.batch_tagger import Tagger
from qpvgeo.tagging.coordinates import Coordinates, columns_fault, coordinates_of, crs_fault
from qpvgeo.tagging.options import Distance, Options
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.tolerance import BAN_MIN_SCORE, BAN_SCORES, BAN_TYPES, tolerance_of

__all__ = ["BAN_MIN_SCORE", "BAN_SCORES", "BAN_TYPES", "Distance", "tag_points"]


@judged
def tag_points(  # noqa: PLR0913 - options, and the form of the points
    points: Any,  # noqa: ANN401 - one of several forms, see below
    qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame] | PerimeterIndex,
    *,
    bands: Sequence[float] = (300, 500),
    distance: Distance = "exact",
    on: Any = None,  # noqa: ANN401 - a date, or its text
    tolerance_m: Any = 0.0,  # noqa: ANN401 - a number, a column, or one for each point
    xy: tuple[str, str] | str | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj reads
    commune: str | None = None,
    communes: gpd.GeoDataFrame | None = None,
    returns: Returns = "pandas",
) -> pd.DataFrame | pa.Table:
    """Tag each point: in a perimeter or out of all, in which one, and at what distance from the nearest boundary.

    Parameters
    ----------
    points
        GeoDataFrame or GeoSeries of points; DataFrame with columns of coordinates; a frame that speaks the Arrow
        PyCapsule interface (pyarrow, polars, DuckDB), with such columns, with points of GeoArrow or in WKB; or a pair
        of arrays, eastings or longitudes first.
    qpv
        Perimeters, of one vintage or several (a list of frames), or a `PerimeterIndex` built once and used again.
    bands
        Ascending distances in metres that the points outside are sorted by; `()` gives in or out alone.
    distance
        - `exact`: metres to the nearest boundary; 0 inside.
        - `signed`: the same, and inside minus the distance to the boundary of the perimeter that covers the point.
        - `band`: the band alone.
    on
        A day (`"2019-03-14"`): each territory is tagged by the geography in force on it. None tags by each vintage
        given. From 12 August 2025 to 14 January 2026 a point of Mayotte in no QPV of the list of 2025 is unknown:
        whether every commune was a QPV already is not established. The notes list what is not known of the lists.
    tolerance_m
        Uncertainty of the locations in metres: one number up to 2 km, the name of a column, a Series or an array
        (decimal commas are read). A point nearer to a boundary than its tolerance is unknown. In a column, a tolerance
        that is missing, negative, not a number or more than 2 km (or than the index measures) makes the location too
        coarse: counted in the notes. A point that its tolerance makes unknown has no band, and one too coarse no
        distance either; nothing else changes. `"ban"` takes the columns `type` (or `result_type`) and `score` (or
        `result_score`) of the geocoder of the BAN: `housenumber` with a score of 0.5 or more is certain, anything else
        too coarse.
    xy
        Columns of the coordinates of a DataFrame, eastwards first, or the one column whose cells hold both (WKT,
        GeoJSON, `lat, lon`). By default those with a published name: `lon` and `lat`, `x_longitude` and `y_latitude`,
        `geo_point_2d`, `coordonneesXY`, `x` and `y` beside `epsg` or `code_epsg`, `geometry`, `wkt`.
    crs
        CRS of a DataFrame or of arrays, or the name of the column that gives the projection of each row: its
        EPSG number, its name (`LAMB93`, `RGR92UTM40`), or its commune, whose legal projection is taken.
    commune
        Column of the codes of communes of the points: a point that lies elsewhere is `unknown` (`commune and place
        disagree`), and `commune_check` says what was tested.
    communes
        Outlines of communes (`qpvgeo.read_communes`) or of departments, indexed by code: the codes are tested against
        them, to 500 m. Without them a code is tested against the territory, and against the QPV of its department (200
        km at most).
    returns
        `pandas`, or `pyarrow`: a table with the same columns and no labels, whose types do not depend on the rows
        (texts as dictionaries); the provenance is in its metadata, as JSON.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        A row for each point, in the same order, on the same index, which may repeat:

        - `state`: `in`, `out` or `unknown` (categories).
        - `reason`: why it is unknown (one of `qpvgeo.tagging.placement.REASONS`); missing otherwise.
        - `qpv_code`: the perimeter that covers the point; where several do, the smallest, then the lowest label.
        - `qpv_name`, `qpv_commune`: its name, and the communes that it lies in, where the perimeters give them.
        - `also_in`: the others that cover it, separated by commas; missing for none.
        - with bands, unless `distance="band"`: `nearest_qpv` and `distance_m` (metres, legal projection) up to the
          widest band, missing beyond it and where the point has no place.
        - with bands: `band`, ordered categories: `in`, `within 300 m`, `within 500 m`, `beyond 500 m`; missing where
          unknown.
        - with `on`: `vintage` of the geography in force.
        - with `communes`: `point_commune` and `point_department`, where the point lies (the department alone where
          departments are given).
        - with `commune`: `commune_check`, one of `qpvgeo.tagging.commune_check.CHECKS`; missing where the code is, or
          cannot be tested.

        Several vintages without `on` give each column once for each of them, with the year at the end: `state_2015`,
        `state_2024`. `attrs["qpvgeo"]` holds sources and vintages, and `notes`: perimeters without outline, most points
        outside France (is `crs` right?), unusable tolerances.

    Raises
    ------
    DataError
        The CRS is missing, shapes are not points, a table has no columns of longitude and latitude, or two of one name.
    UsageError
        Bands, distance, day, tolerance, columns or CRS are invalid: all are listed. Named columns are missing,
        tolerances are more or fewer than points, there are no perimeters, or an index does not measure as far as the
        bands and the tolerance of all points.

    Notes
    -----
    The boundary belongs to the perimeter, as for `shapely.covers`. Of two perimeters at the same distance, the
    smallest, then the lowest label is the nearest. The published outlines are at a scale of 1:4,000: tags are
    indicative near a boundary, and `tolerance_m` says so. A point of a territory whose perimeters were not given is
    unknown. Perimeters of a part of a territory (an extract) are tagged as if there were no others: `out` is then out
    of the perimeters given. A perimeter without an outline covers nothing; where its outline was lost in repair, the
    points that it may cover are unknown. A warning and `attrs["qpvgeo"]["notes"]` say so;
    `attrs["qpvgeo"]["without_outline"]` lists them.

    Source of the perimeters in force: `qpvgeo.geography`.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> middle = qpv.geometry.iloc[0].representative_point()
    >>> tags = tag_points(([middle.x, -3.7, 45.97, None], [middle.y, 45.9, -3.6, 46.0]), qpv, crs=4326)
    >>> tags["state"].tolist(), tags["reason"][2]
    (['in', 'out', 'unknown', 'unknown'], 'latitude and longitude look swapped')
    >>> len(tag_points(([], []), qpv, crs=4326))
    0
    """
    options = Options(bands=bands, distance=distance, on=on, tolerance_m=tolerance_m, xy=xy, crs=crs, commune=commune)
    require_returns(returns)
    if speaks_arrow(points):
        options.require()
        points, found = points_of_arrow(table_of(points), xy, crs, _beside(tolerance_m, commune))
    else:
        found = _located(points, options)
    tolerance = tolerance_of(points, tolerance_m, found.index)
    index = qpv
    if not isinstance(index, PerimeterIndex):
        index = PerimeterIndex(index, reach_m=max(options.needed, tolerance.widest))
    tagger = Tagger.prepare(index, options, communes=communes)
    tagged = tagger.tag(found, tolerance, None if commune is None else _column(points, commune))
    about = provenance.record(
        index.files,
        vintages=list(index.vintages),
        on=None if on is None else str(on),
        bands=list(options.limits),
        distance=distance,
        without_outline=index.without_outline,
        notes=[*tagger.notes, *tagged.counted.notes(found.crs, index.reach_m)],
        counted=asdict(tagged.counted),
        fictional=index.fictional,
    )
    if returns == "pyarrow":
        return described(pa.Table.from_batches([tagged.batch()]), about)
    return provenance.stamped(tagged.frame(found.index), about)


def _located(points: Any, options: Options) -> Coordinates:  # noqa: ANN401 - one of several forms
    """Coordinates of points that are no Arrow table, once the options are judged."""
    xy, crs = options.xy, options.crs
    options.require(xy=columns_fault(points, xy), crs=crs_fault(points, crs))
    if isinstance(points, gpd.GeoDataFrame) and points.active_geometry_name is None:
        raise UsageError(Note("tagging.no_active_geometry"), way_out=Note("tagging.set_geometry"))
    return coordinates_of(points, xy=xy, crs=crs)


def _beside(tolerance_m: Any, commune: str | None) -> list[str]:  # noqa: ANN401 - whatever was given
    """Columns that are read besides the coordinates."""
    named = [commune, tolerance_m] if isinstance(tolerance_m, str) else [commune]
    return [name for name in (*named, *BAN_TYPES, *BAN_SCORES) if isinstance(name, str)]


def _column(points: Any, name: str) -> pd.Series:  # noqa: ANN401 - one of several forms
    """Column of the points."""
    if not isinstance(points, pd.DataFrame) or name not in points.columns:
        raise UsageError(
            Note("tagging.no_columns"),
            problems=[Note("tagging.no_column", column=name)],
            way_out=require.columns_told(getattr(points, "columns", [])),
        )
    require.require_once(points, [name])
    return points[name]
