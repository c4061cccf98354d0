"""Contrats de ville: which EPCI, EPT or commune must have one, and the table of its QPV.

The rule, not a list of signed contracts: a contract is made for each intercommunality with at least one QPV (loi
n° 2014-173, art. 6); in the Grand Paris the établissements publics territoriaux stand for it, with Paris on its own; a
commune without intercommunality stands for itself. By the perimeters of 2024 this gives 333 in the hexagone, the
number published; overseas 52 were signed in 2025, several of them by commune.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.codes.places import Area, find_area
from qpvgeo.errors import DataError, judged
from qpvgeo.frames import require
from qpvgeo.frames.forms import as_notes, by_label, people_of, require_one_geography, whole_sums
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.indicators.denominators import years_of_sides
from qpvgeo.indicators.qpv_pieces import require_pairs_once
from qpvgeo.language import Note
from qpvgeo.policy.entries_and_exits import CHANGE_COLUMNS
from qpvgeo.policy.epts import GRAND_PARIS, ept_of
from qpvgeo.policy.published_rates import published_rates
from qpvgeo.policy.themes import theme_rows

__all__ = ["LEGAL_REFERENCE", "ContratDeVille", "contrat_de_ville"]

LEGAL_REFERENCE = "loi n° 2014-173 du 21 février 2014, art. 6"
"""Law that asks for a contract at the scale of the intercommunality."""

_PARIS = "75056"
_OF_LETTERS = 2024
"""Geography whose codes end with a letter that says whether the QPV is new."""

_LINKS = ("qpv_code", "commune", "epci", "ept", "population", "population_share", "basis")

Level = Literal["epci", "ept", "commune"]


@dataclass(frozen=True, slots=True)
class ContratDeVille:
    """Contracts that a place is concerned by, each whole.

    Attributes
    ----------
    by_qpv
        A row per QPV and contract: `contract` (code), `qpv_code`, `name`, `communes` (codes, joined by commas),
        `population` (people of the QPV in the contract), `population_share` (of the people of the QPV, 0 to 1), `basis`
        (`published` or `area`, of that share), `share_of_communes`, `share_of_contract` (of the people of its communes
        in
        the contract, and of the whole contract), `income_eur` and `poverty_rate` where published, `programmes` (keys,
        joined by commas), and the columns of `people_in_and_out`.
    by_commune
        A row per contract and commune with a QPV: `contract`, `commune`, `name`, `n_qpv`, `qpv_population`,
        `population`, `share`. A QPV counts in each of its communes: numbers do not add up, people do.
    totals
        A row per contract, on its code: `name`, `level` (`epci`, `ept` or `commune`), `territory`, `n_qpv`,
        `n_communes`, `n_without_population`, `qpv_population`, `population`, `population_basis` (`published` for the
        whole EPCI, else the sum of its `communes`), `share`, `note` (what is missing and why), `qpv_population_year`,
        `population_year` (census of each, missing where the tables do not state it).
    indicators
        Long frame of what was given by theme: `theme`, `qpv_code`, `indicator`, `value`, `unit`, `year`, `flag` (why a
        value is missing).
    """

    by_qpv: pd.DataFrame
    by_commune: pd.DataFrame
    totals: pd.DataFrame
    indicators: pd.DataFrame


@judged
def contrat_de_ville(  # noqa: PLR0913 - a table is made of what is known
    place: str | Area | None,
    qpv: pd.DataFrame,
    links: pd.DataFrame,
    *,
    communes: pd.DataFrame,
    epci: pd.DataFrame | None = None,
    income: pd.DataFrame | None = None,
    programmes: pd.DataFrame | None = None,
    changes: pd.DataFrame | None = None,
    indicators: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
) -> ContratDeVille:
    """Give the contracts of a place: their QPV, people, shares, incomes, programmes and changes.

    Parameters
    ----------
    place
        Code or usual name of an EPCI, an EPT or a commune: the contract that concerns it; of a department, a region or
        a
        territory: all that reach into it; None for all.
    qpv
        Frame of `qpvgeo.read_qpv`, of either geography.
    links
        What `qpvgeo.join_communes` gives, with populations.
    communes
        Frame of `qpvgeo.read_communes`, with `epci` and `population`; the EPT of the Grand Paris are those of the
        frame, else of the decrees.
    epci
        Frame of `qpvgeo.read_epci`, for the names and the people of whole EPCI, as in `qpvgeo.coverage`.
    income
        Published figures by QPV, under Insee's names (`DISP_MED_A21`, `DISP_TP60_A21`), ANCT's (`taux_pauvrete_60%`),
        or
        `income_eur` and `poverty_rate` (0 to 1); the latest year of several.
    programmes
        What `qpvgeo.join_programmes` gives.
    changes
        What `qpvgeo.policy.people_in_and_out` gives.
    indicators
        What `qpvgeo.read_indicators` gives, or frames by theme: the same, or tables with the codes of the QPV in their
        index or in a column, of which the columns of numbers are kept.

    Returns
    -------
    ContratDeVille
        Tables by QPV, by commune, by contract, and of indicators.

    Raises
    ------
    UsageError
        The place is not known, or something is not a frame.
    DataError
        Columns are missing, rows are repeated, people are no numbers, tables are of another geography than the QPV, or
        no contract is required there: no QPV lies in the place.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> links = qg.join_communes(qpv, communes, population=qg.read_population(sample.population_2024))
    >>> found = contrat_de_ville("Port-Brume", qpv, links, communes=communes, epci=qg.read_epci(sample.epci_table))
    >>> found.totals[["level", "n_qpv"]].to_numpy().tolist()
    [['epci', 15]]
    """
    long = theme_rows(indicators)
    rates = None if income is None else published_rates(income)
    _require(qpv, links, communes, long, rates=rates, programmes=programmes, changes=changes, epci=epci)
    held = links.assign(contract=_holders(links, communes)).dropna(subset="contract")
    lost = len(links) - len(held)
    if place is not None:
        held = _concerned(held, place, communes, epci)
    programmes = None if programmes is None else of_contracts(programmes, held)
    by_qpv = _by_qpv(held, qpv, communes, rates=rates, programmes=programmes, changes=changes)
    by_commune = _by_commune(held, communes)
    totals = _totals(held, by_qpv, communes, epci).assign(**_years(held, links, communes, epci))
    by_qpv["share_of_contract"] = by_qpv["population"] / _inhabited(by_qpv["contract"].map(totals["population"]))
    long = long[long["qpv_code"].isin(by_qpv["qpv_code"])].reset_index(drop=True)
    files = [record for frame in (qpv, links, income) for record in _files(frame)]
    notes = [Note("policy.contract_rule"), *([Note("policy.no_holder", count=lost)] if lost else [])]
    notes += [*_gaps(qpv, links, place), *_of_rates(by_qpv, rates)]
    notes += [] if is_fictional(links) else _of_years(totals)
    notes += _of_letters(by_qpv)
    notes += [note for frame in (changes, programmes) if frame is not None for note in _notes(frame)]
    for frame in (by_qpv, by_commune, totals, long):
        stamp(frame, files, legal_reference=LEGAL_REFERENCE, fictional=is_fictional(qpv, links), notes=notes)
    return ContratDeVille(by_qpv, by_commune, totals, long)


def of_contracts(programmes: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Matches of the QPV of each contract; none by the part of a QPV that lies in the communes of another contract."""
    rows = links if "contract" in links else links.assign(contract="")
    found = programmes.merge(rows[["qpv_code", "contract"]].drop_duplicates(), on="qpv_code")
    found.attrs = programmes.attrs
    if not {"basis", "code"} <= set(found.columns):
        return found
    levels = [level for level in ("commune", "epci", "ept") if level in rows]
    held = {pair for level in levels for pair in rows[["contract", level]].dropna().itertuples(index=False, name=None)}
    inside = pd.MultiIndex.from_frame(found[["contract", "code"]]).isin(held)
    return found[~found["basis"].isin(levels) | inside]


