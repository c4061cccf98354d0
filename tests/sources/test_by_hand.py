"""The page on official files, followed by hand: links in a browser, a cache that is carried."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.samples import sample


def answer(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def figures(*arguments):
    """What is counted, without where it was read."""
    aside = {"sources", "notes", "release", "repairs"}
    return {name: value for name, value in answer("summary", *arguments).items() if name not in aside}


def served(producers, row):
    """Address under which the producers serve a file that a person gets by its link or on its page."""
    if row["link"] and (url := row["link"].partition("://")[2]) in producers.files:
        return url
    pages = [f"/fichier/{number}/" for number in re.findall(r"/(\d{7})", row["page"] or "")]
    names = tuple(f"/{name}" for name in row["names"]) or ("",)
    listed = (url for url in producers.files if any(page in url for page in pages) and url.endswith(names))
    return next(listed, None)


def test_links_followed_with_wget_give_the_figures(producers, tmp_path):
    links = answer("fetch", "main", "--list-urls")["links"]
    folder = tmp_path / "Downloads"
    for row in links:
        url = served(producers, row)
        if url is not None:
            (folder / url).parent.mkdir(parents=True, exist_ok=True)
            (folder / url).write_bytes(producers.files[url])
    found = answer("fetch", "--from", folder)
    assert (found["refused"], found["not_known"]) == ([], [])
    states = {row["key"]: row["state"] for row in answer("fetch", "main")["files"]}
    assert {key for key, state in states.items() if state == "got"} == set()
    assert producers.seen == []
    assert figures() == figures("--data", sample().path)
    rest = answer("fetch", "main", "--list-urls")["links"]
    assert {row["key"] for row in rest} <= {"qpv-2024"}  # another release than the one that is there


@pytest.mark.parametrize("way", ["named", "taken"])
def test_a_cache_carried_to_a_server_without_a_connection_serves(producers, tmp_path, monkeypatch, way):
    answer("fetch", "main")
    carried = shutil.copytree(tmp_path / "cache", tmp_path / "carried")
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    monkeypatch.setenv("QPVGEO_CACHE", str(carried if way == "named" else tmp_path / "server"))
    asked = len(producers.seen)
    if way == "taken":
        assert answer("fetch", "--from", carried)["refused"] == []
    assert {row["state"] for row in answer("fetch", "main")["files"]} == {"already there"}
    assert figures() == figures("--data", sample().path)
    assert len(producers.seen) == asked


@pytest.mark.usefixtures("producers")
def test_links_are_those_of_what_is_missing():
    everything = answer("fetch", "main", "--list-urls")
    assert everything["files"] == []
    answer("fetch", "epci-2025", "communes-population-2020")
    found = answer("fetch", "main", "--list-urls")
    assert [row["key"] for row in found["files"]] == ["communes-population-2020", "epci-2025"]
    gone = {row["link"] for row in everything["links"]} - {row["link"] for row in found["links"]}
    assert {url.rpartition("/")[2] for url in gone} == {"ensemble.zip", "epci_au_01-01-2025.zip"}
    assert "2 files are already there" in CliRunner().invoke(app, ["fetch", "main", "--list-urls"]).stderr
    assert answer("fetch", "main", "--list-urls", "--update")["links"] == everything["links"]


def test_a_zip_put_by_hand_is_not_listed_again(producers, tmp_path):
    held = tmp_path / "cache" / "2020" / "ensemble.zip"
    held.parent.mkdir(parents=True)
    held.write_bytes(producers.files["www.insee.fr/fr/statistiques/fichier/6683035/ensemble.zip"])
    assert "6683035" not in str(answer("fetch", "main", "--list-urls")["links"])
