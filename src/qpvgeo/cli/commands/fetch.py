"""`qpvgeo fetch`: official files, downloaded or found where they already are."""

from pathlib import Path
from typing import Any

import click

from qpvgeo.cli.options import shared
from qpvgeo.cli.parser import argument, option
from qpvgeo.cli.terminal import Screen
from qpvgeo.errors import FetchError, MissingDataError
from qpvgeo.language import Note

__all__ = ["fetch"]


@argument("keys", metavar="KEY...", nargs=-1, required=True, help="cli.fetch_keys")
@option("--update", is_flag=True, help="cli.fetch_update")
@option("--url", metavar="URL", help="cli.fetch_url")
@lambda function: shared(function, sample=False)
def fetch(keys: tuple[str, ...], *, update: bool, url: str | None, json: bool, data: Path | None) -> None:
    """Download official files, or find them where they already are; one failure does not stop the others."""
    if url is not None and len(keys) > 1:
        raise click.BadParameter(Note("cli.one_address"), param_hint="--url")
    from qpvgeo.cli import answers
    from qpvgeo.sources import download

    files, failed = [], []
    for key in keys:
        try:
            files.append({"key": key, "path": str(download.fetch(key, data=data, update=update, url=url))})
        except (FetchError, MissingDataError, OSError) as error:
            failed.append({"key": key, "error": type(error).__name__, "message": str(error)})
    answers.show({"files": files, "failed": failed}, _table, as_json=json)
    if failed:
        click.get_current_context().exit(3)


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A line per file, then what failed and why, on standard error."""
    for row in answer["files"]:
        screen.line(f"{row['key']}: {row['path']}")
    for row in answer["failed"]:
        click.echo(f"{click.style(screen.word('not had'), fg='red')} {row['key']}: {row['message']}", err=True)
