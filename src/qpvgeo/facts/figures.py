"""Published figures: populations of departments and regions by census, QPV and their people by territory."""

from functools import cache

from qpvgeo.errors import UsageError, judged
from qpvgeo.facts.tables import rows
from qpvgeo.language import Note

__all__ = ["census_populations", "department_counts", "qpv_populations", "region_populations"]


@judged
def census_populations(reference_year: int) -> dict[str, tuple[int, int]]:
    """Municipal population of the departments: `{department: (population, year of the census)}`.

    Parameters
    ----------
    reference_year
        2013, 2019 or 2020. Mayotte has its own censuses (2012, 2017): the last one before is given.

    Raises
    ------
    UsageError
        The year is not among the facts.

    Examples
    --------
    >>> census_populations(2020)["59"], census_populations(2020)["976"]
    ((2607746, 2020), (256518, 2017))
    """
    held = {
        row["department"]: (int(row["population"]), int(row["census_year"]))
        for row in rows("populations")
        if int(row["reference_year"]) == reference_year
    }
    if not held:
        years = sorted({row["reference_year"] for row in rows("populations")})
        raise UsageError(
            Note("facts.no_populations", year=reference_year), way_out=Note("facts.years_held", years=years)
        )
    return held


@judged
def qpv_populations(vintage: int) -> dict[int, dict[str, tuple[int, int, int | None]]]:
    """Published populations in QPV: `{reference year: {territory: (n_qpv, population, census year or None)}}`.

    Examples
    --------
    >>> qpv_populations(2015)[2018]["hexagone"]
    (1296, 4829250, 2018)
    """
    found: dict[int, dict[str, tuple[int, int, int | None]]] = {}
    for row in rows("qpv_populations"):
        if int(row["vintage"]) == vintage:
            census = int(row["census_year"]) if row["census_year"] else None
            entry = (int(row["n_qpv"]), int(row["population"]), census)
            found.setdefault(int(row["reference_year"]), {})[row["territory"]] = entry
    return found


@judged
@cache
def region_populations(reference_year: int) -> dict[str, tuple[int, int]]:
    """Municipal population of the regions: `{region: (population, year of the census)}`.

    Only for 2018, whose populations by department are not held; empty for the other years.

    Examples
    --------
    >>> region_populations(2018)["03"], region_populations(2018)["06"], region_populations(2020)
    ((276128, 2018), (256518, 2017), {})
    """
    return {
        row["region"]: (int(row["population"]), int(row["census_year"]))
        for row in rows("region_populations")
        if int(row["reference_year"]) == reference_year
    }


@judged
@cache
def department_counts(vintage: int) -> dict[str, int]:
    """Number of QPV that the list of a geography has in each department of the hexagone.

    Examples
    --------
    >>> department_counts(2015)["59"], department_counts(2015)["48"], sum(department_counts(2024).values())
    (91, 0, 1362)
    """
    return {row["department"]: int(row["n_qpv"]) for row in rows("list_counts") if int(row["vintage"]) == vintage}
