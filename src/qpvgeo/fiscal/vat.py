"""Which reduced VAT rule a building group meets: in a QPV, near one, near one under renewal, near a former one.

Homes sold to people of modest income bear VAT at 5.5 % when, on the day the building permit is filed, the building
group (*ensemble immobilier*) lies in a QPV or wholly within 300 m of its limit; for a QPV with a convention of the
renewal programme (NPNRU), wholly within 500 m and partly within 300 m; and until the end of 2026 likewise for a former
QPV with such a convention. Metres are those of the legal projection of the territory, by true distance
(`qpvgeo.geometry.directed_hausdorff`).

Source: CGI, articles 278 sexies (III 2°, formerly I 11 bis) and 278 sexies B; loi 2023-1322, article 86; the table
`fiscal_rules` of the facts. The law has other conditions, which no map tells: contrat de ville, price, income.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.fiscal.vat_inputs import (
    Layer,
    footprints_of,
    lists_on,
    one_of_each,
    perimeters_of,
    require_frames,
    require_in_force,
)
from qpvgeo.fiscal.vat_rules import Rule, doubts_of_law, regime_of, rows_on, rules_on
from qpvgeo.frames import provenance
from qpvgeo.geometry.directed_hausdorff import PRECISION_M, farthest_m
from qpvgeo.language import Note, say
from qpvgeo.policy.renewal_conventions import HELD, Conventions, Standing, conventions_of

__all__ = ["INDICATIVE", "ZONE_COLUMNS", "vat_zone"]

INDICATIVE = say("fiscal.indicative", {}, "en")

ZONE_COLUMNS = (
    "eligible",
    "zone",
    "case",
    "qpv_code",
    "nearest_m",
    "farthest_m",
    "limit_m",
    "partly_within_m",
    "reason",
    "note",
)

_CONTINUED = 0.01  # share of a former QPV under a present one: redrawn neighbours overlap by slivers

_BETWEEN_CONTRACTS = ("2024-01-01", "2024-03-31")
"""The contrats de ville of 2015 ended with 2023, and the next were due by the end of March 2024."""

Objects = npt.NDArray[np.object_]


@judged
def vat_zone(
    footprints: gpd.GeoDataFrame | gpd.GeoSeries,
    qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame | gpd.GeoSeries],
    *,
    npnru: pd.DataFrame | pd.Series | Iterable[str] | None = HELD,
    on: str | dt.date,
    former: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> pd.DataFrame:
    """Say which rule of the reduced VAT rate each building group meets by its place, on the day its permit is filed.

    Parameters
    ----------
    footprints
        Outlines of building groups (*ensembles immobiliers*), one row for each group: polygons with a CRS. The
        buildings of a group are one multipolygon, for the law asks about the group.
    qpv
        Perimeters in force on the day, indexed by code (`qpvgeo.read_qpv`), of every territory of the footprints; or a
        list of frames of several geographies or releases, of which each territory takes those in force on the day.
    npnru
        QPV with a convention of the renewal programme: codes, a Series of codes, a Series of True and False by code,
        or a table with a column of codes (one named `npnru` may say "OUI" for some, one named `date_convention` the
        days of signature, as YYYY-MM-DD: a convention signed after the filing does not count, a missing day leaves it
        open). Give codes of the geography in force, and those of 2015 for `former`: a list speaks of the
        geographies of its codes, with a convention or without. `"held"`, the default, is the list that qpvgeo holds:
        QPV of 2015 with a project in January 2025 (ANRU). A project of that list is taken for a convention, which a
        note
        says; of QPV that it does not name, and of those of 2024, it says nothing. What `qpvgeo.join_programmes` gives
        carries it to 2024. None when it is not known, an empty list when there is none.
    on
        Day on which the building permit was filed.
    former
        Perimeters of 2015 that are QPV no longer. An empty frame says that there is none near. One that still
        overlaps a present QPV, by more than 1 % of its area, may have been continued: what rests on it is unknown.

    Returns
    -------
    pandas.DataFrame
        On the index of `footprints`: `eligible` (boolean: whether the place meets a rule; missing when not known),
        `zone` (`in QPV`, `within 300 m`, `NPNRU`, `former QPV`; missing where none was found), `case` (article),
        `qpv_code` (the QPV that it rests on: the one whose rule comes first, then the one the group strays least from,
        then the lower code), `nearest_m` and `farthest_m` (least and greatest distance from a point of the group to
        that QPV, 0 inside; without a zone, the least distance to a QPV in force), `limit_m` and `partly_within_m` (the
        thresholds of the rule), `reason` (why `eligible` is False or missing), `note` (what the answer does not say).
        Metres, to a tenth of a millimetre. `attrs["qpvgeo"]` holds the day, the rules in force on it and the sources.

    Raises
    ------
    DataError
        A CRS is missing; a footprint is a point or a line; codes are missing, invalid or repeated; perimeters are not
        of the geography in force on the day in their territory, or `former` not of 2015: everything is listed.
    UsageError
        `on` is not a day, or comes before 1 January 2015; `npnru` is a single text; footprints or perimeters are no
        frames of outlines.

    Notes
    -----
    A group wholly inside is *in QPV*. One that a limit crosses is judged by "wholly within 300 m", its part inside
    being at 0 m; beyond that it is no case of the law as a group, and the reason says to look at its buildings one by
    one. "Within" includes the threshold. The law speaks of the limit of *a* quartier: each QPV is tested alone, never
    the union of two. Draw the dwellings: an answer of the ministry (question 717, January 2025) says that common
    parts and outbuildings beyond the limit do not count against them.

    In Guyane and Mayotte VAT is not levied, and Saint-Martin and Polynésie française have taxes of their own: no group
    is eligible there, whatever its zone. From 1 January to 31 March 2024,
    between two contrats de ville, a group that meets no rule is left missing. The law was checked up to the day of
    `checked_until` in `fiscal_rules`; later permits carry a note.

    False means that no rule can be met with the perimeters given. Where a convention or a former QPV that was not
    given could change it, the answer is missing. Only the perimeters of territories where a footprint lies are judged.
    The outlines published on the web are simplified: with them the metres are those of the simplified boundary.

    Sources: CGI 278 sexies and 278 sexies B, table `fiscal_rules` of `qpvgeo.facts`; CGI 294 and 296 overseas.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> sample = qg.sample()
    >>> groups = gpd.read_file(sample.footprints).query("programme != ''").set_index("programme")
    >>> found = qg.vat_zone(groups, qg.read_qpv(sample.qpv_2024), npnru=(), on="2025-03-01")
    >>> found["zone"].value_counts(dropna=False).to_dict()
    {nan: 26, 'within 300 m': 12, 'in QPV': 4}
    """
    if isinstance(footprints, shapely.Geometry):
        raise UsageError(Note("fiscal.bare_shape"), way_out=Note("fiscal.bare_shape_way_out"))
    several = {f"qpv[{rank}]": one for rank, one in enumerate(qpv)} if isinstance(qpv, list | tuple) else {}
    require_frames(footprints=footprints, **(several or {"qpv": qpv}), **({} if former is None else {"former": former}))
    lists, unsettled = lists_on(on)
    given = [qpv] if isinstance(qpv, pd.DataFrame | pd.Series) else qpv
    qpv = one_of_each(qpv, lists)
    day: str = lists.attrs["on"]
    rules = rules_on(day)
    present = perimeters_of(qpv, "qpv")
    fictional = territories.SAMPLE in map(official.of_qpv, present.code)
    shapes, place, reasons = footprints_of(footprints, fictional=fictional)
    # perimeters of territories where no footprint lies are not concerned
    present = present.of(np.isin(present.territory, [where for where in set(place) if where is not None]))
    require_in_force(present, lists, unsettled)
    # no published list speaks of the sample
    of_sample = fictional and isinstance(npnru, str) and npnru == HELD
    conventions = None if of_sample else conventions_of(npnru)
    ended, ended_notes = _ended(former, lists, rules)

    known = _Known(day, conventions, present)
    found = _found(shapes, place, rules, present, ended, known)
    told = _Told(lists, rules, known, ended, unsettled, fictional=fictional)
    _conclude(found, place, reasons, told)
    of_law = doubts_of_law(day)
    held = {where: "; ".join([*told.notes(where), *of_law]) for where in set(place)}
    found["note"] = pd.array([held[where] for where in place], dtype="str")
    found = found[list(ZONE_COLUMNS)].set_index(footprints.index)
    frames = [frame for frame in (footprints, *given, former) if frame is not None]
    return provenance.stamp(
        found,
        [record for frame in frames for record in provenance.provenance(frame).get("files", [])],
        on=day,
        rules=[dict(row) for row in rows_on(day)],
        indicative=Note("fiscal.indicative"),
        notes=[*of_law, *ended_notes, *facts.caveats(day, set(present.territory))],
        fictional=provenance.is_fictional(*frames),
    )


def _ended(
    former: gpd.GeoDataFrame | gpd.GeoSeries | None, lists: pd.DataFrame, rules: list[Rule]
) -> tuple[Layer | None, list[Note]]:
    """Former QPV to which a rule of the day applies, and notes on the others."""
    if former is None:
        return None, []
    layer = perimeters_of(former, "former")
    wrong = [code for code in layer.code if official.vintage_of(code) != 2015]
    if wrong:
        raise DataError(
            Note("fiscal.not_of_2015", count=len(wrong), total=len(layer.code)),
            problems=wrong,
            way_out=Note("fiscal.not_of_2015_way_out"),
        )
    if not any(rule.former for rule in rules):
        return None, [Note("fiscal.no_former_rule", on=lists.attrs["on"])]
    over = np.isin(layer.territory, lists.index[lists["vintage"] == 2024])
    notes = [Note("fiscal.still_a_qpv", code=str(code), on=lists.attrs["on"]) for code in layer.code[~over]]
    return layer.of(over), notes


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the perimeters beside their outlines."""

    day: str
    conventions: Conventions | None
    present: Layer

    def standing(self, layer: Layer, rule: Rule) -> pd.DataFrame:
        """Whether a rule holds for each perimeter (`holds`, missing where not known), and why not known (`doubt`)."""
        given = [self._of(code, rule) for code in layer.code]
        found = pd.DataFrame(
            {
                "holds": pd.array([one.holds for one in given], dtype="boolean"),
                "doubt": pd.Series([one.doubt for one in given], dtype=object),
            }
        )
        if rule.former:
            self._doubt_continued(layer, found)
        return found

    def _of(self, code: str, rule: Rule) -> Standing:
        if rule.convention_by is None:
            return Standing(holds=True)
        by = self.day if rule.convention_by == "filing" else rule.convention_by
        return Standing.unknown(code) if self.conventions is None else self.conventions.standing(code, by)

    def _doubt_continued(self, layer: Layer, found: pd.DataFrame) -> None:
        possible = found["holds"].fillna(value=True).to_numpy(dtype=bool)
        for territory in dict.fromkeys(layer.territory):
            old = np.flatnonzero((layer.territory == territory) & possible)
            new = np.flatnonzero((self.present.territory == territory) & ~shapely.is_missing(self.present.shape))
            at, under = shapely.STRtree(self.present.shape[new]).query(layer.shape[old], predicate="intersects")
            shared = shapely.area(shapely.intersection(layer.shape[old[at]], self.present.shape[new[under]]))
            kept = shared > _CONTINUED * shapely.area(layer.shape[old[at]])
            for row, other in zip(old[at[kept]], new[under[kept]], strict=True):
                codes = {"former": str(layer.code[row]), "present": str(self.present.code[other])}
                found.loc[row, "holds"] = pd.NA
                found.loc[row, "doubt"] = Note("fiscal.continued", **codes)


