"""Downloads from servers that fail, lie, wait or fall silent, and onto full disks."""

import contextlib
import datetime as dt
import gzip
import io
import os
import shutil
import signal
import socket
import sqlite3
import subprocess

import py7zr
import pytest
from tests.sources.sites import CSV, a_zip, files, refused, says

from qpvgeo.errors import (
    DiskFullError,
    FetchError,
    ForbiddenError,
    NotFoundError,
    SourceTimeoutError,
    TruncatedError,
    WrongTypeError,
)
from qpvgeo.sources import transfer
from qpvgeo.sources.download import fetch

pytestmark = pytest.mark.usefixtures("calm", "toy")


def cut_chunks(visit):
    visit.protocol_version = "HTTP/1.1"
    visit.send_response(200)
    visit.send_header("Transfer-Encoding", "chunked")
    visit.end_headers()
    visit.wfile.write(b"400\r\n" + CSV)
    visit.close_connection = True


def silent(visit):
    visit.server.over.wait()


def silent_after_the_headers(visit):
    visit.send_response(200)
    visit.send_header("Content-Length", str(len(CSV)))
    visit.end_headers()
    visit.wfile.write(CSV[:5])
    visit.server.over.wait()


def hangs_up(visit):
    visit.connection.shutdown(socket.SHUT_RDWR)


# --- what the server does wrong


def test_a_site_that_refuses_programs_is_said_to(site):
    site.tell(says(status=403))
    refused(ForbiddenError, "refuses_programs")


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_said_to_be(site, status):
    site.tell(says(status=status))
    error = refused(NotFoundError, "gone")
    assert "url=" in error.way_out


@pytest.mark.parametrize("status", [403, 404, 418])
def test_an_answer_that_will_not_change_is_not_asked_for_again(site, status):
    site.tell(says(status=status))
    refused({403: ForbiddenError, 404: NotFoundError, 418: FetchError}[status])
    assert len(site.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(site, status):
    site.tell(says(status=status), says(status=status), says())
    assert fetch("toy").read_bytes() == CSV


def test_a_server_that_stays_in_trouble_is_given_up(site):
    site.tell(says(status=503))
    refused(FetchError, "answers")
    assert len(site.seen) == transfer.ATTEMPTS


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><p>", b"\xef\xbb\xbf\n <html><body>", b"<HTML lang=fr>"])
def test_an_error_page_served_as_data_is_refused(site, body):
    site.tell(says(body, Content_Type="text/csv"))
    refused(WrongTypeError, "serves_page")


def test_what_is_announced_as_a_page_is_refused(site):
    site.tell(says(Content_Type="text/html; charset=utf-8"))
    refused(WrongTypeError, "serves_page")


def test_the_title_of_the_error_page_is_given(site):
    site.tell(says("<html><title>\n Site en maintenance é</title>".encode()))
    error = refused(WrongTypeError, "serves_page")
    assert [problem.values for problem in error.problems] == [{"title": "Site en maintenance é"}]


@pytest.mark.parametrize("body", [b'{"error": "quota"}', b"<?xml version='1.0'?><Error/>", b"PK\3\4\0\0"])
def test_another_format_in_place_of_a_csv_is_refused(site, body):
    site.tell(says(body))
    refused(WrongTypeError, "serves_no")


@pytest.mark.parametrize("suffix", ["7z", "csv.gz", "geojson", "gpkg", "json", "parquet", "shp", "xls", "xlsx", "zip"])
def test_text_in_place_of_another_format_is_refused(toy, site, suffix):
    toy(f"toy.{suffix}")
    site.tell(says(b"quota exceeded"))
    refused(WrongTypeError, "serves_no")


def gpkg():
    base = sqlite3.connect(":memory:")
    with contextlib.closing(base):
        base.execute("CREATE TABLE gpkg_contents AS SELECT zeroblob(9000) AS content")
        base.commit()
        return base.serialize()


def a_7z():
    stream = io.BytesIO()
    with py7zr.SevenZipFile(stream, "w") as archive:
        archive.writestr(CSV, "toy.csv")
    return stream.getvalue()


WHOLE = {
    "7z": a_7z,
    "csv.gz": lambda: gzip.compress(CSV * 9),
    "geojson": lambda: b'\xef\xbb\xbf {"type": "FeatureCollection", "features": []}\n',
    "gpkg": gpkg,
    "json": lambda: b"[1, 2]",
    "parquet": lambda: b"PAR1 columns PAR1",
    "xlsx": lambda: a_zip({"sheet.xml": b"<x/>"}),
    "zip": lambda: a_zip({"toy.csv": CSV}),
}


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_whole_file_of_each_format_is_kept(toy, site, suffix):
    toy(f"toy.{suffix}")
    body = WHOLE[suffix]()
    site.tell(says(body))
    assert fetch("toy").read_bytes() == body


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_file_cut_short_is_refused_even_when_no_length_is_announced(toy, site, suffix):
    toy(f"toy.{suffix}")
    site.tell(says(WHOLE[suffix]().rstrip()[:-3], Content_Length=None))
    refused(TruncatedError, "not_whole")


def test_fewer_bytes_than_announced_are_refused(site):
    site.tell(says(Content_Length=str(len(CSV) + 100)))
    refused(TruncatedError, "cut")


def test_a_chunk_cut_short_is_refused(site):
    site.tell(cut_chunks)
    refused(TruncatedError, "cut")


def test_a_body_cut_short_once_is_asked_for_again(site):
    site.tell(says(Content_Length=str(len(CSV) + 100)), says())
    assert fetch("toy").read_bytes() == CSV


def test_an_empty_body_is_refused(site):
    site.tell(says(b""))
    refused(TruncatedError, "empty_body")


def test_a_length_that_is_no_number_is_refused(site):
    site.tell(says(Content_Length="many"))
    refused(FetchError, "odd_answer")


@pytest.mark.parametrize("answer", [silent, silent_after_the_headers])
def test_a_server_that_falls_silent_is_given_up(site, monkeypatch, answer):
    monkeypatch.setattr(transfer, "ATTEMPTS", 2)
    site.tell(answer)
    refused(SourceTimeoutError, "silent", timeout=0.05)


def test_a_server_that_falls_silent_once_is_asked_again(site):
    site.tell(silent_after_the_headers, says())
    assert fetch("toy", timeout=0.2).read_bytes() == CSV


def test_a_server_that_hangs_up_once_is_asked_again(site):
    site.tell(hangs_up, says())
    assert fetch("toy").read_bytes() == CSV


def test_a_server_that_is_not_there_is_said_to_be_out_of_reach(toy):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        toy(url=f"http://127.0.0.1:{free.getsockname()[1]}/toy.csv")
        error = refused(FetchError, "no_connection")
    assert "HTTPS_PROXY" in error.way_out


def test_a_redirection_without_end_is_refused(site):
    site.tell(says(b"", status=302, Location="/again"))
    refused(FetchError, "redirects")


# --- waiting


@pytest.fixture
def waits(monkeypatch):
    """Note the waits instead of waiting."""
    noted = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", noted.append)
    return noted


def test_each_wait_is_about_twice_the_one_before(site, waits, monkeypatch):
    monkeypatch.setattr(transfer, "BACKOFF_S", 1.0)
    site.tell(says(status=500))
    refused(FetchError, "answers")
    assert all(1 <= wait / twice <= 1.5 for wait, twice in zip(waits, (2, 4), strict=True))


def test_the_wait_that_the_server_asks_for_is_kept(site, waits):
    site.tell(says(status=429, Retry_After="7"), says())
    fetch("toy")
    assert waits == [7.0]


def test_a_wait_longer_than_a_minute_is_not_waited_for(site, waits):
    site.tell(says(status=503, Retry_After="3600"))
    refused(FetchError, "answers")
    assert waits == []


def test_a_wait_given_as_a_date_is_counted_from_now(site, waits):
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30)
    site.tell(says(status=503, Retry_After=f"{soon:%a, %d %b %Y %H:%M:%S} GMT"), says())
    fetch("toy")
    assert len(waits) == 1
    assert 20 < waits[0] <= 30


