"""One call for the frames of a geography: perimeters, people, communes, EPCI, and the links between them."""

import dataclasses
import os
from pathlib import Path

import geopandas as gpd
import pandas as pd

from qpvgeo.at_hand import files, missing, places
from qpvgeo.codes.places import Area
from qpvgeo.errors import DataError, MissingDataError, UsageError, judged
from qpvgeo.frames import forms, provenance
from qpvgeo.language import Note, term
from qpvgeo.samples import sample as embedded
from qpvgeo.settings import current_language, home_expanded

__all__ = ["GeographyFrames", "load"]

_VINTAGES = (2015, 2024)


@dataclasses.dataclass(frozen=True, slots=True, eq=False, repr=False)
class GeographyFrames:
    """Frames of a geography, read from the files available.

    Attributes
    ----------
    qpv
        Perimeters (`qpvgeo.read_qpv`).
    population
        Published populations of these QPV (`qpvgeo.read_population`); None without a table.
    communes
        Communes with their outlines, people and EPCI (`qpvgeo.read_communes`); None without outlines.
    epci
        EPCI (`qpvgeo.read_epci`); None without a table.
    links
        A row per QPV and commune (`qpvgeo.join_communes`); without communes, a row per QPV.
    vintage
        2015 or 2024.
    place
        Name and code of the place that the frames are of; None for all.
    """

    qpv: gpd.GeoDataFrame
    population: pd.DataFrame | None
    communes: gpd.GeoDataFrame | None
    epci: pd.DataFrame | None
    links: pd.DataFrame
    vintage: int
    place: str | None = None

    def __repr__(self) -> str:
        """Name each frame, with its rows and its year."""
        about = provenance.provenance(self.qpv)
        release = f"{term('release', current_language())} {about['release']}" if about.get("release") else None
        title = filter(None, (Note("at_hand.title", vintage=self.vintage), release, self.place))
        years = {"population": forms.reference_year(self.population)}
        lines = [", ".join(title)]
        for name in ("qpv", "population", "communes", "epci", "links"):
            frame = getattr(self, name)
            if frame is None:
                lines.append(f"  {name:<11}{Note('at_hand.none')}")
                continue
            year = years.get(name) or provenance.provenance(frame).get("cog_year")
            said = (
                Note("at_hand.rows_of", count=len(frame), year=year) if year else Note("at_hand.rows", count=len(frame))
            )
            lines.append(f"  {name:<11}{said}")
        if provenance.is_fictional(self.qpv):
            lines.append(f"  {Note('at_hand.fictional')}")
        return "\n".join(lines)


@judged
def load(
    vintage: int | str = 2024,
    place: str | None = None,
    *,
    release: str | None = None,
    data: str | os.PathLike[str] | None = None,
    fetch: bool = False,
    sample: bool = False,
) -> GeographyFrames:
    """Read the perimeters, populations, communes, EPCI and links of a geography, from where they are.

    Parameters
    ----------
    vintage
        2015 or 2024.
    place
        A commune, EPCI, department, region or territory by its name or code, or the code of a QPV: only what lies there
        is kept. All by default.
    release
        Release of the list of 2024, where several are available (see `qpvgeo.read_qpv`); the newest by default.
    data
        Folder searched first; then `data/raw` of a checkout, then the cache. `QPVGEO_DATA` by default.
    fetch
        Download what is missing of these files (`qpvgeo fetch main` on the command line).
    sample
        Read the embedded sample, which is fictional.

    Returns
    -------
    GeographyFrames
        `qpv`, `population`, `communes`, `epci` and `links`. `population`, `communes` or `epci` is None where no file
        gives it. Of a commune or EPCI, `links` keeps every commune of each QPV that lies there, so that its shares
        still add up to 1.

    Raises
    ------
    MissingDataError
        No perimeters are available: names the command that gets them.
    UsageError
        The geography is neither 2015 nor 2024, the place is unknown or several have that name, or both `data` and
        `sample` are given.
    DataError
        No QPV lies in the place.
    FetchError
        With `fetch`, a file that nothing can do without cannot be had.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> france = qg.load(2024, sample=True)
    >>> france
    Geography of 2024
      qpv        16 rows
      population 16 rows (2020)
      communes   12 rows (2024)
      epci       2 rows (2024)
      links      17 rows
      Fictional data: the sample of qpvgeo describes no real place.
    >>> qg.load(2024, "Hautvent", sample=True).qpv.index.tolist()
    ['QN09911M', 'QN09912I']
    """
    year = int(vintage) if str(vintage) in map(str, _VINTAGES) else 0
    if not year:
        raise UsageError(
            Note("read.no_vintage", vintage=str(vintage)),
            way_out=Note("read.vintages_are") if str(vintage).isdecimal() else Note("at_hand.place_comes_second"),
        )
    if sample and data is not None:
        raise UsageError(Note("at_hand.sample_or_data"), way_out=Note("at_hand.one_of_them"))
    folder = embedded().path if sample else None if data is None else home_expanded(data)
    with missing.fetching(allowed=fetch):
        qpv = files.perimeters(year, folder, release=release)
        population = _people(year, folder, qpv)
        try:
            communes = files.communes(folder, forms.reference_year(population))
        except MissingDataError:
            communes = None
        shared = files.parts(year, folder)
        links = files.links(qpv, communes, population if shared is None else shared)
        epci = files.epci(folder, communes)
        everything = GeographyFrames(qpv, population, communes, epci, links, year)
        return everything if place is None else _of_place(everything, place, folder)


_CHOICES = ("read.several_years", "read.no_year", "read.several_populations", "read.several_code_columns")
"""Errors of a sound table that leaves a choice to the caller."""


def _people(year: int, folder: Path | None, qpv: gpd.GeoDataFrame) -> pd.DataFrame | None:
    """Populations available; a table that leaves a choice is left aside, and a note on the perimeters says so."""
    try:
        return files.people(year, folder, qpv=qpv)
    except DataError as error:
        if error.key not in _CHOICES:
            raise
        files.note_on(qpv, [Note("at_hand.people_left_aside", why=error.message)])
        return None


def _of_place(frames: GeographyFrames, place: str, data: Path | None) -> GeographyFrames:
    """What lies in a place."""
    qpv, label = places.qpv_of(frames.qpv, place, data)
    links = frames.links[frames.links["qpv_code"].isin(qpv.index)].reset_index(drop=True)
    population = frames.population
    if population is not None:
        population = population[population.index.isin(qpv.index)]
    communes, epci = frames.communes, frames.epci
    if communes is not None:
        code = place.strip().upper()
        area = None if code in qpv.index else places.area_of(place, data, frames.qpv)
        communes = communes[_within(communes, area, links)]
        epci = None if epci is None else epci[epci.index.isin(communes["epci"].dropna())]
    return GeographyFrames(qpv, population, communes, epci, links, frames.vintage, label)


def _within(communes: gpd.GeoDataFrame, area: Area | None, links: pd.DataFrame) -> pd.Series:
    """Communes of a place; of a QPV, those that it lies in."""
    if area is None:
        return communes.index.to_series().isin(links["commune"])
    if area.communes is not None and not area.whole_departments:
        return communes.index.to_series().isin(area.communes)
    return communes["department"].isin(area.departments)
