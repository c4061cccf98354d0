"""Columns of a table that say where its rows are, known by their names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyproj

from qpvgeo.codes import official, territories
from qpvgeo.errors import UsageError
from qpvgeo.formats.cells import normalise
from qpvgeo.frames import require
from qpvgeo.geometry.projection import DEGREES
from qpvgeo.language import Note

__all__ = [
    "Location",
    "columns_of_points",
    "coordinate_columns",
    "epsg_of_commune",
    "epsg_of_label",
    "is_projection",
]

_NAMES = (("lon", "lat"), ("longitude", "latitude"), ("long", "lat"), ("lng", "lat"), ("x_longitude", "y_latitude"))

_EPSG_LAMBERT_93 = 2154

_LAMBERT_93 = tuple(
    (form.format("x", name), form.format("y", name))
    for name in ("l93", "lambert93", "lambert_93", "lamb93", "rgf93", "2154", "epsg_2154", "rgf93_l93")
    for form in ("{0}_{1}", "{0}{1}", "coord_{0}_{1}", "coordonnee_{0}_{1}", "{1}_{0}", "{0}_coord_{1}")
)

_NORTH = {"lon": "lat", "long": "lat", "lng": "lat", "longitude": "latitude"}

_PROJECTED = {"l93", "lambert", "lambert93", "2154", "utm"}

_EPSG = (
    *("epsg", "code_epsg", "epsg_code", "srid", "srs", "crs", "scr", "code_projection", "code_proj", "projection"),
    *("type_projection", "type_proj", "systeme_projection", "systeme_de_projection", "systeme_coordonnees"),
    *("systeme_de_coordonnees", "proj", "nom_projection", "referentiel_spatial"),
)
"""Columns that give the projection of each row, by its number or its name."""

_SIRENE = ("coordonneelambertabscisseetablissement", "coordonneelambertordonneeetablissement")
"""Columns of the stock of Sirene: Lambert-93, overseas the legal projection of the territory."""

_PROJECTED_PAIRS = (
    *(("x", "y"), _SIRENE, ("lambert_x", "lambert_y"), ("x_lambert", "y_lambert"), ("coord_x", "coord_y")),
    *(("coordx", "coordy"), ("x_coord", "y_coord"), ("coordonnee_x", "coordonnee_y"), ("abscisse", "ordonnee")),
)
"""Columns that say where a row is once its projection is known."""

_COMMUNES = (
    *("codecommuneetablissement", "code_commune_etablissement", "plg_code_commune", "depcom", "codgeo"),
    *("code_commune", "code_insee", "insee_com", "code_insee_commune", "com_insee"),
)
"""Columns of communes, which say the legal projection of each row."""

_LABELS = {
    **dict.fromkeys(("lamb93", "lambert93", "l93", "rgf93", "rgf93lamb93", "rgf93lambert93", "rgf93v1lambert93"), 2154),
    **dict.fromkeys(("rgaf09utm20", "rrafutm20"), 5490),
    **dict.fromkeys(("rgfg95utm22", "utm22rgfg95"), 2972),
    **dict.fromkeys(("rgr92utm40", "utm40rgr92"), 2975),
    **dict.fromkeys(("rgm04utm38", "utm38rgm04"), 4471),
    **dict.fromkeys(("rgspm06utm21", "rgspm06u21"), 4467),
    **dict.fromkeys(("rgpfutm6",), 3297),
    **dict.fromkeys(("wgs84utm20", "utm20w84", "utm20w84guad", "utm20w84mart", "utm20wgs84"), 32620),
    **dict.fromkeys(("lambe", "lambert2etendu", "lambertiietendu", "lambert2e", "l2e"), 27572),
    **dict.fromkeys(("wgs84", "wgs84g", "wgs1984", "gps"), 4326),
    "rgf93g": 4171,
}
"""Names of projections as IGN and Insee write them, without marks, zone or hemisphere."""

_CELLS = (
    *("geo_point_2d", "geo_point", "geopoint", "coordonneesxy", "coordonnees_xy", "geolocalisation", "geoloc"),
    *("coordonnees_gps", "coordonnees_geo", "coordonnees_geographiques", "coordonnees", "coordinates", "lat_lon"),
    *(
        "geolocetablissement",
        "geoloc_etablissement",
        "lat_long",
        "latitude_longitude",
        "latlon",
        "lat_lng",
        "latlng",
        "gps",
        "position",
        "localisation",
        "location",
        "point_geo",
        "geopoint_2d",
    ),
)

_SHAPE_CELLS = ("wkt", "geojson", "geo_shape", "geometry", "geom", "the_geom", "wkt_geom", "geometrie", "shape")
"""Columns of which a cell holds both coordinates."""

_GEOJSON_CELLS = ("geojson", "geo_shape")


@dataclass(frozen=True, slots=True)
class Location:
    """Columns of a table that say where its rows are.

    Attributes
    ----------
    columns
        Eastwards and northwards; or the one column of which a cell holds both.
    crs
        Their projection; None where `crs_column` gives that of each row; where that is a column of communes, the
        projection of rows whose commune is not known.
    crs_column
        Column of EPSG numbers, of names of projections, or of communes.
    """

    columns: tuple[Any, ...]
    crs: Any = None
    crs_column: Any = None

    @classmethod
    def found(cls, names: Iterable[Any]) -> "Location | None":
        """Location by the published names of columns; None where there are none.

        In this order: degrees (`lon` and `lat`, and the like); `geo_point_2d`; `x` and `y` and the like beside a column
        of projections (EPSG numbers, or names such as `LAMB93` and `RGR92UTM40`); names that say Lambert-93 (`x_l93`
        and `y_l93`); the columns of Sirene, in the legal projection of the commune of each row where a column names
        it, else in Lambert-93; a column of WKT, in the projection
        of each row where a column gives it, or of GeoJSON. `x` and `y` alone are not taken: in the national table of
        addresses their projection changes with the territory.

        Examples
        --------
        >>> Location.found(["x", "y", "code_epsg"])
        Location(columns=('x', 'y'), crs=None, crs_column='code_epsg')
        """
        names = list(names)
        lower = _bare(names)
        if pair := coordinate_columns(names):
            return cls(pair, DEGREES)
        cell = next((lower[name] for name in _CELLS if name in lower), None)
        epsg = next((lower[name] for name in _EPSG if name in lower), None)
        pair = next((pair for pair in _PROJECTED_PAIRS if set(pair) <= set(lower)), None)
        if cell is None and epsg is not None and pair is not None:
            return cls((lower[pair[0]], lower[pair[1]]), None, epsg)
        lambert = next((pair for pair in _LAMBERT_93 if set(pair) <= set(lower)), None)
        if cell is None and lambert is not None:
            return cls((lower[lambert[0]], lower[lambert[1]]), _EPSG_LAMBERT_93)
        if cell is None and set(_SIRENE) <= set(lower):
            commune = next((lower[name] for name in _COMMUNES if name in lower), None)
            return cls((lower[_SIRENE[0]], lower[_SIRENE[1]]), _EPSG_LAMBERT_93, commune)
        if cell is None:
            cell = next((lower[name] for name in _SHAPE_CELLS if name in lower), None)
            # GeoJSON is in degrees, whatever stands beside it
            if cell is not None and epsg is not None and normalise(cell) not in _GEOJSON_CELLS:
                return cls((cell,), None, epsg)
        return None if cell is None else cls((cell,), DEGREES)

    @classmethod
    def of(cls, names: Sequence[Any], xy: Any, crs: Any, *, others: Sequence[str] = ()) -> "Location | None":  # noqa: ANN401
        """Location named by the caller, else by the published names; None for neither.

        Raises
        ------
        UsageError
            Named columns are not there, or `crs` is neither a projection nor a column.
        """
        named = () if xy is None else (xy,) if isinstance(xy, str) else tuple(xy)
        by_row = isinstance(crs, str) and not is_projection(crs)
        wanted = [*named, *([crs] if by_row else [])]
        absent = [name for name in dict.fromkeys([*wanted, *others]) if name not in names]
        if absent:
            raise UsageError(
                Note("tagging.no_columns"),
                problems=[Note("tagging.no_column", column=str(name)) for name in absent],
                way_out=require.columns_told(names),
            )
        found = cls(named) if named else cls.found(names)
        if found is None:
            return None
        if by_row:
            return cls(found.columns, _EPSG_LAMBERT_93 if normalise(crs) in _COMMUNES else None, crs)
        if crs is None and found.crs_column is None and len(found.columns) == 1:
            return cls(found.columns, DEGREES)
        return found if crs is None else cls(found.columns, crs)


def columns_of_points(xy: Any = None) -> list[tuple[str, ...]]:  # noqa: ANN401
    """Sets of columns that locate the rows of a table: those named, else those that `Location.found` takes.

    Examples
    --------
    >>> columns_of_points()[0], columns_of_points(("x", "y"))
    (('lon', 'lat'), [('x', 'y')])
    """
    if xy is not None:
        return [(xy,) if isinstance(xy, str) else tuple(map(str, xy))]
    return [
        *_NAMES,
        *((name,) for name in _CELLS),
        *((*pair, name) for pair in _PROJECTED_PAIRS for name in _EPSG),
        _SIRENE,
        *_LAMBERT_93,
        *((name,) for name in _SHAPE_CELLS),
    ]


@lru_cache(maxsize=4096)
def epsg_of_label(label: str) -> int | None:
    """EPSG number of a projection by its number or the name that IGN or Insee gives it; None where it is not known.

    Examples
    --------
    >>> [epsg_of_label(label) for label in ("2154.0", "EPSG:2975", "LAMB93", "RGAF09 / UTM zone 20N", "Lambert")]
    [2154, 2975, 2154, 5490, None]
    """
    plain = re.sub(r"(?i)^\s*(?:urn:ogc:def:crs:)?(?:epsg|ignf):*|\.0+$", "", label.strip())
    if plain.isdecimal():
        return int(plain) if is_projection(int(plain)) else None
    bare = re.sub(r"zone|fuseau|nord|sud|_", "", normalise(plain))
    bare = re.sub(r"(?<=utm\d\d)[ns]|(?<=utm\d)[ns]", "", bare)
    if bare in _LABELS:
        return _LABELS[bare]
    try:
        found: int | None = pyproj.CRS.from_user_input(plain if ":" in plain else f"IGNF:{plain}").to_epsg()
    except pyproj.exceptions.CRSError:
        return None
    return found


@lru_cache(maxsize=1 << 16)
def epsg_of_commune(code: str) -> int | None:
    """EPSG number of the legal projection where a commune lies; None where the code is none.

    Examples
    --------
    >>> epsg_of_commune("97411"), epsg_of_commune("1004"), epsg_of_commune("?")
    (2975, 2154, None)
    """
    found, _ = official.repaired(code, "commune")
    territory = None if found is None else territories.of_department(official.of_commune(found) or "")
    return None if territory is None else territories.get(territory).epsg


def is_projection(crs: Any) -> bool:  # noqa: ANN401 - whatever was given
    """Whether pyproj reads a projection from it."""
    try:
        pyproj.CRS.from_user_input(crs)
    except (pyproj.exceptions.CRSError, TypeError):
        return False
    return True


def coordinate_columns(names: Iterable[Any]) -> tuple[Any, Any] | None:
    """Columns of longitude and latitude among some names, in any case; None where there are none.

    `x` and `y` are not taken: in the national table of addresses their projection changes with the territory.

    Examples
    --------
    >>> coordinate_columns(["id", "x", "y", "LON", "LAT"])
    ('LON', 'LAT')
    """
    lower = _bare(names)
    pairs = [*_NAMES, *dict.fromkeys(pair for name in lower if (pair := _pair_of(name)))]
    pair = next((pair for pair in pairs if set(pair) <= set(lower)), None)
    return None if pair is None else (lower[pair[0]], lower[pair[1]])


def _bare(names: Iterable[Any]) -> dict[str, Any]:
    """Names by their bare form; the first of those alike."""
    found: dict[str, Any] = {}
    for name in names:
        found.setdefault(normalise(name), name)
    return found


def _pair_of(name: str) -> tuple[str, str] | None:
    """Names of longitude and latitude, where one names a longitude in words: `gps_longitude`, `x_wgs84`, `lon_dd`."""
    words = name.split("_")
    easts = [place for place, word in enumerate(words) if word in _NORTH]
    if len(easts) != 1 and "wgs84" in words:
        easts = [place for place, word in enumerate(words) if word == "x"]
    if len(easts) != 1 or set(words) & _PROJECTED:
        return None
    north = [
        _NORTH.get(word, "y") if place == easts[0] else "y" if word == "x" else word for place, word in enumerate(words)
    ]
    return name, "_".join(north)
