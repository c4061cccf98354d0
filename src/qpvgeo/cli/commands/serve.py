"""`qpvgeo serve`: the lookup service and the atlas, on a port."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from qpvgeo.cli import waiting
from qpvgeo.cli.options import folder, shared
from qpvgeo.cli.parser import option
from qpvgeo.errors import UsageError
from qpvgeo.language import Note

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["serve"]

_shared = functools.partial(shared, fetch=False)
"""Its `--fetch` reaches the process that reads the data."""


@option("--port", kind=int, default=8000, help="cli.serve_port")
@option("--host", default="127.0.0.1", help="cli.serve_host")
@option("--workers", kind=int, default=1, help="cli.serve_workers")
@option("--rate", kind=float, metavar="NUMBER", help="cli.serve_rate")
@option("--seconds", kind=float, metavar="NUMBER", help="cli.serve_seconds")
@option("--origin", metavar="URL", multiple=True, help="cli.serve_origin")
@option("--geocoder", metavar="URL", help="cli.serve_geocoder")
@option("--fetch", is_flag=True, help="cli.option_fetch")
@option("--no-grid", is_flag=True, help="cli.serve_no_grid")
@option("--no-page", is_flag=True, help="cli.serve_no_page")
@_shared
def serve(
    *,
    port: int,
    host: str,
    workers: int,
    rate: float | None,
    seconds: float | None,
    origin: tuple[str, ...],
    geocoder: str | None,
    fetch: bool,
    no_grid: bool,
    no_page: bool,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Answer over HTTP where addresses lie, tag files, and show the atlas."""
    where = folder(data, sample=sample)
    try:
        from qpvgeo.service import Limits
        from qpvgeo.service import serve as run
    except ImportError as error:
        raise UsageError(Note("service.needs_extra"), way_out=Note("maps.page_install", extra="service")) from error

    given: dict[str, Any] = {"rate": rate, "seconds": seconds}

    def ready(about: dict[str, Any]) -> None:
        waiting.over()
        if json:
            from json import dumps

            click.echo(dumps(about))
            return
        click.echo(
            Note("cli.serve_ready", url=about["url"], vintages=[str(one) for one in about["vintages"]]), err=True
        )
        if about["fictional"]:
            click.echo(Note("service.fictional"), err=True)

    run(
        None if sample else where,
        address=(host, port),
        workers=workers,
        limits=Limits(**{name: value for name, value in given.items() if value is not None}),
        origins=origin or ("*",),
        geocoder=geocoder,
        ready=ready,
        fetch=fetch,
        sample=sample,
        grid=not no_grid,
        page=not no_page,
    )
