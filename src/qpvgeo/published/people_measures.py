"""Measures of counts and people: how many QPV, how many people, which share, how large the QPV are.

People are those of the municipal population of a reference year, counted by the code of the QPV for departments and
regions, and shared out between communes and EPCI as `qpvgeo.join_communes` does it.
"""

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.codes.places import plain
from qpvgeo.codes.territories import of_department
from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.indicators import coverage
from qpvgeo.indicators.denominators import Completeness, Denominators
from qpvgeo.language import Note, joined
from qpvgeo.published.figure_inputs import needs, qpv_people_of_facts
from qpvgeo.published.measure_registry import Asked, measure, number_argument
from qpvgeo.published.scopes import Scope, require_level

__all__ = ["inhabitants_of", "n_qpv", "population", "selected_codes", "sizes", "table_rows"]


# --- what a place holds -------------------------------------------------------------------------------------------


def _whole(asked: Asked, codes: pd.Index, departments: tuple[str, ...]) -> None:
    """Raise where the files hold a part only of the QPV of some departments.

    Raises
    ------
    MissingDataError
        They do: says how many are there.
    """
    held: tuple[Completeness, set[str | None]] = asked.material.once(
        f"whole {asked.figure.vintage}", lambda: _held(codes, int(asked.figure.vintage or 0))
    )
    short = held[0].short(departments)
    present = held[1]
    absent = [code for code in departments if of_department(code) not in present]
    if short or absent:
        reason = joined(short) or Note("published.no_list_of", places=absent)
        raise MissingDataError(Note("published.partial_files", reason=reason))


def _held(codes: pd.Index, vintage: int) -> tuple[Completeness, set[str | None]]:
    """Which lists the codes hold whole, and the territories that they are of."""
    department = official.classify_qpv(codes.to_series())["department"]
    return Completeness(department, vintage), {of_department(code) for code in department.unique()}


def table_rows(asked: Asked, year: int | None) -> pd.DataFrame:
    """Rows of the departments of the place, without a row for those that have no QPV."""
    table = asked.material.table(asked.figure.vintage, year)
    _whole(asked, asked.material.codes(asked.figure.vintage), asked.scope.codes)
    return table[table.index.isin(asked.scope.codes)]


def _linked(asked: Asked, year: int | None = None) -> pd.DataFrame:
    """Links of the QPV in the communes, EPCI or EPT of the place, or of single QPV."""
    links = asked.material.links(asked.figure.vintage, year)
    scope = asked.scope
    if scope.level == "qpv":
        return links[links["qpv_code"].isin(scope.codes)]
    communes = asked.material.communes()
    own = communes[(communes.index if scope.level == "commune" else communes[scope.level]).isin(scope.codes)]
    if own.empty:
        raise MissingDataError(Note("published.unknown_place", place=scope.name))
    _whole(asked, asked.material.codes(asked.figure.vintage), tuple(own["department"].dropna().unique()))
    return links[links[scope.level].isin(scope.codes)]


def _published_epci(asked: Asked, year: int | None) -> pd.Index | None:
    """QPV of EPCI that no longer exist, by the EPCI that the table of populations names; None where they do exist."""
    if asked.scope.level not in ("epci", "uu"):
        return None
    people = asked.material.people(asked.figure.vintage, year)
    if asked.scope.level == "uu":
        if "uu_published" not in people.columns:
            raise needs("population", asked.figure.vintage, year)
        return people.index[people["uu_published"].astype("str").isin(asked.scope.codes)]
    if "epci_published" not in people.columns:
        return None
    wanted = set(asked.scope.codes)
    listed = people["epci_published"].map(lambda codes: bool(wanted & set(codes)) if isinstance(codes, list) else False)
    known = set(asked.material.epci().index)
    return None if wanted <= known else people.index[listed.to_numpy()]


