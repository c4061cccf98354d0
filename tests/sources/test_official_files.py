"""From an empty machine to the national figures, with the producers played by a real server."""

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import zipfile

import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo import settings
from qpvgeo.cli import app
from qpvgeo.errors import FetchError, ForbiddenError, HashMismatchError, OfflineError, TruncatedError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.read import processed
from qpvgeo.samples import sample
from qpvgeo.sources import catalog, file_sets, hash_record, transfer
from qpvgeo.sources.download import fetch

STATIC = "static.data.gouv.fr/resources/quartiers-prioritaires-de-la-politique-de-la-ville-qpv"
NEWEST = f"{STATIC}/20260115-204323/qpv-2024-geojson.zip"
STABLE = "www.data.gouv.fr/api/1/datasets/r/942d4ee8-8142-4556-8ea1-335537ce1119"
REFERRED = f"{STATIC}/20250206-161839/qp2024-france-hexagonale-outre-mer-wgs84-epsg4326.geojson"
BIG = "plain.example/big.csv"
GRID = "www.insee.fr/fr/statistiques/fichier/8735162/Filosofi2021_carreaux_200m_csv.zip"
TAG = "www.insee.fr/fr/statistiques/fichier/8186239/TAG_QPV2024_2025_csv.zip"


def run(*arguments, status=0):
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert status is None or result.exit_code == status, result.output
    return result


def answer(*arguments, status=0):
    return json.loads(run(*arguments, "--json", status=status).stdout)


def of_figures(answered):
    """What is counted, without where it was read."""
    return {name: value for name, value in answered.items() if name not in {"sources", "notes", "release", "repairs"}}


# --- the main job


def test_one_command_gets_what_the_figures_need(producers):
    found = answer("fetch")
    assert found["failed"] == []
    assert [row["key"] for row in found["files"]] == [line[0] for line in file_sets.MAIN]
    assert {row["state"] for row in found["files"]} == {"got"}
    asked = len(producers.seen)
    again = answer("fetch")
    assert {row["state"] for row in again["files"]} == {"already there"}
    assert len(producers.seen) == asked


@pytest.mark.usefixtures("producers")
def test_the_figures_of_what_was_fetched_are_those_of_the_files():
    run("fetch")
    for command in (["summary", "--vintage", "2024"], ["summary", "--vintage", "2015"], ["coverage", "--by", "epci"]):
        assert of_figures(answer(*command)) == of_figures(answer(*command, "--data", sample().path)), command


@pytest.mark.usefixtures("producers")
def test_shares_by_commune_are_over_the_populations_that_were_fetched():
    run("fetch")
    found = answer("coverage", "--by", "commune", "--vintage", "2024")["rows"]
    expected = answer("coverage", "--by", "commune", "--vintage", "2024", "--data", sample().path)["rows"]
    shares = {row["code"]: (row["name"], row["n_qpv"], row["population"], row["share"]) for row in found}
    assert {row["population_year"] for row in found} == {2020}
    assert shares == {row["code"]: (row["name"], row["n_qpv"], row["population"], row["share"]) for row in expected}


def test_every_request_says_who_asks(producers):
    run("fetch")
    agents = {headers["User-Agent"] for _, headers in producers.seen}
    assert agents == {transfer.agent()}
    assert transfer.agent().startswith("Mozilla/5.0 (compatible; qpvgeo/")


def test_a_closed_site_leaves_a_list_to_follow_by_hand(producers):
    producers.closed = {"www.insee.fr"}
    found = answer("fetch", status=3)
    had = {row["key"] for row in found["files"]}
    assert had == {"qpv-2015", "qpv-2024-2025-02", "communes-outlines-2025-100m"}
    assert {row["error"] for row in found["failed"]} == {"ForbiddenError"}
    for row in found["failed"]:
        one = catalog.get(row["key"])
        source = catalog.get(one.archive) if one.archive else one
        assert (row["link"], row["page"]) == (source.url, source.page)
        assert row["names"] == [name.rpartition("/")[2] for name in source.filenames]
        assert row["folder"].startswith(os.environ["QPVGEO_CACHE"])
    asked = producers.asked("www.insee.fr")
    assert len(asked) == len(set(asked))
    out = run("fetch", status=3).stdout
    assert all((row["link"] or row["page"]) in out for row in found["failed"])


