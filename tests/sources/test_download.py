"""Downloads, against a real server on this machine: what is kept, what is refused, what is said."""

import datetime as dt
import json
import os
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.sites import CSV, a_zip, files, refused, says

import qpvgeo
from qpvgeo.errors import (
    ArchiveError,
    DataError,
    FetchError,
    HashMismatchError,
    MissingDataError,
    NotFoundError,
    OfflineError,
    UsageError,
)
from qpvgeo.sources import catalog, download
from qpvgeo.sources.catalog import Address, Dataset
from qpvgeo.sources.download import fetch

pytestmark = pytest.mark.usefixtures("calm", "toy")


def lock(cache):
    return json.loads((cache / "qpvgeo.lock.json").read_text(encoding="utf-8"))


# --- on disk


def test_a_file_on_disk_is_returned_without_a_request(site, tmp_path):
    (tmp_path / "toy.csv").write_bytes(CSV)
    assert fetch("toy", data=tmp_path) == tmp_path / "toy.csv"
    assert site.seen == []


def test_a_file_on_disk_is_found_whatever_the_case_of_its_name(tmp_path, monkeypatch):
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    (tmp_path / "mine" / "deep" / "TOY.CSV").write_bytes(CSV)
    monkeypatch.setenv("QPVGEO_DATA", str(tmp_path / "mine"))
    assert fetch("toy").name == "TOY.CSV"


def test_a_download_lands_in_the_cache(cache):
    assert fetch("toy") == cache / "toy.csv"
    assert files(cache)["toy.csv"] == CSV


def test_a_download_leaves_only_the_file_and_the_lock(cache):
    fetch("toy")
    assert sorted(files(cache)) == ["qpvgeo.lock.json", "toy.csv"]


def test_a_file_in_the_cache_is_not_asked_for_again(site):
    fetch("toy")
    fetch("toy")
    assert len(site.seen) == 1


def test_a_downloaded_file_can_be_read_by_whom_the_user_allows():
    former = os.umask(0o022)
    try:
        assert fetch("toy").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(former)


def test_the_program_says_who_it_is(site):
    fetch("toy")
    assert site.seen[0][1]["User-Agent"].startswith(f"Mozilla/5.0 (compatible; qpvgeo/{qpvgeo.__version__}")


def test_a_redirection_is_followed(site):
    site.tell(says(b"", status=302, Location="/elsewhere.csv"), says())
    assert fetch("toy").read_bytes() == CSV


# --- hashes


def test_the_first_download_is_recorded(site, cache):
    site.tell(says(ETag='"v1"', Last_Modified="Thu, 15 Jan 2026 20:43:23 GMT"))
    fetch("toy")
    recorded = lock(cache)["toy"]
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    assert recorded == {
        "file": "toy.csv",
        "sha256": "d108ee3504eafbcfae1f0985fd0a123f9d8bb4ad359bc4b4365d26127d6c8ead",
        "size_bytes": len(CSV),
        "fetched_on": today,
        "url": site.url("toy.csv"),
        "etag": '"v1"',
        "last_modified": "Thu, 15 Jan 2026 20:43:23 GMT",
    }


def test_a_file_that_changed_on_the_server_is_refused(site, cache):
    fetch("toy").unlink()
    site.tell(says(CSV + b"QN07502M;1\n"))
    with pytest.raises(HashMismatchError):
        fetch("toy")
    assert list(files(cache)) == ["qpvgeo.lock.json"]


def test_a_file_that_changed_on_disk_is_refused():
    path = fetch("toy")
    path.write_bytes(CSV + b"mine")
    with pytest.raises(HashMismatchError):
        fetch("toy")


def test_a_refused_file_shows_both_hashes_and_since_when(cache):
    path = fetch("toy")
    path.write_bytes(b"other")
    with pytest.raises(HashMismatchError) as raised:
        fetch("toy")
    expected, found = raised.value.problems
    assert lock(cache)["toy"]["sha256"] in expected
    assert lock(cache)["toy"]["fetched_on"] in expected
    assert "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa" in found


def test_a_refused_file_says_how_to_accept_it():
    fetch("toy").write_bytes(b"other")
    with pytest.raises(HashMismatchError) as raised:
        fetch("toy")
    assert "update=True" in raised.value.way_out
    assert "qpvgeo fetch --update toy" in raised.value.way_out


def test_a_changed_file_is_accepted_when_asked_for(site):
    fetch("toy")
    site.tell(says(CSV + b"new"))
    assert fetch("toy", update=True).read_bytes() == CSV + b"new"
    assert fetch("toy").read_bytes() == CSV + b"new"


def test_a_changed_file_put_in_a_folder_of_ones_own_is_accepted_when_asked_for(site, tmp_path):
    fetch("toy")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "toy.csv").write_bytes(b"mine")
    assert fetch("toy", data=tmp_path / "mine", update=True).read_bytes() == b"mine"
    assert fetch("toy", data=tmp_path / "mine").read_bytes() == b"mine"
    assert len(site.seen) == 1


