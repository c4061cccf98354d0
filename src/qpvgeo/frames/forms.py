"""Forms of the frames that qpvgeo gives, and the provenance that each of them carries.

The canonical QPV frame is a GeoDataFrame indexed by `qpv_code`; `QPV_COLUMNS` names its columns, in order. Every frame
carries `attrs["qpvgeo"]`: where it comes from, what was repaired, with which version it was read. The content is plain
JSON, so that it survives GeoParquet.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames.require import require_columns, require_frame
from qpvgeo.language import Note

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "QPV_COLUMNS",
    "align_population",
    "as_notes",
    "by_label",
    "census_years",
    "people_of",
    "poverty_by_people",
    "reference_year",
    "regions_of",
    "require_one_geography",
    "require_qpv",
    "whole_sums",
]

QPV_COLUMNS = ("name", "vintage", "release", "territory", "department", "region", "communes", "geometry")


def regions_of(departments: Iterable[Any]) -> list[str]:
    """Codes of the regions that departments lie in; a collectivity without a region stands for itself.

    Examples
    --------
    >>> regions_of(["59", "62", "978"])
    ['32', '978']
    """
    return sorted({facts.region_of(str(code)) or str(code) for code in set(departments) if not pd.isna(code)})


def require_qpv(qpv: "gpd.GeoDataFrame") -> None:
    """Raise one error that lists all that keeps a frame from being a canonical QPV frame.

    Raises
    ------
    DataError
        The index is not made of unique QPV codes, columns are missing, or the projection is not known.
    """
    require_frame(qpv, "`qpv`")
    problems: list[str] = [
        Note("frames.no_column", column=column) for column in QPV_COLUMNS if column not in qpv.columns
    ]
    if qpv.index.nlevels > 1:
        problems.append(Note("frames.index_of_levels", levels=qpv.index.nlevels))
    else:
        index = qpv.index.to_series().astype("str")
        unknown = index[index.isna() | index.map(official.vintage_of, na_action="ignore").isna()]
        problems += [Note("frames.not_a_qpv_code", label=str(code)) for code in unknown]
        counts = index.value_counts()
        problems += [Note("frames.several_rows", label=code, count=count) for code, count in counts[counts > 1].items()]
    if "geometry" in qpv.columns and getattr(qpv, "crs", None) is None:
        problems.append(Note("frames.no_crs"))
    if problems:
        raise DataError(Note("frames.not_a_qpv_frame"), problems=problems, way_out=Note("frames.make_qpv"))


def require_one_geography(
    qpv: Iterable[Any], tables: Mapping[str, Iterable[Any]], looked_up: Mapping[str, Iterable[Any]] | None = None
) -> None:
    """Raise one error that lists the tables whose QPV are not of the geography of others.

    Parameters
    ----------
    qpv
        Codes of QPV, of one geography.
    tables
        Codes of each table by its name: all must be of that geography.
    looked_up
        The same for tables in which figures are looked up: some must be.

    Raises
    ------
    DataError
        Tables are of the other geography, or the QPV are of both.

    Examples
    --------
    >>> require_one_geography(["QP001001"], {"links": ["QP001002"]}, {"income": ["QN00101M", "QP001001"]})
    """
    here = _first_of(qpv)
    problems = [
        Note("frames.of_geography", name="qpv", code=code, vintage=year)
        for year, code in (here.items() if len(here) > 1 else ())
    ]
    for name, codes in {**tables, **(looked_up or {})}.items():
        there = _first_of(codes)
        if name not in tables and set(there) & set(here):
            continue
        other = {year: code for year, code in there.items() if year not in here}
        problems += [Note("frames.of_geography", name=name, code=code, vintage=year) for year, code in other.items()]
    if here and problems:
        known = next(iter(here))
        problems.insert(0, Note("frames.of_geography", name="qpv", code=here[known], vintage=known))
        raise DataError(
            Note("frames.geographies_differ"),
            problems=dict.fromkeys(problems),
            way_out=Note("frames.geographies_way_out"),
        )


def _first_of(codes: Iterable[Any]) -> dict[int, str]:
    """Geographies of codes, with the first code of each; what is not the code of a QPV is of none."""
    found: dict[int, str] = {}
    for code in dict.fromkeys(map(str, codes)):
        vintage = official.vintage_of(code)
        if vintage is not None:
            found.setdefault(vintage, code)
    return found


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
        The table is of the other geography, holds none of the codes, has several rows for one, or holds what is no
        number of people.
    UsageError
        It is neither a frame nor a series.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"population": [1200, 800]}, index=["QP001001", "QP001002"])
    >>> align_population(pd.Index(["QP001002", "QP001003"]), people).tolist()
    [800.0, <NA>]
    """
    if population is None:
        return pd.Series(pd.NA, index=index, dtype="Float64")
    people = people_of(population)
    repeated = people.index[people.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            Note("frames.repeated_people"),
            problems=[str(label) for label in repeated],
            way_out=Note("frames.one_row_each"),
        )
    if people.index.nlevels > 1:
        # a QPV with a secret part has no known sum
        people = whole_sums(people.groupby(level=0))
    if len(index) and not len(people):
        raise DataError(Note("frames.no_people"), way_out=Note("frames.look_at_file"))
    if len(index) and not people.index.isin(index).any():
        here, there = official.vintage_of(str(index[0])), official.vintage_of(str(people.index[0]))
        first = {"table": str(people.index[0]), "qpv": str(index[0])}
        if here != there and here is not None and there is not None:
            raise DataError(
                Note("frames.other_geography", **first, here=here, there=there),
                way_out=Note("frames.give_geography", here=here),
            )
        raise DataError(Note("frames.none_of_these", **first), way_out=Note("frames.same_territory"))
    return people.reindex(index)


