"""Pieces of QPV with the unit that each belongs to, and what is counted of them."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError
from qpvgeo.frames import forms, require
from qpvgeo.indicators.selection import Stat, statistics
from qpvgeo.language import Note

__all__ = [
    "GRAND_PARIS",
    "PARIS",
    "UNKNOWN_EPT",
    "counted",
    "pieces_by_code",
    "pieces_by_commune",
    "pieces_of",
    "require_pairs_once",
    "required",
    "total",
]

PARIS, GRAND_PARIS = "75056", "200054781"

UNKNOWN_EPT = "EPT?"
"""Row of the communes of the Grand Paris whose EPT is not known."""

_LINKS = ("qpv_code", "commune", "population", "population_share", "area_m2", "basis")


def require_pairs_once(links: pd.DataFrame) -> None:
    """Refuse links in which a pair of QPV and commune is repeated, whose people would be counted twice.

    Raises
    ------
    DataError
        Lists the rows.
    """
    repeated = links.duplicated(["qpv_code", "commune"])
    if repeated.any():
        rows = links.loc[repeated, ["qpv_code", "commune"]].itertuples()
        raise DataError(
            Note("indicators.repeated_links"),
            problems=[
                Note("indicators.repeated_pair", row=str(row), qpv_code=str(code), commune=str(commune))
                for row, code, commune in rows
            ],
            way_out=Note("indicators.drop_duplicates"),
        )


def required(links: pd.DataFrame) -> pd.DataFrame:
    """Links whose people are numbers and whose pairs are there once.

    Raises
    ------
    DataError
        They are not, or there are none.
    UsageError
        It is not a frame.
    """
    require.require_columns(links, _LINKS, what=Note("indicators.links"), way_out=Note("indicators.make_links"))
    if not len(links):
        raise DataError(Note("indicators.no_links"), way_out=Note("indicators.make_links"))
    require_pairs_once(links)
    if "qpv_area_m2" not in links.columns:
        links = links.assign(qpv_area_m2=links["area_m2"] / links["area_share"])
    return links.assign(population=forms.people_of(links["population"]))


def pieces_of(links: pd.DataFrame) -> pd.DataFrame:
    """Pieces of QPV, before they are given a unit."""
    pieces = links[["qpv_code", "commune", "population", "area_m2", "qpv_area_m2"]].copy()
    several = links["population_share"] < 1.0
    pieces["by_area"] = links["population"].where(several & (links["basis"] == "area"), 0.0)
    pieces["department"] = links["qpv_code"].map(official.of_qpv)
    pieces["territory"] = pieces["department"].map(territories.of_department)
    pieces["epci"], pieces["ept"] = links["epci"], links["ept"]
    pieces["commune_department"] = links["department"]
    return pieces


def pieces_by_commune(links: pd.DataFrame, by: str) -> pd.DataFrame:
    """Pieces of QPV with the unit of their commune."""
    pieces = pieces_of(links)
    if by == "territory":
        own = links["department"].map(territories.of_department, na_action="ignore")
    elif by == "ept":
        inside = links["ept"].where(links["commune"] != PARIS, links["commune"])
        # a commune of the Grand Paris whose EPT is not known counts in none, not in the métropole
        lost = inside.isna() & (links["epci"] == GRAND_PARIS)
        own = inside.where(~lost, UNKNOWN_EPT).where(inside.notna() | lost, links["epci"])
    elif by == "region":
        own = links["region"].where(links["region"].notna(), links["department"])
    else:
        own = links[by]
    own = own.astype("str")
    # a QPV that lies in one unit is not shared out between units, into however many communes it was
    alone = own.fillna("").groupby(links["qpv_code"]).transform("nunique") == 1
    return pieces.assign(unit=own, by_area=pieces["by_area"].where(~alone, 0.0))


def pieces_by_code(links: pd.DataFrame, by: str) -> pd.DataFrame:
    """QPV whole, with their people and their area, and the unit that their code names."""
    pieces = pieces_of(links)
    kept = ["territory", "department", "qpv_area_m2", "epci", "ept", "commune", "commune_department"]
    pieces = pieces.groupby("qpv_code", as_index=False, sort=False).agg(
        {"population": total, **dict.fromkeys(kept, "first")}
    )
    own = {
        "department": pieces["department"],
        "territory": pieces["territory"],
        "region": pieces["department"].map(facts.region_of),
    }[by]
    unit = own.fillna(pieces["department"]).astype("str")
    return pieces.assign(area_m2=pieces["qpv_area_m2"], by_area=0.0, unit=unit)


def total(values: pd.Series) -> Any:  # noqa: ANN401 - a number or missing
    """Sum of what is known; missing where nothing is."""
    return values.sum(min_count=1)


def counted(placed: pd.DataFrame, stats: Iterable[Stat]) -> pd.DataFrame:
    """Number, people and area of the QPV of each unit, and how many lack people or an outline."""
    grouped = placed.groupby("unit", dropna=False)
    no_area = placed["area_m2"].isna()
    parts = {
        "n_with_population": placed["population"].notna(),
        "undrawn": no_area & placed["qpv_area_m2"].isna(),
        "outside": no_area & placed["qpv_area_m2"].notna(),
    }
    distinct = {name: placed[rows].groupby("unit", dropna=False)["qpv_code"].nunique() for name, rows in parts.items()}
    found = pd.DataFrame(
        {
            "n_qpv": grouped["qpv_code"].nunique(),
            "qpv_population": grouped["population"].agg(total).astype("Float64"),
            "by_area": grouped["by_area"].sum().astype("Float64"),
            "qpv_area_km2": grouped["area_m2"].sum(min_count=1).astype("Float64") / 1e6,
            **distinct,
        }
    )
    found = found.fillna(dict.fromkeys(distinct, 0)).join(statistics(placed, stats))
    return found.sort_index(na_position="last")
