"""Archives: what is in them, and what is refused."""

import functools
import io
import stat
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import py7zr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpvgeo.errors import ArchiveError, DiskFullError, MissingDataError, UsageError
from qpvgeo.formats import archive_safety, archives

FILES = {"QP.shp": b"shape" * 50, "LISEZ MOI.txt": b"", "carte/QP.dbf": b"table" * 500}


def zipped(path, files, **options):
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def sevenzipped(path, files):
    with py7zr.SevenZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return path


def zip_of_7z(path, files):
    inner = sevenzipped(path.with_suffix(".7z"), files)
    zipped(path, {"carreaux_200m.7z": inner.read_bytes()})
    inner.unlink()
    return path


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_refused(path, match, into=None):
    """The archive is refused for this reason, and the folder holds nothing but the archive."""
    into = into or path.parent / "into"
    before = tree(path.parent)
    with pytest.raises(ArchiveError, match=match):
        archives.extract(path, into)
    assert tree(path.parent) == before
    assert not into.exists()


@pytest.fixture(params=[zipped, sevenzipped, zip_of_7z])
def archive(request, tmp_path):
    return request.param(tmp_path / "archive.zip", FILES)


def test_members_are_listed_with_forward_slashes(archive):
    assert sorted(archives.members(archive)) == sorted(FILES)


def test_listing_leaves_folders_out(tmp_path):
    assert archives.members(zipped(tmp_path / "a.zip", {"carte/": b"", "carte/a.csv": b"1"})) == ["carte/a.csv"]


def test_every_file_is_unpacked_as_it_was(archive, tmp_path):
    archives.extract(archive, tmp_path / "deep" / "into")
    assert tree(tmp_path / "deep" / "into") == FILES


def test_paths_of_the_files_are_returned_in_the_order_of_the_archive(archive, tmp_path):
    files = archives.extract(archive, tmp_path / "into")
    assert [file.relative_to(tmp_path / "into").as_posix() for file in files] == archives.members(archive)


def test_only_the_members_asked_for_are_unpacked(archive, tmp_path):
    archives.extract(archive, tmp_path / "into", ["carte/QP.dbf"])
    assert tree(tmp_path / "into") == {"carte/QP.dbf": FILES["carte/QP.dbf"]}


def test_an_archive_is_opened_once_to_be_listed_and_unpacked(archive, tmp_path, monkeypatch):
    real, opened = Path.open, []
    monkeypatch.setattr(
        Path, "open", lambda self, *given, **more: opened.append(self.name) or real(self, *given, **more)
    )
    with archives.opened(archive) as one:
        one.extract(tmp_path / "into", [name for name in one.members if name.endswith(".dbf")])
    assert tree(tmp_path / "into") == {"carte/QP.dbf": FILES["carte/QP.dbf"]}
    assert opened.count(archive.name) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["archive.zip", "into"]


def test_nothing_temporary_is_left_beside_the_folder(archive, tmp_path):
    archives.extract(archive, tmp_path / "into")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["archive.zip", "into"]


def test_files_already_in_the_folder_stay_unless_they_have_the_same_name(archive, tmp_path):
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "mine.csv").write_bytes(b"mine")
    (tmp_path / "into" / "QP.shp").write_bytes(b"old")
    archives.extract(archive, tmp_path / "into")
    assert tree(tmp_path / "into") == FILES | {"mine.csv": b"mine"}


def test_absent_members_are_all_named(archive, tmp_path):
    with pytest.raises(UsageError, match="does not hold") as raised:
        archives.extract(archive, tmp_path / "into", ["b.csv", "QP.shp", "a.csv"])
    assert raised.value.problems == ("a.csv", "b.csv")


def test_a_file_is_no_folder_to_unpack_into(archive):
    with pytest.raises(UsageError, match="is a file"):
        archives.extract(archive, archive)


def test_a_missing_archive_is_said_to_be_missing(tmp_path):
    with pytest.raises(MissingDataError, match="There is no file"):
        archives.members(tmp_path / "none.zip")


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\3\4 cut", b"7z\xbc\xaf\x27\x1c cut"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert_refused(tmp_path / "a.zip", "does not open")