def people_of(population: pd.DataFrame | pd.Series) -> pd.Series:
    """People of a table, as numbers; missing where it gives none.

    Parameters
    ----------
    population
        Frame with a column `population`, or people by label.

    Returns
    -------
    pandas.Series
        `Float64` on the index of the table.

    Raises
    ------
    DataError
        Lists the rows that hold text, negative or infinite numbers.
    UsageError
        It is neither a frame nor a series.

    Examples
    --------
    >>> import pandas as pd
    >>> people_of(pd.Series({"QP001001": 1200, "QP001002": None})).tolist()
    [1200.0, <NA>]
    """
    if not isinstance(population, pd.DataFrame | pd.Series):
        raise UsageError(
            Note("frames.no_populations", kind=type(population).__name__), way_out=Note("frames.make_population")
        )
    if isinstance(population, pd.Series):
        population = population.to_frame("population")
    require_columns(population, ["population"], what=Note("frames.the_populations"))
    raw = population["population"]
    if isinstance(raw, pd.DataFrame):
        raise DataError(Note("frames.several_columns", column="population"), way_out=Note("frames.rename_one"))
    people = pd.to_numeric(raw.astype("object"), errors="coerce").astype("Float64")
    values = people.to_numpy(dtype="float64", na_value=np.nan)
    told = raw.map(lambda value: isinstance(value, str | bool)).to_numpy(dtype=bool)
    wrong = told | (values < 0) | np.isinf(values) | (np.isnan(values) & raw.notna().to_numpy())
    if wrong.any():
        raise DataError(
            Note("frames.not_people", count=int(wrong.sum())),
            problems=[
                Note("frames.value_of", label=_label(label), value=_shown(value)) for label, value in raw[wrong].items()
            ],
            way_out=Note("frames.people_way_out"),
        )
    return people


def _shown(value: Any) -> str:  # noqa: ANN401 - a cell
    """A value as a message shows it: text in quotes, a number without its type."""
    return repr(value) if isinstance(value, str) else str(value)


def _label(label: Any) -> str:  # noqa: ANN401 - a label, or one of several levels
    return " / ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def as_notes(notes: Iterable[str], index: pd.Index) -> pd.Series:
    """Column of notes: of objects, since a column of text would forget their keys.

    Examples
    --------
    >>> column = as_notes([Note("frames.no_crs"), ""], pd.Index(["a", "b"]))
    >>> column["a"].key, column["b"]
    ('frames.no_crs', '')
    """
    return pd.Series(list(notes), index=index, dtype="object")


def by_label(values: pd.Series) -> dict[Any, Any]:
    """Values that are not missing, by their label: a tenth of the time that `to_dict` takes over Arrow strings.

    Examples
    --------
    >>> by_label(pd.Series(["Port-Brume", None], index=["99001", "99002"], dtype="str"))
    {'99001': 'Port-Brume'}
    """
    known = values.dropna()
    return dict(zip(known.index.tolist(), known.tolist(), strict=True))


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


def whole_sums(by: Any) -> Any:  # noqa: ANN401 - groups of a frame or of a series
    """Sum each group; missing where a value of it is, for what is not known adds up to nothing.

    Examples
    --------
    >>> people = pd.Series([1, 2, None], dtype="Int64")
    >>> whole_sums(people.groupby(["a", "a", "b"])).tolist()
    [3, <NA>]
    """
    return by.sum().where(by.count().eq(by.size(), axis=0))
