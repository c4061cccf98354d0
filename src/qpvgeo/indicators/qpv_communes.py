"""Which communes a QPV lies in, and which part of its area and people each of them holds.

The published list of communes decides where there is one, by code or by name; geometry shares the QPV out between them
and audits the list. Without a list, geometry decides, with a tolerance: an outline that strays over the boundary of a
commune by a sliver does not make the QPV one of that commune.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames import forms, provenance, require
from qpvgeo.geometry.overlap_table import overlap
from qpvgeo.geometry.projection import areas_m2
from qpvgeo.indicators.published_communes import PublishedCommunes, published_communes
from qpvgeo.language import Note

__all__ = [
    "LINK_COLUMNS",
    "MIN_AREA_M2",
    "MIN_SHARE",
    "Tolerance",
    "by_qpv",
    "join_communes",
    "large_parts",
    "require_communes",
]

LINK_COLUMNS = (
    "qpv_code",
    "commune",
    "epci",
    "ept",
    "department",
    "region",
    "area_m2",
    "area_share",
    "qpv_area_m2",
    "population",
    "population_share",
    "basis",
)

MIN_AREA_M2 = 1_000.0
MIN_SHARE = 0.01

_GRAND_PARIS = "200054781"


@judged
def join_communes(
    qpv: gpd.GeoDataFrame,
    communes: pd.DataFrame | None,
    *,
    population: pd.DataFrame | pd.Series | None = None,
    min_area_m2: float = MIN_AREA_M2,
    min_share: float = MIN_SHARE,
    basis: str = "published",
) -> pd.DataFrame:
    """Link each QPV to its communes, with the share of its area and of its people in each.

    Parameters
    ----------
    qpv
        QPV frame (`qpvgeo.read_qpv`). Its published communes are the lists of codes in `communes` or, where the file
        gives names (`commune_qp` in 2015), those names.
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
        A row per QPV and commune, in the order of the QPV:

        - `qpv_code`, `commune`, `epci`, `ept` (Grand Paris only), `department`, `region` (of the commune);
        - `area_m2` (shared, legal projection; missing without outlines), `area_share` (of the QPV, 0 to 1),
          `qpv_area_m2` (of the whole QPV);
        - `population`, `population_share` (of the QPV, the shares of a QPV add up to 1);
        - `basis`: where the population share comes from, `published` (one commune, or a published split) or `area`.

        A QPV that could be placed nowhere keeps a row with `commune` missing and `population_share` 1, so
        that the people still add up. `attrs["qpvgeo"]["notes"]` says which names of communes were not found, and how
        many QPV lie in none of the communes given.

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
        raise UsageError(Note("indicators.no_basis", basis=repr(basis)), way_out=Note("indicators.basis_way_out"))
    if communes is not None:
        require_communes(communes)
    whole = pd.Series(areas_m2(qpv.geometry.to_numpy(), qpv.crs), index=qpv.index.astype("str"))
    if communes is None:
        parts = {
            "commune": None,
            "area_m2": whole.to_numpy(),
            "area_share": 1.0,
            "population_share": 1.0,
            "basis": "area",
        }
        links = pd.DataFrame({"qpv_code": whole.index, **parts}).astype({"commune": "str"})
        return _complete(links, whole, qpv, qpv.head(0), population)
    published = published_communes(qpv, communes, population) if basis == "published" else PublishedCommunes()
    shares = _shares(whole, qpv, communes, published)
    links = _links(whole, communes, published, shares, population, Tolerance(min_area_m2, min_share))
    return _complete(links, whole, qpv, communes, population, published.notes())


class Tolerance(NamedTuple):
    """What a QPV must have in a commune to be linked to it by geometry."""

    area_m2: float = MIN_AREA_M2
    share: float = MIN_SHARE


Seen = Mapping[str | None, tuple[float, float]]


def require_communes(communes: pd.DataFrame) -> None:
    """Raise when something is not a frame of communes.

    Raises
    ------
    DataError
        Its index repeats codes or has several levels.
    UsageError
        It is not a frame.
    """
    require.require_frame(communes, "`communes`")
    if communes.index.nlevels > 1:
        raise DataError(Note("indicators.communes_of_levels"), way_out=Note("indicators.make_communes"))
    repeated = communes.index[communes.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            Note("indicators.repeated_communes"), problems=map(str, repeated), way_out=Note("indicators.make_communes")
        )


