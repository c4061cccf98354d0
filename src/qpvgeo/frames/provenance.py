"""Provenance of frames: `attrs["qpvgeo"]` says which files, vintage, repairs, in plain JSON that GeoParquet keeps."""

import contextlib
import hashlib
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from qpvgeo._version import __version__
from qpvgeo.errors import judged

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ATTRS_KEY",
    "amended",
    "as_record",
    "file_record",
    "file_state",
    "hashed",
    "is_fictional",
    "provenance",
    "record",
    "shared",
    "stamp",
    "stamped",
]

ATTRS_KEY = "qpvgeo"


class _Shared(dict[str, Any]):
    """Attribute that copies of a frame share: pandas copies them at every operation. It is never changed in place."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class _Record(_Shared):
    """Provenance, which prints short: `stamp` and `amended` write a new one."""

    def __repr__(self) -> str:
        shown = {name: self[name] for name in _SHOWN if self.get(name) is not None}
        counts = {name: len(self[name]) for name in _COUNTED if self.get(name)}
        told = ", ".join(f"{name}={value!r}" for name, value in {**shown, **counts}.items())
        return f"<{told}; all of it: qpvgeo.provenance(frame)>"


def shared(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries as an attribute of a frame that its copies share: nobody may change it from then on."""
    return _Shared(entries)


def as_record(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of a provenance that was written, as `stamp` makes it."""
    return _Record(entries)


_SHOWN = ("read_with", "vintage", "release", "level", "reference_year", "cog_year", "fictional")
_COUNTED = ("files", "notes", "repairs", "moved", "unknown")


_MOST_HASHES = 256
_hashes: dict[tuple[str, tuple[int, ...]], str] = {}


def file_state(path: Path | int) -> tuple[int, int, int, int]:
    """What changes when a file does, of a path or an open file: its size, its dates and its inode."""
    state = os.stat(path)  # noqa: PTH116 - open files too
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def hashed(path: Path, state: tuple[int, ...], content: bytes | io.BufferedReader | None = None) -> str:
    """SHA-256 of a file in a state, of the bytes that the caller has read or, from its start, of what it has opened.

    Computed once in each state; an opened file is left at its end.
    """
    key = (str(path.resolve()), state)
    known = _hashes.get(key)
    if known is None:
        if isinstance(content, bytes):
            known = hashlib.sha256(content).hexdigest()
        else:
            with path.open("rb") if content is None else contextlib.nullcontext(content) as stream:
                stream.seek(0)
                known = hashlib.file_digest(stream, "sha256").hexdigest()
        if len(_hashes) >= _MOST_HASHES:
            _hashes.clear()
        _hashes[key] = known
    return known


def file_record(path: Path, *, member: str | None = None, sha256: str | None = None) -> dict[str, Any]:
    """Name, SHA-256 and size of a file, and the member read when it is an archive.

    A file is hashed once as long as its size and date do not change, and not at all where its SHA-256 is given.
    """
    state = file_state(path)
    record = {"file": path.name, "sha256": sha256 or hashed(path, state), "bytes": state[0]}
    return record | ({"member": member} if member else {})


@judged
def provenance(frame: "pd.DataFrame") -> dict[str, Any]:
    """Where a frame comes from: its `attrs["qpvgeo"]`, or an empty dictionary for a frame of another origin.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> provenance(qpv)["vintage"], provenance(qpv)["fictional"]
    (2024, True)
    """
    told = frame.attrs.get(ATTRS_KEY, {})
    # another library may have its own use for the name
    return dict(told) if isinstance(told, Mapping) else {}


def stamp(frame: "pd.DataFrame", files: Iterable[Mapping[str, Any]] = (), **about: Any) -> "pd.DataFrame":  # noqa: ANN401
    """Write the provenance of a frame into its attributes, and return the frame.

    Parameters
    ----------
    frame
        The frame; its attributes are changed in place.
    files
        Records made by `file_record`, in the order read.
    **about
        Whatever else is known (`vintage`, `release`, `repairs`, `notes`, ...), as plain JSON values.
    """
    return stamped(frame, record(files, **about))


def record(files: Iterable[Mapping[str, Any]] = (), **about: Any) -> dict[str, Any]:  # noqa: ANN401
    """Provenance that `stamp` writes, for a table that has no attributes."""
    return _Record(read_with=f"qpvgeo {__version__}", files=[dict(one) for one in files], **about)


def stamped(frame: "pd.DataFrame", about: dict[str, Any]) -> "pd.DataFrame":
    """Frame with a provenance in its attributes, which are changed in place."""
    frame.attrs[ATTRS_KEY] = about
    return frame


def amended(frame: "pd.DataFrame", **about: Any) -> "pd.DataFrame":  # noqa: ANN401
    """Write entries beside those of the provenance of a frame, or in their place, and return the frame."""
    return stamped(frame, _Record({**provenance(frame), **about}))


def is_fictional(*frames: "pd.DataFrame | None") -> bool:
    """Tell whether any of the frames was made from the embedded sample."""
    return any(provenance(frame).get("fictional", False) for frame in frames if frame is not None)
