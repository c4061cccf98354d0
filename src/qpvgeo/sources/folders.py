"""Folders where data files are looked for: an explicit one, `QPVGEO_DATA`, `data/raw` of a checkout, the cache."""

import os
from pathlib import Path

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.settings import cache_dir, home_expanded

__all__ = ["data_dirs", "require_open", "unsearched"]

_VARIABLE = "QPVGEO_DATA"


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
        The folder given does not exist, or cannot be listed.
    """
    if data is not None:
        given = home_expanded(data)
        require_open(given)
        places = [given]
    else:
        places = [place for place in _of_variable() if _refusal(place) is None]
    here = Path.cwd()
    checkouts = [folder for folder in (here, *here.parents) if os.path.isfile(folder / "pyproject.toml")]  # noqa: PTH113
    places += [folder / "data" / "raw" for folder in checkouts[:1]]
    places.append(cache_dir())
    return [place for place in dict.fromkeys(places) if os.path.isdir(place)]  # noqa: PTH112 - False where it may not be looked at


def unsearched(data: str | os.PathLike[str] | None = None) -> list[Note]:
    """What `QPVGEO_DATA` names and that cannot be searched, each as a note; nothing where a folder takes its place."""
    if data is not None:
        return []
    refused = [(str(place), why) for place in _of_variable() if (why := _refusal(place)) is not None]
    nowhere = [place for place, why in refused if not why]
    return [
        *([Note("sources.no_folder_of_variable", count=len(nowhere), places=nowhere)] if nowhere else []),
        *(Note("sources.closed_folder_of_variable", place=place, cause=why) for place, why in refused if why),
    ]


def _of_variable() -> list[Path]:
    listed = os.environ.get(_VARIABLE, "").split(os.pathsep)
    return [home_expanded(part.strip()) for part in listed if part.strip()]


def require_open(folder: Path) -> None:
    """Refuse what is not a folder, or one that cannot be listed.

    Raises
    ------
    UsageError
        Names the folder, and why it cannot be searched.
    """
    why = _refusal(folder)
    if why is not None:
        path = str(folder)
        said = Note("sources.closed_folder", path=path, cause=why) if why else Note("sources.not_a_folder", path=path)
        raise UsageError(said, way_out=Note("sources.give_the_folder"))


def _refusal(folder: Path) -> str | None:
    """Why a folder cannot be listed; empty for what is not a folder, None where it can."""
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None
