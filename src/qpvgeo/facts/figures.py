"""Published populations: of departments by census, of the QPV of each territory."""

from qpvgeo.errors import UsageError
from qpvgeo.facts.tables import rows

__all__ = ["census_populations", "qpv_populations"]


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
            f"The facts hold no populations of {reference_year}.", way_out=f"They hold those of {', '.join(years)}."
        )
    return held


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
