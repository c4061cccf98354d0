"""How many QPV, how many people live there, and which share of the people: the figures that are published.

A share is the population of the QPV over the municipal population of the same territories. Both are given with the
year of their census, and no share is given where one of the two is not known or does not say its year: there are two
ratios called "8 %", over two scopes and two censuses, that only round alike.
"""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import forms, provenance
from qpvgeo.geometry.projection import areas_m2
from qpvgeo.indicators.denominators import DOM, Denominators, Unit, departments_of, partial_territories, unit_names

__all__ = ["OVERSEAS_SCOPE", "SUMMARY_COLUMNS", "TOTAL", "describe_qpv", "headline", "published_summary", "summary"]

OVERSEAS_SCOPE = "hexagone + 5 DOM"

TOTAL = "total"

SUMMARY_COLUMNS = (
    "name",
    "n_qpv",
    "n_with_population",
    "population",
    "population_year",
    "denominator",
    "denominator_year",
    "share",
    "qpv_area_km2",
    "qpv_area_published_km2",
    "note",
)


def summary(
    qpv: pd.DataFrame,
    *,
    population: pd.DataFrame | pd.Series | None = None,
    denominators: int | Mapping[str, int] | pd.Series | None = None,
    by: Unit = "territory",
) -> pd.DataFrame:
    """Number of QPV, people who live there, and their share, by territory and in total.

    Parameters
    ----------
    qpv
        QPV frame (`qpvgeo.read_qpv`), or any frame indexed by QPV codes, such as a table of populations.
    population
        Published populations (`qpvgeo.read_population`). By default the columns of `qpv` itself when it has a
        column `population`; otherwise populations and shares are missing.
    denominators
        Municipal populations: a year among the facts (2013, 2019, 2020), or people by code of department or of the
        units asked for. By default the census that fits the reference year of `population`.
    by
        `territory`, `department` or `region`, by the code of the QPV.

    Returns
    -------
    pandas.DataFrame
        Indexed by the codes of the units that hold a QPV, then two scopes: `hexagone + 5 DOM` (that of Insee's
        statistics, when all six are there) and `total`. Columns: `name`, `n_qpv`, `n_with_population` (QPV whose
        people are known), `population`, `population_year` (census; missing where not stated), `denominator`,
        `denominator_year`, `share` (0 to 1), `qpv_area_km2` (legal projection; missing without outlines),
        `qpv_area_published_km2` (the same by the shoelace formula on the rings as published, before repair), `note`
        (why a share is missing, or what it rests on). `attrs["qpvgeo"]` holds the sources.

    Raises
    ------
    DataError
        The index is not made of QPV codes of one geography, or the table of populations is of the other one.
    UsageError
        The level is unknown, or a denominator is not a number of people.

    Notes
    -----
    The population of a unit is missing, not zero, when no QPV of it has a known population. A share is missing when
    the census of the people is not stated, when some QPV of the unit have no population, when there is no denominator
    (Saint-Martin, Polynésie française), or when the frame does not hold the whole list of a territory. Figures by
    department go by the code of the QPV: QP062040 (Pas-de-Calais) had 73 inhabitants in the Nord in 2018.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> figures = qg.summary(qg.read_qpv(sample.qpv_2024), population=qg.read_population(sample.population_2024))
    >>> int(figures.loc["total", "n_qpv"])
    16
    """
    if by not in ("territory", "department", "region"):
        raise UsageError(f"A summary by {by!r} does not exist.", way_out="Choose territory, department or region.")
    if population is None and "population" in qpv.columns:
        population = qpv
    described = describe_qpv(qpv, population)
    below = Denominators(denominators, forms.reference_year(population))

    frame = _table(described, below, by)
    sources = [part for part in ([qpv] if population is qpv else [qpv, population]) if part is not None]
    provenance.stamp(
        frame,
        [record for part in sources for record in provenance.provenance(part).get("files", [])],
        basis="computed",
        vintage=int(described["vintage"].iloc[0]),
        release=provenance.provenance(qpv).get("release"),
        reference_year=forms.reference_year(population),
        fictional=bool((described["territory"] == territories.SAMPLE).any()),
    )
    return frame


