"""`qpvgeo fetch`: official files, downloaded or found where they already are."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from qpvgeo.cli.options import shared
from qpvgeo.cli.parser import argument, option
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import ArchiveError, FetchError, HashMismatchError, MissingDataError, UsageError
from qpvgeo.language import Note, number

__all__ = ["fetch"]

_HEALTH = (
    Column("Key", "code"),
    Column("State", "name"),
    Column("status", "number", 1),
    Column("Address", "name", 3),
    Column("checked", "code", 4),
    Column("Link", "code"),
)
_COLUMNS = (Column("Key", "code"), Column("State", "name"), Column("MB", rank=1), Column("File or reason", "text"))


@argument("keys", metavar="[KEY]...", nargs=-1, help="cli.fetch_keys")
@option("--all", "everything", is_flag=True, help="cli.fetch_all")
@option("--theme", metavar="KIND", help="cli.fetch_theme")
@option("--list-links", is_flag=True, help="cli.fetch_list_links")
@option("--check", is_flag=True, help="cli.fetch_check")
@option("--update", is_flag=True, help="cli.fetch_update")
@option("--url", metavar="URL", help="cli.fetch_url")
@lambda function: shared(function, sample=False, fetch=False)
def fetch(
    keys: tuple[str, ...],
    *,
    everything: bool,
    theme: str | None,
    list_links: bool,
    check: bool,
    update: bool,
    url: str | None,
    json: bool,
    data: Path | None,
) -> None:
    """Download official files, or find them where they already are; one failure does not stop the others."""
    if url is not None and len(keys) != 1:
        raise click.BadParameter(Note("cli.one_address"), param_hint="--url")
    from qpvgeo.cli import answers

    wanted = _wanted(keys, theme, everything=everything)
    if list_links:
        answers.show({"links": _links(wanted, data)}, _link_lines, as_json=json)
        return
    if check:
        _check(keys, theme, as_json=json)
        return
    files, failed, absent = [], [], set[str]()
    for rank, choice in enumerate(wanted, 1):
        if len(wanted) > 1:
            click.echo(f"[{rank}/{len(wanted)}] {choice[0]}", err=True)
        got, lost = _first(choice, data, update=update, url=url, absent=absent)
        files += got
        failed += lost
    answers.show({"files": files, "failed": failed}, _table, as_json=json)
    if failed:
        click.get_current_context().exit(3)


def _check(keys: Sequence[str], theme: str | None, *, as_json: bool) -> None:
    """Ask the addresses for their heads: of all files without keys."""
    from qpvgeo.cli import answers
    from qpvgeo.sources.address_health import address_health

    wanted = _wanted(keys, theme, everything=not keys and theme is None)
    frame = address_health([key for choice in wanted for key in choice])
    answers.show({"addresses": answers.records(frame, "row")}, _health_table, as_json=as_json)
    if not frame["state"].isin(["answers", "moved", "changed"]).all():
        click.get_current_context().exit(3)


def _health_table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per address, where it moved to below it."""
    rows, styles = [], []
    for row in answer["addresses"]:
        state = screen.word(row["state"])
        words = screen.word(row["evidence"]), screen.word(row["checked"])
        rows.append((row["key"], state, str(row["status"] or "–"), *words, row["moved_to"] or row["url"]))
        styles.append("" if row["state"] == "answers" else "yellow" if row["state"] in ("moved", "changed") else "red")
    screen.table(_HEALTH, rows, styles=styles)


def _wanted(keys: Sequence[str], theme: str | None, *, everything: bool) -> list[tuple[str, ...]]:
    """Keys to get, in lines of alternatives: those named, of a theme, all, else what the main figures need.

    Raises
    ------
    UsageError
        A key is unknown, no file is of that theme, or several of the three were given.
    """
    from qpvgeo.sources import catalog

    if bool(keys) + (theme is not None) + everything > 1:
        raise UsageError(Note("cli.keys_theme_or_all"))
    for key in keys:
        if "://" not in key:
            catalog.get(key)
    if keys:
        return [(key,) for key in keys]
    if theme is None and not everything:
        return list(catalog.MAIN)
    # what is published by department is named with one
    whole = [one for one in catalog.CATALOG.values() if not any("{department}" in name for name in one.filenames)]
    found: list[tuple[str, ...]] = [(one.key,) for one in whole if everything or one.kind == theme]
    if not found:
        themes = sorted({one.kind for one in whole})
        raise UsageError(Note("cli.no_theme", theme=theme), way_out=Note("cli.themes_are", themes=", ".join(themes)))
    return found


