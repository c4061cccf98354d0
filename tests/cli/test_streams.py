"""Standard output as it is: another encoding, a reader that leaves, a disk that is full."""

import os
import subprocess
import sys

import pytest

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
