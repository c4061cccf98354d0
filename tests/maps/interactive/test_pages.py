"""The page as text: its options and errors, what it holds, and that data cannot become markup."""

import base64
import gzip
import json
import re
import struct

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.maps.interactive import markup

pytest.importorskip("jinja2", reason="the page extra is not installed")

HOSTILE = "</script><script>alert(1)</script> \"quoted\" 'single' $1 & <b>bold</b>"


@pytest.fixture(scope="module")
def layers():
    sample = qg.sample()
    return {
        "new": qg.read_qpv(sample.qpv_2024),
        "old": qg.read_qpv(sample.qpv_2015),
        "communes": qg.read_communes(sample.communes, table=sample.communes_table),
        "people": qg.read_population(sample.population_2024),
        "grid": qg.read_grid(sample.grid_2019),
        "addresses": pd.read_csv(sample.addresses, sep=";", dtype="str"),
    }


def header(page):
    """What the page holds of its data."""
    text = re.search(r'id="data">([^<]*)<', page.html)[1]
    raw = gzip.decompress(base64.b64decode(text))
    return json.loads(raw[4 : 4 + struct.unpack("<I", raw[:4])[0]])


def layer_of(page, name):
    return next(one for one in header(page)["layers"] if one["id"] == name)


def test_figures_of_the_page_are_those_of_the_frame(layers):
    estimates = qg.estimate_population(layers["new"], layers["grid"])
    page = qg.maps.page(layers["new"], figures=[layers["people"], estimates], lang="en")
    held = layer_of(page, "qpv-2024")
    figures = {one["label"]: one for one in held["figures"]}
    assert figures["people"]["values"] == layers["people"]["population"].reindex(held["codes"]).tolist()
    bounded = figures["people of fiscal households, estimated"]
    assert bounded["low"] == estimates["low"].reindex(held["codes"]).round().astype(int).tolist()
    assert bounded["high"] == estimates["high"].reindex(held["codes"]).round().astype(int).tolist()
    assert figures["poverty rate"]["values"] == estimates["poverty_rate"].reindex(held["codes"]).round(4).tolist()
    assert "2019" in bounded["source"]


def test_missing_figure_is_none_and_never_zero(layers):
    people = layers["people"]["population"].astype("Int64").to_frame()
    people.iloc[0, 0] = pd.NA
    held = layer_of(qg.maps.page(layers["new"], figures=people), "qpv-2024")
    assert held["figures"][0]["values"][held["codes"].index(people.index[0])] is None


def test_layers_stand_from_the_lowest_to_the_highest(layers):
    page = qg.maps.page(
        [layers["new"], layers["old"]], layers["communes"], grid=layers["grid"], points=layers["addresses"]
    )
    assert [one["id"] for one in header(page)["layers"]] == ["communes", "grid", "qpv-2015", "qpv-2024", "points"]


def test_place_cuts_what_is_around_and_fades_what_is_outside(layers):
    page = qg.maps.page(layers["new"], layers["communes"], place="Port-Brume")
    held = layer_of(page, "communes")
    assert [code for row, code in enumerate(held["codes"]) if row not in held["faded"]] == ["99001"]
    assert 1 < held["count"] < len(layers["communes"])


def test_page_is_the_same_bytes_twice(layers):
    assert qg.maps.page(layers["new"]).html == qg.maps.page(layers["new"]).html


def test_policy_of_the_page_lets_only_its_own_scripts_run(layers):
    html = qg.maps.page(layers["new"]).html
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe-inline" not in policy
    assert not re.findall(r"<link|<[a-z]+[^>]* src=|@import|url\(images", html)


def test_text_of_the_data_is_never_markup(layers):
    hostile = layers["new"].assign(name=HOSTILE)
    page = qg.maps.page(hostile, title=HOSTILE, source=HOSTILE)
    assert page.html.count("<script") == 4
    assert "alert(1)</script>" not in page.html
    assert "<b>" not in page.html
    assert "<script" not in page._repr_html_()
    assert layer_of(page, "qpv-2024")["names"][0] == HOSTILE


@pytest.mark.parametrize(
    ("options", "key", "kind"),
    [
        ({"place": "Nowhere"}, "codes.unknown_place", UsageError),
        ({"lang": "de"}, "maps.invalid_options", UsageError),
        ({"ax": None}, "maps.invalid_options", UsageError),
        ({"figures": [3]}, "maps.page_no_figures", UsageError),
        ({"figures": pd.DataFrame({"colour": ["red"]})}, "maps.page_no_figures", UsageError),
        ({"figures": pd.DataFrame({"population": [1, 2]}, index=["a", "a"])}, "maps.page_no_figures", UsageError),
    ],
)
def test_misuse_is_one_error_of_ours(layers, options, key, kind):
    refused(lambda: qg.maps.page(layers["new"], layers["communes"], **options), key, kind)


def test_perimeters_without_an_outline_are_refused(layers):
    bare = layers["new"].assign(geometry=None).set_geometry("geometry", crs=4326)
    refused(lambda: qg.maps.page(bare), "maps.page_nothing", DataError)


def test_missing_leaflet_names_the_extra(monkeypatch):
    monkeypatch.setattr(markup, "_WHEELS", (("no-such-wheel", "x"),))
    error = refused(markup.leaflet.__wrapped__, "maps.page_needs_leaflet", UsageError)
    assert "qpvgeo[page]" in error.way_out


def test_page_is_saved_where_it_can_be(layers, tmp_path):
    page = qg.maps.page(layers["new"], lang="fr")
    assert page.save(tmp_path / "p.html").read_text(encoding="utf-8") == page.html
    assert [path.name for path in tmp_path.iterdir()] == ["p.html"]
    for path in (tmp_path / "p.pdf", tmp_path / "none" / "p.html"):
        assert len(refused(lambda path=path: page.save(path), "maps.page_cannot_write", UsageError).problems) == 1


def test_words_of_the_page_are_all_used_and_all_there():
    texts = {one.name: one.read_text(encoding="utf-8") for one in markup._ASSETS.iterdir()}
    asked = set(re.findall(r"\bwords\.(\w+)", texts.pop("page.html.j2")))
    scripts = "\n".join(texts.values())
    asked |= {*re.findall(r"\bWORDS\.(\w+)", scripts), *re.findall(r"counted\('(\w+)'", scripts)}
    held = set(markup.words("fr"))
    assert asked - held == set()
    assert {name.removesuffix("_one") for name in held} - asked == set()


def test_frames_that_were_loaded_are_a_page():
    loaded = qg.load(2024, "Port-Brume", sample=True)
    page = qg.maps.page(loaded, lang="en")
    held = layer_of(page, "qpv-2024")
    assert held["count"] == len(loaded.qpv)
    assert held["figures"][0]["values"] == loaded.population["population"].reindex(held["codes"]).tolist()
    assert layer_of(page, "communes")["codes"] == ["99001"]
