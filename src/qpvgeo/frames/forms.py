"""Forms of the frames that qpvgeo gives, and the provenance that each of them carries.

The canonical QPV frame is a GeoDataFrame indexed by `qpv_code`; `QPV_COLUMNS` names its columns, in order. Every frame
carries `attrs["qpvgeo"]`: where it comes from, what was repaired, with which version it was read. The content is plain
JSON, so that it survives GeoParquet.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError
from qpvgeo.frames.require import require_columns

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "QPV_COLUMNS",
    "align_population",
    "census_years",
    "poverty_by_people",
    "reference_year",
    "region_by_department",
    "regions_of",
    "require_qpv",
]

QPV_COLUMNS = ("name", "vintage", "release", "territory", "department", "region", "communes", "geometry")


@cache
def region_by_department() -> Mapping[str, str | None]:
    """Region of each department, that of the sample included; None for a collectivity that lies in none.

    Examples
    --------
    >>> region_by_department()["59"], region_by_department()["978"]
    ('32', None)
    """
    regions = {row["code"]: row["region"] or None for row in facts.rows("departments")}
    return MappingProxyType({**regions, territories.SAMPLE: territories.SAMPLE})


def regions_of(departments: Iterable[Any]) -> list[str]:
    """Codes of the regions that departments lie in; a collectivity without a region stands for itself.

    Examples
    --------
    >>> regions_of(["59", "62", "978"])
    ['32', '978']
    """
    regions = region_by_department()
    return sorted({regions.get(str(code)) or str(code) for code in set(departments) if not pd.isna(code)})


def require_qpv(qpv: "gpd.GeoDataFrame") -> None:
    """Raise one error that lists all that keeps a frame from being a canonical QPV frame.

    Raises
    ------
    DataError
        The index is not made of unique QPV codes, columns are missing, or the projection is not known.
    """
    problems = [f"no column {column!r}" for column in QPV_COLUMNS if column not in qpv.columns]
    index = qpv.index.to_series().astype("str")
    unknown = index[index.map(official.vintage_of, na_action="ignore").isna()]
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
        here, there = official.vintage_of(str(index[0])), official.vintage_of(str(people.index[0]))
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
    places = population.index.get_level_values(0).map(
        lambda code: territories.of_department(official.of_qpv(str(code)))
    )
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
