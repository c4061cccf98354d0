"""How candidate zones move with the threshold, the contiguity, the gap, the least population and the proxy."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from qpvgeo.designation.connected_cells import Contiguity
from qpvgeo.designation.input_checks import is_number, require_cells
from qpvgeo.designation.zones import NEEDED, Enough, candidates_if, zone_problems
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_frame
from qpvgeo.language import Note

__all__ = ["designation_sensitivity"]

_OPTIONS = ("threshold_factor", "contiguity", "gap", "min_population")


@judged
def designation_sensitivity(
    cells: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    threshold_factors: Iterable[float] = (0.9, 0.95, 1.0, 1.05, 1.1),
    contiguity: Iterable[Contiguity] = ("queen", "rook"),
    gap: Iterable[int] = (0, 1),
    min_population: Iterable[float] = (800, 1_000, 1_200),
) -> pd.DataFrame:
    """Count candidate zones and their people under every combination of options.

    Parameters
    ----------
    cells
        Frame of `qpvgeo.eligible_cells`, or several by name (one a proxy).
    threshold_factors
        Factors on the threshold: 1.05 is a threshold 5 % higher. For rates of poverty, the required rate is divided.
    contiguity, gap, min_population
        As for `qpvgeo.candidate_zones`: the values to try.

    Returns
    -------
    pandas.DataFrame
        A row per combination: `proxy`, `threshold_factor`, `contiguity`, `gap`, `min_population`, `zones`, `cells`,
        `population` (people of the candidate zones), `eligible_population` (people of all eligible cells).
        `attrs["qpvgeo"]` holds the regime, its article and the calibration of each proxy.

    Raises
    ------
    UsageError
        A factor that is not a positive number, a contiguity, gap or minimum that cannot be, or no value for an option:
        lists them.
    DataError
        The cells are not those of `eligible_cells`.

    Examples
    --------
    >>> import pandas as pd, qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> towns = ["99001", "99002", "99003", "99004"]
    >>> units = pd.DataFrame({"unit": "99A", "population": 45_000, "median": 19_000}, index=towns)
    >>> cells = qg.eligible_cells(grid, units, national_median=21_730)
    >>> table = designation_sensitivity(cells, contiguity=["queen"], gap=[0], min_population=[1_000])
    >>> bool(table["population"].is_monotonic_increasing)
    True
    """
    if not isinstance(cells, Mapping):
        require_frame(cells, Note("frames.the_cells"))
        cells = {str(provenance(cells).get("proxy", "")): cells}
    by_proxy = dict(cells)
    options = _options(by_proxy, threshold_factors, contiguity, gap, min_population)
    rows: list[dict[str, Any]] = []
    for name, frame in by_proxy.items():
        lattice, density = require_cells(frame, NEEDED), provenance(frame).get("min_density_km2")
        people = frame["population"].astype("Float64").fillna(0).to_numpy(np.float64)
        for factor, touch, step, least in product(*options):
            enough = Enough(float(least), density)
            other, inside = candidates_if(frame, lattice, factor, enough, contiguity=touch, gap=step)
            tried = dict(zip(_OPTIONS, (float(factor), touch, int(step), float(least)), strict=True))
            found = {
                "zones": other["label"][inside].nunique(),
                "cells": int(inside.sum()),
                "population": float(people[inside].sum()),
                "eligible_population": float(people[other["eligible"].fillna(value=False).to_numpy(bool)].sum()),
            }
            rows.append({"proxy": name} | tried | found)
    frames = list(by_proxy.values())
    about = [provenance(frame) for frame in frames]
    shared = ("regime", "article", "national_median", "min_density_km2", "set_aside", "epsg", "grid_vintage")
    return stamp(
        pd.DataFrame(rows),
        about[0].get("files", []),
        **{key: about[0][key] for key in shared if key in about[0]},
        calibration={name: one.get("calibration", {}) for name, one in zip(by_proxy, about, strict=True)},
        fictional=is_fictional(*frames),
        notes=list(dict.fromkeys(note for one in about for note in one.get("notes", []))),
    )


def _options(
    by_proxy: Mapping[str, Any],
    factors: Any,  # noqa: ANN401 - what was given
    contiguity: Any,  # noqa: ANN401
    gap: Any,  # noqa: ANN401
    least: Any,  # noqa: ANN401
) -> list[list[Any]]:
    """Values of each option, each once; raises for an option without any, and lists those that cannot be."""
    given = {"threshold_factors": factors, "contiguity": contiguity, "gap": gap, "min_population": least}
    options = {
        name: list(dict.fromkeys([values] if isinstance(values, str) else values)) for name, values in given.items()
    }
    held = {"cells": by_proxy} | options
    problems = [Note("designation.no_values", option=name) for name, values in held.items() if not values]
    problems += [
        Note("designation.bad_factor", value=repr(one))
        for one in options["threshold_factors"]
        if not (is_number(one) and one > 0)
    ]
    problems += [
        problem
        for name, values in list(options.items())[1:]
        for value in values
        for problem in zone_problems(**{name: value})
    ]
    if problems:
        raise UsageError(Note("designation.sensitivity_options"), problems=problems)
    return list(options.values())
