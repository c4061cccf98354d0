"""Standard output as it is: another encoding, a reader that leaves, a disk that is full."""

import errno
import os
import subprocess
import sys

import pytest

from qpvgeo.cli.streams import _reader_left, said_in_the_answer
from qpvgeo.errors import warn
from qpvgeo.language import Note

COMMAND = [sys.executable, "-c", "from qpvgeo.cli import main; main()"]


def test_french_is_written_whole_to_a_stream_in_cp1252():
    whole, narrow = (
        subprocess.run(
            [*COMMAND, "summary", "--sample", "--lang", "fr"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=True,
        ).stdout.decode(encoding)
        for encoding in ("utf-8", "cp1252")
    )
    assert len(narrow.splitlines()) == len(whole.splitlines())
    assert "Superficie" in narrow or "QPV" in narrow.splitlines()[-1] or "fictive" in narrow


def test_a_reader_that_leaves_is_no_failure():
    with subprocess.Popen([*COMMAND, "coverage", "--sample"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        run.stdout.close()
        said = run.stderr.read()
        assert (run.wait(), said) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110
def test_a_full_disk_ends_with_2():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run([*COMMAND, "coverage", "--sample"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "windows", "left"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), False, True),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), True, True),
        (OSError(errno.EINVAL, "Invalid argument"), True, True),
        (OSError(errno.EINVAL, "Invalid argument"), False, False),
        (OSError(errno.EINVAL, "Invalid argument", "a?.csv"), True, False),
        (OSError(errno.ENOSPC, "No space left on device"), True, False),
    ],
)
def test_what_a_system_says_of_a_reader_that_has_left(error, windows, left):
    assert _reader_left(error, windows=windows) is left


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_warning_that_the_answer_repeats_is_kept_back_in_either_language(lang):
    note = Note("tagging.without_outline", count=3, labels=["QN09105I", "QN09113I", "QN09503I"])
    with said_in_the_answer("tagging.without_outline"):
        warn(note.say(lang))
    with pytest.warns(UserWarning, match="QN09113I"), said_in_the_answer("tagging.partial"):
        warn(note.say(lang))