def _table(described: pd.DataFrame, below: Denominators, by: Unit) -> pd.DataFrame:
    """Rows of the units, then the scopes."""
    counts = described.groupby("territory")["n_qpv"].sum()
    part_of = partial_territories(counts.index.to_series().repeat(counts), int(described["vintage"].iloc[0]))
    groups = {str(key): part for key, part in described.groupby(by, sort=False)}
    rows = {key: _figures(groups[key], [key], below, by, part_of) for key in sorted(groups, key=_hexagone_first)}
    for key, row in rows.items():
        row["name"] = unit_names(by).get(key, key)
    present = sorted(described["territory"].unique(), key=_hexagone_first)
    if {"hexagone", *DOM} <= set(present):
        scope = described[described["territory"].isin(["hexagone", *DOM])]
        rows[OVERSEAS_SCOPE] = _figures(scope, ["hexagone", *DOM], below, "territory", part_of)
        rows[OVERSEAS_SCOPE]["name"] = "Hexagone and the five overseas departments"
    rows[TOTAL] = {**_figures(described, present, below, "territory", part_of), "name": "All territories of the source"}
    return _typed(rows, by)


def _hexagone_first(key: str) -> tuple[bool, str]:
    return key != "hexagone", key


def describe_qpv(qpv: pd.DataFrame, population: pd.DataFrame | pd.Series | None) -> pd.DataFrame:
    """What figures need of each QPV: where it is by its code, its people and their census, its area.

    Returns
    -------
    pandas.DataFrame
        On the index of `qpv`: `n_qpv` (1), `vintage`, `territory`, `department`, `region` (the code of the territory
        where there is no region), `population` and `census` (missing where not known), `area_m2` (NaN without an
        outline), `repaired_m2` (what the repair of the outline gained or lost).

    Raises
    ------
    DataError
        The index is not made of QPV codes of one geography, each once.
    """
    told = official.classify_qpv(qpv.index.to_series())
    problems = [f"{code!r} is not the code of a QPV" for code in told.index[told["vintage"].isna()]]
    problems += [f"{code!r} stands several times" for code in told.index[told.index.duplicated()].unique()]
    if len(told["vintage"].dropna().unique()) > 1:
        problems.append("codes of both geographies, 2015 and 2024, stand in the index")
    if problems or not len(told):
        raise DataError(
            "The frame is not indexed by QPV codes of one geography." if problems else "The frame holds no QPV.",
            problems=problems,
            way_out="Make it with qpvgeo.read_qpv() or qpvgeo.read_population().",
        )
    region = {row["code"]: row["region"] for row in facts.rows("departments") if row["region"]}
    repaired = {change["code"]: change["difference_m2"] for change in provenance.provenance(qpv).get("repairs", [])}
    return told[["vintage", "territory", "department"]].assign(
        n_qpv=1,
        region=told["department"].map(region).fillna(told["territory"]),
        population=forms.align_population(qpv.index, population),
        census=told["territory"].map(forms.census_years(population)).astype("Int64"),
        area_m2=areas_m2(qpv.geometry.to_numpy(), qpv.crs) if isinstance(qpv, gpd.GeoDataFrame) else float("nan"),
        repaired_m2=told.index.map(lambda code: repaired.get(code, 0.0)),
    )


def _figures(
    part: pd.DataFrame, units: list[str], below: Denominators, by: Unit, part_of: Mapping[str, str]
) -> dict[str, Any]:
    """Figures of the QPV of some units together, over the people of these units whole."""
    people, known = part["population"], part["population"].notna()
    departments = [department for unit in units for department in departments_of(unit, by)]
    base = below.of(departments, unit=units[0] if len(units) == 1 else "")
    census = part.loc[known, "census"]
    row: dict[str, Any] = {
        "n_qpv": int(part["n_qpv"].sum()),
        "n_with_population": int(part.loc[known, "n_qpv"].sum()),
        "population": people.sum() if known.any() else None,
        "population_year": None if census.isna().any() else census.mode().get(0),
        "denominator": base.people,
        "denominator_year": base.year,
        "share": None,
        "qpv_area_km2": part["area_m2"].sum(min_count=1) / 1e6,
        "qpv_area_published_km2": (part["area_m2"] - part["repaired_m2"]).sum(min_count=1) / 1e6,
    }
    cut = [words for place, words in sorted(part_of.items()) if place in set(part["territory"])]
    obstacles = [*_without_people(part[~known]), *([base.note] if base.people is None else [])]
    if not below.given:
        obstacles = [*cut, *obstacles]
    if known.any() and not obstacles and (unstated := _unstated(part[known])):
        ratio = float(people.sum()) / (base.people or 1)
        against = f"{base.year}" + (f" ({base.note})" if base.note else "")
        obstacles = [f"census of the people not stated for {unstated}; over that of {against} it would be {ratio:.2%}"]
    remarks = obstacles
    if not obstacles and base.people:
        row["share"] = float(people.sum()) / base.people
        remarks = [*cut, *([base.note] if base.note else [])]
    undrawn = part["area_m2"].isna()
    if undrawn.any() and not undrawn.all():
        remarks = [*remarks, f"area without {int(part.loc[undrawn, 'n_qpv'].sum())} QPV that have no outline"]
    return {**row, "note": "; ".join(remarks)}