def _pairs(shapes: Objects, place: Objects, layer: Layer, reach: float) -> pd.DataFrame:
    """Least and greatest distance of each footprint to each perimeter within reach."""
    found = [pd.DataFrame({"row": [], "qpv": [], "nearest_m": [], "farthest_m": []}).astype({"row": int, "qpv": int})]
    for territory in dict.fromkeys(layer.territory):
        here = np.flatnonzero(place == territory)
        own = np.flatnonzero((layer.territory == territory) & ~shapely.is_missing(layer.shape))
        # a little farther, for the last digits of the distance are rounded
        at, near = shapely.STRtree(layer.shape[own]).query(shapes[here], "dwithin", reach + PRECISION_M)
        row, qpv = here[at], own[near]
        nearest = np.round(shapely.distance(shapes[row], layer.shape[qpv]), 4)
        farthest = np.full(len(row), np.inf)
        for one in np.unique(qpv):
            chosen = qpv == one
            farthest[chosen] = farthest_m(shapes[row[chosen]], layer.shape[one], limit=reach)
        found.append(pd.DataFrame({"row": row, "qpv": qpv, "nearest_m": nearest, "farthest_m": farthest}))
    return pd.concat(found, ignore_index=True)


def _found(
    shapes: Objects, place: Objects, rules: list[Rule], present: Layer, ended: Layer | None, known: _Known
) -> pd.DataFrame:
    """First rule that each footprint meets, with its distances; `doubt` where one that is not known could be met."""
    reach = max(rule.wholly for rule in rules)
    layers = {False: present} | ({True: ended} if ended is not None else {})
    pairs = {former: _pairs(shapes, place, layer, reach) for former, layer in layers.items()}
    kept = pd.DataFrame(index=pd.RangeIndex(len(shapes)))
    words = ("zone", "case", "qpv_code", "close")
    kept = kept.assign(**dict.fromkeys(words, pd.Series(pd.NA, index=kept.index, dtype="str")))
    kept["doubt"] = pd.Series(None, index=kept.index, dtype=object)
    kept = kept.assign(**dict.fromkeys(("nearest_m", "farthest_m", "limit_m", "partly_within_m"), np.nan))
    for rule in rules:
        if rule.former not in layers:
            continue
        layer, pair = layers[rule.former], pairs[rule.former]
        fits = pair[(pair["farthest_m"] <= rule.wholly) & ~(pair["nearest_m"] > rule.partly)]
        near = np.unique(fits["qpv"])
        standing = known.standing(layer.of(near), rule).set_axis(near)
        fits = fits.assign(code=layer.code[fits["qpv"]]).join(standing, on="qpv")
        fits = fits.sort_values(["row", "farthest_m", "code"])
        met = fits[fits["holds"].fillna(value=False).astype(bool)].drop_duplicates("row").set_index("row")
        met = met[kept["zone"].reindex(met.index).isna()]
        kept.loc[met.index, ["zone", "case"]] = rule.zone, rule.reference
        kept.loc[met.index, ["limit_m", "partly_within_m"]] = rule.wholly, rule.partly
        kept.loc[met.index, "qpv_code"] = met["code"]
        kept.loc[met.index, ["nearest_m", "farthest_m"]] = met[["nearest_m", "farthest_m"]]
        unsure = fits[fits["holds"].isna()].drop_duplicates("row").set_index("row")
        unsure = unsure[kept["doubt"].reindex(unsure.index).isna()]
        kept.loc[unsure.index, "doubt"] = unsure["doubt"]
    _add_nearest(kept, shapes, place, present)
    return kept


