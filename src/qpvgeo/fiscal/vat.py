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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.fiscal.vat_inputs import Layer, footprints_of, lists_on, perimeters_of, require_frames, require_in_force
from qpvgeo.frames import provenance
from qpvgeo.geometry.directed_hausdorff import PRECISION_M, farthest_m
from qpvgeo.policy.renewal_conventions import NOT_KNOWN, Conventions, conventions_of

__all__ = ["INDICATIVE", "ZONE_COLUMNS", "vat_zone"]

INDICATIVE = "indicative: only the georeferencer of the State is authoritative"

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

_CONTINUED = 0.01  # share of a former QPV under a present one: neighbours drawn anew overlap by slivers

Objects = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class _Rule:
    zone: str
    former: bool
    wholly: float
    partly: float
    convention_by: str | None
    reference: str


def vat_zone(
    footprints: gpd.GeoDataFrame | gpd.GeoSeries,
    qpv: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    npnru: pd.DataFrame | pd.Series | Iterable[str] | None = None,
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
        Perimeters in force on the day, indexed by code (`qpvgeo.read_qpv`), of every territory of the footprints.
    npnru
        QPV with a convention of the renewal programme: codes, a Series of codes, a Series of True and False by code,
        or a table with a column of codes (one named `npnru` may say "OUI" for some, one named `date_convention` the
        days of signature, as YYYY-MM-DD: a convention signed after the filing does not count, and one whose day lacks
        leaves it open). Give codes of the geography in force, and those of 2015 for `former`: a list speaks of the
        geographies of its codes, with a convention or without. None when it is not known, an empty list when there is
        none.
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

    False means that no rule can be met with the perimeters given. Where a convention or a former QPV that was not
    given could change it, the answer is missing; so it is in Mayotte from 12 August 2025 to 14 January 2026 for a group
    that meets no rule by the list of 2025: whether every commune was a QPV already is not established. The outlines
    published on the web are simplified: with them the metres are those of the simplified limit.

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
        raise UsageError(
            "A bare shape does not say its projection.", way_out="Wrap it: geopandas.GeoSeries([shape], crs=2154)."
        )
    require_frames(footprints=footprints, qpv=qpv, **({} if former is None else {"former": former}))
    lists, unsettled = lists_on(on)
    day: str = lists.attrs["on"]
    rules = _rules(day)
    present = perimeters_of(qpv, "qpv")
    require_in_force(present, lists, unsettled)
    conventions = conventions_of(npnru)
    ended, ended_notes = _ended(former, lists, rules)
    shapes, place, reasons = footprints_of(
        footprints, fictional=territories.SAMPLE in map(official.of_qpv, present.code)
    )

    known = _Known(day, conventions, present)
    found = _found(shapes, place, rules, present, ended, known)
    told = _Told(lists, rules, known, ended, unsettled)
    _conclude(found, place, reasons, told)
    found["note"] = pd.array([told.note(where) for where in place], dtype="str")
    found = found[list(ZONE_COLUMNS)].set_index(footprints.index)
    frames = [frame for frame in (footprints, qpv, former) if frame is not None]
    return provenance.stamp(
        found,
        [record for frame in frames for record in provenance.provenance(frame).get("files", [])],
        on=day,
        rules=[dict(row) for row in _rows(day)],
        indicative=INDICATIVE,
        notes=[*ended_notes, *facts.caveats(day, set(present.territory))],
        fictional=provenance.is_fictional(*frames),
    )


def _rows(day: str) -> list[Mapping[str, str]]:
    rows = facts.rows("fiscal_rules")
    return [row for row in rows if row["filed_from"] <= day <= (row["filed_to"] or "9999")]


def _rules(day: str) -> list[_Rule]:
    """Rules in force for permits filed on a day, the strongest first."""
    return [
        _Rule(
            zone=row["zone"],
            former=row["perimeters"] == "former",
            wholly=float(row["wholly_within_m"]),
            partly=float(row["partly_within_m"] or "nan"),
            convention_by=row["convention_by"] or None,
            reference=row["reference"],
        )
        for row in _rows(day)
    ]


def _ended(
    former: gpd.GeoDataFrame | gpd.GeoSeries | None, lists: pd.DataFrame, rules: list[_Rule]
) -> tuple[Layer | None, list[str]]:
    """Former QPV that the law of the day knows, and words on those that it does not."""
    if former is None:
        return None, []
    layer = perimeters_of(former, "former")
    wrong = [code for code in layer.code if official.vintage_of(code) != 2015]
    if wrong:
        raise DataError(
            f"{len(wrong)} of {len(layer.code)} perimeters of `former` are not of the 2015 geography.",
            problems=wrong,
            way_out="Former QPV are those of 31 December 2023: qpvgeo.read_qpv(path, vintage=2015).",
        )
    if not any(rule.former for rule in rules):
        return None, [f"no rule on former QPV for permits filed on {lists.attrs['on']}: `former` was not used"]
    over = np.isin(layer.territory, lists.index[lists["vintage"] == 2024])
    notes = [f"{code} was still a QPV on {lists.attrs['on']}: not used as a former one" for code in layer.code[~over]]
    return layer.of(over), notes


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the perimeters beside their outlines."""

    day: str
    conventions: Conventions | None
    present: Layer

    def standing(self, layer: Layer, rule: _Rule) -> Objects:
        """Whether a rule holds for each perimeter: True, False, or why it is not known."""
        if rule.convention_by is None:
            return np.full(len(layer.code), True, dtype=object)
        by = self.day if rule.convention_by == "filing" else rule.convention_by
        found = np.full(len(layer.code), None, dtype=object)
        for row, code in enumerate(layer.code):
            found[row] = NOT_KNOWN.format(code) if self.conventions is None else self.conventions.standing(code, by)
        if rule.former:
            self._doubt_continued(layer, found)
        return found

    def _doubt_continued(self, layer: Layer, found: Objects) -> None:
        for territory in dict.fromkeys(layer.territory):
            old = np.flatnonzero((layer.territory == territory) & (found != False))  # noqa: E712
            new = np.flatnonzero((self.present.territory == territory) & ~shapely.is_missing(self.present.shape))
            at, under = shapely.STRtree(self.present.shape[new]).query(layer.shape[old], predicate="intersects")
            shared = shapely.area(shapely.intersection(layer.shape[old[at]], self.present.shape[new[under]]))
            for row, other in zip(
                *(pair[shared > _CONTINUED * shapely.area(layer.shape[old[at]])] for pair in (at, under)), strict=True
            ):
                found[old[row]] = (
                    f"{layer.code[old[row]]} still overlaps {self.present.code[new[other]]}: continued, or former?"
                )


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
    shapes: Objects, place: Objects, rules: list[_Rule], present: Layer, ended: Layer | None, known: _Known
) -> pd.DataFrame:
    """First rule that each footprint meets, with its distances; `doubt` where one that is not known could be met."""
    reach = max(rule.wholly for rule in rules)
    layers = {False: present} | ({True: ended} if ended is not None else {})
    pairs = {former: _pairs(shapes, place, layer, reach) for former, layer in layers.items()}
    kept = pd.DataFrame(index=pd.RangeIndex(len(shapes)))
    words = ("zone", "case", "qpv_code", "doubt", "close")
    kept = kept.assign(**dict.fromkeys(words, pd.Series(pd.NA, index=kept.index, dtype="str")))
    kept = kept.assign(**dict.fromkeys(("nearest_m", "farthest_m", "limit_m", "partly_within_m"), np.nan))
    for rule in rules:
        if rule.former not in layers:
            continue
        layer, pair = layers[rule.former], pairs[rule.former]
        fits = pair[(pair["farthest_m"] <= rule.wholly) & ~(pair["nearest_m"] > rule.partly)]
        fits = fits.assign(code=layer.code[fits["qpv"]], holds=known.standing(layer, rule)[fits["qpv"]])
        fits = fits.sort_values(["row", "farthest_m", "code"])
        met = fits[fits["holds"].eq(True).astype(bool)].drop_duplicates("row").set_index("row")
        met = met[kept["zone"].reindex(met.index).isna()]
        kept.loc[met.index, ["zone", "case"]] = rule.zone, rule.reference
        kept.loc[met.index, ["limit_m", "partly_within_m"]] = rule.wholly, rule.partly
        kept.loc[met.index, "qpv_code"] = met["code"]
        kept.loc[met.index, ["nearest_m", "farthest_m"]] = met[["nearest_m", "farthest_m"]]
        in_words = fits["holds"].map(lambda held: isinstance(held, str)).astype(bool)
        unsure = fits[in_words].drop_duplicates("row").set_index("row")
        unsure = unsure[kept["doubt"].reindex(unsure.index).isna()]
        kept.loc[unsure.index, "doubt"] = unsure["holds"].astype("str")
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
        rules: list[_Rule],
        known: _Known,
        ended: Layer | None,
        unsettled: frozenset[str],
    ) -> None:
        self._lists, self._rules, self._conventions, self._unsettled = lists, rules, known.conventions, unsettled
        present = known.present
        drawn = pd.Series(present.territory[~shapely.is_missing(present.shape)], dtype="object")
        self._given = drawn.value_counts().to_dict()
        self._sample = any(official.of_qpv(code) == territories.SAMPLE for code in present.code)
        self._ended = ended
        self.near = max(rule.wholly for rule in rules if rule.convention_by is None)

    def reach_of(self, code: object) -> float:
        """Distance within which a group must lie wholly for the widest of the rules of a QPV."""
        signed = [
            rule.wholly
            for rule in self._rules
            if rule.convention_by and not rule.former and isinstance(code, str) and self._conventions
            if self._conventions.standing(code, rule.convention_by) is True
        ]
        return max([self.near, *signed])

    def unknown(self, territory: str) -> str | None:
        """Why nothing can be said in a territory."""
        name = territories.get(territory).name
        if territory in self._lists.index and pd.isna(self._lists.loc[territory, "n_qpv"]):
            return f"the list in force in {name} is {self._lists.loc[territory, 'note']}"
        if territory in self._unsettled:
            return f"the geography in force in {name} on {self._lists.attrs['on']} is not known"
        if territory in self._lists.index and territory not in self._given:
            return f"no perimeters given for {name}"
        return None

    def lacks_former(self, territory: str) -> bool:
        """Whether a former QPV that was not given could make a difference."""
        told = self._conventions
        possible = told is None or not told.speak_of(2015) or told.name_one_of(2015)
        over = territory in self._lists.index and self._lists.loc[territory, "vintage"] == 2024
        return self._ended is None and possible and over and any(rule.former for rule in self._rules)

    def note(self, territory: str | None) -> str:
        """What the answer does not say in a territory."""
        parts = [INDICATIVE]
        if territory is not None and territory in self._given:
            held = self._lists.loc[territory]
            by_convention = any(rule.convention_by and not rule.former for rule in self._rules)
            if by_convention and not (self._conventions and self._conventions.speak_of(int(held["vintage"]))):
                why = f"no code of {held['vintage']} in `npnru`" if self._conventions is not None else "not given"
                parts.append(f"NPNRU rule not evaluated (conventions: {why})")
            if self.lacks_former(territory):
                parts.append("rule of former QPV not evaluated (perimeters not given)")
            if not self._sample and self._given[territory] < held["n_qpv"]:
                parts.append(f"{self._given[territory]} of the {held['n_qpv']} perimeters of {held['name']} given")
        vat = next((row for row in facts.rows("vat_territories") if row["territory"] == territory), None)
        return "; ".join([*parts, *([f"{vat['words']} ({vat['reference']})"] if vat else [])])


def _conclude(found: pd.DataFrame, place: Objects, reasons: Objects, told: _Told) -> None:
    """Set `eligible` and `reason`: False only where nothing that was not given could make it True."""
    eligible = pd.Series(pd.NA, index=found.index, dtype="boolean")
    reason = pd.Series(reasons, index=found.index, dtype="object")
    eligible[found["zone"].notna()] = True
    doubts = found["doubt"].astype("object").where(found["doubt"].notna(), None).to_numpy()
    nearest, close = found["nearest_m"].to_numpy(), found["close"].to_numpy()
    for row in np.flatnonzero(found["zone"].isna().to_numpy() & reason.isna().to_numpy()):
        where = place[row]
        why = told.unknown(where) or doubts[row]
        if why is None and told.lacks_former(where):
            why = "meets no rule of the QPV given, and the former QPV were not given"
        if why is None:
            eligible.iloc[row] = False
            why = _why_not(nearest[row], close[row], where, told.reach_of(close[row]))
        reason.iloc[row] = why
    found["eligible"] = eligible
    found["reason"] = reason.astype("str")


def _why_not(nearest: float, close: str, territory: str, limit: float) -> str:
    if np.isnan(nearest):
        return f"no QPV in {territories.get(territory).name}"
    if nearest == 0:
        return f"on the limit of {close}, and reaches beyond {limit:.0f} m of it: look at its buildings one by one"
    if nearest <= limit:
        return f"near {close}, and reaches beyond {limit:.0f} m of it"
    return f"farther than {limit:.0f} m from every QPV given"