def _require(
    qpv: pd.DataFrame,
    links: pd.DataFrame,
    communes: pd.DataFrame,
    indicators: pd.DataFrame,
    **given: pd.DataFrame | None,
) -> None:
    """Refuse what is not a frame of its kind, and tables of another geography."""
    require.require_frame(communes, "`communes`")
    require.require_columns(qpv, ["name"], what="qpv")
    require.require_columns(links, _LINKS, what="links", way_out=Note("indicators.make_links"))
    require.require_columns(communes, ["epci", "population"], what="communes")
    tables, looked_up = {"links": links["qpv_code"]}, {}
    require_pairs_once(links)
    for frame in (links, communes):
        people_of(frame["population"])
    programmes, changes, rates = given["programmes"], given["changes"], given["rates"]
    for name, frame in {"communes": communes, "epci": given["epci"], "changes": changes}.items():
        if frame is not None:
            require.require_labels_once(frame, name)
    if programmes is not None:
        needed = ["qpv_code", "programme"]
        require.require_columns(programmes, needed, what="programmes", way_out=Note("policy.make_joined"))
        tables["programmes"] = programmes["qpv_code"]
    if changes is not None:
        require.require_columns(changes, CHANGE_COLUMNS, what="changes", way_out=Note("policy.make_changes"))
        looked_up["changes"] = changes.index
    if rates is not None:
        looked_up["income"] = rates.index
    for theme, rows in indicators.groupby("theme"):
        looked_up[f"indicators: {theme}"] = rows["qpv_code"]
    require_one_geography(qpv.index, tables, looked_up)