def selected_codes(asked: Asked, year: int | None = None) -> pd.Index:
    """Codes of the QPV that lie in the place, wholly or in part."""
    scope = asked.scope
    if scope.level == "departments":
        codes = asked.material.codes(asked.figure.vintage)
        _whole(asked, codes, scope.codes)
        department = official.classify_qpv(codes.to_series())["department"]
        return codes[department.isin(scope.codes).to_numpy()]
    if scope.level == "qpv":
        codes = asked.material.codes(asked.figure.vintage)
        if not set(scope.codes) <= set(codes):
            raise MissingDataError(Note("published.unknown_place", place=scope.name))
        return codes[codes.isin(scope.codes)]
    former = _published_epci(asked, year)
    if former is not None:
        return former
    return pd.Index(_linked(asked)["qpv_code"].unique())


def sizes(asked: Asked, year: int | None) -> pd.Series:
    """People of each QPV of the place, each QPV whole."""
    people = asked.material.people(asked.figure.vintage, year)["population"]
    codes = selected_codes(asked, year)
    found = people.reindex(codes)
    if found.isna().any():
        raise MissingDataError(Note("published.without_people", count=int(found.isna().sum())))
    return found.astype("float64")


# --- numbers of QPV -----------------------------------------------------------------------------------------------


@measure("QPV", "suffix", "on", "without")
def n_qpv(asked: Asked) -> float:
    """QPV of a place; of those whose code ends in `suffix`; of the lists in force `on` a day; `without` some codes."""
    without = asked.figure.argument("without")
    return _count(asked) - (len(without.split(",")) if without else 0)


def _count(asked: Asked) -> float:
    figure, scope = asked.figure, asked.scope
    day = figure.argument("on") or (f"{figure.release[:4]}-01-31" if figure.release else None)
    if day and scope.level == "departments" and not figure.argument("suffix"):
        found = _in_force(day, scope)
        if found is not None:
            return found
    if figure.argument("suffix"):
        codes = selected_codes(asked)
        return float(codes.str.endswith(str(figure.argument("suffix"))).sum())
    if scope.level != "departments":
        return float(len(selected_codes(asked)))
    try:
        return float(table_rows(asked, None)["n_qpv"].sum())
    except MissingDataError:
        held = _held_count(figure.vintage, scope)
        if held is None:
            raise
        return held


def _in_force(day: str, scope: Scope) -> float | None:
    """QPV of whole territories on a day, by the lists of the facts; None for a part of the hexagone."""
    lists = facts.geography(on=day)["n_qpv"]
    wanted = {of_department(code) or code for code in scope.codes}
    hexagone = [code for code in scope.codes if of_department(code) == "hexagone"]
    whole = [row["code"] for row in facts.rows("departments") if of_department(row["code"]) == "hexagone"]
    if hexagone and set(hexagone) != set(whole):
        return None
    found = lists.reindex(sorted(wanted))
    return None if found.isna().any() else float(found.sum())


def _held_count(vintage: int | None, scope: Scope) -> float | None:
    """Number of QPV by the facts, those of Mayotte before every commune became one."""
    counts: dict[str, int] = dict(facts.department_counts(vintage or 0))
    if not counts:
        return None
    listed = facts.geography(on="2023-06-30" if vintage == 2015 else "2025-06-30")["n_qpv"]
    counts |= {str(place): int(count) for place, count in listed.items() if place != "hexagone"}
    return float(sum(counts[code] for code in scope.codes)) if set(scope.codes) <= set(counts) else None


@measure("departments", "by")
def n_units_with(asked: Asked) -> float:
    """Communes, EPCI, urban units, departments (by default) or regions of a place that have a QPV."""
    return float(_units_with(asked))


@measure("departments", "by")
def n_units_without(asked: Asked) -> float:
    """Departments or regions of a place without any QPV."""
    by = asked.figure.argument("by") or "department"
    if by not in ("department", "region"):
        raise UsageError(Note("published.bad_argument", measure="n_units_without", argument="by", value=by))
    units = set(asked.scope.codes) if by == "department" else {facts.region_of(code) for code in asked.scope.codes}
    return float(len(units) - _units_with(asked))


def _units_with(asked: Asked) -> int:
    by = asked.figure.argument("by") or "department"
    if by == "uu":
        people = asked.material.people(asked.figure.vintage, None)
        if "uu_published" not in people.columns:
            raise needs("population", asked.figure.vintage)
        return int(people["uu_published"].reindex(selected_codes(asked)).nunique())
    if by in ("department", "region"):
        require_level(asked.scope, "departments")
        rows = table_rows(asked, None)
        held = set(rows.index[rows["n_qpv"] > 0])
        return len(held if by == "department" else {facts.region_of(code) for code in held})
    links = _of_place(asked)
    # as contracts are signed: by EPT in the Grand Paris, by EPCI elsewhere
    return int((links["ept"].fillna(links["epci"]) if by == "ept" else links[by]).nunique())