ESCAPES = ["../x", "a/../../x", "/etc/x", "//etc/x", "C:/x", "c:x", "..\\x", "a\\..\\..\\x", "\\\\host\\x", "a\\x"]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_path_that_could_leave_the_folder_is_refused(tmp_path, name):
    assert_refused(zipped(tmp_path / "a.zip", {name: b"1"}), "could leave the folder")


@pytest.mark.parametrize("name", ["list/aux.csv", "qpv.shp ", "qpv./a.shp", "qpv.shp:stream"])
def test_a_name_that_windows_cannot_hold_is_refused_there_alone(name):
    entry = archive_safety.Entry(name, 1, 1, False, False, False)
    assert [fault.key for fault in archive_safety._faults(entry, windows=True)] == ["formats.no_windows_name"]
    assert not list(archive_safety._faults(entry, windows=False))


def test_every_escaping_path_is_named_at_once(tmp_path):
    path = zipped(tmp_path / "a.zip", {"fine.csv": b"1"} | dict.fromkeys(ESCAPES, b"1"))
    with pytest.raises(ArchiveError) as raised:
        archives.extract(path, tmp_path / "into")
    assert len(raised.value.problems) == len(ESCAPES)


def test_a_hostile_archive_is_not_even_listed(tmp_path):
    with pytest.raises(ArchiveError, match="could leave"):
        archives.members(zipped(tmp_path / "a.zip", {"../x": b"1"}))


def test_a_7z_path_that_leaves_the_folder_is_refused(tmp_path):
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(b"1", "aa/x")
    rename_in_7z(path, "aa/x", "../x")
    assert_refused(path, "could leave the folder")


def rename_in_7z(path, old, new):
    """Put another name of the same length in the index, and correct its checksums."""
    body = bytearray(path.read_bytes())
    offset, size = struct.unpack_from("<QQ", body, 12)
    index = bytes(body[32 + offset : 32 + offset + size]).replace(old.encode("utf-16-le"), new.encode("utf-16-le"))
    body[32 + offset : 32 + offset + size] = index
    struct.pack_into("<L", body, 28, zlib.crc32(index))
    struct.pack_into("<L", body, 8, zlib.crc32(bytes(body[12:32])))
    path.write_bytes(body)


def test_a_hostile_7z_inside_a_zip_is_refused(tmp_path):
    inner = tmp_path / "inner.7z"
    with py7zr.SevenZipFile(inner, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(b"1", "aa/x")
    rename_in_7z(inner, "aa/x", "../x")
    assert_refused(zipped(tmp_path / "a.zip", {"inner.7z": inner.read_bytes()}), "could leave the folder")


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert_refused(tmp_path / "a.zip", "it is a link")


def test_a_link_in_a_7z_is_refused(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "target.csv").write_bytes(b"1")
    (tmp_path / "source" / "link").symlink_to("target.csv")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.writeall(tmp_path / "source", "source")
    assert_refused(tmp_path / "a.7z", "it is a link")


def test_an_encrypted_member_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.csv": b"1"})
    body = bytearray(path.read_bytes())
    body[body.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(body)
    assert_refused(path, "it is encrypted")


def test_an_encrypted_7z_is_refused(tmp_path):
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w", password="secret") as archive:
        archive.writestr(b"1", "a.csv")
    assert_refused(tmp_path / "a.7z", "it is encrypted")


def test_a_member_that_unpacks_out_of_all_proportion_is_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_safety, "RATIO_FROM_BYTES", 100_000)
    assert_refused(zipped(tmp_path / "a.zip", {"a.csv": bytes(200_000)}), "'a.csv': 200,000 bytes out of .*: a bomb")


def test_a_7z_that_unpacks_out_of_all_proportion_is_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_safety, "RATIO_FROM_BYTES", 100_000)
    assert_refused(sevenzipped(tmp_path / "a.7z", {"a.csv": bytes(200_000)}), "200,000 bytes out of .*: a bomb")


