"""Tables of facts, as text rows or as frames."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from qpvgeo.errors import UsageError, judged
from qpvgeo.language import Note

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "names", "region_by_department", "region_of", "rows", "table"]

TABLES = (
    "breaks",
    "decrees",
    "departments",
    "designation_methods",
    "designation_rules",
    "ept_communes",
    "epts",
    "errata",
    "fiscal_rules",
    "headlines",
    "list_counts",
    "lists",
    "metropoles",
    "outlines",
    "populations",
    "programme_members",
    "programmes",
    "published_figures",
    "qpv_populations",
    "qpv_region_populations",
    "region_populations",
    "regions",
    "territories",
    "unions",
    "vat_territories",
)


@judged
@cache
def rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Rows of a table of facts, all text, without pandas.

    Parameters
    ----------
    name
        One of `TABLES`.

    Examples
    --------
    >>> [row["name"] for row in rows("regions") if row["code"] == "32"]
    ['Hauts-de-France']
    """
    if name not in TABLES:
        raise UsageError(Note("facts.no_table", name=str(name)), way_out=Note("facts.tables", names=", ".join(TABLES)))
    text = files("qpvgeo.facts").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(MappingProxyType(row) for row in csv.DictReader(text.splitlines()))


@judged
def table(name: str) -> "pd.DataFrame":
    """Give a table of facts as a frame.

    Parameters
    ----------
    name
        One of `TABLES`:

        - `lists` (counts by date and territory), `list_counts` (QPV of each department of the hexagone), `decrees`
          (signature, effect and Journal officiel dates), `errata` (of the published lists of communes);
        - `territories`, `regions`, `departments`, `unions` (former regions and other groups of departments), `epts`,
          `metropoles` (SIREN and usual names);
        - `populations` (municipal population of the departments by census), `region_populations` (of the regions, for
          the census whose departments are not held), `qpv_populations` (published populations in QPV by territory),
          `qpv_region_populations` (by region, for the year whose table is not held), `headlines`, `published_figures`
          (what the ledger holds against computed figures: see `qpvgeo.ledger`);
        - `fiscal_rules` (distances of the reduced VAT rate, by date of filing), `vat_territories` (VAT overseas);
        - `breaks` (of series by QPV, by indicator and years);
        - `outlines` (vertices of the coarse outlines drawn around each territory, ring by ring, degrees).

    Returns
    -------
    pandas.DataFrame
        Codes are text; years and populations are `Int64`; an empty cell is missing. The column `source` is always
        there; `open`, in `lists`, `decrees`, `fiscal_rules` and `breaks`, says what is not settled of a row.

    Raises
    ------
    UsageError
        There is no such table.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> decrees = qg.facts.table("decrees").set_index("id")
    >>> decrees.loc["2023-1314", ["signed_on", "in_force_on", "journal_disputed"]].tolist()
    ['2023-12-28', '2024-01-01', '2023-12-29 or 2023-12-30']
    """
    import pandas as pd  # noqa: PLC0415 - the facts themselves need no pandas

    frame = pd.DataFrame([dict(row) for row in rows(name)], dtype="str").replace({"": pd.NA})
    counted = {"n_qpv", "population", "vintage", "reference_year", "census_year", "year", "metric_epsg", "grid_epsg"}
    counted |= {"wholly_within_m", "partly_within_m", "last_year", "first_year"}
    if name == "published_figures":
        return frame  # values as they were printed
    for column in counted & set(frame.columns):
        frame[column] = pd.to_numeric(frame[column]).astype("Int64")
    for column in {"lon", "lat"} & set(frame.columns):
        frame[column] = pd.to_numeric(frame[column])
    return frame


@judged
@cache
def names(name: str) -> Mapping[str, str]:
    """Names by code of `territories`, `regions`, `departments`, `epts` or `metropoles`.

    Examples
    --------
    >>> names("departments")["2A"]
    'Corse-du-Sud'
    """
    return MappingProxyType({row["code"]: row["name"] for row in rows(name)})


@cache
def region_by_department() -> Mapping[str, str | None]:
    """Region of each department, that of the fictional sample included; None for a collectivity without a region.

    Examples
    --------
    >>> region_by_department()["59"], region_by_department()["978"]
    ('32', None)
    """
    return MappingProxyType({row["code"]: row["region"] or None for row in rows("departments")} | {"99": "99"})


@judged
def region_of(department: str) -> str | None:
    """Region of a department; the collectivity itself where it has no region, None for an unknown code.

    Examples
    --------
    >>> region_of("59"), region_of("974"), region_of("978"), region_of("20")
    ('32', '04', '978', None)
    """
    known = region_by_department()
    return (known[department] or department) if department in known else None
