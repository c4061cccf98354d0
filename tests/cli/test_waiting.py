"""How long a command has been at work: counted on a terminal, cleared before anything else is written."""

import os

import pytest
from tqdm import tqdm

from qpvgeo.cli import waiting
from qpvgeo.cli.waiting import Clock


@pytest.fixture
def pipe():
    reads, writes = os.pipe()
    yield reads, writes
    os.close(reads)


def test_seconds_are_counted_and_the_line_is_cleared(pipe):
    clock = Clock("qpvgeo map", pipe[1], after=0, every=3_600)
    assert os.read(pipe[0], 100) == b"\rqpvgeo map: 0 s"
    clock.stop()
    os.close(pipe[1])
    assert os.read(pipe[0], 100) == b"\r" + b" " * len("qpvgeo map: 0 s") + b"\r"
    assert os.read(pipe[0], 100) == b""


def test_a_command_that_ends_at_once_shows_nothing(pipe):
    Clock("qpvgeo map", pipe[1], after=3_600).stop()
    os.close(pipe[1])
    assert os.read(pipe[0], 100) == b""


def test_nothing_is_counted_beside_a_bar_of_progress(pipe, tmp_path):
    with (tmp_path / "bar").open("w", encoding="utf-8") as file, tqdm(total=2, file=file, disable=False):
        clock = Clock("qpvgeo map", pipe[1], after=0, every=0)
        clock.stop()
    os.close(pipe[1])
    assert os.read(pipe[0], 100) == b""


def test_a_terminal_that_is_gone_harms_nothing(pipe):
    reads, writes = os.pipe()
    os.close(reads)
    Clock("qpvgeo map", writes, after=0, every=0).stop()
    os.close(writes)
    os.close(pipe[1])


def test_nothing_is_counted_where_standard_error_is_no_terminal(capfd):
    with waiting.shown("qpvgeo map"):
        assert waiting._clocks == []
    assert capfd.readouterr().err == ""


def test_it_is_over_before_the_answer(monkeypatch, pipe):
    class Terminal:
        def isatty(self):
            return True

        def fileno(self):
            return pipe[1]

    monkeypatch.setattr(waiting.sys, "stderr", Terminal())
    monkeypatch.setattr(waiting, "_QUIET_S", 0)
    with waiting.shown("qpvgeo map"):
        assert len(waiting._clocks) == 1
        waiting.over()
        assert waiting._clocks == []
    os.close(pipe[1])