def _links(
    whole: pd.Series,
    communes: pd.DataFrame,
    published: PublishedCommunes,
    shares: pd.DataFrame,
    population: pd.DataFrame | pd.Series | None,
    tolerance: Tolerance,
) -> pd.DataFrame:
    """Pairs of QPV and commune with their shares.

    Raises
    ------
    DataError
        QPV lie in several communes, and nothing says how much in each.
    """
    counted = _published_parts(population, communes)
    drawn = _drawn(communes)
    rows: list[tuple[str, str | None, float, float, float, str]] = []
    unsplit: list[str] = []
    for code, seen in by_qpv(whole.index, shares).items():
        members = _members(seen, published, code, tolerance)
        # where people were counted the QPV is, whatever the list and the tolerance say
        members += [commune for commune in counted.get(code, {}) if commune not in members]
        within, seen_of = _within(members, seen, drawn, counted.get(code, {}), whole[code])
        split, how = _population_split(within, seen_of, counted.get(code, {}))
        if len(members) == 1 and code in published.codes:
            how = "published"
        if split is None:
            unsplit.append(Note("indicators.qpv_in_communes", qpv_code=code, communes=members))
            continue
        for commune, share in split.items():
            area = _area(commune, seen_of, whole[code], alone=len(split) == 1, drawn=drawn)
            rows.append((code, commune, *area, share, how))
    if unsplit:
        raise DataError(
            Note("indicators.several_communes", count=len(unsplit)),
            problems=unsplit,
            way_out=Note("indicators.outlines_or_split"),
        )
    links = pd.DataFrame(rows, columns=["qpv_code", "commune", "area_m2", "area_share", "population_share", "basis"])
    return links.astype({"qpv_code": "str", "commune": "str", "basis": "str"})


def _within(
    members: list[str], seen: Seen, drawn: Collection[str], counted: Mapping[str, float], whole: float
) -> tuple[list[str | None], Seen]:
    """Communes of a QPV and their areas, where the outlines given are those of some communes of its list only.

    What the outlines given do not cover is of the one commune that has none, else of no commune given.
    """
    beyond = [commune for commune in members if commune not in drawn]
    if not drawn or not beyond or len(members) == 1 or counted or not whole > 0:
        return list(members), seen
    kept: list[str | None] = [commune for commune in members if commune in drawn]
    rest = whole - sum(area for area, _ in seen.values())
    if rest < MIN_SHARE * whole:
        return kept or [None], seen
    owner = beyond[0] if len(beyond) == 1 else None
    return [*kept, owner], {**seen, owner: (rest, rest / whole)}


def _area(commune: str | None, seen: Seen, whole: float, *, alone: bool, drawn: Collection[str]) -> tuple[float, float]:
    """Area of a QPV in a commune, and its share; missing where an outline is."""
    if np.isnan(whole):
        return np.nan, np.nan
    if commune in seen:
        return seen[commune]
    if alone and (commune is None or commune not in drawn):
        return whole, 1.0
    return (0.0, 0.0) if commune in drawn else (np.nan, np.nan)


def _drawn(communes: pd.DataFrame) -> frozenset[str]:
    if not isinstance(communes, gpd.GeoDataFrame):
        return frozenset()
    return frozenset(map(str, communes.index[communes.geometry.notna() & ~communes.geometry.is_empty].tolist()))


def _shares(
    whole: pd.Series, qpv: gpd.GeoDataFrame, communes: pd.DataFrame, published: PublishedCommunes
) -> pd.DataFrame:
    """Overlap table with the communes; without their outlines, QPV of one published commune lie in it whole."""
    if isinstance(communes, gpd.GeoDataFrame):
        return overlap(qpv.geometry, communes.geometry)
    alone = [
        (code, members[0], whole[code], 1.0)
        for code, members in published.codes.items()
        if len(members) == 1 and code not in published.unfound and whole[code] > 0
    ]
    return pd.DataFrame(alone, columns=["left", "right", "area_m2", "left_share"])


def by_qpv(codes: pd.Index, shares: pd.DataFrame) -> dict[str, dict[str | None, tuple[float, float]]]:
    """For each QPV, in its order: `{commune: (area_m2, share of the QPV)}`."""
    found: dict[str, dict[str | None, tuple[float, float]]] = {code: {} for code in codes}
    for code, commune, area, share in shares[["left", "right", "area_m2", "left_share"]].itertuples(index=False):
        found[code][commune] = (area, share)
    return found


