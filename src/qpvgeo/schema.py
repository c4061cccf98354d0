"""Forms of the frames that qpvgeo gives, and the provenance that each of them carries.

The canonical QPV frame is a GeoDataFrame indexed by `qpv_code`; `QPV_COLUMNS` names its columns, in order. Every frame
carries `attrs["qpvgeo"]`: where it comes from, what was repaired, with which version it was read. The content is plain
JSON, so that it survives GeoParquet.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import qpvgeo
from qpvgeo import codes, facts, territories
from qpvgeo.errors import DataError, UsageError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "ATTRS_KEY",
    "QPV_COLUMNS",
    "align_population",
    "census_years",
    "columns_told",
    "file_record",
    "is_fictional",
    "poverty_by_people",
    "provenance",
    "reference_year",
    "regions_of",
    "require_columns",
    "require_once",
    "require_qpv",
    "require_unique_cells",
    "stamp",
]

ATTRS_KEY = "qpvgeo"

QPV_COLUMNS = ("name", "vintage", "release", "territory", "department", "region", "communes", "geometry")

_MANY_NAMES, _LONG_NAME = 50, 40


@lru_cache(maxsize=256)
def _sha256(path: str, _size: int, _modified: int) -> str:
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_record(path: Path, *, member: str | None = None) -> dict[str, Any]:
    """Name, SHA-256 and size of a file, and the member read when it is an archive.

    A file is hashed once as long as its size and date do not change.
    """
    state = path.stat()
    record = {
        "file": path.name,
        "sha256": _sha256(str(path.resolve()), state.st_size, state.st_mtime_ns),
        "bytes": state.st_size,
    }
    return record | ({"member": member} if member else {})


def provenance(frame: pd.DataFrame) -> dict[str, Any]:
    """Where a frame comes from: its `attrs["qpvgeo"]`, or an empty dictionary for a frame of another origin.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> provenance(qpv)["vintage"], provenance(qpv)["fictional"]
    (2024, True)
    """
    return dict(frame.attrs.get(ATTRS_KEY, {}))


def stamp(frame: pd.DataFrame, files: Iterable[Mapping[str, Any]] = (), **about: Any) -> pd.DataFrame:  # noqa: ANN401
    """Write the provenance of a frame into its attributes, and return the frame.

    Parameters
    ----------
    frame
        The frame; its attributes are changed in place.
    files
        Records made by `file_record`, in the order read.
    **about
        Whatever else is known (`vintage`, `release`, `repairs`, `notes`, ...), as plain JSON values.
    """
    frame.attrs[ATTRS_KEY] = {
        "read_with": f"qpvgeo {qpvgeo.__version__}",
        "files": [dict(record) for record in files],
        **about,
    }
    return frame


def regions_of(departments: Iterable[Any]) -> list[str]:
    """Codes of the regions that departments lie in; a collectivity without a region stands for itself.

    Examples
    --------
    >>> regions_of(["59", "62", "978"])
    ['32', '978']
    """
    regions = {row["code"]: row["region"] for row in facts.rows("departments")}
    return sorted({regions.get(str(code)) or str(code) for code in set(departments) if not pd.isna(code)})


def is_fictional(*frames: pd.DataFrame | None) -> bool:
    """Tell whether any of the frames was made from the embedded sample."""
    return any(provenance(frame).get("fictional", False) for frame in frames if frame is not None)


def columns_told(names: Iterable[Any]) -> str:
    """Sentence that lists columns, cut short where they are many or long: a file may be one line of megabytes.

    Examples
    --------
    >>> columns_told(["id", "x", "y"])
    'Its columns are: id, x, y.'
    """
    texts = [text if len(text) <= _LONG_NAME else f"{text[:_LONG_NAME]}..." for text in map(str, names)]
    more = f" and {len(texts) - _MANY_NAMES} more" if len(texts) > _MANY_NAMES else ""
    return f"Its columns are: {', '.join(texts[:_MANY_NAMES])}{more}." if texts else "It has no columns."


def require_columns(frame: pd.DataFrame, columns: Iterable[str], *, what: str, way_out: str = "") -> None:
    """Raise one error that lists every column missing from a frame.

    Raises
    ------
    DataError
        At least one column is missing.
    UsageError
        It is no frame.
    """
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"{what} is a {type(frame).__name__}, and no frame.", way_out=way_out)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"{what} lacks {len(missing)} column{'s' if len(missing) > 1 else ''}.",
            problems=[f"no column {column!r}" for column in missing],
            way_out=way_out or columns_told(frame.columns),
        )


def require_once(frame: pd.DataFrame, columns: Iterable[Any]) -> None:
    """Raise when a frame has several columns of one of some names.

    Raises
    ------
    DataError
        Lists them.
    """
    repeated = [name for name in dict.fromkeys(columns) if (frame.columns == name).sum() > 1]
    if repeated:
        raise DataError(
            "The table has several columns of one name.",
            problems=[f"column {name!r}" for name in repeated],
            way_out="Rename or drop one of each.",
        )


def require_qpv(qpv: "gpd.GeoDataFrame") -> None:
    """Raise one error that lists all that keeps a frame from being a canonical QPV frame.

    Raises
    ------
    DataError
        The index is not made of unique QPV codes, columns are missing, or the projection is not known.
    """
    problems = [f"no column {column!r}" for column in QPV_COLUMNS if column not in qpv.columns]
    index = qpv.index.to_series().astype("str")
    unknown = index[index.map(codes.vintage_of, na_action="ignore").isna()]
    problems += [f"{code!r} is not the code of a QPV" for code in unknown]
    problems += [f"{code!r} stands {count} times" for code, count in index.value_counts().items() if count > 1]
    if "geometry" in qpv.columns and getattr(qpv, "crs", None) is None:
        problems.append("the projection (CRS) is not known")
    if problems:
        raise DataError(
            "This is not a QPV frame.",
            problems=problems,
            way_out="Make it with qpvgeo.read_qpv(), which accepts every published form.",
        )


def align_population(index: pd.Index, population: pd.DataFrame | pd.Series | None) -> pd.Series:
    """People of each QPV of an index, from a published table; missing where the table says nothing.

    Parameters
    ----------
    index
        QPV codes.
    population
        Frame of `qpvgeo.read_population`, by QPV or by QPV and commune, or people by QPV code; None gives missing
        values.

    Returns
    -------
    pandas.Series
        `Float64` on the index given.

    Raises
    ------
    DataError
        The table is of the other geography, holds none of the codes, or has several rows for one.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"population": [1200, 800]}, index=["QP001001", "QP001002"])
    >>> align_population(pd.Index(["QP001002", "QP001003"]), people).tolist()
    [800.0, <NA>]
    """
    if population is None:
        return pd.Series(pd.NA, index=index, dtype="Float64")
    if isinstance(population, pd.Series):
        population = population.to_frame("population")
    require_columns(population, ["population"], what="The table of populations")
    people = population["population"].astype("Float64")
    repeated = people.index[people.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            "Rows stand several times in the table of populations.",
            problems=[str(label) for label in repeated],
            way_out="Keep one row for each QPV, or index the parts by QPV and commune.",
        )
    if people.index.nlevels > 1:
        # a QPV with a secret part has no known sum
        people = people.groupby(level=0).agg(lambda parts: parts.sum(skipna=False))
    if len(index) and not len(people):
        raise DataError("The table of populations is empty.", way_out="Look at the file it was read from.")
    if len(index) and not people.index.isin(index).any():
        here, there = codes.vintage_of(str(index[0])), codes.vintage_of(str(people.index[0]))
        message = (
            f"The table of populations holds none of these QPV: it starts with {people.index[0]}, they with {index[0]}."
        )
        if here != there:
            raise DataError(
                f"{message} The first is of the {there} geography, the second of that of {here}.",
                way_out=f"Give the table of the {here} geography.",
            )
        raise DataError(message, way_out="Give the table of the same territory.")
    return people.reindex(index)


def reference_year(population: pd.DataFrame | pd.Series | None) -> int | None:
    """Year that a table of populations stands for, None when it does not say one."""
    if not isinstance(population, pd.DataFrame) or "reference_year" not in population:
        return None
    years = population["reference_year"].dropna().unique()
    return int(years[0]) if len(years) == 1 else None


def census_years(population: pd.DataFrame | pd.Series | None) -> dict[str, int | None]:
    """Year of the census behind the people of each territory; None where the source does not state it."""
    if not isinstance(population, pd.DataFrame) or "census_year" not in population:
        return {}
    # an array, for pandas takes a list of one for the name of a level
    places = population.index.get_level_values(0).map(lambda code: territories.of_department(codes.of_qpv(str(code))))
    years = population["census_year"].groupby(places.to_numpy())
    return {str(place): int(year.iloc[0]) if year.notna().all() else None for place, year in years}


def poverty_by_people(grid: pd.DataFrame) -> bool:
    """Tell whether a grid gives poverty by people: rates that someone published without the households they are of.

    Examples
    --------
    >>> import pandas as pd
    >>> poverty_by_people(pd.DataFrame({"population": [12.0], "poor_population": [3.0]}))
    True
    """
    return "poor_population" in grid.columns and ("households" not in grid or bool(grid["households"].isna().all()))


def require_unique_cells(grid: pd.DataFrame) -> None:
    """Raise when cells of a grid stand several times: their people would be counted twice.

    Raises
    ------
    DataError
        Lists the cells.
    """
    repeated = grid.index[grid.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            "Cells stand several times in the grid.",
            problems=map(str, repeated),
            way_out="Make it with qpvgeo.read_grid(), from one file.",
        )
