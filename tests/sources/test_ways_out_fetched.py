"""Ways out that ask for a file: each is taken on what raised it, from a real server that plays the producers."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.at_hand.place_outlines import fetch_outlines
from qpvgeo.cli import app
from qpvgeo.errors import QpvgeoError
from qpvgeo.language import Note
from qpvgeo.samples import sample
from qpvgeo.sources import recognise
from qpvgeo.sources.download import fetch

GRID = "www.insee.fr/fr/statistiques/fichier/8735162/Filosofi2021_carreaux_200m_csv.zip"

pytestmark = pytest.mark.usefixtures("producers")


def run(*words):
    done = CliRunner().invoke(app, list(map(str, words)))
    if isinstance(done.exception, QpvgeoError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done


def way_out(call, key):
    told = refused(call).way_out
    assert told.key == key, told
    return told.values


def test_a_file_without_a_name_is_fetched():
    values = way_out(lambda: qg.read_population("qpv-2015-population"), "sources.fetch_it")
    run("fetch", values["key"])
    assert len(qg.read_population("qpv-2015-population"))


def test_a_file_without_a_name_is_put_in_its_place():
    values = way_out(lambda: qg.read_population("qpv-2015-population"), "sources.fetch_it")
    Path(values["places"]).mkdir(parents=True)
    (Path(values["places"]) / "mine.csv").write_bytes(sample().population_2015.read_bytes())
    assert len(qg.read_population("qpv-2015-population"))


def test_a_file_without_a_name_that_was_had_by_hand_is_found_by_its_key(monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    values = way_out(lambda: fetch("qpv-2015-population"), "sources.by_hand_nameless")
    Path(values["folder"]).mkdir(parents=True)
    (Path(values["folder"]) / "mine.csv").write_bytes(sample().population_2015.read_bytes())
    assert fetch("qpv-2015-population").name == "mine.csv"
    assert len(qg.read_population("qpv-2015-population"))
    assert qg.datasets().loc["qpv-2015-population", "cached"]


def test_a_file_of_a_name_is_fetched():
    values = way_out(lambda: qg.read_population("qpv-2024-population"), "sources.fetch_or_put")
    run("fetch", values["key"])
    assert len(qg.read_population("qpv-2024-population"))


def test_a_file_of_a_name_is_put_in_its_place(tmp_path):
    values = way_out(lambda: qg.read_population("qpv-2024-population"), "sources.fetch_or_put")
    folder = tmp_path / values["places"].split(", ")[-1]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / values["file"]).write_bytes(sample().population_2024.read_bytes())
    assert len(qg.read_population("qpv-2024-population"))


def test_a_set_is_fetched_or_its_folder_is_named():
    values = way_out(lambda: qg.load(2024), "sources.put_or_fetch_set")
    assert len(qg.load(2024, data=sample().path).qpv)
    run("fetch", values["what"])
    assert len(qg.load(2024).qpv)


def test_addresses_are_fetched_by_department(producers):
    way_out(lambda: run("fetch", "addresses", "--yes"), "sources.name_departments")
    for department in (59, 62):
        producers.files[f"adresse.data.gouv.fr/data/ban/adresses/latest/csv/adresses-{department}.csv.gz"] = (
            sample().addresses.read_bytes()
        )
    run("fetch", "addresses", 59, 62, "--yes")


def test_yes_is_said(producers):
    producers.files[GRID] = sample().grid_2019.read_bytes()
    way_out(lambda: run("fetch", "grid"), "cli.say_yes")
    run("fetch", "grid", "--yes")


def test_another_release_is_accepted():
    path = fetch("qpv-2024-population")
    path.write_bytes(b"other")
    values = way_out(lambda: fetch("qpv-2024-population"), "sources.accept_it")
    assert fetch(values["key"], update=True).read_bytes() != b"other"


def test_an_address_is_given(producers):
    values = way_out(lambda: fetch("schools"), "sources.or_give_address")
    producers.files["plain.example/fr-en-annuaire-education.csv"] = sample().population_2015.read_bytes()
    assert fetch(values["key"], url="http://plain.example/fr-en-annuaire-education.csv").is_file()


def test_outlines_of_the_whole_country_are_fetched(monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    way_out(lambda: fetch_outlines("99003", sample().path), "sources.whole_country")
    monkeypatch.delenv("QPVGEO_OFFLINE")
    run("fetch", "communes-outlines-2025-100m")
    assert recognise.find("communes")


def test_a_file_that_no_command_gets_is_put_in_its_place():
    values = way_out(lambda: recognise.find("addresses"), "sources.put_or_fetch")
    assert recognise.find("addresses", data=sample().path)
    folder = Path(values["places"].split(", ")[-1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sample().addresses.name).write_bytes(sample().addresses.read_bytes())
    assert recognise.find("addresses") == [folder / sample().addresses.name]
    run("datasets")


@pytest.mark.filterwarnings("ignore")
def test_the_grid_of_a_service_is_fetched(producers):
    service, testing = pytest.importorskip("qpvgeo.service"), pytest.importorskip("starlette.testclient")
    run("fetch", "main")
    drawn = json.loads(qg.read_qpv(sample().qpv_2024).iloc[:1].geometry.to_json())

    def asked():
        with testing.TestClient(service.create_app(service.Held.read())) as client:
            return client.post("/v1/population", json=drawn, headers={"accept-language": "en"}).json()

    assert asked()["way_out"] == Note("service.get_a_grid").say("en")
    producers.files[GRID] = sample().grid_2019.read_bytes()
    run("fetch", "grid", "--yes")
    assert asked()["rows"][0]["estimate"] > 0
