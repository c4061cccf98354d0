"""Checkpoints of a tagging run: its options, the tags of finished batches, the partial output.

They are in a hidden folder beside the output, which one run at a time may lock. A run that was killed leaves it there,
and the next one resumes from it when the options are the same.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from filelock import FileLock, Timeout

from qpvgeo.errors import OutputError, UsageError
from qpvgeo.formats.atomic_write import own_folder, remove_own, replace, require_writable, settle, writing
from qpvgeo.language import Note
from qpvgeo.tagging.counts import Counted

__all__ = ["Kept", "Parts"]

_LOCK, _COUNTED = "lock", b"counted"

Kept = tuple[pa.RecordBatch, Counted]
"""Tags of a batch, and their counts."""


class Parts:
    """Folder of what a run has done so far, held for as long as the run lasts.

    Parameters
    ----------
    target
        The output.
    question
        What the run answers, as plain JSON values.
    tags
        Columns of the tags.
    resume
        Whether to go on with what an earlier run left.

    Attributes
    ----------
    output
        Where the output is written until it is whole.
    notes
        Messages about resuming.
    resumed
        Rows whose tags were kept from before.

    Raises
    ------
    OutputError
        Another run writes this output, or the folder cannot be written.
    UsageError
        The run to go on with answered another question: says what is different.
    """

    def __init__(self, target: Path, question: Mapping[str, Any], tags: pa.Schema, *, resume: bool) -> None:
        self.target, self.resumed = require_writable(target), 0
        self.notes: list[str] = []
        self._tags = tags
        self._folder = self.target.with_name(f".{self.target.name}.parts")
        self.output = self._folder / "output"
        self._lock = FileLock(self._folder / _LOCK)
        with writing(target):
            if self._folder.is_symlink():
                raise OutputError(
                    Note("tagging.kept_is_a_link", folder=str(self._folder)), way_out=Note("tagging.remove_it")
                )
            own_folder(self._folder)
            try:
                self._lock.acquire(timeout=0)
            except Timeout as error:
                raise OutputError(
                    Note("tagging.another_run", output=target.name), way_out=Note("tagging.wait")
                ) from error
        try:
            self._start(question, resume=resume)
        except BaseException:
            self._lock.release()
            raise

    def _start(self, question: Mapping[str, Any], *, resume: bool) -> None:
        state = self._folder / "state.json"
        before = _state(state) if state.exists() else None
        if resume and before:
            _require_same(before, question, self.target)
            return
        if resume:
            lost = "tagging.kept_unreadable" if state.exists() else "tagging.nothing_to_resume"
            self.notes.append(Note(lost))
        with writing(self.target):
            for kept in self._folder.iterdir():
                if kept.suffix in (".part", ".new") or kept.name in ("output", state.name):
                    kept.unlink()
            replace(state, lambda beside: beside.write_text(json.dumps(question), encoding="utf-8"))

    def __enter__(self) -> Self:
        """Hold the folder."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let others have it."""
        self._lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the system says of files that cannot be written into an error that tells how to go on."""
        with writing(self.target, way_out=Note("tagging.go_on")):
            yield

    def tags(self, number: int, rows: int, make: Callable[[], Kept]) -> Kept:
        """Tags of a batch of rows and their counts: those kept from before, or new ones, then kept."""
        part = self._folder / f"{number:06d}.part"
        kept = _read(part)
        if kept is not None and kept[0].num_rows == rows and kept[0].schema.equals(self._tags):
            self.resumed += rows
            return kept
        made = make()
        with self.writing():
            replace(part, lambda beside: _write(beside, *made))
        return made

    def finish(self) -> None:
        """Put the output in its place."""
        with self.writing():
            settle(self.output, self.target)
        # the lock goes with the folder while it is held; Windows lets it go afterwards
        remove_own(self._folder)
        self._lock.release()
        if os.name == "nt":
            remove_own(self._folder)


def _write(path: Path, tags: pa.RecordBatch, counted: Counted) -> None:
    """Write tags and their counts behind a checksum."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, tags.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_batch(tags, custom_metadata={_COUNTED: json.dumps(asdict(counted))})
    content = sink.getvalue()
    with path.open("wb") as file:
        file.write(hashlib.sha256(content).digest())
        file.write(content)


def _read(path: Path) -> Kept | None:
    """Tags that were kept, and their counts; None where there are none, or they are not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    size = hashlib.sha256().digest_size
    # pyarrow believes what it reads: a damaged file can end the process
    if hashlib.sha256(memoryview(content)[size:]).digest() != content[:size]:
        return None
    with pa.ipc.open_file(pa.py_buffer(content)[size:]) as reader:
        kept = reader.get_batch_with_custom_metadata(0)
    return kept.batch, Counted(**json.loads(kept.custom_metadata[_COUNTED]))


def _state(path: Path) -> dict[str, Any]:
    """Question of an earlier run; empty when it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _require_same(before: Mapping[str, Any], now: Mapping[str, Any], target: Path) -> None:
    """Raise when a run answered another question."""
    changed = [
        Note("tagging.changed", option=name, change=_difference(name, before.get(name), now.get(name)))
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    if changed:
        raise UsageError(
            Note("tagging.other_run", output=target.name), problems=changed, way_out=Note("tagging.run_as_it_was")
        )


def _difference(name: str, before: Any, now: Any) -> Note:  # noqa: ANN401 - plain JSON values
    """What changed, in words."""
    if name == "perimeters":
        return Note("tagging.others_than_before")
    if name in ("source", "parts"):
        files = [one.get("file") if isinstance(one, dict) else None for one in (before, now)]
        if files[0] == files[1]:
            return Note("tagging.file_has_changed")
        return Note("tagging.was_now", before=str(files[0]), now=str(files[1]))
    texts = [Note("tagging.none") if one is None else json.dumps(one, ensure_ascii=False) for one in (before, now)]
    return Note("tagging.was_now", before=texts[0], now=texts[1])
