"""Members of a zip read in place: bombs, repeated names, checksums."""

import contextvars
import zipfile

import pytest
from tests.builders import refused

from qpvgeo.errors import ArchiveError
from qpvgeo.formats import archive_safety
from qpvgeo.formats.zip_members import opened_zip, read_member, zip_members


def packed(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_sound_member_comes_whole(tmp_path):
    with zipfile.ZipFile(packed(tmp_path / "a.zip", a=b"x" * 3000)) as archive:
        assert zip_members(archive, "a.zip") == ["a"]
        assert b"".join(read_member(archive, "a", "a.zip", chunk=1000)) == b"x" * 3000


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_bad_checksum_names_the_member(tmp_path, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("good.csv", "a;b")
        archive.writestr("bad.csv", "a;b" * 500)
    raw = path.read_bytes()
    crc = zipfile.ZipFile(path).getinfo("bad.csv").CRC.to_bytes(4, "little")
    path.write_bytes(raw.replace(crc, b"\1\2\3\4"))
    with zipfile.ZipFile(path) as archive:
        error = refused(lambda: list(read_member(archive, "bad.csv", "a.zip")), "formats.member_damaged", ArchiveError)
    assert error.message.values["member"] == "bad.csv"


def test_bombs_large_members_and_repeated_names_are_refused(tmp_path, monkeypatch):
    path = packed(tmp_path / "a.zip", a=b" " * 100_000, b=b"b")
    with zipfile.ZipFile(path) as archive:
        refused(lambda: zip_members(archive, "a.zip", largest=1000), kind=ArchiveError)
        monkeypatch.setattr(archive_safety, "RATIO_FROM_BYTES", 10_000)
        error = refused(lambda: zip_members(archive, "a.zip"), kind=ArchiveError)
    assert len(error.problems) == 1
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with zipfile.ZipFile(tmp_path / "twice.zip") as archive:
        refused(lambda: zip_members(archive, "twice.zip"), kind=ArchiveError)


def test_a_zip_that_a_caller_has_open_is_not_opened_again(tmp_path):
    path, other = packed(tmp_path / "a.zip", a=b"a"), packed(tmp_path / "b.zip", b=b"b")
    with opened_zip(path) as archive:
        with opened_zip(path) as again, opened_zip(other) as beside:
            assert again is archive
            assert beside.namelist() == ["b"]
        assert archive.read("a") == b"a"
    with opened_zip(path) as later:
        assert later is not archive
        assert later.read("a") == b"a"


def test_a_zip_is_opened_again_where_a_context_outlives_the_block(tmp_path):
    path = packed(tmp_path / "a.zip", a=b"x")
    with opened_zip(path):
        kept = contextvars.copy_context()

    def reads():
        with opened_zip(path) as archive:
            return archive.read("a")

    assert kept.run(reads) == b"x"


def test_blocks_of_generators_may_end_in_any_order(tmp_path):
    def held(path):
        with opened_zip(path) as archive:
            yield archive

    first, second = held(packed(tmp_path / "a.zip", a=b"x")), held(packed(tmp_path / "b.zip", a=b"y"))
    next(first)
    next(second)
    first.close()
    second.close()
    with opened_zip(tmp_path / "a.zip") as archive:
        assert archive.read("a") == b"x"
