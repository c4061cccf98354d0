"""What was read once is read fast the second time: the frame of a reader is kept as GeoParquet.

A frame is kept under a key made of the SHA-256 of its source and of the files beside it that a reader looks at, of the
options of the reader, of the language of notes and of the build of qpvgeo: a change of any of them is another key. It
stands in `data/processed` of the checkout whose `data/raw` holds the source, else in `processed` of the cache; small
files are read again. What is computed from such frames alone, as links are, has a key made of theirs (`kept_of`).
`QPVGEO_PROCESSED=0` reads everything again. Files are written beside and renamed: any number of processes and versions
may share the folder. What nobody read for ninety days goes.
"""

import functools
import hashlib
import json
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from qpvgeo import settings
from qpvgeo.errors import QpvgeoError
from qpvgeo.formats import atomic_write, kept_frames
from qpvgeo.formats.vector_forms import is_written
from qpvgeo.sources import file_memory, recognise

__all__ = ["kept", "kept_of", "made_of"]

P = ParamSpec("P")
Frame = TypeVar("Frame", bound=pd.DataFrame)

_SMALLEST_BYTES = 50_000
_ENDING = ".kept"
"""Not that of a form that is read: a folder of files is never mistaken for its own cache."""

_places: dict[int, tuple[weakref.ref[pd.DataFrame], Path]] = {}
"""Where the frames of this process that were read are kept: a name that says all that they were made of."""


def kept(reader: Callable[P, Frame]) -> Callable[P, Frame]:
    """Let a reader keep what it reads; it takes its source first and `data`, the folder searched for keys."""

    @functools.wraps(reader)
    def called(*given: P.args, **options: P.kwargs) -> Frame:
        return _kept_at(_place(reader.__name__, given, options), lambda: reader(*given, **options))

    return called


def kept_of(name: str, sources: Sequence[pd.DataFrame | Path], make: Callable[[], Frame]) -> Frame:
    """What is made of frames that were read as they are, and of nothing else, kept as they are.

    Parameters
    ----------
    name
        What it is; its options are part of the name.
    sources
        The frames, unchanged since their readers gave them or noted by `made_of`, and files.
    make
        Makes it.
    """
    return _kept_at(_place_of(name, sources), make)


def made_of(frame: Frame, *sources: pd.DataFrame | Path) -> Frame:
    """Note that a frame was made of frames that were read as they are, of files, and of nothing else."""
    _remember(frame, _place_of("made", sources))
    return frame


def _kept_at(place: Path | None, make: Callable[[], Frame]) -> Frame:
    """The frame that is kept there, else made and kept."""
    if place is not None:
        with suppress(OSError, kept_frames.Unkept):
            frame: Any = kept_frames.read(place)
            os.utime(place)
            _remember(frame, place)
            return frame  # type: ignore[no-any-return]
    made = make()
    if place is None:
        return made
    _remember(made, place)
    with suppress(OSError, QpvgeoError, kept_frames.Unkept):
        place.parent.mkdir(parents=True, exist_ok=True)
        kept_frames.write(made, place)
        # such as frames of former versions
        atomic_write.remove_unused(place.parent.glob(f"*{_ENDING}"))
    return made


def _remember(frame: pd.DataFrame, place: Path | None) -> None:
    for number in [number for number, (known, _) in list(_places.items()) if known() is None]:
        _places.pop(number, None)
    if place is not None:
        _places[id(frame)] = weakref.ref(frame), place


def _place_of(name: str, sources: Sequence[pd.DataFrame | Path]) -> Path | None:
    """Where what is made of frames and files is kept; None where a frame is not known, or nothing is to be kept."""
    if not settings.processed():
        return None
    about: list[Any] = [name]
    folder = None
    for one in sources:
        if isinstance(one, Path):
            about.append(_signature(one))
            continue
        known, place = _places.get(id(one), (None, None))
        if known is None or place is None or known() is not one:
            return None
        about.append(place.name)
        folder = folder or place.parent
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]
    return None if folder is None else folder / f"{name}-{key}{_ENDING}"


def _place(name: str, given: Sequence[Any], options: Mapping[str, Any]) -> Path | None:
    """Where the frame of a call is kept; None for what is not: folders, small files, what is not JSON, a wrong call."""
    if not settings.processed() or len(given) > 1 or not (given or "source" in options) or options.get("release"):
        return None
    more = dict(options)
    data = more.pop("data", None)
    source = given[0] if given else more.pop("source")
    try:
        paths = recognise.paths(source, data)
        table = more.pop("table", None)
        tables = [] if table is None else recognise.paths(table, data)
        if not all(path.is_file() for path in (*paths, *tables)):
            return None
        if sum(path.stat().st_size for path in (*paths, *tables)) < _SMALLEST_BYTES:
            return None
        if not all(is_written(path) for path in paths if path.suffix.lower() == ".gpkg"):
            return None
        about: list[Any] = [name, file_memory.build(), settings.current_language(), dict(sorted(more.items()))]
        about += [[_signature(path) for path in several] for several in (paths, tables)]
        key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]
    except (QpvgeoError, OSError, TypeError, ValueError):
        return None
    return _home(paths[0]) / f"{name.removeprefix('read_')}-{paths[0].stem[:60]}-{key}{_ENDING}"


def _signature(path: Path) -> list[Any]:
    """What a reader may see of a file: its bytes, its name and that of its folder, which may say a year, and twins."""
    size = path.stat().st_size
    beside = [
        [other.name, file_memory.sha256_of(other)]
        for other in sorted(path.parent.iterdir())
        if other != path and _goes_with(other, path, size)
    ]
    return [path.parent.name, path.name, file_memory.sha256_of(path), beside]


def _goes_with(other: Path, path: Path, size: int) -> bool:
    """Part of the same shapefile, or a file of the same form and size, which may be the same one under another name."""
    if not other.is_file():
        return False
    part = path.suffix.lower() == ".shp" and other.stem.lower() == path.stem.lower()
    return part or (other.suffix.lower() == path.suffix.lower() and other.stat().st_size == size)


def _home(path: Path) -> Path:
    """`data/processed` of a checkout for what is in its `data/raw`, else a folder of the cache."""
    for folder in path.resolve().parents:
        if (folder.name, folder.parent.name) == ("raw", "data") and (folder.parents[1] / "pyproject.toml").is_file():
            beside = folder.parent / "processed"
            if os.access(beside if beside.is_dir() else folder.parent, os.W_OK):
                return beside
    return settings.cache_dir() / "processed"
