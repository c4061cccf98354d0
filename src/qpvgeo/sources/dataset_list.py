"""The official files, and which of them are here, under their published name or another."""

import os

import pandas as pd

from qpvgeo.errors import judged
from qpvgeo.sources import catalog
from qpvgeo.sources.file_content import Found
from qpvgeo.sources.folder_search import scan
from qpvgeo.sources.recognise import is_whole

__all__ = ["datasets"]


@judged
def datasets(data: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """List the official files, with what is already on disk under its published name or another.

    Parameters
    ----------
    data
        A folder to search first, in place of `QPVGEO_DATA`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `key`: `vintage`, `release`, `territory`, `kind`, `format`, `size_bytes`, `licence`, `url`, `page`,
        `filename` (missing where not known), `cached` (whether the published file itself is here, by its name), `path`,
        and `recognised_by`: `name`, or `content` under another name, maybe of another release; missing without a file.

    Raises
    ------
    UsageError
        `data` is not a folder.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qg.datasets().loc["qpv-2024", ["kind", "format"]].tolist()
    ['perimeters', 'geojson']
    """
    frame = catalog.datasets(data)
    frame["recognised_by"] = pd.Series("name", index=frame.index, dtype="string").where(frame["cached"])
    for found in sorted(scan(data), key=lambda one: -one.features):
        key = _key_of(found)
        if key in frame.index and pd.isna(frame.loc[key, "path"]):
            frame.loc[key, ["path", "recognised_by"]] = [str(found.path), "content"]
    return frame


def _key_of(found: Found) -> str | None:
    """Key of the catalogue that a file recognised by its content stands for, where there is one and one only."""
    of_qpv = {"perimeters": f"qpv-{found.vintage}", "population": f"qpv-{found.vintage}-population"}
    of_year = {
        "communes table": f"cog-{found.vintage}",
        "commune events": f"commune-events-{found.vintage}",
        "epci": f"epci-{found.vintage}",
    }
    return {**of_qpv, **of_year}.get(found.kind) if found.basis == "content" and is_whole(found) else None