def test_a_small_file_of_spaces_is_no_bomb(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.csv": b" " * 200_000})
    assert archives.members(path) == ["a.csv"]


def test_a_total_above_the_limit_is_a_bomb(archive, monkeypatch):
    monkeypatch.setattr(archive_safety, "MAX_BYTES", 100)
    assert_refused(archive, "more than 100: a bomb")


def test_too_many_members_are_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_safety, "MAX_MEMBERS", 2)
    assert_refused(zipped(tmp_path / "a.zip", FILES), "3 members, more than 2: a bomb")


def test_members_that_share_their_bytes_are_a_bomb(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.csv": bytes(range(256)) * 40, "b.csv": bytes(range(256)) * 40})
    body = bytearray(path.read_bytes())
    for place in (i for i in range(len(body)) if body.startswith(b"PK\1\2", i)):
        struct.pack_into("<L", body, place + 20, len(body))
    path.write_bytes(body)
    assert_refused(path, "overlap")


def test_a_name_that_comes_twice_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.csv": b"1", "b.csv": b"2"})
    path.write_bytes(path.read_bytes().replace(b"b.csv", b"a.csv"))
    assert_refused(path, "there twice")


def test_names_that_differ_by_case_alone_are_refused(tmp_path):
    assert_refused(zipped(tmp_path / "a.zip", {"a.csv": b"1", "A.CSV": b"2"}), "there twice")


def test_a_name_cannot_be_a_file_and_a_folder(tmp_path):
    assert_refused(zipped(tmp_path / "a.zip", {"a": b"1", "a/b.csv": b"2"}), "both a file and a folder")


def spoilt(path, *contents):
    """Change the first byte of stored contents, so that their checksums no longer hold."""
    body = bytearray(path.read_bytes())
    for content in contents:
        body[body.index(content)] ^= 0xFF
    path.write_bytes(body)


def test_every_bad_checksum_is_named_at_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("one", "two", "three"):
            archive.writestr(f"{name}.csv", f"content {name}")
    spoilt(tmp_path / "a.zip", b"content one", b"content three")
    with pytest.raises(ArchiveError) as raised:
        archives.extract(tmp_path / "a.zip", tmp_path / "into")
    assert [problem.split(":")[0] for problem in raised.value.problems] == ["'one.csv'", "'three.csv'"]


def test_a_bad_checksum_leaves_nothing_behind(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("fine.csv", "fine")
        archive.writestr("bad.csv", "content")
    spoilt(tmp_path / "a.zip", b"content")
    assert_refused(tmp_path / "a.zip", "Bad CRC")


def test_a_bad_checksum_leaves_the_former_files_as_they_were(tmp_path):
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "fine.csv").write_bytes(b"former")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("fine.csv", "fine")
        archive.writestr("bad.csv", "content")
    spoilt(tmp_path / "a.zip", b"content")
    with pytest.raises(ArchiveError):
        archives.extract(tmp_path / "a.zip", tmp_path / "into")
    assert tree(tmp_path / "into") == {"fine.csv": b"former"}


def test_a_bad_checksum_says_that_the_archive_may_be_unpacked_by_hand(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("bad.csv", "content")
    spoilt(tmp_path / "a.zip", b"content")
    with pytest.raises(ArchiveError) as raised:
        archives.extract(tmp_path / "a.zip", tmp_path / "into")
    assert "unpack it by hand" in raised.value.way_out


def test_a_damaged_7z_is_refused(tmp_path):
    path = sevenzipped(tmp_path / "a.7z", {"a.csv": bytes(range(256)) * 20})
    body = bytearray(path.read_bytes())
    body[40] ^= 0xFF
    path.write_bytes(body)
    assert_refused(path, "does not unpack")


def test_a_damaged_7z_inside_a_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"inner.7z": b"7z\xbc\xaf\x27\x1c and then nothing"})
    assert_refused(path, "does not open as a 7z")


def test_a_bad_checksum_of_the_7z_inside_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner.7z", "content")
    spoilt(tmp_path / "a.zip", b"content")
    assert_refused(tmp_path / "a.zip", "Bad CRC")