def test_a_failed_update_leaves_the_former_file_and_its_hash(site, cache):
    fetch("toy")
    before = files(cache)
    site.tell(says(status=404))
    with pytest.raises(NotFoundError):
        fetch("toy", update=True)
    assert files(cache) == before


def test_the_hash_of_the_catalogue_is_enforced_at_the_first_download(toy, cache):
    toy(sha256="0" * 64)
    with pytest.raises(HashMismatchError, match="of the catalogue"):
        fetch("toy")
    assert files(cache) == {}


def test_the_hash_of_the_catalogue_is_enforced_on_a_file_at_hand(toy, tmp_path):
    toy(sha256="0" * 64)
    (tmp_path / "toy.csv").write_bytes(CSV)
    with pytest.raises(HashMismatchError, match="of the catalogue"):
        fetch("toy", data=tmp_path)


def test_a_file_that_the_catalogue_refuses_can_be_accepted(toy):
    toy(sha256="0" * 64)
    fetch("toy", update=True)
    assert fetch("toy").read_bytes() == CSV


def test_another_form_of_the_dataset_has_no_hash_to_break(toy, tmp_path):
    toy(sha256="0" * 64, filenames=("toy.csv", "toy.xls"))
    (tmp_path / "toy.xls").write_bytes(b"another form")
    assert fetch("toy", data=tmp_path).name == "toy.xls"


