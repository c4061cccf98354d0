"""How much of each territory is in a QPV: number, people, share, area, from the commune to the whole.

A QPV counts in every commune it lies in, so numbers by commune do not add up; people do, for they are shared out. Areas
do too, but for the slivers that a QPV has in communes it is not linked to. Departments and regions go by the code of
the QPV unless asked otherwise: that is how the lists are made.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance, require
from qpvgeo.geometry.projection import areas_m2
from qpvgeo.indicators.denominators import Denominators, departments_of, partial_territories, unit_names

__all__ = ["COVERAGE_COLUMNS", "UNKNOWN_EPT", "Level", "coverage"]

Level = Literal["commune", "epci", "ept", "department", "region", "territory"]
Attribution = Literal["code", "commune"]

COVERAGE_COLUMNS = (
    "name",
    "n_qpv",
    "n_with_population",
    "qpv_population",
    "population",
    "population_year",
    "share",
    "estimated_share",
    "qpv_area_km2",
    "area_share",
    "note",
)

_BY_CODE = ("department", "region", "territory")
_PARIS = "75056"
_GRAND_PARIS = "200054781"

UNKNOWN_EPT = "EPT?"
"""Row of the communes of the Grand Paris whose EPT is not known."""


def coverage(
    links: pd.DataFrame,
    *,
    by: Level = "commune",
    units: pd.DataFrame | None = None,
    attribution: Attribution | None = None,
    denominators: int | Mapping[str, int] | pd.Series | None = None,
) -> pd.DataFrame:
    """Give the QPV of each commune, EPCI, EPT, department, region or territory: number, people, share, area.

    Parameters
    ----------
    links
        What `qpvgeo.join_communes` gives.
    by
        Level of the rows. `ept` is the EPT in the Grand Paris and the EPCI elsewhere, as in Insee's comparisons;
        communes of the Grand Paris whose EPT is not known make a row `EPT?`.
    units
        Frame of the units, indexed by code, for `name`, `population` and, with outlines, `area_share`: communes
        (`read_communes`) by commune, EPCI (`read_epci`) by EPCI. Departments and regions are among the facts. The
        census of their population is `attrs["qpvgeo"]["population_year"]`; a note says so where it is not stated.
    attribution
        Whether a QPV counts where its code says (`"code"`, the default by department, region and territory) or in
        the communes it lies in (`"commune"`, the only way below). QP062040 is of the Pas-de-Calais by its code and
        had 73 inhabitants in the Nord in 2018.
    denominators
        People by unit, or a year of the facts, in place of those of `units` or of the census that fits the links.

    Returns
    -------
    pandas.DataFrame
        Indexed by the code of the units, in order: `name`, `n_qpv`, `n_with_population` (QPV whose people are known),
        `qpv_population` (not rounded where a QPV is shared out), `population` and `population_year` (of the unit; the
        year is missing where the table does not say it), `share` (0 to 1), `estimated_share` (part of `qpv_population`
        that was shared out by area, for want of a published split by commune), `qpv_area_km2`, `area_share` (of the
        unit), `note` (why a share is missing, or what it rests on). Departments, regions and territories without a
        QPV are there with 0, when the list of their territory is whole; communes and EPCI without one are left out.
        People who could be placed in no unit stand in a last row whose code is missing.

    Raises
    ------
    UsageError
        The level or the attribution does not exist.
    DataError
        The frame is not one of links, or it is empty.

    Notes
    -----
    `qpv_population` adds up to the population of the links at every level; `n_qpv` does not below the department.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> links = qg.join_communes(qpv, communes, population=qg.read_population(sample.population_2024))
    >>> qg.coverage(links, by="commune", units=communes)[["name", "n_qpv"]].head(2)
                             name  n_qpv
    commune
    99001             Port-Brume      8
    99002  Saint-Aubin-du-Large      3
    """
    if by not in get_args(Level):
        raise UsageError(f"There is no level {by!r}.", way_out=f"Levels: {', '.join(get_args(Level))}.")
    by_code = by in _BY_CODE
    attribution = attribution or ("code" if by_code else "commune")
    if attribution not in get_args(Attribution) or (attribution == "code" and not by_code):
        raise UsageError(
            f"QPV cannot be counted by {by} by their {attribution!r}.",
            way_out="The code of a QPV names a department: below it, leave attribution at its default.",
        )
    require.require_columns(links, ["qpv_code", "commune", "population", "area_m2"], what="The frame of links")
    if not len(links):
        raise DataError("The frame of links is empty.", way_out="Make it with qpvgeo.join_communes().")
    placed = _placed(links, by, attribution)
    counted = _counted(placed)
    known = set(counted.index.dropna())
    for unit in _without_qpv(placed, by):
        if unit not in known:
            counted.loc[unit] = (0, 0, 0.0, 0.0, 0.0, 0)
    counted = counted.sort_index(na_position="last")
    below = _denominators(links, by, units, denominators)
    obstacles = _obstacles(placed, links, by, below)
    frame = _compared(counted, by, units, below, obstacles)
    if by == "ept" and UNKNOWN_EPT in frame.index:
        short = frame.index.isin(list(facts.names("epts")))
        frame.loc[short, "note"] += "; may be short: the EPT of some communes of the Grand Paris is not known"
    if by not in _BY_CODE and denominators is None:
        _say_years(frame, links, units)
    provenance.stamp(
        frame,
        provenance.provenance(links).get("files", []),
        by=by,
        attribution=attribution,
        vintage=provenance.provenance(links).get("vintage"),
        reference_year=provenance.provenance(links).get("reference_year"),
        fictional=provenance.is_fictional(links, units),
    )
    return frame


def _placed(links: pd.DataFrame, by: Level, attribution: Attribution) -> pd.DataFrame:
    """Pieces of QPV with the unit that each counts in."""
    pieces = links[["qpv_code", "commune", "population", "area_m2"]].copy()
    several = links["population_share"] < 1.0
    pieces["by_area"] = links["population"].where(several & (links["basis"] == "area"), 0.0)
    pieces["territory"] = links["qpv_code"].map(official.of_qpv).map(territories.of_department)
    pieces["whole_m2"] = links["area_m2"] / links["area_share"]
    if attribution == "commune":
        if by == "territory":
            own = links["department"].map(territories.of_department, na_action="ignore")
        elif by == "ept":
            inside = links["ept"].where(links["commune"] != _PARIS, links["commune"])
            # a commune of the Grand Paris whose EPT is not known counts in none, not in the métropole
            lost = inside.isna() & (links["epci"] == _GRAND_PARIS)
            own = inside.where(~lost, UNKNOWN_EPT).where(inside.notna() | lost, links["epci"])
        elif by == "region":
            own = links["region"].where(links["region"].notna(), links["department"])
        else:
            own = links[by]
        pieces["unit"] = own.astype("str")
        return pieces
    # by code a QPV is one piece: its people and its whole area
    pieces = pieces.groupby("qpv_code", as_index=False, sort=False).agg(
        {"population": _sum, "territory": "first", "whole_m2": "first"}
    )
    pieces["by_area"] = 0.0
    department = pieces["qpv_code"].map(official.of_qpv)
    region = {row["code"]: row["region"] or row["code"] for row in facts.rows("departments")}
    own = {"department": department, "territory": pieces["territory"], "region": department.map(region)}
    pieces["unit"] = own[by].fillna(department).astype("str")
    pieces["area_m2"] = pieces["whole_m2"]
    return pieces


def _sum(values: pd.Series) -> Any:  # noqa: ANN401 - a number or missing
    return values.sum(min_count=1)


def _counted(placed: pd.DataFrame) -> pd.DataFrame:
    grouped = placed.groupby("unit", dropna=False)
    populated = placed[placed["population"].notna()].groupby("unit", dropna=False)
    undrawn = placed[placed["area_m2"].isna()].groupby("unit", dropna=False)
    counted = pd.DataFrame(
        {
            "n_qpv": grouped["qpv_code"].nunique(),
            "n_with_population": populated["qpv_code"].nunique(),
            "qpv_population": grouped["population"].agg(_sum).astype("Float64"),
            "by_area": grouped["by_area"].sum().astype("Float64"),
            "qpv_area_km2": grouped["area_m2"].sum(min_count=1).astype("Float64") / 1e6,
            "undrawn": undrawn["qpv_code"].nunique(),
        }
    )
    return counted.fillna({"n_with_population": 0, "undrawn": 0}).sort_index(na_position="last")


def _without_qpv(placed: pd.DataFrame, by: Level) -> list[str]:
    """Units in which no QPV was found although the list of their territory is whole: a known zero."""
    if by not in _BY_CODE:
        return []
    pieces = placed.drop_duplicates("qpv_code")
    vintage = official.vintage_of(str(pieces["qpv_code"].iloc[0])) or 0
    expected = facts.expected_counts(vintage)
    counts = pieces["territory"].value_counts()
    whole = [place for place, count in counts.items() if count in expected.get(str(place), set())]
    departments = [code for place in whole for code in departments_of(str(place), "territory")]
    if by == "department":
        return departments
    region = {row["code"]: row["region"] or row["code"] for row in facts.rows("departments")}
    return sorted({region[code] for code in departments if code in region}) if by == "region" else [*map(str, whole)]


def _denominators(
    links: pd.DataFrame,
    by: Level,
    units: pd.DataFrame | None,
    given: Any,  # noqa: ANN401
) -> Denominators:
    if given is not None:
        return Denominators(given)
    if units is not None and "population" in units.columns and units.index.is_unique:
        people = units["population"].dropna()
        return Denominators(people[people > 0].astype("int64"))
    if by in _BY_CODE:
        return Denominators(reference_year=provenance.provenance(links).get("reference_year"))
    return Denominators()


def _compared(
    counted: pd.DataFrame, by: Level, units: pd.DataFrame | None, below: Denominators, obstacles: Mapping[str, str]
) -> pd.DataFrame:
    """Add names, denominators and shares, with the reason wherever a share is missing."""
    names = dict(unit_names(by)) if by in _BY_CODE else {}  # type: ignore[arg-type]
    if units is not None and "name" in units.columns:
        names |= units["name"].dropna().to_dict()
    if by == "ept":
        names |= {**facts.names("epts"), _PARIS: "Paris", UNKNOWN_EPT: "Grand Paris, EPT not known"}
    frame = counted.rename_axis(by)
    rows = [_share(unit, row, by, below, obstacles) for unit, row in counted.iterrows()]
    frame["population"], frame["population_year"], frame["share"], frame["note"] = zip(*rows, strict=True)
    frame["name"] = [names.get(str(unit), str(unit)) if pd.notna(unit) else "" for unit in frame.index]
    frame["estimated_share"] = (frame["by_area"] / frame["qpv_population"]).where(frame["qpv_population"] > 0)
    drawn = frame["undrawn"] < frame["n_qpv"]
    short = (frame["undrawn"] > 0) & drawn
    words = "area without " + frame["undrawn"].astype("int64").astype("str") + " QPV that have no outline"
    frame["note"] = frame["note"].where(~short, (frame["note"] + "; " + words).str.removeprefix("; "))
    frame["area_share"] = _area_share(frame, units)
    whole = dict.fromkeys(["n_qpv", "n_with_population", "population", "population_year"], "Int64")
    shares = dict.fromkeys(["share", "estimated_share", "area_share"], "Float64")
    return frame[list(COVERAGE_COLUMNS)].astype({**whole, **shares})


def _say_years(frame: pd.DataFrame, links: pd.DataFrame, units: pd.DataFrame | None) -> None:
    """Say of which years the two sides of the shares are, when they are not known to be of one."""
    year = provenance.provenance(units).get("population_year") if units is not None else None
    people = provenance.provenance(links).get("reference_year")
    given = frame["share"].notna()
    frame.loc[frame["population"].notna(), "population_year"] = pd.NA if year is None else year
    if (year is not None and year == people) or provenance.is_fictional(links):
        return
    told = "census not stated" if year is None else f"census of {year}"
    words = f"population of the unit: {told}; people in QPV: {f'those of {people}' if people else 'year not stated'}"
    frame.loc[given, "note"] = (words + "; " + frame.loc[given, "note"]).str.removesuffix("; ")


def _obstacles(placed: pd.DataFrame, links: pd.DataFrame, by: Level, below: Denominators) -> dict[str, str]:
    """Units of which no share can be given, with the reason."""
    census = provenance.provenance(links).get("census_years", {})
    stated = {place for place, year in census.items() if year is not None} | {territories.SAMPLE}
    silent = placed.loc[placed["population"].notna() & ~placed["territory"].isin(stated), "unit"].dropna()
    found = dict.fromkeys(map(str, silent.unique()), "census of the people not stated")
    if by in _BY_CODE and not below.given and len(placed):
        pieces = placed.drop_duplicates("qpv_code")
        vintage = official.vintage_of(str(pieces["qpv_code"].iloc[0])) or 0
        for place, words in partial_territories(pieces["territory"], vintage).items():
            cut = placed.loc[placed["territory"] == place, "unit"].dropna().unique()
            found |= dict.fromkeys(map(str, cut), words)
    return found


def _share(
    unit: Any,  # noqa: ANN401 - a code, or missing
    row: pd.Series,
    by: Level,
    below: Denominators,
    obstacles: Mapping[str, str],
) -> tuple[int | None, int | None, float | None, str]:
    """Denominator of a unit, its census, the share, and a note: why there is none, or what it rests on."""
    if pd.isna(unit):
        return None, None, None, "placed in no unit"
    unit = str(unit)
    base = below.of(departments_of(unit, by) if by in _BY_CODE else [unit], unit=unit)  # type: ignore[arg-type]
    if base.people is None:
        table = "give read_communes() a table of EPT (ept_au_01-01-<year>.xlsx)"
        return None, None, None, table if unit == UNKNOWN_EPT else "no denominator"
    lacking = int(row["n_qpv"] - row["n_with_population"])
    if lacking:
        return base.people, base.year, None, f"no population for {lacking} QPV"
    ratio = float(row["qpv_population"]) / base.people
    if unit in obstacles:
        return base.people, base.year, None, f"{obstacles[unit]}; over the population given {ratio:.2%}"
    if ratio > 1:
        return base.people, base.year, None, f"more people than the unit has ({ratio:.1%}): shared out by area"
    return base.people, base.year, ratio, base.note


def _area_share(frame: pd.DataFrame, units: pd.DataFrame | None) -> pd.Series:
    if not isinstance(units, gpd.GeoDataFrame):
        return pd.Series(pd.NA, index=frame.index, dtype="Float64")
    inside = units[units.index.isin(frame.index)]
    areas = pd.Series(areas_m2(inside.geometry.to_numpy(), inside.crs) / 1e6, index=inside.index)
    return frame["qpv_area_km2"] / frame.index.map(areas).astype("Float64")
