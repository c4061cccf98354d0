"""What the answers of all commands have in common: rows as plain JSON values, sources, notes, the sample's warning.

Shares are 0 to 1, areas are km2, `None` is "not known".
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qpvgeo.cli import waiting
from qpvgeo.cli.terminal import Screen
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.samples import FICTIONAL, sample

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fictional", "notes", "records", "releases", "show", "sources", "within_sample"]


def records(frame: "pd.DataFrame", key: str) -> list[dict[str, Any]]:
    """Rows with the index under a name; missing values become None, notes keep their keys."""
    named = frame.rename_axis(key).reset_index()
    rows: list[dict[str, Any]] = json.loads(named.to_json(orient="records", double_precision=12))
    if "note" in named.columns:
        for row, note in zip(rows, named["note"], strict=True):
            row["note"] = note if isinstance(note, Note) else row["note"]
    return rows


def sources(*frames: "pd.DataFrame | None") -> list[dict[str, Any]]:
    """Records of the files that frames were made from, each once."""
    files = [file for frame in frames if frame is not None for file in provenance.provenance(frame).get("files", [])]
    return list({file["sha256"] + file.get("member", ""): file for file in files}.values())


def notes(*frames: "pd.DataFrame | None") -> list[str]:
    """Notes of the readers on frames, each once."""
    found = [note for frame in frames if frame is not None for note in provenance.provenance(frame).get("notes", [])]
    return list(dict.fromkeys(found))


def releases(*frames: "pd.DataFrame | None") -> list[str]:
    """Notes on which release of perimeters was read, where a folder holds several."""
    return [note for note in notes(*frames) if getattr(note, "key", "") == "cli.newest_release"]


def fictional(*frames: "pd.DataFrame | None") -> dict[str, str]:
    """The warning that belongs to every answer made from the sample."""
    return {"fictional": FICTIONAL} if provenance.is_fictional(*frames) else {}


def within_sample(*paths: Path | None) -> dict[str, str]:
    """The same warning, when a path lies in the sample."""
    home = sample().path.resolve()
    inside = any(path is not None and path.resolve().is_relative_to(home) for path in paths)
    return {"fictional": FICTIONAL} if inside else {}


def show(answer: dict[str, Any], table: Callable[[dict[str, Any], Screen], None], *, as_json: bool) -> None:
    """Write an answer on standard output: as one JSON document, or as a table."""
    waiting.over()
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2, allow_nan=False))
        return
    screen = Screen()
    table(answer, screen)
    screen.foot(answer)
