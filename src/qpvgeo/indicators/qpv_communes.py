"""Which communes a QPV lies in, and which part of its area and people each of them holds.

The published list of communes decides where there is one; geometry shares the QPV out between them and audits the
list. Without a list, geometry decides, with a tolerance: an outline that strays over a commune limit by a sliver does
not make the QPV one of that commune.
"""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import forms, provenance
from qpvgeo.geometry.overlap_table import overlap
from qpvgeo.geometry.projection import areas_m2

__all__ = ["LINK_COLUMNS", "MIN_AREA_M2", "MIN_SHARE", "audit_communes", "join_communes"]

LINK_COLUMNS = (
    "qpv_code",
    "commune",
    "epci",
    "ept",
    "department",
    "region",
    "area_m2",
    "area_share",
    "population",
    "population_share",
    "basis",
)

MIN_AREA_M2 = 1_000.0
MIN_SHARE = 0.01

_GRAND_PARIS = "200054781"


def join_communes(
    qpv: gpd.GeoDataFrame,
    communes: pd.DataFrame | None,
    *,
    population: pd.DataFrame | None = None,
    min_area_m2: float = MIN_AREA_M2,
    min_share: float = MIN_SHARE,
    basis: str = "published",
) -> pd.DataFrame:
    """Link each QPV to its communes, with the share of its area and of its people in each.

    Parameters
    ----------
    qpv
        QPV frame (`qpvgeo.read_qpv`).
    communes
        Communes (`qpvgeo.read_communes`), with outlines wherever a QPV lies in several communes or gives no list.
        With arrondissements kept, the links of Paris, Lyon and Marseille name arrondissements. None gives one link
        per QPV, to no commune: enough for what is counted by the code of the QPV.
    population
        Published populations (`qpvgeo.read_population`): by QPV, shared out by area, or by QPV and commune.
    min_area_m2, min_share
        What a QPV must have in a commune, both in square metres and as a share of itself, to be linked to it by
        geometry. The defaults suit the published 2024 list best: on generalised communes they give 82 pairs too many
        and 10 too few of 1,801.
    basis
        `"published"`: the published list of communes decides where there is one; `"area"`: geometry decides
        everywhere.

    Returns
    -------
    pandas.DataFrame
        A row per QPV and commune, in the order of the QPV: `qpv_code`, `commune`, `epci`, `ept` (Grand Paris only),
        `department`, `region` (of the commune), `area_m2` (shared, legal projection; missing without outlines),
        `area_share` (of the QPV, 0 to 1), `population`, `population_share` (of the QPV, the shares of a QPV add up
        to 1) and `basis`: where the population share comes from, `published` (one commune, or a published split) or
        `area`. A QPV that could be placed nowhere keeps a row with `commune` missing and `population_share` 1, so
        that the people still add up.

    Raises
    ------
    DataError
        The frames are not of the forms above, or a QPV lies in several communes and no outline says how much in each:
        lists them.

    Notes
    -----
    Counts by commune count a QPV in each commune it lies in: they do not add up. Populations do. Sharing people by
    area supposes that they live evenly over the QPV, which is rarely so: use the published split by commune (Insee,
    `pop_reference_communales_QPV24`) where it exists.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> links = qg.join_communes(qpv, communes, population=qg.read_population(sample.population_2024))
    >>> links.groupby("qpv_code")["population_share"].sum().round(9).unique().tolist()
    [1.0]
    """
    forms.require_qpv(qpv)
    if basis not in ("published", "area"):
        raise UsageError(f"There is no basis {basis!r}.", way_out='Choose "published" or "area".')
    if communes is None:
        areas = areas_m2(qpv.geometry.to_numpy(), qpv.crs)
        whole = {"commune": None, "area_m2": areas, "area_share": 1.0, "population_share": 1.0, "basis": "area"}
        links = pd.DataFrame({"qpv_code": qpv.index.astype("str"), **whole}).astype({"commune": "str"})
        return _complete(links, qpv, qpv.head(0), population)
    listed = _listed(qpv, communes) if basis == "published" else {}
    shares = _shares(qpv, communes, listed)
    parts = _published_parts(population, communes)

    rows: list[tuple[str, str | None, float, float, float, str]] = []
    unplaced: list[str] = []
    for code, seen in _by_qpv(qpv, shares).items():
        members = _members(seen, listed.get(code), min_area_m2=min_area_m2, min_share=min_share)
        # where people were counted the QPV is, whatever the list and the tolerance say
        members += [commune for commune in parts.get(code, {}) if commune not in members]
        split, how = _population_split(members, seen, parts.get(code, {}))
        if len(members) == 1 and code in listed:
            how = "published"
        if split is None:
            unplaced.append(f"{code}: {', '.join(members)}")
            continue
        rows += [(code, commune, *seen.get(commune, (np.nan, np.nan)), share, how) for commune, share in split.items()]
    if unplaced:
        raise DataError(
            f"{len(unplaced)} QPV lie in several communes, and nothing says how much in each.",
            problems=unplaced,
            way_out="Give communes with outlines, or the published population by QPV and commune.",
        )
    links = pd.DataFrame(rows, columns=["qpv_code", "commune", "area_m2", "area_share", "population_share", "basis"])
    links = links.astype({"qpv_code": "str", "commune": "str", "basis": "str"})
    return _complete(links, qpv, communes, population)


