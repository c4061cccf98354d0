"""How many QPV, how many people live there, and which share of the people: the figures that are published.

A share is the population of the QPV over the municipal population of the same territories. Both are given with the
year of their census, and no share is given where one of the two is not known or does not say its year: there are two
ratios called "8 %", over two scopes and two censuses, that only round alike.
"""

from collections.abc import Mapping
from typing import Any, get_args

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.codes.places import Area, find_area
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames import forms, provenance, require
from qpvgeo.frames.forms import as_notes
from qpvgeo.geometry.projection import areas_m2
from qpvgeo.indicators.denominators import DOM, Completeness, Denominators, Given, Unit, departments_of, unit_names
from qpvgeo.language import Note, joined, parts

__all__ = [
    "OVERSEAS_SCOPE",
    "SUMMARY_COLUMNS",
    "TOTAL",
    "describe_qpv",
    "headline",
    "notes_of",
    "summary",
    "totals_table",
]

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


@judged
def summary(
    qpv: pd.DataFrame,
    population: pd.DataFrame | pd.Series | None = None,
    *,
    denominators: Given = None,
    by: Unit = "territory",
    place: str | Area | None = None,
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
        Municipal populations: a year among the facts (2013, 2018, 2019, 2020), or people by code of department or of
        the units of the rows. By default the census that fits the reference year of `population`. An explicit argument
        is obeyed: the share is given, and `note` says what it rests on.
    by
        - `territory`, by the code of the QPV;
        - `department`, by the code of the QPV;
        - `region`, by the code of the QPV.
    place
        Only the QPV of a department, a region, a former region, a territory or a group of departments ("Océan
        Indien"), by its code or its usual name, over the people of its departments. For the QPV of an EPCI or a
        commune see `qpvgeo.coverage`.

    Returns
    -------
    pandas.DataFrame
        Indexed by the codes of the units that hold a QPV, then two scopes: `hexagone + 5 DOM` (that of Insee's
        statistics, when all six are there) and `total` (all rows together; territories of which every QPV is there
        count whole, with their units without a QPV). Columns:

        - `name`;
        - `n_qpv`, `n_with_population` (QPV whose people are known);
        - `population`, `population_year` (census; missing where not stated);
        - `denominator`, `denominator_year`;
        - `share` (0 to 1);
        - `qpv_area_km2` (legal projection; missing without outlines);
        - `qpv_area_published_km2` (the same by the shoelace formula on the rings as published, before repair);
        - `note` (a `qpvgeo.language.Note`: why a share is missing, or what it rests on; empty where there is nothing
          to say).

        `attrs["qpvgeo"]` holds the sources, and in `notes` each note of the rows once.

    Raises
    ------
    DataError
        The index is not made of QPV codes of one geography, or the table of populations is of the other one, repeats
        rows or holds what is not a number of people.
    UsageError
        The level or the place is unknown, or a denominator is not a number of people.

    Notes
    -----
    The population of a unit is missing, not zero, when no QPV of it has a known population. A share is missing when
    some QPV of the unit have no population or when there is no denominator (Saint-Martin, Polynésie française); and,
    unless `denominators` is given, when the census of the people is not stated or when the frame does not hold every
    QPV of the unit. Figures by department go by the code of the QPV: QP062040 (Pas-de-Calais) had 73 inhabitants in
    the Nord in 2018.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> figures = qg.summary(qg.read_qpv(sample.qpv_2024), qg.read_population(sample.population_2024))
    >>> int(figures.loc["total", "n_qpv"])
    16
    """
    if by not in get_args(Unit):
        raise UsageError(
            Note("indicators.no_level", level=repr(by)), way_out=Note("indicators.levels", levels=list(get_args(Unit)))
        )
    require.require_frame(qpv, "`qpv`")
    if population is None and "population" in qpv.columns:
        population = qpv
    described = describe_qpv(qpv, population)
    below = Denominators.choose(denominators, forms.reference_year(population))
    held = Completeness(described["department"], int(described["vintage"].iloc[0]))
    area = find_area(place) if isinstance(place, str) else place
    frame = totals_table(described if area is None else _of_place(described, area), below, by, held, area)
    sources = [part for part in ([qpv] if population is qpv else [qpv, population]) if isinstance(part, pd.DataFrame)]
    provenance.stamp(
        frame,
        [record for part in sources for record in provenance.provenance(part).get("files", [])],
        basis="computed",
        vintage=int(described["vintage"].iloc[0]),
        release=provenance.provenance(qpv).get("release"),
        reference_year=forms.reference_year(population),
        fictional=bool((described["territory"] == territories.SAMPLE).any()),
        notes=notes_of(frame),
    )
    return frame


def _of_place(described: pd.DataFrame, area: Area) -> pd.DataFrame:
    """QPV of a place, by their codes.

    Raises
    ------
    UsageError
        The place is no group of departments, or no QPV lies in it.
    """
    if not area.whole_departments:
        raise UsageError(
            Note("indicators.place_below_department", place=area.label), way_out=Note("indicators.use_coverage")
        )
    inside = described[described["department"].isin(area.departments)]
    if inside.empty:
        raise UsageError(Note("indicators.no_qpv_in_place", place=area.label))
    return inside


def totals_table(
    described: pd.DataFrame, below: Denominators, by: Unit, held: Completeness, area: Area | None = None
) -> pd.DataFrame:
    """Rows of the units, then the scopes; of a unit that reaches beyond the place its part, so named."""
    names = unit_names(by)
    groups = {str(key): part for key, part in described.groupby(by, sort=False)}
    rows: dict[str, dict[str, Any]] = {}
    for key in sorted(groups, key=_hexagone_first):
        whole = departments_of(key, by)
        inside = whole if area is None else [code for code in whole if code in area.departments]
        name = names.get(key, key) if area is None or inside == whole else area.name
        rows[key] = {
            **_figures(groups[key], inside, below, held, unit=key if inside == whole else "", name=name),
            "name": name,
        }
    present = set(described["territory"])
    if {"hexagone", *DOM} <= present:
        scope = described[described["territory"].isin(["hexagone", *DOM])]
        covered = _covered(scope, by, held)
        rows[OVERSEAS_SCOPE] = _figures(scope, covered, below, held)
        rows[OVERSEAS_SCOPE]["name"] = "Hexagone and the five overseas departments"
    covered = _covered(described, by, held)
    covered = covered if area is None else [code for code in covered if code in area.departments]
    rows[TOTAL] = _figures(described, covered, below, held)
    rows[TOTAL]["name"] = "All territories of the source" if area is None else area.name
    return _typed(rows, by)


def _covered(part: pd.DataFrame, by: Unit, held: Completeness) -> list[str]:
    """Departments that rows together stand for: whole territories, or the units shown."""
    found: list[str] = []
    for place, own in part.groupby("territory", sort=False):
        if by == "territory" or place in held.whole:
            found += departments_of(str(place), "territory")
        else:
            found += [code for unit in own[by].unique() for code in departments_of(str(unit), by)]
    return sorted(set(found), key=_hexagone_first)


def notes_of(frame: pd.DataFrame) -> list[str]:
    """Notes of the rows, one of each kind with the number of its rows; those that keep a share away first."""
    missing = frame["share"].isna().to_numpy()
    told: dict[tuple[bool, str], list[str]] = {}
    for rows in (missing, ~missing):
        for text in frame["note"].to_numpy()[rows]:
            for note in parts(text):
                told.setdefault((bool(rows is missing), getattr(note, "key", note)), []).append(note)
    return [
        same[0] if len(same) == 1 else Note("indicators.in_rows", note=same[0], count=len(same))
        for same in told.values()
    ]


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
    if qpv.index.nlevels > 1:
        raise DataError(
            Note("indicators.index_of_levels", levels=qpv.index.nlevels), way_out=Note("indicators.make_qpv")
        )
    told = official.classify_qpv(qpv.index.to_series())
    repeated = told.index[told.index.duplicated()]
    problems = [Note("frames.not_a_qpv_code", label=str(code)) for code in told.index[told["vintage"].isna()]]
    problems += [
        Note("frames.several_rows", label=str(code), count=int((told.index == code).sum()))
        for code in repeated.unique()
    ]
    if len(told["vintage"].dropna().unique()) > 1:
        problems.append(Note("indicators.both_geographies"))
    if problems or not len(told):
        key = "indicators.not_indexed_by_qpv" if problems else "indicators.no_qpv"
        raise DataError(Note(key), problems=problems, way_out=Note("indicators.make_qpv"))
    repaired = {change["code"]: change["difference_m2"] for change in provenance.provenance(qpv).get("repairs", [])}
    return told[["vintage", "territory", "department"]].assign(
        n_qpv=1,
        region=told["department"].map(facts.region_of).fillna(told["territory"]),
        population=forms.align_population(qpv.index, population),
        census=told["territory"].map(forms.census_years(population)).astype("Int64"),
        area_m2=areas_m2(qpv.geometry.to_numpy(), qpv.crs) if isinstance(qpv, gpd.GeoDataFrame) else float("nan"),
        repaired_m2=told.index.map(lambda code: repaired.get(code, 0.0)),
    )


def _figures(
    part: pd.DataFrame,
    departments: list[str],
    below: Denominators,
    held: Completeness,
    *,
    unit: str = "",
    name: str = "",
) -> dict[str, Any]:
    """Figures of the QPV of some departments together, over the people of these departments."""
    people, known = part["population"], part["population"].notna()
    base = below.of(departments, unit=unit)
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
    holes = [*_without_people(part[~known]), *([base.note] if base.people is None else [])]
    ratio = None if holes else float(people.sum()) / (base.people or 1)
    cut = held.short(departments, name)
    silent = [] if holes else _unstated(part[known])
    caveats = [*cut, *([Note("indicators.census_not_stated", places=silent)] if silent else [])]
    if silent and not cut and not below.explicit:
        # what withholds the share comes with what it would be
        caveats = [Note("indicators.census_not_stated_would_be", places=silent, year=base.year, share=ratio)]
    if not holes and (below.explicit or not caveats):
        row["share"] = ratio
    notes = [*caveats, *holes, *([base.note] if row["share"] is not None else [])]
    undrawn = part["area_m2"].isna()
    if undrawn.any() and not undrawn.all():
        notes.append(Note("indicators.area_without", count=int(part.loc[undrawn, "n_qpv"].sum())))
    return {**row, "note": joined(notes)}


def _without_people(part: pd.DataFrame) -> list[str]:
    if part.empty:
        return []
    places = [facts.names("territories")[code] for code in sorted(part["territory"].unique())]
    return [Note("indicators.no_population_in", count=int(part["n_qpv"].sum()), places=places)]


def _unstated(part: pd.DataFrame) -> list[str]:
    """Names of the territories whose census is not stated; the sample needs none."""
    silent = part[part["census"].isna() & (part["territory"] != territories.SAMPLE)]
    return [facts.names("territories")[code] for code in sorted(silent["territory"].unique())]


def _typed(rows: Mapping[str, Mapping[str, Any]], by: str) -> pd.DataFrame:
    frame = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(SUMMARY_COLUMNS))
    # an array of objects, for a column of text would forget the keys of the notes
    frame["note"] = as_notes((row["note"] for row in rows.values()), frame.index)
    whole = ["n_qpv", "n_with_population", "population", "population_year", "denominator", "denominator_year"]
    areas = ["qpv_area_km2", "qpv_area_published_km2"]
    frame = frame.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(["share", *areas], "Float64"))
    frame[areas] = frame[areas].round(6)
    return frame.rename_axis(by)


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
    >>> from qpvgeo.indicators.published_totals import published_summary
    >>> lead = headline(published_summary(2015))
    >>> lead["share_scope"], lead["share_population"], lead["denominator"]
    ('hexagone + 5 DOM', 5360753, 66989056)
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