@pytest.mark.parametrize("asked", ["soon", "-3", "1e9", "Tue, 99 Foo 2026", ""])
def test_a_wait_that_makes_no_sense_is_not_obeyed(site, waits, asked):
    site.tell(says(status=503, Retry_After=asked), says())
    assert fetch("toy").read_bytes() == CSV
    assert waits == []


# --- the disk


def test_a_disk_that_fills_up_leaves_nothing_behind(site):
    resource = pytest.importorskip("resource", reason="only Unix limits the size of a file")
    site.tell(says(CSV * 10_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        refused(DiskFullError, "no_room")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def tiny_disk(cache):
    """A real disk of 64 kB in place of the cache."""
    cache.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs"]
    if mount is None or subprocess.run([mount, *options, cache], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield cache
    subprocess.run(["umount", cache], check=True)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.usefixtures("tiny_disk")
def test_a_full_disk_leaves_nothing_behind(site, announced):
    body = CSV * 10_000
    site.tell(says(body, Content_Length=str(len(body)) if announced else None))
    refused(DiskFullError, "no_room")


def test_a_file_larger_than_the_disk_is_refused_before_it_comes(site):
    site.tell(says(Content_Length=str(10**18)))
    refused(DiskFullError, "no_room")


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(FetchError, match="cannot be written") as raised:
        fetch("toy")
    assert "QPVGEO_CACHE" in raised.value.way_out


def test_an_interruption_leaves_nothing_behind(site, cache):
    def interrupts(visit):
        visit.send_response(200)
        visit.send_header("Content-Length", "1000")
        visit.end_headers()
        visit.wfile.write(CSV)
        os.kill(os.getpid(), signal.SIGINT)
        visit.server.over.wait()

    site.tell(interrupts)
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fetch("toy")
    finally:
        signal.signal(signal.SIGINT, former)
    assert files(cache) == {}
