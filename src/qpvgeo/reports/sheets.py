"""A sheet of a place: one self-contained HTML page and one PDF, from one template."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from qpvgeo import settings
from qpvgeo.at_hand import GeographyFrames, files, load
from qpvgeo.errors import MissingDataError, UsageError, judged
from qpvgeo.formats.atomic_write import replace, writing
from qpvgeo.language import LANGUAGES, Note
from qpvgeo.samples import sample as embedded
from qpvgeo.settings import home_expanded

if TYPE_CHECKING:
    from qpvgeo.maps import Place

__all__ = ["Report", "report"]

_SUFFIXES = (".html", ".htm", ".pdf")
_EXPOSED = {"low", "estimate", "high", "population"}


@dataclass(frozen=True, slots=True)
class Report:
    """A sheet: its HTML, which displays itself in a notebook and can be saved as a page or a PDF.

    Attributes
    ----------
    html
        The whole page, with its map and fonts.
    title
        Title of the sheet.
    """

    html: str
    title: str

    def pdf(self) -> bytes:
        """Tagged PDF (PDF/UA-1), A4, by WeasyPrint; the same sheet is the same bytes.

        Raises
        ------
        UsageError
            The extra `report` is not installed, or a library of the system that it needs is missing.
        """
        from qpvgeo.reports.sheet_markup import pdf_of  # noqa: PLC0415 - see `report`

        return pdf_of(self.html)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sheet to a file that ends in `.html` or `.pdf`: beside, then renamed.

        Raises
        ------
        UsageError
            The ending is none of these, there is no such folder, or a PDF cannot be made here: says why.
        OutputError
            The file cannot be written there: says why.
        """
        target = Path(path).expanduser()
        problems: list[str] = []
        if target.suffix.lower() not in _SUFFIXES:
            problems.append(Note("maps.not_a_format", file=target.name, known=[".html", ".pdf"]))
        if not target.absolute().parent.is_dir():
            problems.append(Note("maps.no_folder", folder=str(target.parent)))
        if problems:
            raise UsageError(Note("reports.cannot_write"), problems=problems)
        data = self.pdf() if target.suffix.lower() == ".pdf" else self.html.encode("utf-8")
        with writing(target, way_out=Note("maps.name_another_file")):
            replace(target, lambda beside: beside.write_bytes(data))
        return target

    def _repr_html_(self) -> str:
        """Frame of a notebook."""
        shown = self.html.replace("&", "&amp;").replace('"', "&quot;")
        return f'<iframe srcdoc="{shown}" sandbox="" style="width:100%;height:640px;border:1px solid #ccc"></iframe>'


@judged
def report(  # noqa: PLR0913 - a sheet is made of what is known
    place: "str | Place",
    frames: GeographyFrames | None = None,
    *,
    before: gpd.GeoDataFrame | None = None,
    estimate: pd.DataFrame | None = None,
    exposure: Mapping[str, pd.DataFrame] | None = None,
    data: str | os.PathLike[str] | None = None,
    sample: bool = False,
    lang: str | None = None,
    title: str | None = None,
    source: str | None = None,
) -> Report:
    """Make the sheet of a place: map, key figures, table of QPV, change since 2015, programmes, what is not known.

    Parameters
    ----------
    place
        Code or name of a QPV, a commune, an EPCI, an EPT or a department, or what `qpvgeo.maps.find_place` found.
    frames
        What `qpvgeo.load` gives of the geography of 2024; read from `data`, or from the sample, by default.
    before
        Perimeters of 2015; those of `data` by default, where there are any.
    estimate
        What `qpvgeo.estimate_population` gives of these QPV: people with their bounds, and poverty.
    exposure
        What `qpvgeo.exposure` gives, by the name of what it shows: `{"Flood zones": frame}`.
    data, sample
        As for `qpvgeo.load`, where `frames` is left out.
    lang
        `en` or `fr`; the language of `qpvgeo.settings` by default.
    title, source
        Title of your own, and sources added to those of the files.

    Returns
    -------
    Report
        `.html`, `.pdf()`, `.save("sheet.html")` or `.save("sheet.pdf")`. A4; the sheet of a commune is two pages at
        most unless it has more than forty QPV. Figures carry their year, their bounds and their source; what is missing
        is said to be so. People of a place are those of the part of each QPV that lies in it, shares of a QPV those of
        the people of its communes.

    Raises
    ------
    UsageError
        There is no such place, it has no sheet (a region, a box), an option is not one, or the extra `report` is not
        installed.
    MissingDataError
        No perimeters are available.
    DataError
        No QPV lies in the place.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> made = qg.report("Port-Brume", sample=True, lang="en")
    >>> made.title
    'Priority neighbourhoods: Port-Brume (99001)'
    """
    lang = lang or settings.current_language()
    _require(place, frames, exposure, lang)
    held = load(2024, data=data, sample=sample) if frames is None else frames
    if before is None and frames is None:
        before = _perimeters_before(data, sample=sample)
    # maps load matplotlib, and the help of a command must not wait for it
    from qpvgeo.reports.sheet_content import sheet_of  # noqa: PLC0415

    html, made = sheet_of(place, held, before, estimate, exposure or {}, lang=lang, title=title, source=source)
    return Report(html, made)


def _require(place: object, frames: object, exposure: object, lang: str) -> None:
    problems: list[str] = []
    if not (place.strip() if isinstance(place, str) else _is_place(place)):
        problems.append(Note("reports.place_is_text", kind=type(place).__name__))
    if frames is not None and not isinstance(frames, GeographyFrames):
        problems.append(Note("reports.frames_are_loaded", kind=type(frames).__name__))
    if lang not in LANGUAGES:
        problems.append(Note("maps.unknown_language", lang=repr(lang), known=[repr(one) for one in LANGUAGES]))
    if exposure is not None and not isinstance(exposure, Mapping):
        problems.append(Note("reports.exposure_by_name"))
    elif exposure is not None:
        problems += [
            Note("reports.not_exposed", name=name)
            for name, frame in exposure.items()
            if not isinstance(frame, pd.DataFrame) or not set(frame.columns) >= _EXPOSED
        ]
    if problems:
        raise UsageError(Note("reports.invalid_options"), problems=problems)


def _is_place(place: object) -> bool:
    from qpvgeo.maps import Place  # noqa: PLC0415 - see `report`

    return isinstance(place, Place)


def _perimeters_before(data: str | os.PathLike[str] | None, *, sample: bool) -> gpd.GeoDataFrame | None:
    folder = embedded().path if sample else None if data is None else home_expanded(data)
    try:
        return files.perimeters(2015, folder)
    except MissingDataError:
        return None