def _members(seen: Seen, published: PublishedCommunes, code: str, tolerance: Tolerance) -> list[str]:
    """Communes that a QPV is linked to."""
    large = large_parts(seen, tolerance)
    listed = published.codes.get(code)
    unfound = len(published.unfound.get(code, ()))
    if listed is None:
        # a QPV smaller than the tolerance is still somewhere
        members = large or [c for c in sorted(seen, key=lambda c: -seen[c][0])[:1] if c is not None]
        return sorted(members, key=lambda c: -seen[c][0])[:unfound] if unfound else members
    # the list names the whole city: which of its arrondissements is for the geometry to say
    kept = [c for c in listed if code not in published.expanded or official.fold_arrondissement(c) == c or c in large]
    kept = kept or listed[:1]
    # a commune whose name is not found has another name today: the largest parts of the others are it
    others = sorted((c for c in large if c not in kept), key=lambda c: -seen[c][0])
    return kept + others[:unfound]


def large_parts(seen: Seen, tolerance: Tolerance) -> list[str]:
    """Communes in which a QPV has more than a sliver, by code."""
    return [
        commune
        for commune, (area, share) in seen.items()
        if commune is not None and area >= tolerance.area_m2 and share >= tolerance.share
    ]


def _published_parts(
    population: pd.DataFrame | pd.Series | None, communes: pd.DataFrame
) -> dict[str, dict[str, float]]:
    """Published split of the people of a QPV by commune, when the table has one."""
    if population is None or population.index.nlevels == 1:
        return {}
    known = set(communes.index)
    parts: dict[str, dict[str, float]] = {}
    secret: set[str] = set()
    for (code, commune), people in forms.people_of(population).items():
        folded = commune if commune in known else official.fold_arrondissement(commune)
        if pd.isna(people):
            secret.add(str(code))
            continue
        of_it = parts.setdefault(str(code), {})
        of_it[folded] = of_it.get(folded, 0.0) + float(people)
    # a part that is not known leaves the whole split unknown
    return {code: split for code, split in parts.items() if code not in secret}


def _population_split(
    members: Sequence[str | None], seen: Seen, published: Mapping[str, float]
) -> tuple[dict[str | None, float] | None, str]:
    """Share of the people of a QPV in each of its communes, and where it comes from; None when nothing tells."""
    if len(members) <= 1:
        return {members[0] if members else None: 1.0}, "area"
    total = sum(published.values())
    if total > 0:
        return {commune: published.get(commune or "", 0.0) / total for commune in members}, "published"
    areas = {commune: seen.get(commune, (0.0, 0.0))[0] for commune in members}
    whole = sum(areas.values())
    if whole == 0:
        return None, ""
    return {commune: area / whole for commune, area in areas.items()}, "area"


def _complete(
    links: pd.DataFrame,
    whole: pd.Series,
    qpv: gpd.GeoDataFrame,
    communes: pd.DataFrame,
    population: pd.DataFrame | pd.Series | None,
    notes: Iterable[str] = (),
) -> pd.DataFrame:
    """Add what the commune belongs to and the people, and order the columns."""
    of_commune = communes.reindex(links["commune"], columns=["epci", "ept", "department", "region"])
    for column in of_commune.columns:
        links[column] = of_commune[column].astype("str").to_numpy()
    links["ept"] = links["ept"].astype("str").where(links["ept"].notna(), _ept_from_qpv(links, qpv))
    links["qpv_area_m2"] = whole.reindex(links["qpv_code"]).to_numpy()
    people = forms.align_population(qpv.index, population)
    links["population"] = people.reindex(links["qpv_code"]).to_numpy() * links["population_share"]
    links = links[list(LINK_COLUMNS)]
    outside = links[links["commune"].isna()] if len(communes) else links.head(0)
    bare = int(outside["qpv_area_m2"].isna().sum())
    told = [
        *([Note("indicators.in_no_commune", count=len(outside) - bare)] if len(outside) > bare else []),
        *([Note("indicators.without_commune", count=bare)] if bare else []),
        *notes,
    ]
    provenance.stamp(
        links,
        [record for frame in (qpv, communes, population) if frame is not None for record in _files(frame)],
        vintage=int(qpv["vintage"].iloc[0]) if len(qpv) else None,
        reference_year=forms.reference_year(population),
        census_years=forms.census_years(population),
        fictional=provenance.is_fictional(
            *(frame for frame in (qpv, communes, population) if isinstance(frame, pd.DataFrame))
        ),
        notes=told,
    )
    return links


def _files(frame: pd.DataFrame | pd.Series) -> list[dict[str, object]]:
    return list(provenance.provenance(frame).get("files", [])) if isinstance(frame, pd.DataFrame) else []


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