def test_what_was_put_by_hand_where_the_list_says_is_found(producers, tmp_path):
    producers.closed = {"www.insee.fr"}
    run("fetch", status=3)
    by_hand = {
        "qpv-2015-population": sample().population_2015,
        "qpv-2024-population": sample().population_2024,
        "qpv-2024-population-communes": sample().population_2024_communes,
    }
    for row in answer("fetch", *by_hand, status=3)["failed"]:
        name = row["names"][0] if row["names"] else "table.csv"
        (tmp_path / "cache" / name).write_bytes(by_hand[row["key"]].read_bytes())
    assert {row["state"] for row in answer("fetch", *by_hand)["files"]} == {"already there"}
    figures = answer("summary", "--vintage", "2024")
    assert figures["population"] == answer("summary", "--vintage", "2024", "--data", sample().path)["population"]


def test_the_files_that_failed_come_at_the_next_run(producers):
    producers.down = {"www.insee.fr"}
    assert answer("fetch", status=3)["failed"] != []
    producers.down = set()
    states = {row["key"]: row["state"] for row in answer("fetch")["files"]}
    assert states["qpv-2015"] == "already there"
    assert states["cog-2025"] == "got"


def test_another_release_takes_the_place_of_one_whose_address_is_dead(producers):
    del producers.files[REFERRED]
    producers.list_resources()
    keys = [row["key"] for row in answer("fetch")["files"]]
    assert "qpv-2024" in keys
    assert "qpv-2024-2025-02" not in keys


def test_a_theme_is_had_by_its_pages(producers):
    producers.page(8644871, "note.pdf", "demandeurs_xlsx.zip", "demandeurs_csv.zip", summary=8186144)
    producers.files["www.insee.fr/fr/statistiques/fichier/8644871/demandeurs_csv.zip"] = producers.files[TAG]
    (row,) = answer("fetch", "--theme", "jobs")["files"]
    assert row["path"].endswith("qpv-2024-jobs/demandeurs_csv.zip")
    (row,) = answer("fetch", "--theme", "jobs")["files"]
    assert row["state"] == "already there"


