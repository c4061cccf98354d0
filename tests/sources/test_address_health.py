"""Addresses of the catalogue that answer, moved, refuse, are gone, changed."""

import json

import pytest
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.errors import OfflineError, UsageError
from qpvgeo.sources.address_health import address_health
from qpvgeo.sources.download import fetch

TAG = "www.insee.fr/fr/statistiques/fichier/8186239/TAG_QPV2024_2025_csv.zip"
COG = "www.insee.fr/fr/statistiques/fichier/7766585/v_commune_2024.csv"


def states(*keys):
    frame = address_health(keys)
    return dict(zip(frame["url"].str.removeprefix("http://"), frame["state"], strict=True))


def test_addresses_that_answer_and_those_that_do_not(producers):
    found = states("qpv-2024", "qpv-2024-communes", "qpv-2024-jobs")
    assert set(found.values()) == {"answers", "gone"}
    assert (found[TAG], found["www.insee.fr/fr/statistiques/8644871?sommaire=8186144"]) == ("answers", "gone")
    assert len(producers.seen) == 7  # one redirects


@pytest.mark.usefixtures("producers")
def test_nothing_is_downloaded(tmp_path):
    states("qpv-2024", "qpv-2015")
    assert not (tmp_path / "cache").exists()


def test_a_site_that_refuses_programs(producers):
    producers.closed = {"www.insee.fr"}
    assert states("qpv-2024-communes")[TAG] == "refuses programs"


def test_a_server_in_trouble(producers):
    producers.down = {"www.insee.fr"}
    assert states("qpv-2024-communes")[TAG] == "fails"


@pytest.mark.usefixtures("producers")
def test_a_server_that_is_not_there(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    frame = address_health(["qpv-2024-communes"])
    assert set(frame["state"]) == {"no answer"}
    assert frame["status"].isna().all()


def test_a_file_that_moved_for_good(producers):
    producers.moved[COG] = TAG
    frame = address_health(["cog-2024"]).set_index("url")
    assert frame.loc[f"http://{COG}", ["state", "moved_to"]].to_list() == ["moved", f"http://{TAG}"]


def test_a_file_that_changed_since_it_was_recorded(producers):
    fetch("cog-2024")
    assert states("cog-2024")[COG] == "answers"
    producers.files[COG] += b"new"
    assert states("cog-2024")[COG] == "changed"


def test_the_command_gives_a_table_and_ends_with_3_when_an_address_fails(producers):
    producers.closed = {"www.insee.fr"}
    result = CliRunner().invoke(app, ["fetch", "--check", "qpv-2024-communes", "--json"])
    rows = json.loads(result.stdout)["addresses"]
    assert result.exit_code == 3
    assert [(row["key"], row["status"], row["evidence"]) for row in rows] == [
        ("qpv-2024-communes", 403, "established"),
        ("qpv-2024-communes", 403, "by resolver"),
    ]
    shown = CliRunner().invoke(app, ["fetch", "--check", "qpv-2024-communes", "--lang", "fr"]).stdout
    assert "refuse les programmes" in shown


def test_the_network_is_not_touched_offline(producers, monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    with pytest.raises(OfflineError):
        address_health()
    assert producers.seen == []


def test_an_unknown_key_is_refused():
    with pytest.raises(UsageError):
        address_health(["nothing"])
