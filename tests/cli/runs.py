"""Runs of the command line."""

import json

from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.errors import QpvgeoError


def run(*arguments, status=0):
    """Run the command in this process as `main` does; gives standard output and standard error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    error = result.exception
    if isinstance(error, QpvgeoError):
        found = error.exit_code
    else:
        assert error is None or isinstance(error, SystemExit), error
        found = result.exit_code
    assert found == status, (arguments, result.output, error)
    return result.stdout, result.stderr


def answer(*arguments, status=0):
    """The JSON document that is the whole of standard output."""
    return json.loads(run(*arguments, "--json", status=status)[0])


def rows_by(key, rows):
    return {row[key]: row for row in rows}