def _add_nearest(kept: pd.DataFrame, shapes: Objects, place: Objects, present: Layer) -> None:
    """For footprints without a zone, the least distance to a QPV in force, and which one it is (`close`)."""
    open_rows = kept["zone"].isna().to_numpy()
    for territory in dict.fromkeys(present.territory):
        here = np.flatnonzero((place == territory) & open_rows)
        own = np.flatnonzero((present.territory == territory) & ~shapely.is_missing(present.shape))
        if len(here) and len(own):
            at, near = shapely.STRtree(present.shape[own]).query_nearest(shapes[here], all_matches=True)
            metres = np.round(shapely.distance(shapes[here[at]], present.shape[own[near]]), 4)
            tied = pd.DataFrame({"row": here[at], "nearest_m": metres, "close": present.code[own[near]].astype(str)})
            first = tied.sort_values(["row", "close"]).drop_duplicates("row").set_index("row")
            kept.loc[first.index, ["nearest_m"]] = first[["nearest_m"]]
            kept.loc[first.index, "close"] = first["close"]


class _Told:
    """What the perimeters and lists that were given leave open, by territory."""

    def __init__(
        self,
        lists: pd.DataFrame,
        rules: list[Rule],
        known: _Known,
        ended: Layer | None,
        unsettled: frozenset[str],
        *,
        fictional: bool,
    ) -> None:
        self._lists, self._rules, self._conventions, self._unsettled = lists, rules, known.conventions, unsettled
        present = known.present
        drawn = pd.Series(present.territory[~shapely.is_missing(present.shape)], dtype="object")
        self._given = drawn.value_counts().to_dict()
        self._sample = fictional
        self._ended = ended
        self.near = max(rule.wholly for rule in rules if rule.convention_by is None)

    def reach_of(self, code: object) -> float:
        """Distance within which a group must lie wholly for the widest of the rules of a QPV."""
        signed = [
            rule.wholly
            for rule in self._rules
            if rule.convention_by and not rule.former and isinstance(code, str) and self._conventions
            if self._conventions.standing(code, rule.convention_by).holds
        ]
        return max([self.near, *signed])

    def never(self, territory: str) -> Note | None:
        """Why no group of a territory can be eligible: the VAT of this law is not levied there."""
        regime = regime_of(territory)
        return regime if regime is not None and regime.key in ("fiscal.not_levied", "fiscal.own_taxes") else None

    def unknown(self, territory: str) -> Note | None:
        """Why nothing can be said in a territory."""
        name = territories.get(territory).name
        if territory in self._lists.index and pd.isna(self._lists.loc[territory, "n_qpv"]):
            return Note("fiscal.list_unknown", territory=name, state=str(self._lists.loc[territory, "note"]))
        if territory in self._unsettled:
            return Note("fiscal.geography_unknown", territory=name, on=self._lists.attrs["on"])
        if territory in self._lists.index and territory not in self._given:
            return Note("fiscal.no_perimeters", territory=name)
        return None

    def transitional(self, territory: str) -> bool:
        """Whether the old contracts of a territory had ended and the new ones were not due yet."""
        first, last = _BETWEEN_CONTRACTS
        return territory == "hexagone" and first <= self._lists.attrs["on"] <= last

    def lacks_former(self, territory: str) -> bool:
        """Whether a former QPV that was not given could make a difference."""
        told = self._conventions
        possible = told is None or not told.speak_of(2015) or told.name_one_of(2015)
        over = territory in self._lists.index and self._lists.loc[territory, "vintage"] == 2024
        return self._ended is None and possible and over and any(rule.former for rule in self._rules)

    def notes(self, territory: str | None) -> list[Note]:
        """What the answer does not say in a territory."""
        found = [Note("fiscal.indicative")]
        if territory is not None and territory in self._given:
            held = self._lists.loc[territory]
            vintage = int(held["vintage"])
            by_convention = any(rule.convention_by and not rule.former for rule in self._rules)
            if by_convention and self._conventions is None:
                found.append(Note("fiscal.npnru_not_given"))
            elif by_convention and self._conventions is not None and self._conventions.held:
                found.append(Note("policy.held_npnru"))
            elif by_convention and self._conventions is not None and not self._conventions.speak_of(vintage):
                found.append(Note("fiscal.npnru_other_geography", vintage=vintage))
            if self.lacks_former(territory):
                found.append(Note("fiscal.former_not_given"))
            given, expected = int(self._given[territory]), held["n_qpv"]
            if not self._sample and given < expected:
                name = str(held["name"])
                found.append(Note("fiscal.part_given", given=given, expected=int(expected), territory=name))
        regime = None if territory is None else regime_of(territory)
        return found if regime is None else [*found, regime]