def test_a_member_longer_than_declared_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.csv": bytes(5000)})
    body = bytearray(path.read_bytes())
    struct.pack_into("<L", body, body.index(b"PK\1\2") + 24, 10)
    path.write_bytes(body)
    assert_refused(path, "a.csv")


def test_copying_stops_as_soon_as_more_comes_than_was_declared():
    out = io.BytesIO()
    with pytest.raises(zipfile.BadZipFile, match="more than the 3 bytes declared"):
        archives._copy(io.BytesIO(b"12345"), out, 3)
    assert out.getvalue() == b""


def test_copying_says_when_less_comes_than_was_declared():
    with pytest.raises(EOFError, match="3 of 5 bytes"):
        archives._copy(io.BytesIO(b"123"), io.BytesIO(), 5)


def test_an_archive_larger_than_the_disk_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", {"a.csv": b"1"})
    body = bytearray(path.read_bytes())
    struct.pack_into("<L", body, body.index(b"PK\1\2") + 24, 0xFFFFFFF0)
    path.write_bytes(body)
    monkeypatch.setattr(archive_safety, "MAX_RATIO", 1 << 40)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DiskFullError, match="4,294,967,280 bytes needed, 1,000 free"):
        archives.extract(path, tmp_path / "into")


@pytest.mark.parametrize("make", [zipped, sevenzipped])
def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path, make):
    resource = pytest.importorskip("resource", reason="only Unix limits the size of a file")
    path = make(tmp_path / "a.zip", {"a.csv": b"1", "b.csv": bytes(range(256)) * 100})
    before = tree(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(DiskFullError, match="no room to unpack"):
            archives.extract(path, tmp_path / "into")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("make", [zipped, sevenzipped])
def test_an_archive_is_whole_to_its_last_byte(tmp_path, make):
    path = make(tmp_path / "a", FILES)
    assert archives.is_whole(path)


@pytest.mark.parametrize("make", [zipped, sevenzipped])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_an_archive_cut_short_is_not_whole(tmp_path, make, share):
    path = make(tmp_path / "a", FILES)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert not archives.is_whole(path)


def test_the_start_of_a_7z_is_not_a_whole_one(tmp_path):
    (tmp_path / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c\0\4")
    assert not archives.is_whole(tmp_path / "a.7z")


@settings(max_examples=300)
@given(name=st.text(alphabet="ab./\\: C~\0é", min_size=1, max_size=12))
def test_a_name_that_is_let_through_stays_in_the_folder(name):
    root = Path("/srv/into")
    stays = not archive_safety._escapes(name)
    assert not stays or (root / name).resolve().is_relative_to(root)


@settings(max_examples=50, deadline=None)
@given(
    names=st.lists(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?\.csv", fullmatch=True), unique=True, max_size=4),
    contents=st.lists(st.binary(max_size=300), min_size=4, max_size=4),
    make=st.sampled_from([zipped, sevenzipped, zip_of_7z]),
)
def test_what_was_packed_is_what_is_unpacked(tmp_path_factory, names, contents, make):
    files = dict(zip(names, contents, strict=False))
    if not files and make is not zipped:
        return
    folder = tmp_path_factory.mktemp("packed")
    archives.extract(make(folder / "a.zip", files), folder / "into")
    assert tree(folder / "into") == files


@functools.cache
def sound(make):
    """The bytes of an archive, made once: a 7z carries the time."""
    with tempfile.TemporaryDirectory() as folder:
        return make(Path(folder, "a.zip"), FILES).read_bytes()


@settings(max_examples=150, deadline=None)
@given(
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    make=st.sampled_from([zipped, sevenzipped, zip_of_7z]),
)
def test_a_damaged_archive_gives_its_files_or_a_clear_error(tmp_path_factory, damage, make):
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "a.zip"
    body = bytearray(sound(make))
    for place, byte in damage:
        body[int(place * len(body))] = byte
    path.write_bytes(body)
    try:
        archives.extract(path, folder / "into")
    except ArchiveError:
        assert not (folder / "into").exists()
