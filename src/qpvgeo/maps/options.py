"""Options that the maps of a place share, validated together before anything is drawn."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast

from matplotlib.axes import Axes

from qpvgeo import settings
from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.language.numbers import LANGUAGES, Lang
from qpvgeo.maps.furniture import PAGES
from qpvgeo.maps.places import Place

__all__ = ["MapOptions", "Options", "near_words", "settled"]


class MapOptions(TypedDict, total=False):
    """Options of every map of a place.

    Attributes
    ----------
    place
        Code or name of a region, a department, an EPCI or EPT, a commune, an arrondissement or a QPV; a box of west,
        south, east and north; a place of `qpvgeo.maps.find_place`; None for everything given.
    ax
        Axes to draw on; those of a new figure by default.
    lang
        `en` or `fr`; the language of `qpvgeo.settings` by default.
    title
        Replaces the title made of subject, place and vintage.
    source
        Sources of your own, added to those of the files: `Ville de Lille, 2026`.
    page
        Size of a new figure for print: `a4`, `a4-landscape` or `half` (of a portrait page); by default a figure of the
        shape of the place.
    """

    place: str | Sequence[float] | Place | None
    ax: Axes | None
    lang: Lang | None
    title: str | None
    source: str | None
    page: Literal["a4", "a4-landscape", "half"] | None


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a map, each with its value."""

    place: "str | Sequence[float] | Place | None"
    ax: Axes | None
    lang: Lang
    title: str | None
    source: str | None
    page: str | None = None


def settled(given: Mapping[str, Any], *, without: Sequence[str] = ()) -> Options:
    """Validate the options of a map and fill in the defaults.

    Raises
    ------
    UsageError
        An option does not exist, or has a value that is not one: lists all of them.
    """
    names = [name for name in MapOptions.__annotations__ if name not in without]
    problems: list[str] = []
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            key = "maps.unknown_option_near" if near else "maps.unknown_option"
            problems.append(Note(key, option=name, near="".join(near)))
    lang = given.get("lang")
    if lang is not None and lang not in LANGUAGES:
        problems.append(Note("maps.unknown_language", lang=repr(lang), known=[repr(one) for one in LANGUAGES]))
    if not isinstance(given.get("ax"), Axes | None):
        problems.append(Note("maps.not_axes", kind=type(given["ax"]).__name__))
    problems += [
        Note("maps.not_text", option=name, kind=type(given[name]).__name__)
        for name in ("title", "source")
        if not isinstance(given.get(name), str | None)
    ]
    if given.get("page") is not None and given["page"] not in PAGES:
        problems.append(Note("maps.unknown_page", page=repr(given["page"]), known=list(PAGES)))
    if problems:
        raise UsageError(
            Note("maps.invalid_options"), problems=problems, way_out=Note("maps.options_are", options=names)
        )
    spoken = lang or settings.current_language()
    return Options(
        given.get("place"),
        given.get("ax"),
        cast("Lang", spoken),
        given.get("title"),
        given.get("source"),
        given.get("page"),
    )


def near_words(asked: object, known: Sequence[str]) -> list[str]:
    """Words that are near to one, or all of them where none is.

    Examples
    --------
    >>> near_words("shares", ["share", "population"]), near_words("x", ["share", "population"])
    (['share'], ['share', 'population'])
    """
    words = list(dict.fromkeys(known))
    return difflib.get_close_matches(str(asked), words, n=6, cutoff=0.6) or words
