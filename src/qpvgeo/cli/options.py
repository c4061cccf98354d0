"""Options that several commands share, and what they say together."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click import BadParameter, Context, MissingParameter, Parameter, get_current_context

from qpvgeo.cli.parser import Choice, argument, file_option, option
from qpvgeo.language import LANGUAGES, Note

__all__ = [
    "RELEASE",
    "VINTAGES",
    "folder",
    "grid_option",
    "lists_option",
    "place_argument",
    "place_option",
    "programme_option",
    "release_option",
    "shared",
    "vintage_option",
    "year_option",
]

VINTAGES = Choice("2015", "2024")


def _keep_release(context: Context, _option: Parameter, value: str | None) -> None:
    context.meta[RELEASE] = value


RELEASE = "qpvgeo.release"
"""Where a command keeps the release that it is given: all perimeters are read in one place."""

release_option = option(
    "--release", metavar="NAME", expose_value=False, callback=_keep_release, help="cli.option_release"
)
_vintage = option("--vintage", kind=VINTAGES, default="2024", help="cli.option_vintage")


def _allow_fetch(context: Context, _option: Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from qpvgeo.at_hand.missing import fetching

        context.with_resource(fetching())


def vintage_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of the geography: `--vintage`, and `--release` where a folder holds several."""
    both: Callable[..., Any] = _vintage(release_option(function))
    return both


year_option = option("--year", kind=int, metavar="YEAR", help="cli.option_year")
place_option = option("--place", metavar="NAME", help="cli.option_place")


def place_argument(about: str, *, required: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Argument `PLACE`, and `--place` as another way to give it: the command gets one `place`, or None."""
    metavar = "PLACE" if required else "[PLACE]"

    def given_either_way(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def called(*, named: str | None, place: str | None, **more: Any) -> Any:  # noqa: ANN401
            if named and place and named != place:
                get_current_context().fail(Note("cli.two_places", argument=named, option=place))
            given = named if place is None else place
            if given is None and required:
                raise MissingParameter(ctx=get_current_context(), param_hint=metavar)
            return function(place=given, **more)

        taken = argument("named", metavar=metavar, required=False, help=about)
        both: Callable[..., Any] = taken(option("--place", metavar="NAME", help="cli.option_place_argument")(called))
        return both

    return given_either_way


lists_option = file_option("--lists", help="cli.programmes_lists")
programme_option = option("--programme", metavar="KEY", help="cli.option_programme")
grid_option = file_option("--grid", help="cli.option_grid")

_json = option("--json", is_flag=True, help="cli.option_json")
_sample = option("--sample", is_flag=True, help="cli.option_sample")
_data = file_option("--data", metavar="DIR", help="cli.option_data")
_fetch = option("--fetch", is_flag=True, expose_value=False, callback=_allow_fetch, help="cli.option_fetch")
_lang = option("--lang", kind=Choice(*LANGUAGES), expose_value=False, help="cli.option_lang")


def shared(function: Callable[..., Any], *, sample: bool = True, fetch: bool = True) -> Callable[..., Any]:
    """Options of every command: `--json`, `--sample`, `--data`, `--lang`; `--fetch` of those that read perimeters."""
    for add in (_lang, *([_fetch] if fetch else []), _data, *([_sample] if sample else []), _json):
        function = add(function)
    return function


def folder(data: Path | None, *, sample: bool) -> Path | None:
    """Folder of the files: the one named, that of the sample, or None.

    Raises
    ------
    UsageError
        `--data` is not a folder.
    """
    if sample and data is not None:
        raise BadParameter(Note("cli.exclude", one="--sample", other="--data"), param_hint="--sample")
    if sample:
        from qpvgeo.samples import sample as embedded

        return embedded().path
    if data is not None:
        from qpvgeo.sources.folders import data_dirs

        data_dirs(data)  # raises when it is not a folder
    return data
