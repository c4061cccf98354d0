"""Files that were downloaded by hand, taken from any folder into the cache under their published names.

A file is known by its name; where several years share one, by that of its folder (`2020/donnees_communes.csv`), by its
address (`wget -x` makes folders of it) or by its published hash; else by what stands in it, which is no key of the
catalogue unless the year is that of the key. It is checked as a download is: a page saved in its place, half a file or
another hash than the one known are refused. It is copied with its parts, and moved into place whole.
"""

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Literal

from qpvgeo import settings
from qpvgeo.errors import DataError, FetchError, HashMismatchError, QpvgeoError, UsageError, cause_of
from qpvgeo.formats import folder_walk
from qpvgeo.formats.atomic_write import rename
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.vector_forms import parts_of
from qpvgeo.language import Note
from qpvgeo.sources import catalog, file_sets, folder_search, folders, hash_record, integrity, recognise
from qpvgeo.sources.catalog import Dataset
from qpvgeo.sources.file_content import SUFFIXES, judge

__all__ = ["Taken", "take"]


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file of the folder.

    Attributes
    ----------
    file
        The file.
    key
        Key of the catalogue; None where the file is not known, or known by a content that may be of another year.
    state
        `taken`, `already there`, `refused` or `not known`.
    path
        Where it is now.
    error
        Why it was refused.
    """

    file: Path
    key: str | None
    state: Literal["taken", "already there", "refused", "not known"]
    path: Path | None = None
    error: Exception | None = None


def take(folder: str | os.PathLike[str], *, update: bool = False) -> list[Taken]:
    """Copy the official files of a folder into the cache.

    Parameters
    ----------
    folder
        Where a browser put them; folders below it are looked at too.
    update
        Accept a file whose hash is another than the one known, as `qpvgeo.fetch` does.

    Returns
    -------
    list of Taken
        A row per file, those that are not known too.

    Raises
    ------
    UsageError
        There is no such folder, it cannot be listed, or it is the cache.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as downloads:
    ...     _ = Path(downloads, "notes.txt").write_text("to do", encoding="utf-8")
    ...     [one.state for one in take(downloads)]
    ['not known']
    """
    home = settings.home_expanded(folder)
    folders.require_open(home)
    if home.resolve() == settings.cache_dir().resolve():
        raise UsageError(Note("sources.takes_from_cache"), way_out=Note("sources.give_the_folder"))
    unseen = folder_walk.walk(home).unseen(SUFFIXES)
    closed = [Taken(path, None, "refused", error=_unreadable(path, error)) for path, error in unseen]
    return [*(_taken(path, update=update) for path in recognise.files_in(home)), *closed]


def _unreadable(file: Path, error: Exception) -> DataError:
    """Why a file, or a folder, cannot be opened."""
    said = Note("formats.unreadable", file=file.name, cause=getattr(error, "strerror", None) or cause_of(error))
    return DataError(said, way_out=Note("sources.check_access"))


def _require_opened(file: Path) -> None:
    """Raise where a file that is not known cannot be opened, or is damaged."""
    if folder_search.looked_at(file)[1]:
        file.open("rb").close()
        with foreign(file.name):
            judge(file)


def _of_disk(file: Path, error: OSError) -> QpvgeoError:
    """What the disk refuses: to read the file, else to keep it."""
    try:
        file.open("rb").close()
    except OSError as why:
        return _unreadable(file, why)
    return FetchError(
        Note("sources.cannot_keep", file=file.name, folder=str(settings.cache_dir()), cause=cause_of(error)),
        way_out=Note("sources.another_folder"),
    )


def _taken(file: Path, *, update: bool) -> Taken:
    key: str | None = None
    try:
        by_name = _of_name(file)
        key, name = by_name or _of_content(file) or (None, "")
        if not name:
            _require_opened(file)
            return Taken(file, None, "not known")
        recorded = name if by_name is None or key is None else key
        integrity.require(file, PurePosixPath(name).suffix, "", url=file.name)
        sha256, target = _sha256(file), settings.cache_dir() / name
        if target.is_file() and _sha256(target) == sha256 and len(parts_of(target)) >= len(parts_of(file)):
            return Taken(file, key, "already there", target)
        if not update:
            _require_known(recorded, name, sha256, file)
        for part in parts_of(file)[1:]:
            _copy(part, target.with_suffix(part.suffix), None, _sha256(part))
        _copy(file, target, recorded, sha256)
    except QpvgeoError as error:
        return Taken(file, key, "refused", error=error)
    except OSError as error:
        return Taken(file, key, "refused", error=_of_disk(file, error))
    return Taken(file, key, "taken", target)


def _of_name(file: Path) -> tuple[str, str] | None:
    """Key of a file that bears a published name, and that name."""
    wanted = file.name.lower()
    named = [
        (one, name)
        for one in catalog.CATALOG.values()
        for name in one.filenames
        if PurePosixPath(name).name.lower() == wanted and one.archive is None
    ] or [
        (one, name)
        for one in catalog.CATALOG.values()
        for name in one.filenames
        if PurePosixPath(name).name.lower() == wanted
    ]
    if not named:
        return None
    folders = [(one, name) for one, name in named if PurePosixPath(name).parent.name == file.parent.name]
    folders = folders or [(one, name) for one, name in named if _is_at_its_address(one, file)]
    kept = named if len(named) == 1 else folders or [(one, name) for one, name in named if _has_hash(one, file)]
    if len({name for _, name in kept}) != 1:
        raise FetchError(
            Note("sources.which_year", file=file.name, keys=[one.key for one, _ in named]),
            way_out=Note("sources.folder_of_year", file=named[0][1]),
        )
    return kept[0][0].key, kept[0][1]


def _is_at_its_address(dataset: Dataset, file: Path) -> bool:
    """Whether the folders above a file are those of its address."""
    path = file.absolute().as_posix()
    return any(path.endswith("/" + address.url.partition("://")[2]) for address in dataset.addresses)


def _has_hash(dataset: Dataset, file: Path) -> bool:
    return dataset.sha256 is not None and dataset.sha256 == _sha256(file)


def _of_content(file: Path) -> tuple[str | None, str] | None:
    """Key that a file stands for by what is in it, and where it is kept: under its own name, in a folder of its kind.

    What may be of another year than the key stands for none; a part of the perimeters stays where it is.
    """
    kinds = {(one.kind, one.vintage) for one in recognise.identify(file) if recognise.is_whole(one)}
    if len(kinds) != 1:
        return None
    kind, year = kinds.pop()
    keys = file_sets.of_kind(kind, year)
    # the newest release: that of the populations is known by its name
    of_year = keys and (keys != file_sets.of_kind(kind) or (year and catalog.get(keys[-1]).vintage == year))
    key = keys[-1] if of_year else None
    return (key, f"{key or kind.replace(' ', '-')}/{file.name}") if keys else None


def _require_known(recorded: str, name: str, sha256: str, file: Path) -> None:
    """Raise where the hash is another than the one recorded or published."""
    dataset, entry = catalog.CATALOG.get(recorded), hash_record.read().get(recorded, {})
    known, who = (
        entry.get("sha256"),
        Note("sources.recorded", day=str(entry.get("fetched_on")), path=str(hash_record.path())),
    )
    if str(entry.get("file", "")).lower() != PurePosixPath(name).name.lower():
        names = [PurePosixPath(one).name.lower() for one in dataset.filenames[:1]] if dataset else []
        known = dataset.sha256 if dataset and PurePosixPath(name).name.lower() in names else None
        who = Note("sources.of_catalogue")
    if known is not None and known != sha256:
        problems = [Note("sources.hash_expected", sha256=known, who=who), Note("sources.hash_found", sha256=sha256)]
        way_out = Note("sources.take_it_anyway", key=recorded)
        raise HashMismatchError(
            Note("sources.not_the_file", path=str(file), key=recorded), problems=problems, way_out=way_out
        )


def _copy(file: Path, target: Path, recorded: str | None, sha256: str) -> None:
    """Copy beside, check, and move into place with its record; a part of a file has none."""
    folder = settings.cache_dir() / ".partial"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{sha256[:16]}-{os.getpid()}.taken"
    try:
        shutil.copyfile(file, part)
        if _sha256(part) != sha256:
            raise FetchError(Note("sources.changes_while_read", file=str(file)))
        if recorded is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            rename(part, target)
        else:
            hash_record.record(recorded, hash_record.entry(target.name, sha256, part.stat().st_size), (part, target))
    finally:
        part.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
