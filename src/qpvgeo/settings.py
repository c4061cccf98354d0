"""Where qpvgeo looks for files, and what the environment tells it.

Variables: `QPVGEO_DATA` (folders of files, separated like `PATH`), `QPVGEO_CACHE` (where downloads go),
`QPVGEO_OFFLINE` (any value but empty, `0`, `false` or `no` forbids the network). Nothing is read at import:
every function looks at the environment when it is called.
"""

import os
from pathlib import Path

from qpvgeo.errors import UsageError

__all__ = ["cache_dir", "data_dirs", "offline"]

_NO = {"", "0", "false", "no", "off"}


def offline() -> bool:
    """Tell whether `QPVGEO_OFFLINE` forbids downloads."""
    return os.environ.get("QPVGEO_OFFLINE", "").strip().lower() not in _NO


def cache_dir() -> Path:
    """Folder where downloads are kept: `QPVGEO_CACHE`, else the user's cache.

    The folder is not created here.
    """
    given = os.environ.get("QPVGEO_CACHE", "").strip()
    if given:
        return Path(given).expanduser()
    import pooch  # noqa: PLC0415 - not needed when the variable is set

    return Path(pooch.os_cache("qpvgeo"))


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
        given = Path(data).expanduser()
        if not given.is_dir():
            raise UsageError(f"{given} is not a folder.", way_out="Give the folder that holds the published files.")
        places = [given]
    else:
        listed = os.environ.get("QPVGEO_DATA", "").split(os.pathsep)
        places = [Path(part.strip()).expanduser() for part in listed if part.strip()]
    here = Path.cwd()
    checkouts = [folder for folder in (here, *here.parents) if (folder / "pyproject.toml").is_file()]
    places += [folder / "data" / "raw" for folder in checkouts[:1]]
    places.append(cache_dir())
    return [place for place in dict.fromkeys(places) if place.is_dir()]