def _gaps(qpv: pd.DataFrame, links: pd.DataFrame, place: str | Area | None) -> list[Note]:
    """What the QPV and their links do not have in common."""
    bare = int((~qpv.index.isin(links["qpv_code"])).sum())
    unnamed = int((~links["qpv_code"].drop_duplicates().isin(qpv.index)).sum()) if place is None else 0
    notes = [Note("policy.qpv_without_link", count=bare)] if bare else []
    return notes + ([Note("policy.links_without_qpv", count=unnamed)] if unnamed else [])


def _of_rates(by_qpv: pd.DataFrame, rates: pd.DataFrame | None) -> list[Note]:
    """Which published figures are missing."""
    if rates is None:
        return [Note("policy.no_income_given")]
    names = {"income_eur": "median income", "poverty_rate": "poverty rate"}
    return [
        Note("policy.figures_missing", what=label, count=count, total=len(by_qpv))
        for column, label in names.items()
        if (count := int(by_qpv[column].isna().sum()))
    ]


def _of_letters(by_qpv: pd.DataFrame) -> list[Note]:
    """QPV of 2024 whose code says that they are new and whose outlines do not, or the other way round."""
    if "change" not in by_qpv:
        return []
    known = by_qpv.dropna(subset="change").drop_duplicates("qpv_code")
    known = known[known["qpv_code"].map(official.vintage_of) == _OF_LETTERS]
    odd = known.loc[known["qpv_code"].str.endswith("N") != (known["change"] == "new"), "qpv_code"].tolist()
    return [Note("policy.code_says_otherwise", codes=odd)] if odd else []


def _years(
    held: pd.DataFrame, links: pd.DataFrame, communes: pd.DataFrame, epci: pd.DataFrame | None
) -> dict[str, pd.Series]:
    """Census of the people in QPV of each contract, and of those of the whole; missing where it is not stated."""
    told, by = provenance(links), held.groupby("contract")["qpv_code"].first()
    census = told.get("census_years", {})
    years = [census.get(_territory(code), told.get("reference_year")) for code in by]
    of_epci = None if epci is None or "population" not in epci else provenance(epci).get("population_year")
    whole = provenance(communes).get("population_year")
    published = by.index.isin([] if epci is None else epci.index)
    return {
        "qpv_population_year": pd.Series(pd.array(years, dtype="Int64"), index=by.index),
        "population_year": pd.Series(
            pd.array([of_epci if known else whole for known in published], dtype="Int64"), index=by.index
        ),
    }


def _of_years(totals: pd.DataFrame) -> list[Note]:
    """Notes on shares whose two sides are not known to be of one year."""
    pairs = totals[["population_year", "qpv_population_year"]].drop_duplicates().astype("object")
    told = [years_of_sides(*(None if pd.isna(year) else int(year) for year in pair)) for pair in pairs.to_numpy()]
    return [note for note in dict.fromkeys(told) if isinstance(note, Note)]