@pytest.mark.parametrize(
    "content",
    [pytest.param("[" * 200_000, id="deep"), "", "{", "[]", '{"toy": 1}', '{"toy": {"file": "toy.csv"}}', "\udcff"],
)
def test_a_damaged_lock_is_refused(cache, site, content):
    cache.mkdir()
    (cache / "qpvgeo.lock.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match="is not a lock file"):
        fetch("toy")
    assert site.seen == []


def test_downloads_at_the_same_time_are_all_recorded(site, cache):
    urls = [site.url(f"{i}.csv") for i in range(8)]
    threads = [threading.Thread(target=fetch, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lock(cache)) == sorted(urls)


# --- without a download


def test_offline_says_which_file_to_put_where(site, monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    refused(OfflineError, "offline")
    assert site.seen == []


def test_offline_still_finds_what_is_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    (tmp_path / "toy.csv").write_bytes(CSV)
    assert fetch("toy", data=tmp_path).name == "toy.csv"


def test_offline_refuses_to_update(monkeypatch):
    fetch("toy")
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    refused(OfflineError, update=True)


def test_the_files_of_insee_send_to_their_page(monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    with pytest.raises(OfflineError) as raised:
        fetch("filosofi-200m-2021")
    assert "https://www.insee.fr/fr/statistiques/8735162" in raised.value.way_out
    assert "Filosofi2021_carreaux_200m_csv.zip" in raised.value.way_out


def test_a_file_without_an_address_says_that_one_can_be_given(toy):
    toy(url=None)
    error = refused(MissingDataError, "no_address")
    assert "url=" in error.way_out


def test_a_file_without_a_name_is_to_be_given_by_its_path(monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    with pytest.raises(OfflineError) as raised:
        fetch("qpv-2024-jobs")
    assert raised.value.way_out.key == "sources.by_hand_nameless"


def test_a_file_without_an_address_is_had_from_the_one_given(toy, site, cache):
    toy(url=None)
    assert fetch("toy", url=site.url("mirror/TOY.csv")) == cache / "toy.csv"


def test_a_file_without_a_name_takes_that_of_the_address_given(toy, site):
    toy(url=None, filenames=())
    assert fetch("toy", url=site.url("served.csv")).name == "served.csv"


# --- what is asked for


def test_a_department_is_put_in_the_address_and_in_the_name(toy, site, cache):
    toy(filenames=("a-{department}.csv",), url=site.url("a-{department}.csv"))
    assert fetch("toy:2a") == cache / "a-2A.csv"
    assert site.seen[0][0] == "/a-2A.csv"


def test_departments_are_recorded_apart(toy, site, cache):
    toy(filenames=("a-{department}.csv",), url=site.url("a-{department}.csv"))
    fetch("toy:59")
    fetch("toy:62")
    assert sorted(lock(cache)) == ["toy:59", "toy:62"]


def test_a_department_must_be_named():
    with pytest.raises(UsageError, match="by department"):
        fetch("ban")


def test_any_address_can_be_fetched(site):
    assert fetch(site.url("elsewhere/list.csv")).read_bytes() == CSV


def test_two_addresses_with_the_same_name_are_two_files(site):
    site.tell(says(b"1"), says(b"2"))
    assert fetch(site.url("a/list.csv")) != fetch(site.url("b/list.csv"))


def test_the_address_of_a_dataset_is_the_dataset(site, cache):
    fetch(site.url("toy.csv"))
    assert list(lock(cache)) == ["toy"]


@pytest.mark.parametrize("address", ["ftp://a.fr/b.csv", "file:///etc/passwd", "http:///a.csv"])
def test_only_web_addresses_are_fetched(address):
    with pytest.raises(UsageError, match="not an http"):
        fetch(address)


@given(path=st.text(max_size=30))
def test_the_name_of_an_address_stays_in_the_cache(path):
    name = download._unlisted(f"http://a.fr/{path}").filenames[0]
    assert Path(name).name == name
    assert not name.startswith(".")


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_time_out_is_above_zero(timeout):
    with pytest.raises(UsageError, match="timeout"):
        fetch("qpv-2024", timeout=timeout)


# --- members of archives


MEMBERS = {f"SHP/QP2024_Guadeloupe_RGAF09_UTM20N.{part}": part.encode() for part in ("shp", "shx", "dbf", "prj")}


@pytest.fixture
def packed(toy, site):
    """A member of an archive that the site serves."""
    archive = Dataset(
        key="pack",
        title="",
        kind="list",
        format="shp",
        filenames=("pack.zip",),
        addresses=(Address(site.url("pack.zip")),),
    )
    toy(url=None, archive="pack", filenames=("QP2024_Guadeloupe_RGAF09_UTM20N.shp",))
    catalog._table()["pack"] = archive
    yield archive
    del catalog._table()["pack"]


@pytest.mark.usefixtures("packed")
def test_a_member_is_unpacked_with_the_files_that_go_with_it(site, cache):
    site.tell(says(a_zip(MEMBERS | {"SHP/other.shp": b"other"})))
    path = fetch("toy")
    assert path == cache / "unpacked" / "pack" / "SHP" / "QP2024_Guadeloupe_RGAF09_UTM20N.shp"
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".dbf", ".prj", ".shp", ".shx"]


@pytest.mark.usefixtures("packed")
def test_a_member_already_unpacked_is_not_unpacked_again(site):
    site.tell(says(a_zip(MEMBERS)))
    fetch("toy").write_bytes(b"marked")
    assert fetch("toy").read_bytes() == b"marked"


@pytest.mark.usefixtures("packed")
def test_a_new_archive_drops_what_was_unpacked_from_the_former(site, cache):
    site.tell(says(a_zip(MEMBERS)))
    fetch("toy")
    fetch("pack", update=True)
    assert sorted(files(cache)) == ["pack.zip", "qpvgeo.lock.json"]


@pytest.mark.usefixtures("packed")
def test_an_update_of_a_member_renews_its_archive(site):
    site.tell(says(a_zip(MEMBERS)), says(a_zip(dict.fromkeys(MEMBERS, b"new"))))
    fetch("toy")
    assert fetch("toy", update=True).read_bytes() == b"new"


@pytest.mark.usefixtures("packed")
def test_a_member_that_is_not_in_its_archive_is_said_to_be_missing(site):
    site.tell(says(a_zip({"other.shp": b"1"})))
    with pytest.raises(MissingDataError, match="does not hold"):
        fetch("toy")


@pytest.mark.usefixtures("packed")
def test_a_hostile_archive_unpacks_nothing(site, tmp_path):
    site.tell(says(a_zip(MEMBERS | {"../../escaped.shp": b"1"})))
    with pytest.raises(ArchiveError, match="could leave the folder"):
        fetch("toy")
    assert sorted(files(tmp_path)) == ["cache/pack.zip", "cache/qpvgeo.lock.json"]


# --- proxies and certificates


def test_the_proxy_of_the_environment_is_used(toy, site, monkeypatch):
    toy(url="http://qpv.invalid/toy.csv")
    monkeypatch.setenv("HTTP_PROXY", site.root)
    assert fetch("toy").read_bytes() == CSV
    assert site.seen[0][0] == "http://qpv.invalid/toy.csv"


def test_an_address_exempt_from_the_proxy_is_asked_directly(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert fetch("toy").read_bytes() == CSV


@pytest.fixture
def certificate(site, toy, tmp_path):
    """Make the site speak TLS, under a certificate that nobody knows."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("making a certificate needs openssl")
    key, path = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", path]
    subprocess.run([program, "req", *made, *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    toy(url=f"https://127.0.0.1:{site.server_port}/toy.csv")
    return path


@pytest.mark.usefixtures("certificate")
def test_a_certificate_that_nobody_knows_is_refused():
    error = refused(FetchError, "not_trusted")
    assert "SSL_CERT_FILE" in str(error)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_certificate_named_in_the_environment_is_trusted(certificate, monkeypatch, variable):
    monkeypatch.setenv(variable, str(certificate))
    assert fetch("toy").read_bytes() == CSV


@pytest.mark.usefixtures("certificate")
def test_certificates_that_are_not_there_are_said_to_be_missing(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(FetchError, match=r"nowhere\.pem") as raised:
        fetch("toy")
    assert "SSL_CERT_FILE" in raised.value.way_out


# --- the bar


def test_a_bar_is_shown_when_asked_for(capsys):
    fetch("toy", progress=True)
    assert "toy.csv: 100%" in capsys.readouterr().err


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_written_where_there_is_no_terminal(capsys, progress):
    fetch("toy", progress=progress)
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_shown_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    fetch("toy")
    assert "toy.csv" in capsys.readouterr().err
