"""How candidate zones move with the threshold, the contiguity, the gap, the least population and the proxy."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pandas as pd

from qpvgeo.designation.connected_cells import Contiguity
from qpvgeo.designation.zones import candidate_zones
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.language import Note

__all__ = ["designation_sensitivity"]


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

    Raises
    ------
    UsageError
        A factor that is not a positive number, or no value for an option.

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
    by_proxy = dict(cells) if isinstance(cells, Mapping) else {str(provenance(cells).get("proxy", "")): cells}
    options: list[list[Any]] = [list(threshold_factors), list(contiguity), list(gap), list(min_population)]
    bad = [factor for factor in options[0] if isinstance(factor, bool) or not factor > 0]
    if bad or not all(options) or not by_proxy:
        raise UsageError(
            Note("designation.sensitivity_options"),
            problems=[Note("designation.bad_factor", value=repr(factor)) for factor in bad],
        )
    rows = []
    for name, frame in by_proxy.items():
        for factor in options[0]:
            moved = _moved(frame, factor)
            eligible = moved["eligible"].fillna(value=False).to_numpy(bool)
            everyone = float(moved["population"].astype("Float64")[eligible].sum())
            for touch, step, least in product(*options[1:]):
                zones = candidate_zones(moved, min_population=least, contiguity=touch, gap=step).zones
                rows.append(
                    {
                        "proxy": name,
                        "threshold_factor": float(factor),
                        "contiguity": touch,
                        "gap": int(step),
                        "min_population": float(least),
                        "zones": len(zones),
                        "cells": int(zones["cells"].sum()),
                        "population": float(zones["population"].sum()),
                        "eligible_population": everyone,
                    }
                )
    frames = list(by_proxy.values())
    return stamp(
        pd.DataFrame(rows),
        provenance(frames[0]).get("files", []),
        fictional=is_fictional(*frames),
        notes=list(provenance(frames[0]).get("notes", [])),
    )


def _moved(cells: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Cells judged by a threshold that is multiplied."""
    judged = cells["state"].isin(["eligible", "above threshold"])
    if cells["income_eur"].notna().any():
        below = cells["income_eur"].astype("Float64") < cells["threshold_eur"].astype("Float64") * factor
    else:
        # the margin of a rate of poverty is what is missing to it
        rate = cells["poverty_rate"].astype("Float64")
        below = rate >= (rate + cells["margin"].astype("Float64")) / factor
    state = cells["state"].where(~judged, below.map({True: "eligible", False: "above threshold"}))
    return cells.assign(eligible=cells["eligible"].where(~judged, below.astype("boolean")), state=state)
