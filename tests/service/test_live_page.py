"""The atlas served live, in a real Chromium: search, click, draw, file, language, keyboard, phone; no other host."""

import json
import re

import pytest
from tests import browsers

import qpvgeo as qg
from qpvgeo.service.live_page import live_html, words

pytest.importorskip("jinja2", reason="the page extra is not installed")


@pytest.fixture(scope="module")
def browser():
    with browsers.chromium() as found:
        yield found


class Visit(browsers.Visit):
    """A page of the server, with what it asked for and complained of."""

    def __init__(self, browser, url, *, width=1280, height=1000, locale="fr-FR"):
        self.context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
        self.tab = self.context.new_page()
        self.faults, self.requests, self.url = [], [], url
        self.tab.on("console", lambda one: self.faults.append(one.text) if one.type in {"error", "warning"} else None)
        self.tab.on("pageerror", lambda one: self.faults.append(str(one)))
        self.tab.on("request", lambda one: self.requests.append(one.url))
        self.tab.goto(url)
        self.tab.wait_for_selector("html[data-ready][data-live]", timeout=60_000)

    def foreign(self):
        return [one for one in self.requests if not one.startswith((self.url, "data:", "blob:"))]

    def answer(self):
        """What the service said, once it has."""
        still = json.dumps(["", words("fr")["working"]])
        waiting = f"() => !{still}.includes(document.querySelector('#live-answer').innerText)"
        self.tab.wait_for_function(waiting, timeout=30_000)
        return self.tab.inner_text("#live-answer")


@pytest.fixture
def visit(browser, server):
    opened = []

    def opening(**options):
        opened.append(Visit(browser, server.about["url"] + "/", **options))
        return opened[-1]

    yield opening
    for one in opened:
        assert one.faults == []
        assert one.foreign() == []
        one.close()


def find(tab, text):
    tab.fill("#live-q", text)
    tab.press("#live-q", "Enter")
    tab.wait_for_selector("#live-found button")


def test_search_without_accents_then_a_click_asks(visit):
    seen = visit()
    find(seen.tab, "QN09908I")
    assert "Le Cabestan" in seen.tab.inner_text("#live-found button >> nth=0")
    seen.tab.click("#live-found button >> nth=0")
    seen.tab.click("#live-ask")
    assert seen.tab.get_attribute("#live-ask", "aria-pressed") == "true"
    seen.tab.click("#map")
    said = seen.answer()
    assert "Dans un QPV" in said
    assert "QN09908I" in said
    assert "fictive" in said


def test_a_polygon_says_who_lives_there(visit):
    seen = visit()
    find(seen.tab, "cabestan")
    seen.tab.click("#live-found button >> nth=0")
    seen.tab.click("#live-draw")
    box = seen.tab.locator("#map").bounding_box()
    for across, down in ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)):
        seen.tab.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    seen.tab.click("#live-close")
    said = seen.answer()
    assert re.search(r"Habitants [\d\s\u202f]+ \(entre [\d\s\u202f]+ et [\d\s\u202f]+\)", said), said
    assert "QN09908I" in said


def test_a_file_comes_back_tagged(visit, inside, tmp_path):
    seen = visit()
    source = tmp_path / "mes adresses.csv"
    source.write_text(f"nom;lon;lat\n=1+1;{inside[0]};{inside[1]}\n<b>b</b>;-3.7;45.9\n", encoding="utf-8")
    seen.tab.set_input_files("#live-file", source)
    seen.tab.wait_for_selector("#live-answer a[download]")
    assert "2 lignes" in seen.tab.inner_text("#live-answer")
    with seen.tab.expect_download() as found:
        seen.tab.click("#live-answer a[download]")
    assert found.value.suggested_filename == "mes adresses-qpv.csv"
    lines = found.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("nom;lon;lat;state")
    assert [line.split(";")[3] for line in lines[1:]] == ["in", "out"]
    assert lines[1].startswith("'=1+1")


def test_a_file_that_is_none_is_refused_in_words(browser, server, tmp_path):
    seen = Visit(browser, server.about["url"] + "/")
    source = tmp_path / "a.csv"
    source.write_text("a;b\n<img src=x onerror=alert(1)>;2\n", encoding="utf-8")
    seen.tab.set_input_files("#live-file", source)
    seen.tab.wait_for_selector("#live-answer .live-state")
    assert seen.tab.locator("#live-answer img").count() == 0
    # the browser tells of the status itself
    assert all("422" in fault or "400" in fault for fault in seen.faults)
    seen.close()


def test_the_keyboard_alone(visit):
    seen = visit()
    tab = seen.tab
    tab.focus("#live-q")
    tab.keyboard.type("QN09908I")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#live-found button")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.focus("#live-centre")
    tab.keyboard.press("Enter")
    assert "QN09908I" in seen.answer()


def test_english_and_a_day(visit):
    seen = visit()
    seen.tab.click(".live-language a")
    seen.tab.wait_for_selector("html[lang=en][data-live]")
    find(seen.tab, "QN09908I")
    seen.tab.click("#live-found button >> nth=0")
    seen.tab.fill("#live-on", "2020-01-01")
    seen.tab.click("#live-centre")
    seen.tab.wait_for_selector("#live-answer dl")
    said = seen.tab.inner_text("#live-answer")
    assert "In a QPV" in said
    assert "QP099007" in said
    assert "2015" in said


def test_a_phone_and_the_rules_of_axe(visit):
    seen = visit(width=390, height=800)
    seen.tab.click("#live-centre")
    seen.answer()
    assert seen.tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert seen.serious_faults() == []


def test_the_page_has_its_policy_and_is_not_sent_again(client):
    first = client.get("/", headers={"accept-language": "fr"})
    policy = first.headers["content-security-policy"]
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert "Content-Security-Policy" not in first.text
    again = client.get("/", headers={"accept-language": "fr", "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = client.get("/", headers={"accept-language": "fr", "accept-encoding": "identity"})
    assert plain.text == first.text


def test_a_page_of_another_make_is_refused():
    with pytest.raises(qg.errors.DataError) as caught:
        live_html("<html></html>", "fr")
    assert caught.value.key == "service.other_page"
