"""What a sheet says, gathered from frames: the words and numbers that its template sets."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from qpvgeo.at_hand import GeographyFrames
from qpvgeo.frames import provenance
from qpvgeo.language import Note, listed
from qpvgeo.language.terms import term
from qpvgeo.maps import Place
from qpvgeo.maps import qpv as qpv_map
from qpvgeo.maps.composition import geography_of, titles_of
from qpvgeo.reports.citations import citation
from qpvgeo.reports.sheet_figures import key_figures
from qpvgeo.reports.sheet_markup import map_svg, sheet_html
from qpvgeo.reports.sheet_places import Subject, subject_of
from qpvgeo.reports.sheet_sections import changes, exposures, programme_lines, qpv_rows, table_of, unknown
from qpvgeo.samples import FICTIONAL

__all__ = ["sheet_of"]

_MOST_SPOKEN = 8


def sheet_of(  # noqa: PLR0913 - a sheet is made of what is known
    place: str | Place,
    held: GeographyFrames,
    before: gpd.GeoDataFrame | None,
    estimate: pd.DataFrame | None,
    exposure: Mapping[str, pd.DataFrame],
    *,
    lang: str,
    title: str | None,
    source: str | None,
) -> tuple[str, str]:
    """HTML of a sheet, and its title; see `qpvgeo.report`."""
    subject = subject_of(place, held, before)
    table = table_of(subject, estimate)
    made = title or Note("reports.title", place=subject.where.label).say(lang)
    used = [held.qpv, held.population, held.communes, held.epci, before, estimate, *exposure.values()]
    fictional = provenance.is_fictional(*[one for one in used if one is not None])
    content: dict[str, Any] = {
        "title": made,
        "alone": subject.alone,
        "subtitle": _subtitle(subject, lang),
        "fictional": term(FICTIONAL, lang) if fictional else "",
        "figures": key_figures(subject, table, estimate, lang),
        "map": _map(subject, lang),
        "table": qpv_rows(subject, table, lang),
        "changes": changes(subject, before, lang),
        "programmes": programme_lines(subject, lang),
        "exposures": exposures(subject, exposure, lang),
        "unknown": unknown(subject, table, estimate, before, lang),
        "sources": [source] if source else [],
        "citations": citation(used, lang, regions=subject.where.regions(used)).splitlines()[
            : -1 if fictional else None
        ],
        "foot": subject.where.label,
    }
    return sheet_html(content, lang), made


def _subtitle(subject: Subject, lang: str) -> str:
    dated = geography_of(subject.frames.qpv, lang)
    release = provenance.provenance(subject.frames.qpv).get("release")
    return ", ".join([dated[:1].upper() + dated[1:], *([f"{term('release', lang)} {release}"] if release else [])])


def _map(subject: Subject, lang: str) -> str:
    """Map of the place, its title and sources left to the sheet."""
    frames = subject.frames
    with mpl.rc_context({"backend": "agg"}):
        ax = qpv_map(frames.qpv, frames.communes, place=subject.where, lang=lang, page="half", title="")  # type: ignore[arg-type]
        try:
            names = titles_of(subject.qpv, subject.qpv.index)
            label = Note(
                "reports.map_shows", place=subject.where.name, names=listed(names, lang, most=_MOST_SPOKEN)
            ).say(lang)
            return map_svg(ax, label)
        finally:
            plt.close(ax.get_figure(root=True))
