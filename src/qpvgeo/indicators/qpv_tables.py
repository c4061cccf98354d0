"""One row a QPV: where it is, who lives there, what it comes from; and several releases or geographies side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from qpvgeo.codes.places import Area, find_area
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import forms, provenance, require
from qpvgeo.language import Note

__all__ = ["QPV_TABLE_COLUMNS", "qpv_table", "side_by_side"]

QPV_TABLE_COLUMNS = ("name", "department", "communes", "commune_names", "epci", "population", "share_of_communes")


@judged
def qpv_table(  # noqa: PLR0913 - a table is made of what is known
    qpv: pd.DataFrame,
    links: pd.DataFrame,
    population: pd.DataFrame | pd.Series | None = None,
    *,
    communes: pd.DataFrame | None = None,
    epci: pd.DataFrame | None = None,
    estimate: pd.DataFrame | None = None,
    crosswalk: pd.DataFrame | None = None,
    place: str | Area | None = None,
) -> pd.DataFrame:
    """Give one row a QPV: communes, people, share, and poverty, ancestors and class where they are given.

    Parameters
    ----------
    qpv
        QPV frame (`qpvgeo.read_qpv`).
    links
        What `qpvgeo.join_communes` gives.
    population
        Published populations; those of the links by default.
    communes, epci
        Frames of communes and EPCI, for names, and for the people of the communes.
    estimate
        What `qpvgeo.estimate_population` gives: `estimate`, `poverty_rate` and `living_standard_mean_eur`.
    crosswalk
        What `qpvgeo.crosswalk` gives: QPV of the other geography; and what changed, where it has a column `change`.
    place
        Only the QPV that lie in a place, wholly or in part, by its code or usual name: see
        `qpvgeo.codes.places.find_area`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `qpv_code`, in the order of `qpv`:

        - `name`, `department`;
        - `communes`, `commune_names`, `epci`: codes and names joined by commas, the most people first;
        - `population`;
        - `share_of_communes` (of the people of its communes together; missing without their populations);
        - the columns of `estimate`, where it is given;
        - `related` (QPV of the other geography, joined by commas) and `change` (of the pairs), with `crosswalk`.

    Raises
    ------
    UsageError
        Something is not a frame, or the place does not exist.
    DataError
        A column is missing, or the populations are those of other QPV.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> from qpvgeo.indicators.qpv_tables import qpv_table
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> links = qg.join_communes(qpv, communes, population=qg.read_population(sample.population_2024))
    >>> qpv_table(qpv, links, communes=communes, place="Port-Brume").shape
    (8, 7)
    """
    require.require_frame(qpv, "qpv")
    require.require_columns(
        links,
        ["qpv_code", "commune", "epci", "population"],
        what="links",
        way_out=Note("indicators.make_links"),
    )
    if communes is not None:
        require.require_frame(communes, "`communes`")
    own = links.sort_values("population", ascending=False, kind="stable").groupby("qpv_code", sort=False)
    names = _column(communes, "name")
    lists = own["commune"].agg(lambda codes: list(dict.fromkeys(codes.dropna())))
    frame = pd.DataFrame(index=pd.Index(qpv.index.astype("str"), name="qpv_code"))
    for column in ("name", "department"):
        frame[column] = qpv[column].to_numpy() if column in qpv.columns else None
    held = lists.reindex(frame.index)
    frame["communes"] = held.map(_joined, na_action="ignore").astype("str")
    frame["commune_names"] = held.map(
        lambda codes: _joined([names.get(code, code) for code in codes]), na_action="ignore"
    ).astype("str")
    frame["epci"] = own["epci"].agg(lambda codes: _joined(codes.dropna())).reindex(frame.index).astype("str")
    people = own["population"].agg(lambda values: values.sum(min_count=1)).astype("Float64").reindex(frame.index)
    frame["population"] = people if population is None else forms.align_population(frame.index, population)
    of_communes = _column(communes, "population")
    whole = held.map(lambda codes: _total(codes, of_communes), na_action="ignore").astype("Float64")
    frame["share_of_communes"] = frame["population"] / whole.where(whole > 0)
    if estimate is not None:
        require.require_columns(estimate, ["estimate"], what="estimate")
        shown = [name for name in ("estimate", "poverty_rate", "living_standard_mean_eur") if name in estimate.columns]
        frame = frame.join(estimate[shown])
    if crosswalk is not None:
        frame = frame.join(_related(frame.index, crosswalk))
    if place is not None:
        frame = frame[_inside(frame, links, place, communes, epci)]
    files = [record for part in (qpv, links) for record in provenance.provenance(part).get("files", [])]
    return provenance.stamp(frame, files, fictional=provenance.is_fictional(qpv, links))


def _joined(values: Any) -> str:  # noqa: ANN401 - codes or names
    return ", ".join(dict.fromkeys(map(str, values)))


def _column(frame: pd.DataFrame | None, column: str) -> dict[str, Any]:
    return {} if frame is None or column not in frame.columns else forms.by_label(frame[column])


def _total(codes: Sequence[str], people: Mapping[str, Any]) -> float | None:
    known = [people[code] for code in codes if code in people]
    return float(sum(known)) if codes and len(known) == len(codes) else None


def _related(index: pd.Index, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """QPV of the other geography that each of an index meets, and what changed."""
    require.require_columns(crosswalk, ["code_from", "code_to"], what="crosswalk")
    forward = crosswalk["code_from"].isin(index).any()
    own, other = ("code_from", "code_to") if forward else ("code_to", "code_from")
    grouped = crosswalk.dropna(subset=own).groupby(own)
    found = grouped[other].agg(lambda codes: _joined(codes.dropna())).to_frame("related")
    if "change" in crosswalk.columns:
        found["change"] = grouped["change"].agg(lambda kinds: _joined(kinds.dropna()))
    return found


def _inside(
    frame: pd.DataFrame,
    links: pd.DataFrame,
    place: str | Area,
    communes: pd.DataFrame | None,
    epci: pd.DataFrame | None,
) -> pd.Series:
    """Rows of a place."""
    known = communes
    if known is None:
        columns = [column for column in ("commune", "epci", "ept") if column in links.columns]
        known = links[columns].dropna(subset="commune").drop_duplicates("commune").set_index("commune")
    area = find_area(place, known, epci) if isinstance(place, str) else place
    if area.whole_departments:
        rows = links["department"].isin(area.departments) if "department" in links.columns else links["commune"].isna()
        return frame["department"].isin(area.departments) | frame.index.isin(links.loc[rows, "qpv_code"])
    rows = links["commune"].isin(area.communes or ())
    return pd.Series(frame.index.isin(links.loc[rows, "qpv_code"]), index=frame.index)


@judged
def side_by_side(
    frames: Mapping[str, pd.DataFrame], columns: Sequence[str] = ("n_qpv", "qpv_population", "population", "share")
) -> pd.DataFrame:
    """Put frames of `summary` or `coverage` beside each other: releases, geographies or years.

    Parameters
    ----------
    frames
        Frames of the same units, by label.
    columns
        Columns to show, where a frame has them.

    Returns
    -------
    pandas.DataFrame
        Indexed by the units of all frames: `name`, then each column of each frame, as `share_2015`. A unit that a frame
        does not have is missing there, not zero.

    Raises
    ------
    UsageError
        These are not frames by label, or not of the same units.

    Examples
    --------
    >>> from qpvgeo.indicators.qpv_tables import side_by_side
    >>> from qpvgeo.indicators.published_totals import published_summary
    >>> both = side_by_side({"2015": published_summary(2015), "2024": published_summary(2024)}, ["n_qpv"])
    >>> both.loc["974", ["n_qpv_2015", "n_qpv_2024"]].tolist()
    [49, 57]
    """
    if not isinstance(frames, Mapping) or not all(isinstance(frame, pd.DataFrame) for frame in frames.values()):
        raise UsageError(Note("indicators.side_frames"), way_out=Note("indicators.side_way_out"))
    levels = dict.fromkeys(str(frame.index.name) for frame in frames.values())
    if len(levels) > 1:
        raise UsageError(Note("indicators.side_level", levels=list(levels)))
    parts = [
        frame[[column for column in columns if column in frame.columns]].add_suffix(f"_{label}")
        for label, frame in frames.items()
    ]
    found = pd.concat(parts, axis=1)
    names: dict[Any, str] = {}
    for frame in frames.values():
        names |= _column(frame, "name")
    found.insert(0, "name", pd.Series(names, dtype="str").reindex(found.index))
    return found.rename_axis(next(iter(levels)))
