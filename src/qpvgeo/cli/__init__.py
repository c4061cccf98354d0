"""The `qpvgeo` command: the questions of the library, asked from a terminal.

Each command is in its own module of `commands`, with its options and its table. Modules that need geopandas are
imported by the command that runs, so that the help answers at once. Standard output carries the answer and nothing
else; errors and progress go to standard error. Exit status: 0 done, 1 the data did not pass, 2 the call was wrong, 3 a
source could not be had.
"""

import gc
import os
import sys
from contextlib import suppress

import click

from qpvgeo._version import __version__
from qpvgeo.cli.commands.contrat import contrat
from qpvgeo.cli.commands.coverage import coverage
from qpvgeo.cli.commands.crosswalk import crosswalk
from qpvgeo.cli.commands.datasets import datasets
from qpvgeo.cli.commands.designate import designate
from qpvgeo.cli.commands.doctor import doctor
from qpvgeo.cli.commands.exposure import exposure
from qpvgeo.cli.commands.fetch import fetch
from qpvgeo.cli.commands.ledger import ledger
from qpvgeo.cli.commands.map import map_
from qpvgeo.cli.commands.population import population
from qpvgeo.cli.commands.programmes import programmes
from qpvgeo.cli.commands.report import report
from qpvgeo.cli.commands.serve import serve
from qpvgeo.cli.commands.summary import summary
from qpvgeo.cli.commands.tag import tag
from qpvgeo.cli.hints import on_the_command_line
from qpvgeo.cli.parser import Group, command, language_of
from qpvgeo.cli.streams import encodable, visible
from qpvgeo.errors import QpvgeoError
from qpvgeo.formats.atomic_write import unwind_on_termination
from qpvgeo.language import Note

__all__ = ["app", "main"]

app = Group(
    name="qpvgeo",
    help="cli.qpvgeo",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(__version__, message="%(prog)s %(version)s", prog_name="qpvgeo", help="cli.version")(app)
command(app, "datasets", "cli.datasets")(datasets)
command(app, "fetch", "cli.fetch")(fetch)
command(app, "doctor", "cli.doctor")(doctor)
command(app, "summary", "cli.summary")(summary)
command(app, "coverage", "cli.coverage")(coverage)
command(app, "population", "cli.population")(population)
command(app, "tag", "cli.tag")(tag)
command(app, "crosswalk", "cli.crosswalk")(crosswalk)
command(app, "designate", "cli.designate")(designate)
command(app, "contrat", "cli.contrat")(contrat)
command(app, "programmes", "cli.programmes")(programmes)
command(app, "exposure", "cli.exposure")(exposure)
command(app, "map", "cli.map")(map_)
command(app, "ledger", "cli.ledger")(ledger)
command(app, "report", "cli.report")(report)
command(app, "serve", "cli.serve")(serve)


_FIRST_COLLECTION = 50_000


def main() -> None:
    """Run the command; what goes wrong is a message and an exit status, never a traceback."""
    unwind_on_termination()
    encodable()
    # importing makes objects by the hundred thousand that all stay: looking for dead ones takes a tenth of a command
    gc.set_threshold(_FIRST_COLLECTION, 20, 20)
    with language_of(sys.argv[1:]):
        try:
            app(prog_name="qpvgeo")
        except QpvgeoError as error:
            message: object = error
            status = error.exit_code
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            message, status = f"{name}{error.strerror or error}", 2
        except Exception as error:
            if os.environ.get("QPVGEO_TRACEBACK"):
                raise
            message, status = Note("cli.unexpected", kind=type(error).__name__, reason=str(error)), 2
        else:
            return
        with suppress(OSError):
            click.echo(visible(f"qpvgeo: {message}"), err=True)
            if isinstance(message, QpvgeoError) and (hint := on_the_command_line(message)):
                click.echo(hint, err=True)
        sys.exit(status)
