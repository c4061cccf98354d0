"""The `qpvgeo` command: the questions of the library, asked from a terminal.

Each command is in its own module of `commands`, with its options and its table. Modules that need geopandas are
imported by the command that runs, so that the help answers at once. Standard output carries the answer and nothing
else; errors and progress go to standard error. Exit status: 0 done, 1 the data did not pass, 2 the call was wrong, 3 a
source could not be had.
"""

import sys

import click

from qpvgeo._version import __version__
from qpvgeo.cli.commands.coverage import coverage
from qpvgeo.cli.commands.crosswalk import crosswalk
from qpvgeo.cli.commands.datasets import datasets
from qpvgeo.cli.commands.doctor import doctor
from qpvgeo.cli.commands.fetch import fetch
from qpvgeo.cli.commands.map import map_
from qpvgeo.cli.commands.population import population
from qpvgeo.cli.commands.summary import summary
from qpvgeo.cli.commands.tag import tag
from qpvgeo.cli.parser import Group, command, language_of
from qpvgeo.errors import QpvgeoError
from qpvgeo.formats.atomic_write import unwind_on_termination

__all__ = ["app", "main"]

app = Group(
    name="qpvgeo",
    help="cli.qpvgeo",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(__version__, message="%(prog)s %(version)s", prog_name="qpvgeo", help="cli.version")(app)
command(app, "datasets")(datasets)
command(app, "fetch")(fetch)
command(app, "doctor")(doctor)
command(app, "summary")(summary)
command(app, "coverage")(coverage)
command(app, "population")(population)
command(app, "tag")(tag)
command(app, "crosswalk")(crosswalk)
command(app, "map")(map_)


def main() -> None:
    """Run the command; an error of qpvgeo is a message and an exit status, never a traceback."""
    unwind_on_termination()
    with language_of(sys.argv[1:]):
        try:
            app(prog_name="qpvgeo")
        except QpvgeoError as error:
            click.echo(f"qpvgeo: {error}", err=True)
            sys.exit(error.exit_code)
