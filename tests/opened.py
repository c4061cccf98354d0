"""Which data files a command opens, and how often: `python tests/opened.py summary --sample` prints it as JSON.

An audit hook sees what Python opens; GDAL opens files by itself, so the calls of pyogrio are counted beside. Files in
temporary folders are the members unpacked from archives. Tables of the package itself are counted as `package`.
"""

import collections
import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

import qpvgeo

PACKAGE = Path(qpvgeo.__file__).parent
COUNTED = ("read_info", "read_dataframe", "list_layers")


def name_of(path):
    """How a file that is opened is counted; None for those of other libraries and for folders."""
    place = Path(os.path.abspath(path))  # noqa: PTH100 - links stay links
    if place.suffix in (".py", ".pyc", "") or ".pyc." in place.name or Path(sys.prefix) in place.parents:
        return None
    if PACKAGE in place.parents and PACKAGE / "samples" not in place.parents:
        return "package"
    data = (PACKAGE / "samples", Path(tempfile.gettempdir()))
    return place.name if any(folder in place.parents for folder in data) else None


def main(words):
    """Run a command, and print how often each file was opened."""
    opened, calls = collections.Counter(), collections.Counter()

    def hook(event, values):
        if event == "open" and isinstance(values[0], str) and (name := name_of(values[0])) is not None:
            opened[name] += 1

    import pyogrio

    for function in COUNTED:
        real = getattr(pyogrio, function)

        def counted(path, *given, real=real, **options):
            calls[Path(str(path)).name] += 1
            return real(path, *given, **options)

        setattr(pyogrio, function, counted)
    sys.addaudithook(hook)
    from qpvgeo.cli import main as command

    sys.argv = ["qpvgeo", *words]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            command()
        except SystemExit as ended:
            code = ended.code
    sys.stdout.write(
        json.dumps({"code": code, "package": opened.pop("package", 0), "opened": opened, "gdal": calls}) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
