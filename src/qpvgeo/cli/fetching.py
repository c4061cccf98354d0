"""What `qpvgeo fetch` asks and shows: sizes before, a line per file while it runs, one table at the end."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from qpvgeo.cli import waiting
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import FetchError, MissingDataError, UsageError
from qpvgeo.language import Note
from qpvgeo.language.numbers import megabytes
from qpvgeo.settings import current_language
from qpvgeo.sources import catalog, download, download_batch, manual_downloads, transfer

__all__ = ["add_outlines", "agreed", "answer_of", "get", "taken_rows", "write_table"]

_COLUMNS = (Column("Key", "code"), Column("State", "name"), Column("MB", rank=1), Column("File or reason", "text"))
_HEAD_S = 10.0


def get(
    lines: Sequence[Sequence[str]], data: Path | None, *, update: bool, url: str | None
) -> list[download_batch.Outcome]:
    """Get files, with a line on a terminal for each one that comes."""
    waiting.over()
    shown = sys.stderr.isatty()

    def told(outcome: download_batch.Outcome) -> None:
        if shown:
            from tqdm import tqdm

            said = Note("cli.fetched", key=outcome.key, state=outcome.state)
            tqdm.write(said.say(current_language()), file=sys.stderr)

    return download_batch.fetch_several(lines, data=data, update=update, url=url, told=told)


def agreed(lines: Sequence[Sequence[str]], data: Path | None) -> None:
    """Say how much is to be downloaded, and ask whether to go on.

    Raises
    ------
    UsageError
        The answer is no, or nobody is there to give one.
    """
    missing = [line[0] for line in lines if all(download.on_disk(key, data) is None for key in line)]
    if not missing:
        return
    sizes = [_size(key) for key in missing]
    known = [size for size in sizes if size is not None]
    told = Note("cli.to_download", count=len(missing), megabytes=sum(known) / 1e6, unknown=len(sizes) - len(known))
    waiting.over()
    if not sys.stdin.isatty():
        raise UsageError(told, way_out=Note("cli.say_yes"))
    if not click.confirm(str(told) + " " + str(Note("cli.go_on")), err=True):
        raise UsageError(Note("cli.not_agreed"), way_out=Note("cli.say_yes"))


def _size(key: str) -> int | None:
    """Bytes of a file, as the catalogue or its server says; None where neither does."""
    one = catalog.get(key)
    source = catalog.get(one.archive) if one.archive else one
    if source.size_bytes or source.url is None:
        return source.size_bytes
    try:
        return transfer.head(source.url, timeout=_HEAD_S).size
    except FetchError:
        return None


def answer_of(outcomes: Sequence[download_batch.Outcome], data: Path | None) -> dict[str, Any]:
    """Files had, and those that failed with what a person needs to get them."""
    files = [
        {"key": one.key, "state": one.state, "size_bytes": one.path.stat().st_size, "path": str(one.path)}
        for one in outcomes
        if one.path is not None
    ]
    return {"files": files, "failed": [_failure(one.key, one.error, data) for one in outcomes if one.error is not None]}


def add_outlines(answer: dict[str, Any], place: str, data: Path | None, *, update: bool, instead: str) -> None:
    """Add the outlines of the communes around a place; where they cannot be had, those of `instead` are named."""
    from qpvgeo.at_hand.place_outlines import fetch_outlines

    key = f"communes-around:{place}"
    try:
        path = fetch_outlines(place, data, update=update)
    except (FetchError, MissingDataError, OSError) as error:
        answer["failed"].append({**_failure(instead, error, data), "key": key})
        return
    answer["files"].append({"key": key, "state": "got", "size_bytes": path.stat().st_size, "path": str(path)})


def taken_rows(found: Sequence[manual_downloads.Taken]) -> dict[str, Any]:
    """Files taken from a folder, those refused with the reason, and the names of those that are not known."""
    files = [
        {
            "key": one.key,
            "state": one.state,
            "size_bytes": one.path.stat().st_size,
            "path": str(one.path),
            "from": str(one.file),
        }
        for one in found
        if one.path is not None
    ]
    refused = [
        {"key": one.key or "", "file": str(one.file), **_said(one.error)} for one in found if one.error is not None
    ]
    return {
        "files": files,
        "refused": refused,
        "not_known": [str(one.file) for one in found if one.state == "not known"],
    }


def _said(error: Exception) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "reason": str(getattr(error, "message", error)),
        "problems": [str(problem) for problem in getattr(error, "problems", ())],
        "way_out": str(getattr(error, "way_out", None) or ""),
        "message": str(error),
    }


def _failure(key: str, error: Exception, data: Path | None) -> dict[str, Any]:
    """What went wrong, and what a person needs to get the file with a browser."""
    todo = asdict(download.by_hand(key, data))
    told = {name: todo[name] for name in ("link", "page", "names")}
    return {"key": key, **_said(error), **told, "folder": str(todo["folder"])}


def write_table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per file, then what is left to download by hand."""
    rows, styles = [], []
    for row in answer["files"]:
        size = megabytes(row["size_bytes"], screen.lang)
        rows.append((row["key"] or Path(row["from"]).name, screen.word(row["state"]), size, row["path"]))
        styles.append("")
    for row in answer.get("failed", []):
        rows.append((row["key"], screen.word("not had"), "–", row["reason"]))
        styles.append("red")
    for row in answer.get("refused", []):
        rows.append((row["key"] or Path(row["file"]).name, screen.word("refused"), "–", row["reason"]))
        styles.append("red")
    if rows:
        screen.table(_COLUMNS, rows, styles=styles)
    elif not answer.get("not_known"):
        screen.line(Note("cli.nothing_to_take"))
    for way_out in dict.fromkeys(row["way_out"] for row in answer.get("refused", []) if row["way_out"]):
        screen.line(way_out)
    if answer.get("not_known"):
        names = [Path(name).name for name in answer["not_known"]]
        screen.line(Note("cli.not_known_files", count=len(names), files=names), style="dim")
    if answer.get("failed"):
        _by_hand(answer["failed"], screen)


def _by_hand(failed: Sequence[dict[str, Any]], screen: Screen) -> None:
    """Links, pages and places of the files that were not had."""
    screen.line()
    screen.line(Note("cli.by_hand", count=len(failed)), style="bold")
    for row in failed:
        screen.line(row["key"], style="bold")
        name = row["names"][0] if row["names"] else ""
        for place in (row["link"], row["page"], f"-> {Path(row['folder'], name)}"):
            if place:
                screen.line(place, indent=2)
        for problem in row["problems"]:
            screen.line(problem, indent=2, style="dim")
