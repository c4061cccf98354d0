"""How much of each territory is in a QPV: number, people, share, area, from the commune to the whole.

A QPV counts in every commune it lies in, so numbers by commune do not add up; people do, for they are shared out. Areas
do too, but for the slivers that a QPV has in communes it is not linked to. Departments and regions go by the code of
the QPV unless asked otherwise: that is how the lists are made.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.codes.places import Area
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import forms, provenance, require
from qpvgeo.geometry.projection import areas_m2
from qpvgeo.indicators.by_programme import coverage_of_programmes, kept_by_programmes, required_matches
from qpvgeo.indicators.denominators import (
    Completeness,
    Denominator,
    Denominators,
    Given,
    departments_of,
    unit_names,
    years_of_sides,
)
from qpvgeo.indicators.qpv_pieces import PARIS, UNKNOWN_EPT, counted, pieces_by_code, pieces_by_commune, required
from qpvgeo.indicators.selection import Stat, arranged, in_place
from qpvgeo.indicators.totals import notes_of
from qpvgeo.language import Note, joined

__all__ = ["COVERAGE_COLUMNS", "UNKNOWN_EPT", "Level", "coverage"]

Level = Literal["commune", "epci", "ept", "department", "region", "territory", "programme"]
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


@judged
def coverage(  # noqa: PLR0913 - a question, and what is shown of the answer
    links: pd.DataFrame,
    *,
    by: Level = "commune",
    units: pd.DataFrame | None = None,
    attribution: Attribution | None = None,
    denominators: Given = None,
    place: str | Area | None = None,
    stats: Iterable[Stat] = (),
    min_population: float | None = None,
    sort: str | None = None,
    programmes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the QPV of each commune, EPCI, EPT, department, region, territory or programme: number, people, share.

    Parameters
    ----------
    links
        What `qpvgeo.join_communes` gives.
    by
        Level of the rows. `ept` is the EPT in the Grand Paris and the EPCI elsewhere, as in Insee's comparisons;
        communes of the Grand Paris whose EPT is not known make a row `EPT?`. `programme` gives a row per programme of
        `programmes`.
    units
        Frame of the units, indexed by code, for `name`, `population` and, with outlines, `area_share`: communes
        (`read_communes`) by commune, EPCI (`read_epci`) by EPCI. Departments and regions are among the facts. The
        census of their population is `attrs["qpvgeo"]["population_year"]`; a note says so where it is not stated.
    attribution
        Whether a QPV counts where its code says (`"code"`, the default by department, region and territory) or in
        the communes it lies in (`"commune"`, the only way below). QP062040 is of the Pas-de-Calais by its code and
        had 73 inhabitants in the Nord in 2018.
    denominators
        People by unit, or a year of the facts, in place of those of `units` or of the census that fits the links. An
        explicit argument is obeyed: the share is given, and `note` says what it rests on.
    place
        Only the units that lie in a place, wholly or in part: a region, a former region, a group of departments
        ("Océan Indien"), a department, an EPCI, an EPT or a commune, by its code or its usual name. Names of communes
        and EPCI are those of `units`.
    stats
        Statistics of the people of the QPV that lie in each unit, each QPV whole, in columns of their own:

        - `"mean"`, `"min"`, `"max"`, `"median"`: `qpv_mean`, ...;
        - a quantile between 0 and 1: 0.9 gives `qpv_q90`;
        - a number of people from 1: 1000 gives `n_qpv_from_1000`, how many QPV have at least as many.
    min_population
        Only the units of at least so many inhabitants (column `population`).
    sort
        Column to sort the rows by, the least first; with a minus in front, the greatest first: `"-share"`.
    programmes
        What `qpvgeo.join_programmes` gives for the same QPV: the programmes of the rows, by programme; at any other
        level, only the QPV that one of its programmes reaches are counted.

    Returns
    -------
    pandas.DataFrame
        Indexed by the code of the units, in order:

        - `name`;
        - `n_qpv`, `n_with_population` (QPV whose people are known);
        - `qpv_population` (not rounded where a QPV is shared out);
        - `population` and `population_year` (of the unit; the year is missing where the table does not say it);
        - `share` (0 to 1);
        - `estimated_share` (part of `qpv_population` that was shared out by area, for want of a published split);
        - `qpv_area_km2`, `area_share` (of the unit);
        - the columns of `stats`;
        - `note` (a `qpvgeo.language.Note`: why a share is missing, or what it rests on).

        Departments, regions and territories without a QPV are there with 0, when the list of their territory is whole;
        communes and EPCI without one are left out. People who could be placed in no unit are in a last row whose code
        is missing. By commune, this is Insee's table of the populations of communes in QPV. `attrs["qpvgeo"]["notes"]`
        holds the notes of the links, then those of the rows, counted.

        By programme: `name`; `n_qpv` (reached, wholly or in part); `n_whole`; `n_with_population`;
        `population_covered` (people × share covered; missing where a share is); `qpv_population` (all people of the QPV
        reached); `population` (of all the QPV whose people are known) and `share` of it; `qpv_area_km2` (of the QPV
        reached); `note` (the
        date of the list, what was carried or is not known). A QPV that several programmes reach is in each row.

    Raises
    ------
    UsageError
        The level, the attribution, the place, a statistic or the column to sort by does not exist.
    DataError
        The frame is not one of links, is empty, repeats pairs, or holds what is not a number of people: rows are named.

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
        raise UsageError(
            Note("indicators.no_level", level=repr(by)), way_out=Note("indicators.levels", levels=list(get_args(Level)))
        )
    by_code = by in _BY_CODE
    attribution = attribution or ("code" if by_code else "commune")
    if attribution not in get_args(Attribution) or (attribution == "code" and not by_code):
        raise UsageError(
            Note("indicators.attribution", level=by, attribution=repr(attribution)),
            way_out=Note("indicators.attribution_way_out"),
        )
    links = required(links)
    if units is not None:
        require.require_frame(units, "`units`")
    if by == "programme":
        matches = required_matches(programmes, links)
        frame = coverage_of_programmes(links, matches, place=place, units=units, stats=stats)
    else:
        links = links if programmes is None else kept_by_programmes(links, programmes)
        placed = pieces_by_code(links, by) if attribution == "code" else pieces_by_commune(links, by)
        frame = _of_units(placed, by, units, _Base.of(links, by, units, denominators), stats)
        frame = frame if place is None else frame[in_place(frame, placed, place, by, units)]
    frame = arranged(frame, min_population=min_population, sort=sort)
    about = provenance.provenance(links)
    return provenance.stamp(
        frame,
        about.get("files", []),
        by=by,
        attribution=attribution,
        vintage=about.get("vintage"),
        reference_year=about.get("reference_year"),
        fictional=provenance.is_fictional(links, units),
        notes=[
            *about.get("notes", []),
            *(provenance.provenance(programmes).get("notes", []) if programmes is not None else []),
            *frame.attrs.pop("notes", []),
            *(notes_of(frame) if by != "programme" else []),
        ],
    )


def _of_units(
    placed: pd.DataFrame, by: Level, units: pd.DataFrame | None, base: "_Base", stats: Iterable[Stat]
) -> pd.DataFrame:
    """Rows of territories, those that are known to hold no QPV too."""
    found = counted(placed, stats)
    known = set(found.index.dropna())
    absent = [unit for unit in _without_qpv(base.held, by) if unit not in known]
    empty = pd.DataFrame({**dict.fromkeys(found.columns, pd.NA), **_NONE}, index=pd.Index(absent, dtype="str"))
    if absent:
        found = pd.concat([found, empty.astype(found.dtypes)]).sort_index(na_position="last")
    return _compared(found, placed, by, units, base)


_NONE = {
    "n_qpv": 0,
    "n_with_population": 0,
    "qpv_population": 0.0,
    "by_area": 0.0,
    "qpv_area_km2": 0.0,
    "undrawn": 0,
    "outside": 0,
}
"""Figures of a unit that is known to hold no QPV."""


def _without_qpv(held: Completeness, by: Level) -> list[str]:
    """Units in which no QPV was found although the list of their territory is whole: a known zero."""
    if by not in _BY_CODE:
        return []
    departments = [code for place in sorted(held.whole) for code in departments_of(place, "territory")]
    if by == "territory":
        return sorted(held.whole)
    if by == "department":
        return departments
    return sorted({facts.region_of(code) or code for code in departments})


class _Base(NamedTuple):
    """What the people in QPV of each unit are compared with."""

    below: Denominators
    held: Completeness
    silent: frozenset[str]
    """Territories whose people are of a census that is not stated."""
    by_unit: bool
    """Whether the people are those of the frame of units."""
    sides: str = ""
    """Note on the years of the two sides, where they are not known to be the same."""
    year: int | None = None

    @classmethod
    def of(cls, links: pd.DataFrame, by: Level, units: pd.DataFrame | None, given: Given) -> "_Base":
        about = provenance.provenance(links)
        codes = links["qpv_code"].drop_duplicates()
        held = Completeness(codes.map(official.of_qpv), official.vintage_of(str(codes.iloc[0])) or 0)
        stated = {place for place, year in about.get("census_years", {}).items() if year is not None}
        silent = frozenset(territories.territories()) - stated - {territories.SAMPLE}
        if given is None and units is not None and "population" in units.columns and units.index.is_unique:
            people = forms.people_of(units).dropna()
            below = Denominators.of_people(people[people > 0])
            year = provenance.provenance(units).get("population_year")
            sides = (
                ""
                if by in _BY_CODE or provenance.is_fictional(links)
                else years_of_sides(year, about.get("reference_year"))
            )
            return cls(below, held, silent, by_unit=True, sides=sides, year=year)
        if given is None and by not in _BY_CODE:
            nothing = Denominators({}, {}, why=Note("indicators.unit_population_not_given"))
            return cls(nothing, held, silent, by_unit=False)
        return cls(Denominators.choose(given, about.get("reference_year")), held, silent, by_unit=False)


def _compared(
    counted: pd.DataFrame, placed: pd.DataFrame, by: Level, units: pd.DataFrame | None, base: _Base
) -> pd.DataFrame:
    """Add names, denominators and shares, with the reason wherever a share is missing."""
    names = dict(unit_names(by)) if by in _BY_CODE else {}  # type: ignore[arg-type]
    if units is not None and "name" in units.columns:
        names |= forms.by_label(units["name"])
    if by == "ept":
        names |= {**facts.names("epts"), PARIS: "Paris", UNKNOWN_EPT: "Grand Paris, EPT not known"}
    frame = counted.rename_axis(by)
    with_people = placed[placed["population"].notna() & placed["territory"].isin(base.silent)]
    silent = set(with_people["unit"].dropna())
    short_ept = set(facts.names("epts")) if by == "ept" and UNKNOWN_EPT in frame.index else set()
    rows = [
        _row(unit, row, by, base, silent=unit in silent, short_ept=unit in short_ept, name=names.get(str(unit), ""))
        for unit, row in counted.iterrows()
    ]
    for column in ("population", "population_year", "share"):
        frame[column] = [getattr(row, column) for row in rows]
    frame["note"] = forms.as_notes((joined(row.notes) for row in rows), frame.index)
    frame["name"] = [names.get(str(unit), str(unit)) if pd.notna(unit) else "" for unit in frame.index]
    frame["estimated_share"] = (frame["by_area"] / frame["qpv_population"]).where(frame["qpv_population"] > 0)
    frame["area_share"] = _area_share(frame, units)
    whole = dict.fromkeys(["n_qpv", "n_with_population", "population", "population_year"], "Int64")
    shares = dict.fromkeys(["share", "estimated_share", "area_share"], "Float64")
    more = [column for column in counted.columns if column not in _NONE]
    return frame[[*COVERAGE_COLUMNS[:-1], *more, "note"]].astype({**whole, **shares})


class _Row(NamedTuple):
    """Denominator of a unit, its census, the share, and notes: why there is none, or what it rests on."""

    population: int | None = None
    population_year: int | None = None
    share: float | None = None
    notes: list[str] = []  # noqa: RUF012 - never changed


def _row(  # noqa: PLR0913 - what a row needs
    unit: Any,  # noqa: ANN401 - a code, or missing
    row: pd.Series,
    by: Level,
    base: _Base,
    *,
    silent: bool,
    short_ept: bool,
    name: str,
) -> _Row:
    """Share of a unit, or the reasons why there is none."""
    drawn = row["undrawn"] < row["n_qpv"]
    areas: list[str] = []
    if row["undrawn"] and drawn:
        areas.append(Note("indicators.area_without", count=int(row["undrawn"])))
    if row["outside"]:
        areas.append(Note("indicators.area_without_commune", count=int(row["outside"])))
    if pd.isna(unit):
        return _Row(notes=[Note("indicators.placed_in_no_unit"), *areas])
    departments = departments_of(unit, by) if by in _BY_CODE else [unit]  # type: ignore[arg-type]
    found = base.below.of(departments, unit=unit)
    notes = [Note("indicators.ept_may_be_short")] if short_ept else []
    if found.people is None:
        why = Note("indicators.no_ept") if unit == UNKNOWN_EPT else found.note
        if base.by_unit:
            why = Note("indicators.unit_population_not_given") if unit != UNKNOWN_EPT else why
        return _Row(notes=[why, *notes, *areas])
    year = base.year if base.by_unit and by not in _BY_CODE else found.year
    share, reasons = _share(row, found, by, base, silent=silent, name=name)
    if share is not None and base.sides:
        reasons = [base.sides, *reasons]
    return _Row(found.people, year, share, [*reasons, *notes, *areas])


def _share(
    row: pd.Series, found: Denominator, by: Level, base: _Base, *, silent: bool, name: str
) -> tuple[float | None, list[str]]:
    """Share of the people, with the notes on it."""
    lacking = int(row["n_qpv"] - row["n_with_population"])
    if lacking:
        return None, [Note("indicators.no_population", count=lacking)]
    ratio = float(row["qpv_population"]) / (found.people or 1)
    caveats: list[str] = [Note("indicators.census_not_stated_here")] if silent else []
    if by in _BY_CODE:
        caveats = [*base.held.short(departments_of(str(row.name), by), name), *caveats]  # type: ignore[arg-type]
    if caveats and not base.below.explicit:
        return None, [*caveats, Note("indicators.would_be", share=ratio)]
    if ratio > 1:
        return None, [Note("indicators.more_people_than_unit", share=ratio)]
    return ratio, [*caveats, found.note]


def _area_share(frame: pd.DataFrame, units: pd.DataFrame | None) -> pd.Series:
    if not isinstance(units, gpd.GeoDataFrame):
        return pd.Series(pd.NA, index=frame.index, dtype="Float64")
    inside = units[units.index.isin(frame.index)]
    areas = pd.Series(areas_m2(inside.geometry.to_numpy(), inside.crs) / 1e6, index=inside.index)
    return frame["qpv_area_km2"] / frame.index.map(areas).astype("Float64")