def test_without_a_connection_each_site_is_tried_once(producers, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    reasons = {row["key"]: row["problems"] or [row["reason"]] for row in answer("fetch", status=3)["failed"]}
    assert len(reasons) == len(file_sets.MAIN)
    assert sum("no connection" in told for problems in reasons.values() for told in problems) == 4  # as many sites
    assert producers.seen == []


# --- addresses in turn


def test_the_stable_address_redirects_to_the_file(producers):
    assert fetch("qpv-2024").name == "qpv-2024-geojson.zip"
    assert producers.asked("") == [STABLE, NEWEST]
    assert hash_record.read()["qpv-2024"]["url"] == f"http://{NEWEST}"


def test_a_dead_link_sends_to_the_data_set_that_lists_the_file(producers):
    moved = NEWEST.replace("20260115-204323", "20270101-000000")
    producers.files[moved] = producers.files.pop(NEWEST)
    producers.moved.clear()
    producers.list_resources()
    assert fetch("qpv-2024").name == "qpv-2024-geojson.zip"
    assert producers.asked("")[-1] == moved


def test_a_data_set_that_is_down_leaves_the_frozen_address(producers):
    producers.down = {"www.data.gouv.fr"}
    assert fetch("qpv-2024").name == "qpv-2024-geojson.zip"
    assert producers.asked("")[-1] == NEWEST


def test_the_last_good_address_is_tried_before_the_page(producers):
    fetch("qpv-2024-population").unlink()
    producers.seen.clear()
    fetch("qpv-2024-population")
    assert producers.asked("") == ["www.insee.fr/fr/statistiques/fichier/8210600/pop_QPV24.csv"]


def test_an_address_of_another_site_in_the_record_is_not_asked(producers):
    fetch("qpv-2024-population").unlink()
    producers.files["elsewhere.example/pop_QPV24.csv"] = producers.files[TAG]
    entry = hash_record.read()["qpv-2024-population"]
    hash_record.record("qpv-2024-population", entry | {"url": "http://elsewhere.example/pop_QPV24.csv"})
    fetch("qpv-2024-population")
    assert producers.asked("elsewhere.example") == []


def test_every_address_that_failed_is_named(producers):
    producers.moved.clear()
    for url in [url for url in producers.files if url.startswith(STATIC)]:
        del producers.files[url]
    producers.list_resources()
    with pytest.raises(FetchError) as raised:
        fetch("qpv-2024")
    assert raised.value.key == "sources.none_served"
    assert [problem.key for problem in raised.value.problems] == ["sources.gone"] * 2 + ["sources.not_listed"]
    assert "qpv-2024-geojson.zip" in raised.value.way_out


def test_a_site_that_refuses_is_asked_once(producers):
    producers.closed = {"www.insee.fr"}
    with pytest.raises(ForbiddenError) as raised:
        fetch("qpv-2024-communes")
    assert len(producers.seen) == 1
    assert raised.value.key == "sources.refuses_programs"
    assert f"https://{TAG}".replace("https", "http") in raised.value.way_out


# --- bodies


@pytest.fixture
def big(producers):
    """A file of 300 kB, cut once after 200."""
    producers.files[BIG] = b"code;n\n" + b"QN07501M;2500\n" * 21_000
    producers.cut[BIG] = 200_000
    return f"http://{BIG}"


def ranges(producers):
    return [headers.get("Range") for _, headers in producers.seen]


def test_a_body_that_is_cut_is_resumed_by_range(producers, big):
    assert fetch(big).read_bytes() == producers.files[BIG]
    assert ranges(producers) == [None, "bytes=196608-"]
    digest = hashlib.sha256(producers.files[BIG]).hexdigest()
    assert hash_record.read()[big]["sha256"] == digest


@pytest.fixture
def half(big, monkeypatch):
    """What a run that was cut left."""
    with monkeypatch.context() as once:
        once.setattr(transfer, "ATTEMPTS", 1)
        with pytest.raises(TruncatedError):
            fetch(big)
    return big


def test_a_body_that_is_cut_is_resumed_by_the_next_run(producers, half):
    assert fetch(half).read_bytes() == producers.files[BIG]
    assert ranges(producers) == [None, "bytes=196608-"]


def test_a_file_that_changed_between_two_halves_is_taken_whole(producers, half):
    producers.files[BIG] += b"QN07502M;1\n"
    assert fetch(half).read_bytes() == producers.files[BIG]


def test_a_half_that_is_longer_than_the_file_is_dropped(producers, half, tmp_path):
    (part,) = (tmp_path / "cache" / ".partial").glob("*.part")
    part.write_bytes(b"x" * 400_000)
    assert fetch(half).read_bytes() == producers.files[BIG]


def test_a_changed_file_is_refused_then_accepted(producers):
    fetch("qpv-2024-communes").unlink()
    producers.files[TAG] = producers.files["www.insee.fr/fr/statistiques/fichier/2510634/epci_au_01-01-2025.zip"]
    (row,) = answer("fetch", "qpv-2024-communes", status=3)["failed"]
    assert row["error"] == "HashMismatchError"
    assert "--update" in row["message"]
    assert len(answer("fetch", "qpv-2024-communes", "--update")["files"]) == 1
    (hash_record.path().parent / "TAG_QPV2024_2025_csv.zip").write_bytes(b"PK\3\4")
    with pytest.raises(HashMismatchError):
        fetch("qpv-2024-communes")


def test_no_network_is_touched_offline(producers, monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    found = answer("fetch", status=3)
    assert {row["error"] for row in found["failed"]} == {OfflineError.__name__}
    assert len(found["failed"]) == len(file_sets.MAIN)
    assert producers.seen == []


# --- the cache


@pytest.mark.usefixtures("producers")
def test_what_dead_runs_left_is_swept(tmp_path):
    left = tmp_path / "cache" / ".partial"
    left.mkdir(parents=True)
    for name, validator in (("0", None), ("1", ""), ("2", '"v1"'), ("3", '"v1"')):
        (left / f"{name}123456789abcdef.part").write_bytes(b"half")
        (left / f"{name}123456789abcdef.lock").touch()
        if validator is not None:
            about = json.dumps({"url": "http://plain.example/a.csv", "validator": validator})
            (left / f"{name}123456789abcdef.about").write_text(about)
    os.utime(left / "2123456789abcdef.part", (0, 0))
    (left / "4123456789abcdef.lock").touch()
    fetch("qpv-2015")
    kept = sorted(path.name for path in left.iterdir())
    assert kept == ["3123456789abcdef.about", "3123456789abcdef.part"]  # it can be resumed


def test_one_file_is_brought_once_for_several_threads(producers):
    threads = [threading.Thread(target=fetch, args=("qpv-2015",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(producers.seen) == 1


@pytest.mark.usefixtures("producers")
def test_nothing_is_left_beside_the_files(tmp_path):
    run("fetch", "main")
    assert list((tmp_path / "cache" / ".partial").iterdir()) == []


def test_processes_lose_no_entry_of_the_record(producers):
    for name in "abcdefgh":
        producers.files[f"plain.example/{name}.csv"] = b"code;n\n1;2\n"
    program = "import sys; from qpvgeo.sources.download import fetch; [fetch(url) for url in sys.argv[1:]]"
    urls = [f"http://plain.example/{name}.csv" for name in "abcdefgh"]
    runs = [subprocess.Popen([sys.executable, "-c", program, *urls[i::2]]) for i in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert sorted(hash_record.read()) == urls


KILLED = """
import os, signal, sys
def hook(event, arguments):
    if event == "os.rename" and "qpvgeo.lock.json" in str(arguments[0]):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from qpvgeo.sources.download import fetch
fetch("qpv-2024-list", url=sys.argv[1], update=True)
"""


def test_a_run_killed_between_the_file_and_its_record_is_settled_by_the_next(producers, tmp_path):
    cache, listed = tmp_path / "cache", "plain.example/listeqp2024-cog2024.csv"
    producers.files[listed] = b"code;n\n1;2\n"
    url = f"http://{listed}"
    fetch("qpv-2024-list", url=url)
    producers.files[listed] = b"code;n\n1;3\n"
    killed = subprocess.run([sys.executable, "-c", KILLED, url], check=False)
    assert killed.returncode == -9
    assert fetch("qpv-2024-list").read_bytes() == producers.files[listed]
    digest = hashlib.sha256(producers.files[listed]).hexdigest()
    assert hash_record.read()["qpv-2024-list"]["sha256"] == digest
    assert [path.name for path in cache.iterdir() if path.name.startswith(".qpvgeo")] == []


# --- what is missing, on the way


def test_fetch_on_the_way_gets_what_a_command_lacks(producers):
    found = answer("summary", "--vintage", "2024", "--fetch")
    assert of_figures(found) == of_figures(answer("summary", "--vintage", "2024", "--data", sample().path))
    assert {row["file"] for row in found["sources"]} == {REFERRED.rpartition("/")[2], "pop_QPV24.csv"}
    asked = len(producers.seen)
    answer("summary", "--vintage", "2024", "--fetch")
    assert len(producers.seen) == asked


def test_fetch_on_the_way_serves_shares_by_commune(producers):
    found = answer("coverage", "--by", "commune", "--fetch")["rows"]
    expected = answer("coverage", "--by", "commune", "--data", sample().path)["rows"]
    assert [(row["code"], row["share"]) for row in found] == [(row["code"], row["share"]) for row in expected]
    assert "www.insee.fr/fr/statistiques/fichier/6683035/ensemble.zip" in producers.asked("www.insee.fr")


@pytest.mark.usefixtures("producers")
def test_one_call_loads_what_it_fetched():
    frames = qg.load(2024, fetch=True)
    there = qg.load(2024, sample=True)
    assert frames.population["population"].tolist() == there.population["population"].tolist()
    assert frames.communes.index.tolist() == there.communes.index.tolist()


def test_without_fetch_nothing_is_asked_and_the_error_names_the_command(producers):
    result = CliRunner().invoke(app, ["coverage"])
    assert result.exception.exit_code == 3
    assert result.exception.way_out.values["what"] == "main"
    assert producers.seen == []


def test_what_can_be_done_without_is_left_out(producers):
    producers.closed = {"www.insee.fr"}
    assert answer("summary", "--fetch")["n_qpv"] == 16
    assert answer("summary", "--fetch")["population"] is None


def test_perimeters_that_cannot_be_had_are_an_error(producers):
    producers.closed = {"www.data.gouv.fr", "static.data.gouv.fr"}
    result = CliRunner().invoke(app, ["summary", "--fetch"])
    assert isinstance(result.exception, ForbiddenError)


def test_the_sample_is_never_completed(producers):
    answer("coverage", "--by", "ept", "--sample", "--fetch")
    assert producers.seen == []


# --- sets, folders of a browser, questions


@pytest.fixture
def downloads(tmp_path):
    """What a person downloaded: published names, one under a name of its own, and what is not ours."""
    folder = tmp_path / "Downloads"
    files = sample()
    (folder / "2020").mkdir(parents=True)
    (folder / "qpv-2024-geojson.zip").write_bytes(files.qpv_2024.read_bytes())
    (folder / "pop_QPV24 (1).csv").write_bytes(files.population_2024.read_bytes())
    (folder / "2020" / "donnees_communes.csv").write_text("CODCOM;PMUN\n001;12\n", encoding="utf-8")
    (folder / "holidays.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    return folder


def test_what_a_browser_put_in_a_folder_is_taken(downloads, tmp_path):
    found = answer("fetch", "--from", downloads)
    assert {(row["key"], row["state"]) for row in found["files"]} == {
        ("qpv-2024", "taken"),
        ("qpv-2024-population", "taken"),
        ("communes-population-2020", "taken"),
    }
    assert found["refused"] == []
    assert found["not_known"] == [str(downloads / "holidays.zip")]
    cache = tmp_path / "cache"
    assert (cache / "qpv-2024-geojson.zip").read_bytes() == sample().qpv_2024.read_bytes()
    assert (cache / "2020" / "donnees_communes.csv").is_file()
    assert hash_record.read()["qpv-2024"]["sha256"] == hashlib.sha256(sample().qpv_2024.read_bytes()).hexdigest()
    assert {row["state"] for row in answer("fetch", "--from", downloads)["files"]} == {"already there"}
    assert answer("summary")["population"] == answer("summary", "--sample")["population"]
    assert [path.name for path in (cache / ".partial").iterdir()] == []


def test_a_page_saved_in_place_of_a_file_is_refused(downloads, tmp_path):
    (downloads / "qpv-2024-geojson.zip").write_text("<!DOCTYPE html><title>Accès refusé</title>", encoding="utf-8")
    found = answer("fetch", "--from", downloads, status=1)
    (row,) = found["refused"]
    assert (row["key"], row["error"]) == ("qpv-2024", "WrongTypeError")
    assert not (tmp_path / "cache" / "qpv-2024-geojson.zip").exists()
    assert len(found["files"]) == 2


def test_a_file_of_another_hash_is_refused_then_taken(downloads):
    run("fetch", "--from", downloads)
    with zipfile.ZipFile(downloads / "qpv-2024-geojson.zip", "a") as archive:
        archive.writestr("note.txt", "new")
    (row,) = answer("fetch", "--from", downloads, status=1)["refused"]
    assert row["error"] == "HashMismatchError"
    assert len(answer("fetch", "--from", downloads, "--update")["files"]) == 3


def test_a_name_of_every_year_needs_its_folder(downloads):
    (downloads / "2020" / "donnees_communes.csv").rename(downloads / "donnees_communes.csv")
    (row,) = answer("fetch", "--from", downloads, status=1)["refused"]
    assert "communes-population-2020" in row["reason"]
    assert "2019/donnees_communes.csv" in row["way_out"]
    assert row["way_out"] in " ".join(run("fetch", "--from", downloads, status=1).output.split())


def test_the_cache_is_not_taken_from_itself(downloads, tmp_path):
    run("fetch", "--from", downloads)
    assert isinstance(CliRunner().invoke(app, ["fetch", "--from", str(tmp_path / "cache")]).exception, UsageError)
    assert CliRunner().invoke(app, ["fetch", "main", "--from", str(downloads)]).exit_code == 2


def test_main_is_what_is_had_without_a_key(producers):
    assert [row["key"] for row in answer("fetch", "main")["files"]] == [line[0] for line in file_sets.MAIN]
    asked = len(producers.seen)
    assert {row["state"] for row in answer("fetch")["files"]} == {"already there"}
    assert len(producers.seen) == asked


def test_a_large_set_is_not_downloaded_without_a_word(producers):
    result = CliRunner().invoke(app, ["fetch", "grid"])
    assert isinstance(result.exception, UsageError)
    assert result.exception.key == "cli.to_download"
    assert result.exception.way_out.key == "cli.say_yes"
    assert [url for url, _ in producers.seen] == [GRID]  # asked for its head


def test_yes_downloads_it(producers):
    producers.files[GRID] = sample().grid_2019.read_bytes()
    (row,) = answer("fetch", "grid", "--yes")["files"]
    assert (row["key"], row["state"]) == ("filosofi-200m-2021", "got")
    run("fetch", "grid")  # nothing is left to agree to


def test_addresses_are_named_by_department(producers):
    for code in ("59", "2A"):
        producers.files[f"adresse.data.gouv.fr/data/ban/adresses/latest/csv/adresses-{code}.csv.gz"] = (
            sample().addresses.read_bytes()
        )
    keys = [row["key"] for row in answer("fetch", "addresses", "59", "2a", "--yes", status=None)["files"]]
    assert keys == ["ban:59", "ban:2A"]
    assert CliRunner().invoke(app, ["fetch", "addresses", "--yes"]).exception.key == "sources.addresses_of_nowhere"


def test_links_are_listed_by_either_name(producers):
    assert run("fetch", "main", "--list-urls").stdout == run("fetch", "--list-links").stdout
    assert producers.seen == []


# --- manners


def test_sites_are_asked_side_by_side_and_each_one_file_at_a_time(producers):
    run("fetch")
    assert max(producers.most_at_once.values()) == 1
    assert len({url.partition("/")[0] for url, _ in producers.seen}) == 3


def test_rules_for_programs_are_read_once_and_obeyed(producers):
    producers.robots["www.insee.fr/robots.txt"] = b"User-agent: *\nDisallow: /fr/statistiques/fichier/\n"
    found = answer("fetch", status=3)
    assert {row["key"] for row in found["failed"]} >= {"qpv-2024-communes", "cog-2025", "epci-2025"}
    told = {row["key"]: row for row in found["failed"]}["cog-2025"]
    assert told["error"] == "ForbiddenError"
    assert told["link"].endswith("v_commune_2025.csv")
    assert [url for url in producers.asked("www.insee.fr") if "/fichier/" in url] == []
    assert producers.robots_read.count("www.insee.fr/robots.txt") == 1


def test_rules_for_another_program_are_not_ours(producers):
    producers.robots["www.insee.fr/robots.txt"] = b"User-agent: crawler\nDisallow: /\n"
    assert answer("fetch")["failed"] == []


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>", b"\xff\xfe\x00", b""])
def test_rules_that_make_no_sense_forbid_nothing(producers, body):
    producers.robots["www.insee.fr/robots.txt"] = body
    assert fetch("qpv-2024-communes").is_file()


def test_bars_are_on_a_terminal_only(producers, capfd):
    run("fetch")
    assert capfd.readouterr().err == ""
    assert producers.seen != []


@pytest.mark.usefixtures("producers")
def test_sources_are_cited_by_title_where_a_producer_publishes_them(monkeypatch):
    monkeypatch.setattr(provenance, "is_fictional", lambda *_: False)
    run("fetch", "main")
    out = run("summary", "--vintage", "2024").stdout
    assert "ANCT, QPV 2024, perimeters, release of February 2025" in out
    assert "Insee, Population of the QPV 2024, 2020, Licence Ouverte" in out


# --- from an empty machine to the figures, whatever happens on the way


def test_without_data_gouv_the_frozen_addresses_serve(producers):
    producers.down = {"www.data.gouv.fr"}
    assert answer("fetch", "main")["failed"] == []
    assert of_figures(answer("summary")) == of_figures(answer("summary", "--data", sample().path))


def test_a_main_job_that_is_cut_goes_on_where_it_stopped(producers):
    url = next(url for url in producers.files if url.endswith("qp-politiquedelaville-shp.zip"))
    whole = io.BytesIO(producers.files[url])
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr("notice.pdf", bytes(200_000))
    producers.files[url] = whole.getvalue()
    producers.cut[url] = 150_000
    assert answer("fetch", "main")["failed"] == []
    assert hash_record.read()["qpv-2015"]["sha256"] == hashlib.sha256(producers.files[url]).hexdigest()
    assert [headers.get("Range") for asked, headers in producers.seen if asked == url] == [None, "bytes=131072-"]


def test_the_second_run_reads_what_the_first_one_kept(producers, monkeypatch):
    monkeypatch.setenv("QPVGEO_PROCESSED", "1")
    monkeypatch.setattr(processed, "_SMALLEST_BYTES", 0)
    first = answer("coverage", "--by", "commune", "--fetch")
    assert len(list(settings.cache_dir().rglob("*.kept"))) >= 4
    asked = len(producers.seen)
    assert answer("coverage", "--by", "commune", "--fetch") == first
    monkeypatch.setenv("QPVGEO_PROCESSED", "0")
    assert answer("coverage", "--by", "commune") == first
    assert len(producers.seen) == asked
