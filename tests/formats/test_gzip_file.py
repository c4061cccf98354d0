"""Gzip files: whole, cut, damaged, too large."""

import gzip

import pytest

from qpvgeo.errors import ArchiveError
from qpvgeo.formats import archive_safety
from qpvgeo.formats.gzip_file import unpack

BODY = b"code;n\nQN07501M;2500\n" * 1000


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(BODY))
    return path


def refused(path, target, key):
    with pytest.raises(ArchiveError) as raised:
        unpack(path, target)
    assert raised.value.key == f"formats.{key}"
    assert [one.name for one in target.parent.iterdir()] == []


def test_a_whole_file_is_unpacked(packed, tmp_path):
    unpack(packed, tmp_path / "deep" / "a.csv")
    assert (tmp_path / "deep" / "a.csv").read_bytes() == BODY


def test_what_was_unpacked_before_is_replaced(packed, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"old")
    unpack(packed, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == BODY


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:40] + b"\xff" * 20 + b[60:], lambda _: b"code;n\n"])
def test_a_damaged_file_leaves_nothing(packed, tmp_path, damage):
    packed.write_bytes(damage(packed.read_bytes()))
    refused(packed, tmp_path / "new" / "a.csv", "gzip_damaged")


def test_a_bomb_leaves_nothing(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(archive_safety, "RATIO_FROM_BYTES", 1000)
    monkeypatch.setattr(archive_safety, "MAX_RATIO", 2)
    refused(packed, tmp_path / "new" / "a.csv", "gzip_bomb")
