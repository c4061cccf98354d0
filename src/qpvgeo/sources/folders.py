"""Folders where data files are looked for: an explicit one, `QPVGEO_DATA`, `data/raw` of a checkout, the cache."""

import os
from pathlib import Path

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.settings import cache_dir, home_expanded

__all__ = ["data_dirs"]


def data_dirs(data: str | os.PathLike[str] | None = None) -> list[Path]:
    """Folders searched for data files, in order, existing ones only.

    Parameters
    ----------
    data
        A folder named in the call (`--data`), searched first and in place of `QPVGEO_DATA`.

    Returns
    -------
    list of pathlib.Path
        The folder given or those of `QPVGEO_DATA`; then `data/raw` of the checkout in or above the current
        folder; then the cache.

    Raises
    ------
    UsageError
        The folder given does not exist.
    """
    if data is not None:
        given = home_expanded(data)
        if not given.is_dir():
            raise UsageError(Note("sources.not_a_folder", path=str(given)), way_out=Note("sources.give_the_folder"))
        places = [given]
    else:
        listed = os.environ.get("QPVGEO_DATA", "").split(os.pathsep)
        places = [home_expanded(part.strip()) for part in listed if part.strip()]
    here = Path.cwd()
    checkouts = [folder for folder in (here, *here.parents) if (folder / "pyproject.toml").is_file()]
    places += [folder / "data" / "raw" for folder in checkouts[:1]]
    places.append(cache_dir())
    return [place for place in dict.fromkeys(places) if place.is_dir()]