def _files(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    return [] if frame is None else list(provenance(frame).get("files", []))


def _notes(frame: pd.DataFrame) -> list[Note]:
    return list(provenance(frame).get("notes", []))


def _holders(links: pd.DataFrame, communes: pd.DataFrame) -> pd.Series:
    """Code of the EPCI, EPT or commune whose contract each link belongs to; missing where it is not known."""
    commune = links["commune"].map(official.fold_arrondissement, na_action="ignore").astype("str")
    ept = links["ept"].astype("str").fillna(links["commune"].map(ept_of(communes)).astype("str"))
    paris = links["epci"] == GRAND_PARIS
    holder = links["epci"].astype("str").where(~paris, ept.where(commune != _PARIS, commune))
    return holder.where(holder.notna() | paris, commune)


def _territory(code: str) -> str | None:
    return territories.of_department(official.of_qpv(code))


def _level(code: str) -> Level:
    if code in facts.names("epts"):
        return "ept"
    return "epci" if len(code) == len(GRAND_PARIS) else "commune"


def _concerned(
    held: pd.DataFrame, place: str | Area, communes: pd.DataFrame, epci: pd.DataFrame | None
) -> pd.DataFrame:
    """Links of the contracts that a place is concerned by."""
    told = communes.assign(ept=ept_of(communes))
    area = find_area(place, told, epci) if isinstance(place, str) else place
    if area.whole_departments:
        inside = held["qpv_code"].map(official.of_qpv).isin(area.departments)
    elif area.level == "arrondissement":
        inside = held["commune"].isin([*(area.communes or ()), *map(official.fold_arrondissement, area.communes or ())])
    else:
        within = told[told.index.isin(area.communes or ())]
        mine = {*within["epci"].dropna(), *within["ept"].dropna()} - {GRAND_PARIS}
        # a commune without a QPV belongs to the contract of its intercommunality too
        inside = held["commune"].isin(area.communes or ()) | (held["contract"].isin(mine) & (area.level == "commune"))
    wanted = set(held.loc[inside, "contract"])
    if not wanted:
        raise DataError(Note("policy.no_contract", place=area.label), way_out=Note("policy.no_contract_way_out"))
    return held[held["contract"].isin(wanted)]


def _by_qpv(
    held: pd.DataFrame,
    qpv: pd.DataFrame,
    communes: pd.DataFrame,
    *,
    rates: pd.DataFrame | None,
    programmes: pd.DataFrame | None,
    changes: pd.DataFrame | None,
) -> pd.DataFrame:
    people = communes["population"].astype("Float64")
    held = held.assign(
        population=held["population"].astype("Float64"), of_commune=held["commune"].map(people).astype("Float64")
    )
    by = held.groupby(["contract", "qpv_code"], sort=False)
    sums = whole_sums(by[["population", "population_share", "of_commune"]])
    frame = sums.drop(columns="of_commune").reset_index()
    listed = by["commune"].agg(lambda codes: ", ".join(codes.dropna().unique())).to_numpy()
    frame.insert(2, "name", frame["qpv_code"].map(qpv["name"]).astype("str"))
    frame.insert(3, "communes", pd.array(listed, dtype="str"))
    frame["basis"] = pd.array(
        by["basis"].agg(lambda kinds: "area" if "area" in set(kinds) else "published"), dtype="str"
    )
    frame["share_of_communes"] = frame["population"] / _inhabited(sums["of_commune"]).array
    frame["share_of_contract"] = pd.array([pd.NA] * len(frame), dtype="Float64")
    for column in ("income_eur", "poverty_rate"):
        known = pd.Series(dtype="Float64") if rates is None else rates[column]
        frame[column] = frame["qpv_code"].map(known).astype("Float64")
    both = ["contract", "qpv_code"]
    keys = pd.Series(dtype="str")
    if programmes is not None and len(programmes):
        keys = programmes.groupby(both)["programme"].agg(lambda names: ", ".join(sorted(set(names))))
    frame["programmes"] = pd.MultiIndex.from_frame(frame[both]).map(keys).astype("str")
    for column in CHANGE_COLUMNS if changes is not None else ():
        name = "change_basis" if column == "basis" else column
        frame[name] = frame["qpv_code"].map(changes[column]) if changes is not None else pd.NA
    return frame


def _inhabited(people: pd.Series) -> pd.Series:
    """People to divide by: missing where there are none."""
    whole = people.astype("Float64")
    return whole.mask(whole == 0)


def _by_commune(held: pd.DataFrame, communes: pd.DataFrame) -> pd.DataFrame:
    by = held.assign(population=held["population"].astype("Float64")).groupby(["contract", "commune"], sort=False)
    frame = by.agg(n_qpv=("qpv_code", "nunique")).reset_index()
    names = communes["name"] if "name" in communes.columns else pd.Series(dtype="str")
    frame.insert(2, "name", frame["commune"].map(names).astype("str").fillna(frame["commune"]))
    frame["qpv_population"] = whole_sums(by["population"]).to_numpy()
    frame["population"] = frame["commune"].map(communes["population"]).astype("Int64")
    frame["share"] = frame["qpv_population"] / _inhabited(frame["population"])
    return frame


def _totals(
    held: pd.DataFrame, by_qpv: pd.DataFrame, communes: pd.DataFrame, epci: pd.DataFrame | None
) -> pd.DataFrame:
    by = by_qpv.groupby("contract", sort=True)
    frame = pd.DataFrame(index=by.size().index)
    names = dict(facts.names("epts")) | (_named(epci) if epci is not None else {}) | {_PARIS: "Paris"}
    of_communes = _named(communes)
    frame["name"] = [names.get(code, of_communes.get(code, code)) for code in frame.index]
    frame["level"] = [_level(code) for code in frame.index]
    frame["territory"] = by["qpv_code"].first().map(_territory)
    frame["n_qpv"] = by["qpv_code"].nunique()
    frame["n_communes"] = held.groupby("contract")["commune"].nunique()
    frame["n_without_population"] = by["population"].agg(lambda values: int(values.isna().sum()))
    frame["qpv_population"] = whole_sums(by["population"]).astype("Float64")
    frame["population"], frame["population_basis"] = _published(_people(frame, communes), epci)
    frame["share"] = (frame["qpv_population"] / _inhabited(frame["population"])).astype("Float64")
    missing = [
        Note("policy.without_people", count=int(row.n_without_population))
        if row.n_without_population
        else Note("policy.ept_people_unknown")
        if pd.isna(row.population)
        else ""
        for row in frame.itertuples()
    ]
    frame["note"] = as_notes(missing, frame.index)
    return frame


def _published(summed: pd.Series, epci: pd.DataFrame | None) -> tuple[pd.Series, pd.Series]:
    """People of each holder, those published for the whole EPCI where they are, and which they are."""
    given = pd.Series(dtype="Int64") if epci is None or "population" not in epci else epci["population"]
    published = given.astype("Int64").reindex(summed.index)
    basis = pd.Series("communes", index=summed.index).where(published.isna(), "published")
    return published.fillna(summed), basis.where(published.notna() | summed.notna())


def _named(frame: pd.DataFrame) -> dict[str, str]:
    return {} if "name" not in frame.columns else by_label(frame["name"])


def _people(frame: pd.DataFrame, communes: pd.DataFrame) -> pd.Series:
    """People of each holder: all its communes together; missing where not all of them are known."""
    whole = communes[~communes.index.map(lambda code: official.fold_arrondissement(str(code)) != str(code))]
    people = whole["population"].astype("Int64")
    ept = ept_of(whole)
    # the communes of the Grand Paris without an EPT could belong to any
    unsure = bool((ept.isna() & (whole["epci"] == GRAND_PARIS) & (whole.index != _PARIS)).any())
    sums = {
        "epci": whole_sums(people.groupby(whole["epci"])),
        "ept": pd.Series(dtype="Int64") if unsure else whole_sums(people.groupby(ept)),
        "commune": people,
    }
    return pd.Series(
        [sums[row.level].get(code, pd.NA) for code, row in zip(frame.index, frame.itertuples(), strict=True)],
        index=frame.index,
        dtype="Int64",
    )
