"""Folders walked in one way by all that searches one.

Links to folders are not followed, what is hidden or left by other programs is passed over, and what cannot be looked at
is kept apart, to be said.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from qpvgeo.errors import DataError
from qpvgeo.language import Note

__all__ = ["Walked", "is_left_over", "walk", "walk_whole"]

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

    def unseen(self, endings: Sequence[str]) -> list[tuple[Path, OSError]]:
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


def walk_whole(folder: Path, endings: Sequence[str]) -> Walked:
    """What a folder holds that is read as a whole.

    Raises
    ------
    DataError
        Folders in it, or what has one of the endings, cannot be opened: without them the answer would lack a part.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> len(walk_whole(qg.sample().path, (".csv",)).files) == len(walk(qg.sample().path).files)
    True
    """
    walked = walk(folder)
    if unseen := walked.unseen(endings):
        causes = {place.relative_to(folder): error.strerror or str(error) for place, error in unseen}
        raise DataError(
            Note("formats.partly_closed", folder=folder.name),
            problems=[Note("formats.unreadable", file=str(place), cause=cause) for place, cause in causes.items()],
            way_out=Note("formats.open_or_name"),
        )
    return walked


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
