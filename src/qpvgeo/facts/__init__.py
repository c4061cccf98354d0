"""Small tables of law and of published figures, each row with its source.

Which list of QPV was in force on a day, how many people live in each department, which figures were published.
Nothing here is computed from a file of the user; nothing here is repeated elsewhere in the code.
"""

from qpvgeo.facts.figures import census_populations, department_counts, qpv_populations, region_populations
from qpvgeo.facts.lists_in_force import FIRST_DAY, LAST_RELEASE, caveats, expected_counts, geography, unsettled
from qpvgeo.facts.tables import TABLES, names, region_by_department, region_of, rows, table

__all__ = [
    "FIRST_DAY",
    "LAST_RELEASE",
    "TABLES",
    "caveats",
    "census_populations",
    "department_counts",
    "expected_counts",
    "geography",
    "names",
    "qpv_populations",
    "region_by_department",
    "region_of",
    "region_populations",
    "rows",
    "table",
    "unsettled",
]