def _conclude(found: pd.DataFrame, place: Objects, reasons: Objects, told: _Told) -> None:
    """Set `eligible` and `reason`: False only where nothing that was not given could make it True."""
    eligible = pd.Series(pd.NA, index=found.index, dtype="boolean")
    reason = pd.Series(reasons, index=found.index, dtype="object")
    met = found["zone"].notna().to_numpy()
    eligible[met] = True
    doubts = found["doubt"].where(found["doubt"].notna(), None).to_numpy()
    nearest, close = found["nearest_m"].to_numpy(), found["close"].to_numpy()
    for row in np.flatnonzero(reason.isna().to_numpy()):
        where = place[row]
        why = told.never(where)
        if why is None and met[row]:
            continue
        if why is None:
            why = told.unknown(where) or doubts[row]
            if why is None and told.lacks_former(where):
                why = Note("fiscal.former_missing")
            if why is None and told.transitional(where):
                why = Note("fiscal.contracts_of_2024")
            if why is not None:
                reason.iloc[row] = why
                continue
            why = _why_not(nearest[row], close[row], where, told.reach_of(close[row]))
        eligible.iloc[row] = False
        reason.iloc[row] = why
    found["eligible"] = eligible
    found["reason"] = reason.astype("str")


def _why_not(nearest: float, close: str, territory: str, limit: float) -> Note:
    """Why a group meets no rule."""
    if np.isnan(nearest):
        return Note("fiscal.no_qpv", territory=territories.get(territory).name)
    if nearest <= limit:
        return Note("fiscal.crosses" if nearest == 0 else "fiscal.near", code=str(close), distance=round(limit))
    return Note("fiscal.farther", distance=round(limit))
