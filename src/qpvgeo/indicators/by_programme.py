"""How much of the QPV each programme reaches: number, people, share. A QPV may be in several rows: they do not add up.

A QPV is reached when a member of the programme covers some of it. How many of its people that makes is only known
where the member is the QPV itself; elsewhere there are two figures: the people of the parts covered, shared out as the
match says, and all people of the QPV reached.
"""

from collections.abc import Iterable

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes.places import Area
from qpvgeo.errors import DataError
from qpvgeo.frames import forms, require
from qpvgeo.frames.provenance import provenance
from qpvgeo.indicators.qpv_pieces import counted, pieces_of, total
from qpvgeo.indicators.selection import Stat, pieces_in_place, statistics
from qpvgeo.language import Note, joined

__all__ = [
    "MATCH_COLUMNS",
    "PROGRAMME_COLUMNS",
    "coverage_of_programmes",
    "kept_by_programmes",
    "reach",
    "required_matches",
]

MATCH_COLUMNS = ("qpv_code", "programme", "member", "code", "basis", "share")
"""Columns of `qpvgeo.join_programmes`."""

PROGRAMME_COLUMNS = (
    "name",
    "n_qpv",
    "n_whole",
    "n_with_population",
    "population_covered",
    "qpv_population",
    "population",
    "share",
    "qpv_area_km2",
    "note",
)

_ROUNDING = 1e-9
_WHOLE = 1 - _ROUNDING


def required_matches(programmes: pd.DataFrame | None, links: pd.DataFrame) -> pd.DataFrame:
    """What `qpvgeo.join_programmes` gives, for the QPV of some links.

    Raises
    ------
    DataError
        Columns are missing, the geographies differ, or shares are none.
    UsageError
        It is not a frame.
    """
    way_out = Note("indicators.make_matches")
    require.require_columns(programmes, MATCH_COLUMNS, what="programmes", way_out=way_out)
    matches: pd.DataFrame = programmes
    share = pd.to_numeric(matches["share"].astype("object"), errors="coerce").astype("Float64")
    wrong = (share.isna() & matches["share"].notna()) | ~share.between(0, 1 + _ROUNDING).fillna(value=True)
    if wrong.any():
        problems = [
            Note("indicators.not_a_share", row=str(row), value=str(value))
            for row, value in matches.loc[wrong, "share"].items()
        ]
        raise DataError(Note("indicators.not_shares"), problems=problems, way_out=way_out)
    forms.require_one_geography(links["qpv_code"], {"programmes": matches["qpv_code"]})
    return matches


def kept_by_programmes(links: pd.DataFrame, programmes: pd.DataFrame) -> pd.DataFrame:
    """Links of the QPV that some programmes reach."""
    kept = links[links["qpv_code"].isin(required_matches(programmes, links)["qpv_code"])]
    kept.attrs = dict(links.attrs)
    return kept


def reach(programmes: pd.DataFrame) -> pd.DataFrame:
    """A row per QPV and programme, with the share that all members cover together; missing where one is not known."""
    each = _overlaps_once(programmes.drop_duplicates(["qpv_code", "programme", "code"]))
    share = each["share"].astype("Float64").groupby([each["qpv_code"], each["programme"]])
    summed = share.sum().clip(upper=1).where(share.count() == share.size())
    # a member that covers all settles it, whatever the others do
    whole = share.max() >= _WHOLE
    found = summed.mask(whole.fillna(value=False), 1.0).rename("share").reset_index()
    return found.assign(whole=(found["share"] >= _WHOLE).fillna(value=False).astype(bool))


def _overlaps_once(programmes: pd.DataFrame) -> pd.DataFrame:
    """Matches with one row for perimeters that overlap on a QPV: the share that they cover together."""
    told = provenance(programmes).get("together", {})
    if not told or "basis" not in programmes:
        return programmes
    known = {(programme, code): share for programme, shares in told.items() for code, share in shares.items()}
    keys = pd.Series(list(zip(programmes["programme"], programmes["qpv_code"], strict=True)), index=programmes.index)
    drawn = programmes["basis"].isin(["area", "grid"]) & keys.isin(known)
    first = drawn & ~keys.where(drawn).duplicated()
    share = programmes["share"].astype("Float64").mask(first, keys.map(known).astype("Float64"))
    return programmes.assign(share=share)[first | ~drawn]


def coverage_of_programmes(
    links: pd.DataFrame,
    programmes: pd.DataFrame,
    *,
    place: str | Area | None = None,
    units: pd.DataFrame | None = None,
    stats: Iterable[Stat] = (),
) -> pd.DataFrame:
    """Rows of `qpvgeo.coverage` by programme: `PROGRAMME_COLUMNS`, then those of the statistics, then the note."""
    pieces = pieces_of(links)
    pieces = pieces if place is None else pieces[pieces_in_place(pieces, place, units)]
    met = pieces.merge(reach(programmes), on="qpv_code").assign(unit=lambda rows: rows["programme"])
    met["covered"] = met["population"] * met["share"]
    found = counted(met, ()).drop(columns=["by_area", "undrawn", "outside"])
    by = met.groupby("unit")
    found["n_whole"] = met[met["whole"]].groupby("unit")["qpv_code"].nunique().reindex(found.index).fillna(0)
    found["population_covered"] = forms.whole_sums(by["covered"]).astype("Float64")
    titles = facts.table("programmes").set_index("programme")["title"]
    found["name"] = found.index.map(lambda key: titles.get(key, key))
    silent = pieces.loc[pieces["population"].isna(), "qpv_code"].nunique()
    found["population"] = total(pieces["population"])
    whole = found["n_qpv"] == found["n_with_population"]
    found["share"] = (found["qpv_population"] / found["population"].astype("Float64")).where(whole)
    sizes = [statistics(part, stats) for _, part in met.groupby("unit")]
    more = pd.concat(sizes).reindex(found.index) if sizes else pd.DataFrame(index=found.index)
    notes = (_note(name, row, programmes, silent) for name, row in found.iterrows())
    found["note"] = forms.as_notes(notes, found.index)
    types = dict.fromkeys(["n_qpv", "n_whole", "n_with_population"], "Int64")
    types |= dict.fromkeys(["population_covered", "qpv_population", "population", "share", "qpv_area_km2"], "Float64")
    frame = found[list(PROGRAMME_COLUMNS)].astype(types).rename_axis("programme")
    return frame[[*PROGRAMME_COLUMNS[:-1]]].join(more).assign(note=frame["note"])


def _note(name: object, row: pd.Series, programmes: pd.DataFrame, silent: int) -> str:
    """What the figures of a programme rest on, and what is missing of them."""
    own, about = programmes[programmes["programme"] == name], provenance(programmes)
    day = about.get("as_of", {}).get(name)
    notes = [Note("indicators.list_of", day=str(day))] if day is not None and not pd.isna(day) else []
    notes += [Note("indicators.carried")] if (own["basis"] == "crosswalk").any() else []
    notes += [Note("indicators.of_territories")] if own["basis"].isin(["commune", "epci", "ept"]).any() else []
    unknown = own.loc[own["share"].isna(), "qpv_code"].nunique()
    notes += [Note("indicators.share_unknown", count=unknown)] if pd.isna(row["population_covered"]) and unknown else []
    lacking = int(row["n_qpv"] - row["n_with_population"])
    notes += [Note("indicators.no_population", count=lacking)] if lacking else []
    notes += [Note("indicators.share_of_known", count=silent)] if silent and not lacking else []
    left = len(about.get("unplaced", {}).get(name, []))
    return joined([*notes, *([Note("indicators.unplaced_members", count=left)] if left else [])])