def _first(
    choice: tuple[str, ...], data: Path | None, *, update: bool, url: str | None, absent: set[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The first of several files that can be had; else why the first one cannot."""
    from qpvgeo.sources import download

    failed: list[dict[str, Any]] = []
    for key in choice:
        try:
            there = None if update else download.on_disk(key, data)
            path = download.fetch_among(key, data=data, update=update, url=url, absent=absent)
        except (FetchError, MissingDataError, ArchiveError, OSError) as error:
            there = None if isinstance(error, HashMismatchError) else _recognised(key, data)
            if there is None:
                failed.append(_failure(key, error, data))
                continue
            path = there
        state = "got" if there is None else "already there"
        return [{"key": key, "state": state, "size_bytes": path.stat().st_size, "path": str(path)}], []
    return [], failed[:1]


def _recognised(key: str, data: Path | None) -> Path | None:
    """The file where it is under a name of its own, as one that was downloaded by hand."""
    from qpvgeo.sources import recognise

    frame = recognise.datasets(data)
    path = frame["path"].where(frame["recognised_by"] == "content").get(key)
    return Path(path) if isinstance(path, str) else None


def _failure(key: str, error: Exception, data: Path | None) -> dict[str, Any]:
    """What went wrong, and what a person needs to get the file with a browser."""
    from qpvgeo.sources import download

    row = {
        "key": key,
        "error": type(error).__name__,
        "reason": str(getattr(error, "message", error)),
        "problems": [str(problem) for problem in getattr(error, "problems", ())],
        "message": str(error),
    }
    todo = asdict(download.by_hand(key, data))
    return row | {name: todo[name] for name in ("link", "page", "names")} | {"folder": str(todo["folder"])}


def _links(wanted: Sequence[tuple[str, ...]], data: Path | None) -> list[dict[str, Any]]:
    """Where a browser finds each file, each link once."""
    from qpvgeo.sources import catalog, download

    rows: dict[tuple[str | None, str | None], dict[str, Any]] = {}
    for key in (key for choice in wanted for key in choice):
        todo = download.by_hand(key, data)
        known = catalog.get(key) if "://" not in key else None
        source = catalog.get(known.archive) if known is not None and known.archive else known
        evidence = {"evidence": source.evidence, "checked": source.checked} if source is not None else {}
        row = {"key": key, "link": todo.link, "page": todo.page, "names": todo.names, "folder": str(todo.folder)}
        rows.setdefault((todo.link, todo.page if todo.link is None else None), row | evidence)
    return list(rows.values())


def _link_lines(answer: dict[str, Any], screen: Screen) -> None:
    """Links alone on standard output, for `wget -i`; on standard error, pages of the files whose link is not known."""
    for row in answer["links"]:
        if row["link"]:
            click.echo(row["link"])
    for row in answer["links"]:
        if not row["link"]:
            click.echo(screen.word(Note("cli.no_link", key=row["key"], page=row["page"] or "–")), err=True)


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per file, then what is left to download by hand."""
    rows, styles = [], []
    for row in answer["files"]:
        size = number(row["size_bytes"] / 1e6, screen.lang, 1)
        rows.append((row["key"], screen.word(row["state"]), size, row["path"]))
        styles.append("")
    for row in answer["failed"]:
        rows.append((row["key"], screen.word("not had"), "–", row["reason"]))
        styles.append("red")
    screen.table(_COLUMNS, rows, styles=styles)
    if not answer["failed"]:
        return
    screen.line()
    screen.line(Note("cli.by_hand", count=len(answer["failed"])), style="bold")
    for row in answer["failed"]:
        screen.line(row["key"], style="bold")
        name = row["names"][0] if row["names"] else ""
        for place in (row["link"], row["page"], f"-> {Path(row['folder'], name)}"):
            if place:
                screen.line(place, indent=2)
        for problem in row["problems"]:
            screen.line(problem, indent=2, style="dim")
