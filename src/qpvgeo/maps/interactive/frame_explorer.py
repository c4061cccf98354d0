"""Look at frames: each is shown as what it is, on one interactive page."""

from typing import Any, Literal, Unpack

import geopandas as gpd
import pandas as pd

from qpvgeo.at_hand.geography_loader import GeographyFrames
from qpvgeo.errors import UsageError, judged
from qpvgeo.language import Note
from qpvgeo.maps.interactive.pages import Page, page
from qpvgeo.maps.options import MapOptions

__all__ = ["explore"]

Role = Literal["qpv", "communes", "grid", "points", "figures"]
_ONCE: tuple[Role, ...] = ("communes", "grid", "points")


@judged
def explore(*frames: pd.DataFrame | GeographyFrames, **options: Unpack[MapOptions]) -> Page:
    """Show frames of qpvgeo on an interactive page, whatever their order.

    Parameters
    ----------
    *frames
        What the readers and measures return, each shown as what it is:

        - perimeters (`read_qpv`), of one geography or of both;
        - communes with outlines (`read_communes`), at most once;
        - cells (`read_grid`), at most once, coloured by their people;
        - a layer of points, at most once, coloured by the state that `tag_points` gives;
        - figures indexed by codes of QPV or communes (`read_population`, `estimate_population`, `coverage`);
        - what `qpvgeo.load` returns, in place of perimeters and communes.
    **options
        `place`, `lang`, `title` and `source`, as for `qpvgeo.maps.page`.

    Returns
    -------
    Page
        `.html`, `.save("page.html")`; the last line of a notebook cell displays it.

    Raises
    ------
    UsageError
        No perimeters are given, something is not a frame, or communes, cells or points come twice: lists all.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> people = qg.read_population(sample.population_2024)
    >>> qg.maps.explore(people, qg.read_qpv(sample.qpv_2024), place="La Misaine", lang="en").title
    'Priority neighbourhoods (QPV), La Misaine (geography of 2024)'
    """
    given: dict[Role, list[Any]] = {"qpv": [], "communes": [], "grid": [], "points": [], "figures": []}
    problems = []
    for frame in frames:
        if isinstance(frame, pd.DataFrame):
            given[_role(frame)].append(frame)
        elif isinstance(frame, GeographyFrames):
            given["qpv"].append(frame.qpv)
            given["communes"] += [] if frame.communes is None else [frame.communes]
            given["figures"] += [] if frame.population is None else [frame.population]
        else:
            problems.append(Note("reports.not_a_frame", kind=type(frame).__name__))
    problems += [Note("maps.explored_twice", what=role) for role in _ONCE if len(given[role]) > 1]
    if not given["qpv"]:
        problems.append(Note("maps.no_perimeters_explored"))
    if problems:
        raise UsageError(Note("maps.cannot_explore"), problems=problems, way_out=Note("maps.what_to_explore"))
    once = {role: given[role][0] for role in _ONCE if given[role]}
    return page(
        given["qpv"],
        once.get("communes"),
        figures=given["figures"],
        grid=once.get("grid"),
        points=once.get("points"),
        **options,
    )


def _role(frame: pd.DataFrame) -> Role:
    """What a frame of qpvgeo is shown as."""
    if frame.index.name == "cell_id":
        return "grid"
    if not isinstance(frame, gpd.GeoDataFrame):
        return "figures"
    if len(frame) and set(frame.geom_type.dropna()) <= {"Point"}:
        return "points"
    return "communes" if {"epci", "department"} <= set(frame.columns) and frame.index.name != "qpv_code" else "qpv"
