"""The catalogue: what stands in it, and what is found on disk."""

import csv
import dataclasses
import datetime as dt
import re
import subprocess
import sys
import typing
import urllib.parse
from pathlib import Path, PurePosixPath

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpvgeo.errors import UsageError
from qpvgeo.language.terms import terms
from qpvgeo.sources import catalog, file_sets
from qpvgeo.sources.catalog import CATALOG, Dataset, datasets, get, locate
from qpvgeo.sources.download import fetch

PROMISED = {
    "admin-express-carto-2025",
    "ban",
    "cog-2024",
    "communes-population-2019",
    "communes-population-2020",
    "communes-population-2021",
    "epci-2024",
    "filosofi-1km-2015",
    "filosofi-1km-2017",
    "filosofi-1km-2019",
    "filosofi-1km-2021",
    "filosofi-200m-2015",
    "filosofi-200m-2017",
    "filosofi-200m-2019",
    "filosofi-200m-2021",
    "filosofi-200m-2021-parquet",
    "qpv-2015",
    "qpv-2015-list",
    "qpv-2015-population",
    "qpv-2024",
    "qpv-2024-gpkg",
    "qpv-2024-guadeloupe",
    "qpv-2024-hexagone-2154",
    "qpv-2024-list",
    "qpv-2024-population",
    "qpv-2024-population-communes",
    "qpv-2024-shp",
    "qpv-correspondence",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Away from a checkout, whose data would be found."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def toy(*filenames):
    return Dataset(key="toy", title="A toy", kind="list", format="csv", filenames=filenames)


def broken(rule):
    """Keys of the entries that break a rule."""
    return [key for key, dataset in CATALOG.items() if not rule(dataset)]


# --- the table


def test_the_datasets_that_others_count_on_are_there():
    assert set(CATALOG) >= PROMISED


def test_keys_are_in_kebab_case():
    assert broken(lambda d: re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", d.key)) == []


def test_kinds_are_those_of_the_type():
    assert broken(lambda d: d.kind in typing.get_args(catalog.Kind)) == []


def sound(url):
    """An https address of a host with a dot, without a user, a fragment, blanks or an unfilled brace."""
    parts = urllib.parse.urlsplit(url.replace("{department}", "59"))
    plain = parts.scheme == "https" and "." in (parts.hostname or "") and parts.netloc == parts.hostname
    return plain and not parts.fragment and re.fullmatch(r"[\w:/.?=&-]+", url.replace("{department}", "59"), re.ASCII)


def test_addresses_and_pages_are_those_of_the_web_over_tls():
    assert broken(lambda d: all(sound(one.url) for one in d.addresses) and (d.page is None or sound(d.page))) == []


def test_pages_are_for_people():
    assert broken(lambda d: "/api/" not in (d.page or "")) == []


def test_every_address_says_how_it_is_known_and_when_it_was_called():
    known = set(typing.get_args(catalog.Evidence)) - {"given"}
    assert broken(lambda d: all(one.evidence in known for one in d.addresses)) == []
    assert broken(lambda d: all(one.checked is None or day(one.checked) for one in d.addresses)) == []


def test_evidence_is_that_of_the_table_of_addresses():
    with (Path(__file__).parent / "addresses.csv").open(encoding="utf-8", newline="") as table:
        seen = {row["url"]: row["evidence"] for row in csv.DictReader(table)}
    assert {one.url: one.evidence for dataset in CATALOG.values() for one in dataset.addresses} == seen


def day(text):
    return dt.date.fromisoformat(text) <= dt.datetime.now(dt.UTC).date()


def test_resolvers_are_pages_that_list_files():
    listing = re.compile(
        r"https://(www\.data\.gouv\.fr/api/1/datasets/[\w-]+/"
        r"|www\.insee\.fr/fr/(statistiques|information)/\d+(\?sommaire=\d+)?|api\.insee\.fr/melodi/catalog/\w+)"
    )
    assert broken(lambda d: all(listing.fullmatch(one.url) for one in d.addresses if one.resolver)) == []
    assert broken(lambda d: not any(listing.fullmatch(one.url) for one in d.addresses if not one.resolver)) == []


def test_no_address_comes_twice_in_one_entry():
    assert broken(lambda d: len({one.url for one in d.addresses}) == len(d.addresses)) == []


def test_no_file_without_an_address_an_archive_or_the_reason():
    lost = broken(lambda d: d.addresses or d.archive)
    assert [key for key in lost if "No address" not in CATALOG[key].note] == []
    assert set(lost) == {"qpv-2015-population-2013", "schools"}


def test_a_file_without_a_name_is_found_by_a_page():
    assert broken(lambda d: d.filenames or any(one.resolver for one in d.addresses)) == []


def test_direct_addresses_end_in_the_name_that_is_kept():
    stable = "/datasets/r/"  # redirects to the file

    def named(d):
        served = [PurePosixPath(one.url).name for one in d.addresses if not one.resolver]
        names = {PurePosixPath(name).name for name in d.filenames}
        return all(
            stable in one.url or name in names or f"{name}.zip" in names
            for one, name in zip([a for a in d.addresses if not a.resolver], served, strict=True)
        )

    assert broken(named) == []


def test_an_unsettled_licence_says_why():
    unsettled = [key for key, d in CATALOG.items() if "unsettled" in d.licence]
    assert "communes-outlines-2025-100m" in unsettled
    assert [
        key for key in unsettled if "licence" not in CATALOG[key].note.lower() and "No address" not in CATALOG[key].note
    ] == []


def test_what_was_not_read_is_said_in_the_note():
    assert broken(lambda d: d.note or (d.filenames and (d.url or d.page or d.addresses))) == []


def test_the_main_job_has_a_file_for_each_part():
    keys = [key for line in file_sets.MAIN for key in line]
    assert [key for key in keys if key not in CATALOG] == []
    assert {CATALOG[line[0]].kind for line in file_sets.MAIN} == {
        "boundaries",
        "communes",
        "epci",
        "list",
        "perimeters",
        "population",
    }


def test_what_the_figures_refer_to_is_told_apart_from_the_newest():
    assert (get("qpv-2024-2025-02").release, get("qpv-2024").release) == ("2025-02-06", "2026-01-15")


def test_a_file_is_cited_with_its_producer_title_date_and_licence():
    assert get("qpv-2024-list").cite("en") == "ANCT, QPV 2024, list, COG 2024, 2026-01-16, Licence Ouverte 2.0"
    assert get("epci-2024").cite("fr") == "Insee, Composition communale des EPCI, 2024, Licence Ouverte"
    assert broken(lambda d: d.title and d.french) == []
    assert broken(lambda d: not re.search(r"\b(or|after|and|unsettled|perimeters|cells)\b", d.cite("fr"))) == []


def test_every_kind_has_its_french_word():
    assert [kind for kind in typing.get_args(catalog.Kind) if kind not in terms()] == []


def test_every_entry_has_a_producer_and_a_licence():
    assert broken(lambda d: d.producer and d.licence) == []


def test_releases_are_days_or_months():
    assert broken(lambda d: d.release is None or re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", d.release)) == []


def test_hashes_are_sha256_in_lower_case():
    assert broken(lambda d: d.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", d.sha256)) == []


def test_hashes_and_sizes_go_together():
    assert broken(lambda d: (d.sha256 is None) == (d.size_bytes is None)) == []


def test_archives_are_entries_that_name_an_archive():
    assert broken(lambda d: d.archive is None or CATALOG[d.archive].filename.endswith((".zip", ".7z", ".gz"))) == []


def test_the_nine_shapefiles_of_2015_are_nine_entries():
    members = [d.filename for d in CATALOG.values() if d.archive == "qpv-2015"]
    assert members == list(CATALOG["qpv-2015"].members)


def test_no_two_files_are_downloaded_under_one_name():
    names = [d.filename.lower() for d in CATALOG.values() if d.filename]
    assert len(names) == len(set(names))


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        CATALOG["mine"] = toy()


def test_an_entry_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        get("qpv-2024").page = "https://example.org"


def test_the_module_has_no_other_late_names():
    with pytest.raises(AttributeError, match="no attribute 'CATALOGUE'"):
        _ = catalog.CATALOGUE


def test_the_catalogue_does_not_wait_for_pandas_nor_for_the_network():
    heavy = "{'geopandas', 'pandas', 'requests'}"
    script = f"import sys, qpvgeo.sources.catalog; print(*sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert loaded.strip() == ""


# --- asking for one


def test_an_unknown_key_suggests_the_ones_that_look_like_it():
    with pytest.raises(UsageError) as raised:
        get("qpv-2042")
    assert raised.value.key == "sources.unknown_key"
    assert "qpv-2024" in raised.value.way_out


def test_a_key_like_no_other_sends_to_the_list():
    with pytest.raises(UsageError) as raised:
        get("zzz")
    assert raised.value.way_out.key == "sources.every_key"


def test_a_department_is_put_in_the_address():
    assert get("ban:59").url.endswith("/adresses-59.csv.gz")


def test_a_department_has_a_key_of_its_own():
    assert get("ban:2a").key == "ban:2A"


@pytest.mark.parametrize("code", ["0", "1", "00", "20", "96", "099", "2C", "970", "979", "../x", "59\n"])
def test_what_is_no_department_is_refused(code):
    with pytest.raises(UsageError) as raised:
        get(f"ban:{code}")
    assert raised.value.key == "sources.not_a_department"


def test_one_file_for_the_whole_country_takes_no_department():
    with pytest.raises(UsageError, match="not one by department"):
        get("qpv-2024:59")


@given(department=st.text(min_size=1, max_size=5))
def test_nothing_but_a_code_gets_into_an_address(department):
    try:
        code = get(f"ban:{department}").territory
    except UsageError:
        return
    assert re.fullmatch(r"[0-9AB]{2,3}", code, re.ASCII)


# --- on disk


def test_a_file_is_found_at_any_depth(tmp_path):
    put(tmp_path, "mine/a/b/toy.csv")
    assert locate(toy("toy.csv"), tmp_path / "mine") == tmp_path / "mine/a/b/toy.csv"


def test_a_file_is_found_in_any_case(tmp_path):
    put(tmp_path, "mine/TOY.csv")
    assert locate(toy("Toy.CSV"), tmp_path / "mine").name == "TOY.csv"


def test_a_folder_named_in_the_call_comes_before_the_cache(tmp_path):
    put(tmp_path, "mine/toy.csv", "cache/toy.csv")
    assert locate(toy("toy.csv"), tmp_path / "mine").parent.name == "mine"


def test_the_first_folder_comes_before_the_first_name(tmp_path):
    put(tmp_path, "mine/second.csv", "cache/first.csv")
    assert locate(toy("first.csv", "second.csv"), tmp_path / "mine").name == "second.csv"


def test_within_a_folder_the_first_name_comes_first(tmp_path):
    put(tmp_path, "mine/a/second.csv", "mine/b/first.csv")
    assert locate(toy("first.csv", "second.csv"), tmp_path / "mine").name == "first.csv"


def test_a_folder_of_that_name_is_no_file(tmp_path):
    (tmp_path / "mine" / "toy.csv").mkdir(parents=True)
    assert locate(toy("toy.csv"), tmp_path / "mine") is None


def test_a_broken_link_is_no_file(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "toy.csv").symlink_to("nowhere")
    assert locate(toy("toy.csv"), tmp_path / "mine") is None


def test_a_name_shared_by_the_years_needs_the_folder_of_its_year(tmp_path):
    put(tmp_path, "mine/donnees_communes.csv", "mine/2020/donnees_communes.csv")
    found = {year: locate(get(f"communes-population-{year}"), tmp_path / "mine") for year in (2020, 2021)}
    assert found == {2020: tmp_path / "mine/2020/donnees_communes.csv", 2021: None}


def test_any_department_shows_that_the_addresses_are_there(tmp_path):
    put(tmp_path, "mine/adresses-62.csv.gz", "mine/adresses-59.csv.gz")
    assert locate(get("ban"), tmp_path / "mine").name == "adresses-59.csv.gz"


def test_a_dataset_without_a_name_is_never_found(tmp_path):
    put(tmp_path, "mine/a.csv")
    assert locate(toy(), tmp_path / "mine") is None


# --- the frame


def test_there_is_a_row_for_each_dataset():
    assert list(datasets().index) == list(CATALOG)


def test_the_columns_are_those_promised():
    promised = "vintage release territory kind format size_bytes licence url page filename cached path"
    promised += " title producer evidence checked"
    assert list(datasets().columns) == promised.split()


def test_the_index_is_named_key():
    assert datasets().index.name == "key"


def test_nothing_is_cached_where_there_is_nothing():
    table = datasets()
    assert not table["cached"].any()


def test_the_path_of_what_is_not_on_disk_is_missing():
    assert datasets()["path"].isna().all()


def test_what_is_on_disk_is_marked_with_its_path(tmp_path):
    put(tmp_path, "mine/pop_QPV24.csv")
    table = datasets(tmp_path / "mine")
    assert table.loc[table["cached"], "path"].to_dict() == {
        "qpv-2024-population": str(tmp_path / "mine" / "pop_QPV24.csv")
    }


def test_the_unpacked_form_counts_as_on_disk(tmp_path):
    put(tmp_path, "mine/QP2024_France_Hexagonale_Outre_Mer_WGS84.geojson")
    assert datasets(tmp_path / "mine").loc["qpv-2024", "cached"]


def test_folders_of_the_environment_are_searched(tmp_path, monkeypatch):
    monkeypatch.setenv("QPVGEO_DATA", str(put(tmp_path / "mine", "pop_QPV24.csv")))
    assert datasets().loc["qpv-2024-population", "cached"]


def test_years_and_sizes_are_integers_with_a_missing_state():
    types = datasets().dtypes
    assert types["vintage"] == types["size_bytes"] == pd.Int64Dtype()


def test_an_address_that_is_not_known_is_missing():
    assert datasets().loc["qpv-2024-population", "url"] is pd.NA


def test_the_table_says_how_each_address_is_known_and_when_it_was_called():
    table = datasets()
    keys = ["qpv-2024-communes", "qpv-2024-gpkg", "qpv-2024-jobs", "qpv-2015-france"]
    assert table.loc[keys, "evidence"].fillna("").to_list() == ["established", "one witness", "by resolver", ""]
    assert set(table["checked"].dropna()) == {"never"}


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        datasets(tmp_path / "nowhere")


def test_the_home_of_an_unknown_user_is_no_folder():
    with pytest.raises(UsageError) as raised:
        datasets("~nobody-of-that-name/x")
    assert raised.value.key == "sources.not_a_folder"


def test_a_cache_in_the_home_of_an_unknown_user_holds_nothing(monkeypatch):
    monkeypatch.setenv("QPVGEO_CACHE", "~nobody-of-that-name/x")
    assert not datasets()["cached"].any()


@pytest.mark.real
@pytest.mark.parametrize("key", [key for key, dataset in CATALOG.items() if dataset.sha256])
def test_the_published_files_have_the_hashes_of_the_catalogue(real_data, key):
    assert fetch(key, data=real_data).stat().st_size == get(key).size_bytes


def test_endings_are_those_of_the_files_that_are_looked_into():
    from qpvgeo.sources.file_content import SUFFIXES

    assert catalog.ENDINGS == SUFFIXES


def test_rows_without_pandas_are_those_of_the_frame(tmp_path):
    frame = catalog.datasets(tmp_path)
    rows = catalog.records(tmp_path)
    assert [row["key"] for row in rows] == frame.index.tolist()
    assert list(rows[0])[1:] == frame.columns.tolist()


@pytest.mark.parametrize(
    ("name", "known"),
    [("README.md", True), ("kept.index", True), ("pop_qp_2013.csv", True), ("mine.csv", False), ("MINE.GPKG", False)],
)
def test_a_file_with_a_name_of_its_own_is_to_be_looked_into(tmp_path, name, known):
    (tmp_path / name).touch()
    assert catalog.all_known_by_name(tmp_path) is known