def _without_people(part: pd.DataFrame) -> list[str]:
    if part.empty:
        return []
    places = ", ".join(facts.names("territories")[code] for code in sorted(part["territory"].unique()))
    return [f"no population for {int(part['n_qpv'].sum())} QPV ({places})"]


def _unstated(part: pd.DataFrame) -> str:
    """Names of the territories whose census is not stated; the sample needs none."""
    silent = part[part["census"].isna() & (part["territory"] != territories.SAMPLE)]
    return ", ".join(facts.names("territories")[code] for code in sorted(silent["territory"].unique()))


def _typed(rows: Mapping[str, Mapping[str, Any]], by: str) -> pd.DataFrame:
    frame = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(SUMMARY_COLUMNS))
    whole = ["n_qpv", "n_with_population", "population", "population_year", "denominator", "denominator_year"]
    areas = ["qpv_area_km2", "qpv_area_published_km2"]
    frame = frame.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(["share", *areas], "Float64"))
    frame[areas] = frame[areas].round(6)
    return frame.rename_axis(by)


def published_summary(vintage: int, *, year: int | None = None) -> pd.DataFrame:
    """Give the published figures by territory, from the facts alone: no file is needed.

    Parameters
    ----------
    vintage
        2015 or 2024.
    year
        Reference year of the populations: 2013 or 2018 (default) in the 2015 geography, 2020 in that of 2024.

    Returns
    -------
    pandas.DataFrame
        As `summary`, with `attrs["qpvgeo"]["basis"]` `"published"`; areas are missing. In the 2024 geography Mayotte
        has the 42 QPV of 2025, to which its population refers.

    Raises
    ------
    UsageError
        The facts hold no such vintage or year.

    Examples
    --------
    >>> figures = published_summary(2015)
    >>> figures.loc["total", "n_qpv"], round(figures.loc["hexagone + 5 DOM", "share"], 4)
    (np.int64(1514), np.float64(0.0797))
    """
    held = facts.qpv_populations(vintage)
    if not held:
        raise UsageError(f"There is no {vintage} geography.", way_out="The vintages are 2015 and 2024.")
    year = max(held) if year is None else year
    if year not in held:
        raise UsageError(
            f"The facts hold no populations of {year} for the {vintage} geography.",
            way_out=f"They hold those of {', '.join(map(str, sorted(held)))}.",
        )
    lists = facts.geography("2023-06-30" if vintage == 2015 else "2025-06-30")
    described = pd.DataFrame(
        [
            {
                "vintage": vintage,
                "territory": place,
                "n_qpv": int(row.n_qpv),
                "population": held[year].get(place, (0, None, None))[1],
                "census": held[year].get(place, (0, None, None))[2],
                "area_m2": float("nan"),
                "repaired_m2": 0.0,
            }
            for place, row in lists.iterrows()
        ]
    ).astype({"population": "Float64", "census": "Int64"})
    frame = _table(described, Denominators(reference_year=year), "territory")
    provenance.stamp(frame, basis="published", vintage=vintage, reference_year=year, fictional=False)
    return frame


def headline(frame: pd.DataFrame) -> dict[str, Any]:
    """The figures that lead: all QPV, all people known, and the share of the widest scope that has one.

    Parameters
    ----------
    frame
        What `summary` or `published_summary` gives.

    Returns
    -------
    dict
        `n_qpv`, `population`, `population_year` of all; then the scope of the share: `share_scope`,
        `share_population`, `denominator`, `denominator_year`, `share`, all None when no scope has a share.

    Examples
    --------
    >>> lead = headline(published_summary(2015))
    >>> lead["share_scope"], lead["share_population"], lead["denominator"]
    ('hexagone + 5 DOM', 5360753, 67244921)
    """
    lead = frame.loc[TOTAL]
    scopes = [TOTAL, OVERSEAS_SCOPE, *(code for code in frame.index if code not in (TOTAL, OVERSEAS_SCOPE))]
    scope = next((code for code in scopes if code in frame.index and pd.notna(frame.loc[code, "share"])), None)
    chosen = frame.loc[scope] if scope else lead
    about = provenance.provenance(frame)

    def number(value: Any) -> int | None:  # noqa: ANN401
        return None if pd.isna(value) else int(value)

    return {
        "n_qpv": number(lead["n_qpv"]),
        "population": number(lead["population"]),
        "population_year": about.get("reference_year"),
        "share_scope": scope,
        "share_population": number(chosen["population"]) if scope else None,
        "denominator": number(chosen["denominator"]) if scope else None,
        "denominator_year": number(chosen["denominator_year"]) if scope else None,
        "share": float(chosen["share"]) if scope else None,
    }