def _shares(qpv: gpd.GeoDataFrame, communes: pd.DataFrame, listed: Mapping[str, list[str]]) -> pd.DataFrame:
    """Overlap table with the communes; without their outlines, QPV of one published commune lie in it whole."""
    if isinstance(communes, gpd.GeoDataFrame):
        return overlap(qpv.geometry, communes.geometry)
    alone = [code for code, members in listed.items() if len(members) == 1]
    areas = areas_m2(qpv.loc[alone].geometry.to_numpy(), qpv.crs)
    rows = [(code, listed[code][0], area, 1.0) for code, area in zip(alone, areas, strict=True) if area > 0]
    return pd.DataFrame(rows, columns=["left", "right", "area_m2", "left_share"])


def _by_qpv(qpv: gpd.GeoDataFrame, shares: pd.DataFrame) -> dict[str, dict[str | None, tuple[float, float]]]:
    """For each QPV, in its order: `{commune: (area_m2, share of the QPV)}`."""
    found: dict[str, dict[str | None, tuple[float, float]]] = {code: {} for code in qpv.index}
    for code, commune, area, share in shares[["left", "right", "area_m2", "left_share"]].itertuples(index=False):
        found[code][commune] = (area, share)
    return found


def _listed(qpv: gpd.GeoDataFrame, communes: pd.DataFrame) -> dict[str, list[str]]:
    """Published communes of each QPV, in the terms of the frame of communes: arrondissements folded or unfolded."""
    known = set(communes.index)
    named: dict[str, list[str]] = {}
    for code, published in qpv["communes"].items():
        if not isinstance(published, list) or not published:
            continue
        translated: list[str] = []
        for commune in published:
            if commune in known:
                translated.append(commune)
            elif official.fold_arrondissement(commune) in known:
                translated.append(official.fold_arrondissement(commune))
            elif any(part in known for part in official.ARRONDISSEMENTS.get(commune, ())):
                translated.extend(part for part in official.ARRONDISSEMENTS[commune] if part in known)
            else:
                translated.append(commune)
        named[str(code)] = list(dict.fromkeys(translated))
    return named


def _members(
    seen: Mapping[str | None, tuple[float, float]],
    listed: list[str] | None,
    *,
    min_area_m2: float,
    min_share: float,
) -> list[str]:
    """Communes that a QPV is linked to."""
    large = [c for c, (area, share) in seen.items() if c is not None and area >= min_area_m2 and share >= min_share]
    if listed is None:
        # a QPV smaller than the tolerance is still somewhere
        return large or [c for c in sorted(seen, key=lambda c: -seen[c][0])[:1] if c is not None]
    several_parts = {part for parts in official.ARRONDISSEMENTS.values() for part in parts}
    # the list names the whole commune: which of its arrondissements is for the geometry to say
    kept = [c for c in listed if c not in several_parts or c in large]
    return kept or listed[:1]


