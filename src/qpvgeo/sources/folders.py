"""Folders where data files are looked for: an explicit one, `QPVGEO_DATA`, `data/raw` of a checkout, the cache.

A folder is walked in one way by all that searches one: links to folders are not followed, what is hidden or left by
other programs is passed over, and what cannot be looked at is kept apart, to be said.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.settings import cache_dir, home_expanded

__all__ = ["Walked", "data_dirs", "is_left_over", "require_open", "unsearched", "walk"]

_VARIABLE = "QPVGEO_DATA"
_JUNCTION = 0xA0000003
"""Reparse tag of a junction of Windows, which is a link to a folder; `stat` names it on Windows alone."""


@dataclass(slots=True)
class Walked:
    """What a folder holds, at any depth.

    Attributes
    ----------
    files
        Regular files, those of a folder before those of the folders in it, by name.
    others
        What has a name and is neither a file nor a folder: pipes, sockets, devices, links that lead nowhere, and what
        may not be looked at.
    links
        Links to folders, and junctions of Windows, which are not followed.
    closed
        Folders that cannot be listed, and why.
    states
        Each folder, and when it last changed in nanoseconds.
    """

    files: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    closed: list[tuple[Path, OSError]] = field(default_factory=list)
    states: list[tuple[str, int]] = field(default_factory=list)

    def unseen(self, endings: Iterable[str]) -> list[tuple[Path, OSError]]:
        """What may not be looked at, and why: folders that are closed, and what has one of the endings."""
        found = []
        for one in self.others:
            if one.suffix.lower() in endings:
                try:
                    os.stat(one)  # noqa: PTH116 - a pipe or a device is there, and no file
                except OSError as error:
                    found.append((one, error))
        return [*self.closed, *found]


def walk(folder: Path, *, hidden: bool = False) -> Walked:
    """What a folder holds, at any depth; a folder that is gone in the meantime holds nothing.

    Without `hidden`, what begins with a dot or `~$` and the shadows that macOS puts in `__MACOSX` are passed over.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> walk(qg.sample().path).files[0].name
    'Filosofi2017_carreaux_200m_csv.zip'
    """
    found = Walked()
    left = [os.fspath(folder)]
    while left:
        place = left.pop()
        try:
            then = os.stat(place).st_mtime_ns  # noqa: PTH116 - thousands of folders
            with os.scandir(place) as entries:
                held = sorted(entries, key=lambda one: one.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found.closed.append((Path(place), error))
            continue
        found.states.append((place, then))
        below = [one.path for one in held if (hidden or not is_left_over(one.name)) and not _kept(one, found)]
        left += reversed(below)
    return found


def is_left_over(name: str) -> bool:
    """Whether a name is hidden, or of a shadow or a lock that another program left.

    Examples
    --------
    >>> is_left_over("~$qpv.xlsx"), is_left_over("qpv.xlsx")
    (True, False)
    """
    return name.startswith((".", "~$")) or name == "__MACOSX"


def _kept(one: "os.DirEntry[str]", found: Walked) -> bool:
    """Put an entry where it belongs, and whether that was done: a folder is still to be walked."""
    try:
        if one.is_dir(follow_symlinks=False) and not _is_junction(one):
            return False
        kind = found.files if one.is_file() else found.links if one.is_dir() else found.others
    except OSError:
        kind = found.others
    kind.append(Path(one.path))
    return True


def _is_junction(one: "os.DirEntry[str]") -> bool:
    """Whether a folder is a junction of Windows, which Python takes for a folder like any other."""
    with suppress(OSError):
        return getattr(one.stat(follow_symlinks=False), "st_reparse_tag", 0) == _JUNCTION
    return False


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
    """Refuse what is no folder, or one that cannot be listed.

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
    """Why a folder cannot be listed; empty for what is no folder, None where it can."""
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None