def _of_place(asked: Asked, links: pd.DataFrame | None = None) -> pd.DataFrame:
    """Links of the QPV of a place, whatever its level."""
    links = asked.material.links(asked.figure.vintage) if links is None else links
    if asked.scope.level == "departments":
        _whole(asked, asked.material.codes(asked.figure.vintage), asked.scope.codes)
        return links[links["department"].isin(asked.scope.codes)]
    return _linked(asked)


@measure("communes", "arrondissements", "merged")
def n_communes(asked: Asked) -> float:
    """Communes of a place in which a QPV lies; Paris, Lyon and Marseille once each, unless `arrondissements=apart`.

    `merged=Oullins, Pierre-Bénite` counts communes that became one apart, as earlier codes did, where each of them is
    named in the lists of 2015.
    """
    if asked.figure.argument("arrondissements") == "apart":
        whole = asked.material.links(asked.figure.vintage, arrondissements="keep")
        return float(_of_place(asked, whole)["commune"].nunique())
    links = _of_place(asked)
    return float(links["commune"].nunique() + _merged(asked, set(links["department"])))


def _merged(asked: Asked, departments: set[str]) -> int:
    """How many communes more there were before some of those with a QPV became one."""
    merged = {plain(name) for name in (asked.figure.argument("merged") or "").split(",") if name.strip()}
    qpv = asked.material.perimeters(2015) if merged else None
    if qpv is None or "commune_names" not in qpv.columns:
        return 0
    own = qpv[qpv["department"].isin(departments)]
    named = {plain(name) for names in own["commune_names"] if isinstance(names, list) for name in names}
    return len(merged) - 1 if merged <= named else 0


@measure("QPV", "communes", "by")
def n_multi_commune(asked: Asked) -> float:
    """QPV that lie in several communes, or in as many as `communes`; in several EPCI with `by=epci`."""
    links = _of_place(asked)
    by = asked.figure.argument("by") or "commune"
    unit = links["ept"].fillna(links["epci"]) if by == "epci" else links[by]
    several = unit.groupby(links["qpv_code"]).nunique()
    wanted = number_argument(asked, "communes", 0)
    return float((several == wanted).sum() if wanted else (several > 1).sum())


# --- people -------------------------------------------------------------------------------------------------------


@measure("persons")
def population(asked: Asked) -> float:
    """People who live in the QPV of a place."""
    figure, scope = asked.figure, asked.scope
    if figure.year is None:
        raise MissingDataError(Note("published.no_year"))
    if scope.level == "qpv":
        return float(sizes(asked, figure.year).sum())
    if scope.level == "departments":
        try:
            return _sum(table_rows(asked, figure.year))
        except MissingDataError:
            held = _held_people(figure.vintage, figure.year, scope)
            if held is None:
                raise
            return held
    former = _published_epci(asked, figure.year)
    if former is not None:
        return float(sizes(asked, figure.year).sum())
    return float(_linked(asked, figure.year)["population"].sum())


def _sum(rows: pd.DataFrame) -> float:
    missing = rows["population"].isna() | (rows["n_with_population"] < rows["n_qpv"])
    if missing.any():
        raise MissingDataError(
            Note("published.without_people", count=int((rows["n_qpv"] - rows["n_with_population"])[missing].sum()))
        )
    return float(rows["population"].sum())


def _held_people(vintage: int | None, year: int | None, scope: Scope) -> float | None:
    """People in QPV by the facts, where the place is made of whole territories and regions."""
    held = qpv_people_of_facts(vintage or 0, year)
    left, total = set(scope.codes), 0.0
    hexagone = {row["code"] for row in facts.rows("departments") if of_department(row["code"]) == "hexagone"}
    if "hexagone" in held and hexagone <= left:
        total, left = total + held["hexagone"][1], left - hexagone
    for place in (key for key in held if key.startswith("region:")):
        own = {row["code"] for row in facts.rows("departments") if row["region"] == place.removeprefix("region:")}
        if own and own <= left:
            total, left = total + held[place][1], left - own
    for code in sorted(left & set(held)):
        total, left = total + held[code][1], left - {code}
    return None if left or not held else total