def _published_parts(population: pd.DataFrame | None, communes: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Published split of the people of a QPV by commune, when the table has one."""
    if population is None or population.index.nlevels == 1:
        return {}
    known = set(communes.index)
    parts: dict[str, dict[str, float]] = {}
    secret: set[str] = set()
    for (code, commune), people in population["population"].items():
        folded = commune if commune in known else official.fold_arrondissement(commune)
        if pd.isna(people):
            secret.add(str(code))
            continue
        of_it = parts.setdefault(str(code), {})
        of_it[folded] = of_it.get(folded, 0.0) + float(people)
    # a part that is not known leaves the whole split unknown
    return {code: split for code, split in parts.items() if code not in secret}


def _population_split(
    members: list[str], seen: Mapping[str | None, tuple[float, float]], published: Mapping[str, float]
) -> tuple[dict[str | None, float] | None, str]:
    """Share of the people of a QPV in each of its communes, and where it comes from; None when nothing tells."""
    if len(members) <= 1:
        return {members[0] if members else None: 1.0}, "area"
    total = sum(published.values())
    if total > 0:
        return {commune: published.get(commune, 0.0) / total for commune in members}, "published"
    areas = {commune: seen.get(commune, (0.0, 0.0))[0] for commune in members}
    whole = sum(areas.values())
    if whole == 0:
        return None, ""
    return {commune: area / whole for commune, area in areas.items()}, "area"


def _complete(
    links: pd.DataFrame, qpv: gpd.GeoDataFrame, communes: pd.DataFrame, population: pd.DataFrame | None
) -> pd.DataFrame:
    """Add what the commune belongs to and the people, and order the columns."""
    of_commune = communes.reindex(links["commune"], columns=["epci", "ept", "department", "region"])
    for column in of_commune.columns:
        links[column] = of_commune[column].astype("str").to_numpy()
    links["ept"] = links["ept"].astype("str").where(links["ept"].notna(), _ept_from_qpv(links, qpv))
    people = forms.align_population(qpv.index, population)
    links["population"] = people.reindex(links["qpv_code"]).to_numpy() * links["population_share"]
    links = links[list(LINK_COLUMNS)]
    provenance.stamp(
        links,
        [record for frame in (qpv, communes, population) if frame is not None for record in _files(frame)],
        vintage=int(qpv["vintage"].iloc[0]) if len(qpv) else None,
        reference_year=forms.reference_year(population),
        census_years=forms.census_years(population),
        fictional=provenance.is_fictional(qpv, communes, population),
    )
    return links


def _files(frame: pd.DataFrame) -> list[dict[str, object]]:
    return list(provenance.provenance(frame).get("files", []))


def _ept_from_qpv(links: pd.DataFrame, qpv: gpd.GeoDataFrame) -> pd.Series:
    """EPT of the communes of the Grand Paris, from the SIREN that the perimeters carry there.

    The ANCT files give the EPT where other tables give the Métropole du Grand Paris: a QPV that names one EPT alone
    tells the EPT of all its communes.
    """
    none = pd.Series(pd.NA, index=links.index, dtype="str")
    if "siren_epci" not in qpv.columns:
        return none
    known = set(facts.names("epts"))
    sirens = qpv["siren_epci"].map(lambda cell: official.split_list(cell, "siren"), na_action="ignore")
    one = sirens[sirens.map(lambda found: isinstance(found, list) and len(found) == 1 and found[0] in known)]
    of_qpv = one.map(lambda found: found[0])
    told = links[links["qpv_code"].isin(of_qpv.index) & (links["epci"] == _GRAND_PARIS)]
    by_commune = told.assign(ept=of_qpv.reindex(told["qpv_code"]).to_numpy()).groupby("commune")["ept"].agg(set)
    sure = by_commune[by_commune.map(len) == 1].map(lambda found: next(iter(found)))
    return links["commune"].map(sure).astype("str")


def audit_communes(qpv: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Compare the published communes of each QPV with its outline.

    Parameters
    ----------
    qpv, communes
        As for `join_communes`, with outlines.

    Returns
    -------
    pandas.DataFrame
        A row per disagreement, largest area first: `qpv_code`, `commune`, `area_m2`, `area_share`, `finding`:
        `listed, not touched`, `listed, only a sliver` (under the default tolerance) or `not listed`. Empty when the
        list and the geometry agree. With generalised outlines many rows are expected: they measure the outlines.

    Raises
    ------
    DataError
        The frame is no QPV frame, the communes have no outlines, or outlines are invalid.

    Notes
    -----
    The published list (ANCT, column `insee_com`) is the one of the decrees; outlines are at 1/4,000.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> communes = qg.read_communes(sample.communes, table=sample.communes_table)
    >>> audit_communes(qg.read_qpv(sample.qpv_2024), communes).columns.tolist()
    ['qpv_code', 'commune', 'area_m2', 'area_share', 'finding']
    """
    forms.require_qpv(qpv)
    if not isinstance(communes, gpd.GeoDataFrame):
        raise DataError("The communes have no outlines.", way_out="Read them with qpvgeo.read_communes(outlines, ...).")
    shares = _by_qpv(qpv, overlap(qpv.geometry, communes.geometry))
    drawn = set(qpv.index[qpv.geometry.notna()])
    found = []
    for code, published in _listed(qpv, communes).items():
        if code not in drawn:
            continue
        seen = shares[code]
        large = _members(seen, None, min_area_m2=MIN_AREA_M2, min_share=MIN_SHARE)
        for commune in published:
            if commune not in seen:
                found.append((code, commune, 0.0, 0.0, "listed, not touched"))
            elif commune not in large:
                found.append((code, commune, *seen[commune], "listed, only a sliver"))
        found += [(code, commune, *seen[commune], "not listed") for commune in large if commune not in published]
    frame = pd.DataFrame(found, columns=["qpv_code", "commune", "area_m2", "area_share", "finding"])
    return frame.sort_values("area_m2", ascending=False, ignore_index=True)
