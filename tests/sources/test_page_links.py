"""Links of a file among those of a page or of a data set."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpvgeo.formats.file_names import is_portable
from qpvgeo.sources.page_links import links, served_name

PAGE = "https://www.insee.fr/fr/statistiques/8210600?sommaire=8186144"
DATASET = "https://www.data.gouv.fr/api/1/datasets/5a56/"


def html(*targets):
    return ("<html>" + "".join(f'<a href="{target}">x</a>' for target in targets)).encode()


def listed(*resources):
    return json.dumps(
        {"resources": [dict(zip(("url", "last_modified"), one, strict=True)) for one in resources]}
    ).encode()


def test_a_relative_link_is_completed():
    body = html("/fr/statistiques/fichier/8210600/pop_QPV24.csv")
    assert links(body, PAGE, ["pop_QPV24.csv"]) == [
        "https://www.insee.fr/fr/statistiques/fichier/8210600/pop_QPV24.csv"
    ]


def test_the_case_of_a_name_does_not_matter():
    assert links(html("https://a.fr/POP_qpv24.CSV"), PAGE, ["pop_QPV24.csv"]) == ["https://a.fr/POP_qpv24.CSV"]


def test_the_first_name_comes_first():
    body = html("https://a.fr/b.zip", "https://a.fr/a.zip")
    assert links(body, PAGE, ["a.zip", "b.zip"]) == ["https://a.fr/a.zip", "https://a.fr/b.zip"]


def test_the_latest_of_two_resources_of_one_name_comes_first():
    body = listed(("https://a.fr/1/a.zip", "2025-01-01"), ("https://a.fr/2/a.zip", "2026-01-01"))
    assert links(body, DATASET, ["a.zip"]) == ["https://a.fr/2/a.zip", "https://a.fr/1/a.zip"]


def test_an_interface_leaves_the_ending_out():
    body = json.dumps({"product": [{"accessURL": "https://api.insee.fr/melodi/file/DS/DS_2023_CSV_FR"}]}).encode()
    assert links(body, "https://api.insee.fr/melodi/catalog/DS", ["DS_2023_CSV_FR.zip"]) == [
        "https://api.insee.fr/melodi/file/DS/DS_2023_CSV_FR"
    ]


def test_without_a_name_the_table_in_csv_is_taken():
    folder = "/fr/statistiques/fichier/1"
    body = html("/fr/accueil", f"{folder}/a.pdf", f"{folder}/a_xlsx.zip", f"{folder}/a_csv.zip")
    assert links(body, PAGE, []) == [f"https://www.insee.fr{folder}/a_csv.zip"]


@pytest.mark.parametrize("target", ["http://a.fr/a.zip", "ftp://a.fr/a.zip", "file:///a.zip", "javascript:a.zip"])
def test_a_secure_page_leads_to_secure_addresses_only(target):
    assert links(html(target), PAGE, ["a.zip"]) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1, null]", b'{"resources": 3}', b"\xff\xfe<a href>", b"<a href=http://[::1>"]
)
def test_a_page_that_makes_no_sense_lists_nothing(body):
    assert links(body, PAGE, ["a.zip"]) == []


@given(body=st.binary(max_size=200) | st.from_regex(r'<a href="[^"]{0,30}">', fullmatch=True).map(str.encode))
def test_no_page_is_an_error(body):
    assert all(link.startswith("https://") for link in links(body, PAGE, []))


@given(path=st.text(max_size=30))
def test_the_name_served_is_safe_on_any_disk(path):
    name = served_name(f"https://a.fr/{path}")
    assert name
    assert not set(name) & set('/\\:*?"<>|')
    assert not name.startswith(".")
    assert is_portable(name)


@pytest.mark.parametrize("served", ["aux.csv", "NUL", "list.", "a" * 400 + ".csv"])
def test_a_name_that_some_disk_cannot_hold_is_made_one_that_it_can(served, tmp_path):
    name = served_name(f"https://a.fr/{served}")
    assert is_portable(name)
    (tmp_path / name).write_bytes(b"")