def inhabitants_of(asked: Asked, year: int | None, scope: Scope) -> float:
    """People of a place, by the censuses of the facts or the table of its communes."""
    if scope.level == "departments":
        try:
            below = Denominators.of_year(int(year or 0))
        except UsageError:
            raise needs("communes_population", year=year) from None
        found = below.of(scope.codes)
        if found.people is None:
            raise MissingDataError(Note("published.no_inhabitants", place=scope.name))
        return float(found.people)
    if scope.level == "commune":
        frame = asked.material.communes(year)
    elif scope.level in ("epci", "ept"):
        frame = asked.material.epci(year)
    else:
        raise MissingDataError(Note("published.no_inhabitants", place=scope.name))
    if provenance.provenance(frame).get("population_year") != year:
        raise needs("communes_population", year=year)
    own = frame["population"].reindex(list(scope.codes))
    if own.isna().any():
        raise MissingDataError(Note("published.no_inhabitants", place=scope.name))
    return float(own.sum())


@measure("persons")
def inhabitants(asked: Asked) -> float:
    """People of a place, in QPV or not (municipal population)."""
    return inhabitants_of(asked, asked.figure.year, asked.scope)


@measure("share", "base", "of")
def share(asked: Asked) -> float:
    """Share of the people of a place who live in its QPV; of the people of the QPV of another place with `of`."""
    other = asked.figure.argument("of")
    if other:
        whole = population(Asked(asked.figure, asked.place(other), asked.material))
        return population(asked) / whole
    base = asked.figure.argument("base")
    if asked.scope.level in ("commune", "epci", "ept") and not base:
        return _covered_share(asked)
    return population(asked) / inhabitants_of(asked, int(base) if base else asked.figure.year, asked.scope)


def _covered_share(asked: Asked) -> float:
    """Share of communes or EPCI, as `coverage` gives it."""
    year, scope = asked.figure.year, asked.scope
    if len(scope.codes) == 1 and scope.level in ("commune", "epci") and _published_epci(asked, year) is None:
        units = asked.material.communes(year) if scope.level == "commune" else asked.material.epci(year)
        if provenance.provenance(units).get("population_year") != year:
            raise needs("communes_population", year=year)
        rows = coverage(asked.material.links(asked.figure.vintage, year), by=scope.level, units=units)
        found = rows["share"].get(scope.codes[0])
        if found is None or pd.isna(found):
            raise MissingDataError(Note("published.no_inhabitants", place=scope.name))
        return float(found)
    return population(asked) / inhabitants_of(asked, year, scope)


@measure("persons", "from", "to")
def change(asked: Asked) -> float:
    """Change of the people of the QPV of a place between two years of reference."""
    before, after = _two_years(asked)
    return after - before


@measure("share", "from", "to")
def change_rate(asked: Asked) -> float:
    """The same, over the people of the first year."""
    before, after = _two_years(asked)
    return after / before - 1


def _years(asked: Asked) -> tuple[int, int]:
    return int(number_argument(asked, "from")), int(number_argument(asked, "to", asked.figure.year))


def _two_years(asked: Asked) -> tuple[float, float]:
    first, last = _years(asked)
    before, after = (
        population(Asked(asked.figure.changed(f"year={year}"), asked.scope, asked.material)) for year in (first, last)
    )
    return before, after


@measure("QPV", "from", "to", "rate", "per", "direction")
def n_changing(asked: Asked) -> float:
    """QPV whose people changed by `rate` or more (`per` year or period), `direction` up or down."""
    first, last = _years(asked)
    before, after = sizes(asked, first), sizes(asked, last)
    ratio = after / before
    if (asked.figure.argument("per") or "year") == "year":
        ratio = ratio ** (1 / (last - first))
    rate = number_argument(asked, "rate", 0.0)
    down = (asked.figure.argument("direction") or "down") == "down"
    return float((ratio <= 1 - rate).sum() if down else (ratio >= 1 + rate).sum())
