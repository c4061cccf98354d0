"""`qpvgeo fetch`: official files, downloaded or found where they already are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from qpvgeo.cli.options import shared
from qpvgeo.cli.parser import argument, file_option, option
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import UsageError
from qpvgeo.language import Note

__all__ = ["fetch"]

_COUNTRY = "communes-outlines-2025-100m"
"""Outlines of every commune, which those of a place replace."""

_HEALTH = (
    Column("Key", "code"),
    Column("State", "name"),
    Column("status", "number", 1),
    Column("Address", "name", 3),
    Column("checked", "code", 4),
    Column("Link", "code"),
)


def _keys(_context: click.Context, _argument: click.Parameter, incomplete: str) -> list[str]:
    """Keys and words that begin so, for the completion of the shell."""
    from qpvgeo.sources import catalog, file_sets

    return [word for word in (*file_sets.SETS, *catalog.CATALOG) if word.startswith(incomplete)]


@argument("keys", metavar="[KEY]...", nargs=-1, help="cli.fetch_keys", shell_complete=_keys)
@option("--all", "everything", is_flag=True, help="cli.fetch_all")
@option("--theme", metavar="KIND", help="cli.fetch_theme")
@option("--place", metavar="NAME", help="cli.fetch_place")
@file_option("--from", "folder", metavar="DIR", help="cli.fetch_from")
@option("--list-urls", "--list-links", "list_links", is_flag=True, help="cli.fetch_list_links")
@option("--check", is_flag=True, help="cli.fetch_check")
@option("--yes", "-y", "yes", is_flag=True, help="cli.fetch_yes")
@option("--update", is_flag=True, help="cli.fetch_update")
@option("--url", metavar="URL", help="cli.fetch_url")
@lambda function: shared(function, sample=False, fetch=False)
def fetch(
    keys: tuple[str, ...],
    *,
    everything: bool,
    theme: str | None,
    place: str | None,
    folder: Path | None,
    list_links: bool,
    check: bool,
    yes: bool,
    update: bool,
    url: str | None,
    json: bool,
    data: Path | None,
) -> None:
    """Download official files, or find them where they already are; one failure does not stop the others."""
    if url is not None and len(keys) != 1:
        raise click.BadParameter(Note("cli.one_address"), param_hint="--url")
    from qpvgeo.cli import answers

    if folder is not None:
        _take(
            folder,
            keys,
            update=update,
            as_json=json,
            alone=not (everything or theme or place or list_links or check or url),
        )
        return
    wanted = _wanted(keys, theme, everything=everything)
    if place is not None and not (keys or theme or everything):
        wanted = [line for line in wanted if line[0] != _COUNTRY]
    if list_links:
        answers.show(_links(wanted, data, update=update), _link_lines, as_json=json)
        return
    if check:
        _check(keys, theme, as_json=json)
        return
    from qpvgeo.cli import fetching

    if not yes and (everything or {"grid", "all", "addresses"} & set(keys)):
        fetching.agreed(wanted, data)
    answer = fetching.answer_of(fetching.get(wanted, data, update=update, url=url), data)
    if place is not None:
        fetching.add_outlines(answer, place, data, update=update, instead=_COUNTRY)
    answers.show(answer, fetching.write_table, as_json=json)
    if answer["failed"]:
        click.get_current_context().exit(3)


def _take(folder: Path, keys: Sequence[str], *, update: bool, as_json: bool, alone: bool) -> None:
    """Take what was downloaded by hand."""
    from qpvgeo.cli import answers, fetching
    from qpvgeo.sources import manual_downloads

    if keys or not alone:
        raise click.BadParameter(Note("cli.from_alone"), param_hint="--from")
    answer = fetching.taken_rows(manual_downloads.take(folder, update=update))
    answers.show(answer, fetching.write_table, as_json=as_json)
    if answer["refused"]:
        click.get_current_context().exit(1)


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
    from qpvgeo.sources import catalog, file_sets

    if bool(keys) + (theme is not None) + everything > 1:
        raise UsageError(Note("cli.keys_theme_or_all"))
    if keys:
        return file_sets.chosen(keys)
    if theme is None and not everything:
        return list(file_sets.MAIN)
    whole = file_sets.everything()
    found = [line for line in whole if everything or catalog.get(line[0]).kind == theme]
    if not found:
        themes = sorted({catalog.get(line[0]).kind for line in whole})
        raise UsageError(Note("cli.no_theme", theme=theme), way_out=Note("cli.themes_are", themes=", ".join(themes)))
    return found


def _links(wanted: Sequence[tuple[str, ...]], data: Path | None, *, update: bool) -> dict[str, Any]:
    """Where a browser finds each file that is not here yet, each link once, and the files that are."""
    from qpvgeo.sources import catalog, download, download_batch

    here = {} if update else {line: path for line in wanted if (path := download_batch.there(line, data)) is not None}
    rows: dict[tuple[str | None, str | None], dict[str, Any]] = {}
    for key in (key for choice in wanted if choice not in here for key in choice):
        todo = download.by_hand(key, data)
        known = catalog.get(key) if "://" not in key else None
        source = catalog.get(known.archive) if known is not None and known.archive else known
        evidence = {"evidence": source.evidence, "checked": source.checked} if source is not None else {}
        row = {"key": key, "link": todo.link, "page": todo.page, "names": todo.names, "folder": str(todo.folder)}
        rows.setdefault((todo.link, todo.page if todo.link is None else None), row | evidence)
    had = [{"key": line[0], "state": "already there", "path": str(path)} for line, path in here.items()]
    return {"links": list(rows.values()), "files": had}


def _link_lines(answer: dict[str, Any], screen: Screen) -> None:
    """Links alone on standard output, for `wget -i`; on standard error, pages of the files whose link is not known."""
    for row in answer["links"]:
        if row["link"]:
            click.echo(row["link"])
    for row in answer["links"]:
        if not row["link"]:
            click.echo(screen.word(Note("cli.no_link", key=row["key"], page=row["page"] or "–")), err=True)
    if answer["files"]:
        click.echo(screen.word(Note("cli.had_already", count=len(answer["files"]))), err=True)
