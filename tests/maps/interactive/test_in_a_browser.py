"""The page in a real Chromium, from disk and without network: search, layers, figures, keyboard, print, axe."""

import io
import unicodedata

import pandas as pd
import pytest
from tests import browsers

import qpvgeo as qg
from qpvgeo.language.numbers import number, share

pytest.importorskip("jinja2", reason="the page extra is not installed")

LANGS = ("en", "fr")
HOSTILE = '<img src=x onerror=alert(1)> "L\'Été" $1 & </script>'


@pytest.fixture(scope="module")
def browser():
    with browsers.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def sample():
    files = qg.sample()
    new, grid = qg.read_qpv(files.qpv_2024), qg.read_grid(files.grid_2019)
    communes = qg.read_communes(files.communes, table=files.communes_table)
    people = qg.read_population(files.population_2024)
    return {
        "layers": [new, qg.read_qpv(files.qpv_2015)],
        "communes": communes,
        "people": people,
        "estimates": qg.estimate_population(new, grid),
        "coverage": qg.coverage(qg.join_communes(new, communes, population=people), by="commune", units=communes),
        "grid": grid,
        "addresses": pd.read_csv(files.addresses, sep=";", dtype="str"),
    }


@pytest.fixture(scope="module")
def paths(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for lang in LANGS:
        made = qg.maps.page(
            sample["layers"],
            sample["communes"],
            figures=[sample["people"], sample["estimates"], sample["coverage"]],
            grid=sample["grid"],
            points=sample["addresses"],
            lang=lang,
        )
        made.save(folder / f"{lang}.html")
    hostile = sample["layers"][0].assign(name=HOSTILE, lib_com=HOSTILE)
    qg.maps.page(hostile, figures=sample["people"], title=HOSTILE, source=HOSTILE).save(folder / "hostile.html")
    return folder


@pytest.fixture
def visit(browser, paths):
    opened = []

    def opening(name, *, wait=True, **options):
        path = name if hasattr(name, "as_uri") else paths / f"{name}.html"
        opened.append(browsers.Visit(browser, path, **options))
        if wait and options.get("script", True):
            opened[-1].tab.wait_for_selector("html[data-ready]", timeout=60_000)
        return opened[-1]

    yield opening
    for one in opened:
        assert one.faults == []
        assert one.foreign() == []
        one.close()


def pixels(seen):
    return seen.tab.locator("#map").screenshot()


def flat(text):
    """Text without spaces and ligatures: print breaks lines where it likes."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def chosen(seen):
    return seen.tab.locator("#chosen").inner_text()


def search(seen, words):
    seen.tab.fill("#search", words)
    return seen.tab.locator("#found li").all_inner_texts()


@pytest.mark.parametrize("lang", LANGS)
def test_axe_finds_no_serious_fault(visit, lang):
    seen = visit(lang)
    assert seen.serious_faults() == []
    search(seen, "port")
    seen.tab.keyboard.press("ArrowDown")
    assert seen.serious_faults() == []
    seen.tab.keyboard.press("Enter")
    assert seen.serious_faults() == []


@pytest.mark.parametrize("words", ["drisse ecoute", "DRISSE - ÉCOUTE", "écoute", "QN099"])
def test_search_finds_a_quarter_with_and_without_accents(visit, sample, words):
    new = sample["layers"][0]
    found = search(visit("fr"), words)
    assert any(
        f"Drisse - Écoute · Port-Brume · {new.index[new['name'] == 'Drisse - Écoute'][0]}" in one for one in found
    )


def test_search_finds_a_commune_and_says_when_there_is_none(visit):
    seen = visit("en")
    assert any(one.startswith("Val-d'Écume · 99") for one in search(seen, "val d ecume"))
    assert search(seen, "nowhere at all") == []
    assert seen.tab.locator("#summary").inner_text() == "0 results"


@pytest.mark.parametrize("lang", LANGS)
def test_figures_said_are_those_of_the_frames(visit, sample, lang):
    seen, code = visit(lang), sample["people"].index[0]
    search(seen, code)
    seen.tab.keyboard.press("Enter")
    row = sample["estimates"].loc[code]
    numbers = [sample["people"].loc[code, "population"], row["estimate"], row["low"], row["high"]]
    wanted = [number(float(one), lang) for one in numbers]
    wanted += [share(row["poverty_rate"], lang, 1), "Filosofi2019_carreaux_200m_csv.zip"]
    assert [one for one in wanted if one not in chosen(seen)] == []
    # the pointer says the same over the shape itself
    box = seen.tab.locator("#map").bounding_box()
    seen.tab.uncheck('#layers input[value="points"]')
    seen.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen.settled()
    assert seen.tab.locator("#tip").inner_text() == chosen(seen)


@pytest.mark.parametrize("layer", ["qpv-2024", "qpv-2015", "communes", "grid", "points"])
def test_switching_a_layer_changes_pixels_and_the_list(visit, layer):
    seen = visit("en")
    before, said = pixels(seen), seen.tab.locator("#summary").inner_text()
    seen.tab.uncheck(f'#layers input[value="{layer}"]')
    seen.settled()
    assert pixels(seen) != before
    assert seen.tab.locator("#summary").inner_text() != said
    seen.tab.check(f'#layers input[value="{layer}"]')
    seen.settled()
    assert seen.tab.locator("#summary").inner_text() == said


def test_quarters_too_small_to_see_are_dots(visit):
    seen = visit("en")
    for layer in ("communes", "grid", "points", "qpv-2015"):
        seen.tab.uncheck(f'#layers input[value="{layer}"]')
    for _ in range(4):
        seen.tab.locator("#map").press("-")
        seen.settled()
    before = pixels(seen)
    seen.tab.uncheck('#layers input[value="qpv-2024"]')
    seen.settled()
    assert pixels(seen) != before


def test_keyboard_reaches_everything(visit):
    seen = visit("en")
    reached = []
    for _ in range(60):
        seen.tab.keyboard.press("Tab")
        reached.append(
            seen.tab.evaluate(
                "() => [document.activeElement].map((one) => one.id || one.value || one.title || one.textContent)[0]"
            )
        )
    wanted = ["search", "qpv-2024", "communes", "home", "print", "map", "Zoom in", "Zoom out", "Drisse - Écoute"]
    assert [one for one in wanted if one not in reached] == []
    # the list of what is in view chooses as a click does
    seen.tab.locator("#list button", has_text="La Misaine").first.press("Enter")
    assert "La Misaine" in chosen(seen)
    at = seen.tab.evaluate("() => location.hash")
    seen.settled()
    before = pixels(seen)
    seen.tab.locator("#map").press("ArrowRight")
    seen.settled()
    assert pixels(seen) != before
    seen.settled()
    assert seen.tab.evaluate("() => location.hash") != at


def test_address_brings_the_view_back(visit):
    first = visit("fr")
    search(first, "les haubans")
    first.tab.keyboard.press("Enter")
    first.tab.uncheck('#layers input[value="grid"]')
    first.settled()
    address = first.tab.evaluate("() => location.hash")
    second = visit("fr", address=address)
    assert "Les Haubans" in chosen(second)
    assert not second.tab.is_checked('#layers input[value="grid"]')
    assert second.tab.locator("#summary").inner_text() == first.tab.locator("#summary").inner_text()


def test_touch_chooses_what_is_under_the_finger(visit):
    seen = visit("en", touch=True, width=420, height=800)
    search(seen, "quatre vents")
    seen.tab.keyboard.press("Enter")
    seen.tab.uncheck('#layers input[value="points"]')
    seen.tab.locator("#home").focus()
    seen.tab.evaluate("() => document.getElementById('map').scrollIntoView()")
    box = seen.tab.locator("#map").bounding_box()
    seen.tab.locator("#chosen").evaluate("(one) => one.replaceChildren()")
    seen.tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen.settled()
    assert "Les Quatre Vents" in chosen(seen)


def test_page_runs_in_the_frame_of_a_notebook(visit, sample, tmp_path):
    page = qg.maps.page(sample["layers"], lang="fr")
    host = tmp_path / "notebook.html"
    host.write_text(f"<!doctype html><title>notebook</title>{page._repr_html_()}", encoding="utf-8")
    seen = visit(host, wait=False)
    frame = seen.tab.frames[1]
    frame.wait_for_selector("html[data-ready]", timeout=60_000)
    frame.fill("#search", "misaine")
    frame.press("#search", "Enter")
    assert "La Misaine" in frame.locator("#chosen").inner_text()


def test_without_scripts_the_page_says_so_and_names_its_sources(visit):
    seen = visit("fr", script=False)
    assert "JavaScript" in seen.tab.locator("body").inner_text()
    assert "qpv-2024-geojson.zip" in seen.tab.locator("footer").inner_text()


def test_text_of_the_data_is_shown_as_text(visit):
    seen = visit("hostile")
    assert seen.tab.locator("h1").inner_text() == HOSTILE
    seen.tab.locator("#list button").first.click()
    assert HOSTILE in chosen(seen)
    assert HOSTILE in seen.tab.locator("footer").inner_text()
    assert seen.tab.locator("img").count() == 0


@pytest.mark.parametrize("lang", LANGS)
def test_print_is_vectors_with_no_text_cut(visit, lang):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    seen = visit(lang)
    search(seen, "misaine")
    seen.tab.keyboard.press("Enter")
    seen.settled()
    seen.tab.uncheck('#layers input[value="points"]')
    printed = pypdf.PdfReader(io.BytesIO(seen.tab.pdf(prefer_css_page_size=True, print_background=True)))
    sheet = printed.pages[0]
    assert not sheet.images
    words = flat("".join(page.extract_text() for page in printed.pages))
    for text in (seen.tab.locator("h1").inner_text(), chosen(seen), seen.tab.locator("footer").inner_text()):
        assert [line for line in text.split("\n") if flat(line) not in words] == []
    seen.tab.emulate_media(media="print")
    seen.tab.set_viewport_size({"width": 700, "height": 1000})
    assert seen.tab.evaluate(browsers.CUT) == []


@pytest.fixture(scope="module")
def national(real_data):
    outlines = [
        real_data / f"admin/communes_{name}.parquet" for name in ("2024_100m_sauf_44_75_76", "2018_regions_44_75_76")
    ]
    return {
        "layers": [
            qg.read_qpv(real_data / "qpv2024/qpv2024_simplified.geojson"),
            qg.read_qpv(real_data / "qpv2015/shp"),
        ],
        "communes": qg.read_communes(outlines, table=real_data / "admin/cog2024_communes.csv"),
        "people": qg.read_population(real_data / "qpv2024/insee_indicateurs_qpv2024.csv"),
        "epci": qg.read_epci(real_data / "admin/cog2024_epci.csv"),
    }


@pytest.mark.parametrize(("place", "lang", "most"), [("200043396", "fr", 500_000), (None, "en", 2_000_000)])
def test_published_files_make_a_page_that_works(visit, national, tmp_path, place, lang, most):
    layers, communes = national["layers"], national["communes"]
    where = place and qg.maps.find_place(place, layers, communes, epci=national["epci"])
    page = qg.maps.page(layers, communes, figures=national["people"], place=where, lang=lang)
    path = page.save(tmp_path / "page.html")
    assert path.stat().st_size < most
    seen = visit(path)
    assert seen.serious_faults() == []
    assert any("QN05917M" in one for one in search(seen, "epinette maubeuge"))
    seen.tab.keyboard.press("Enter")
    assert number(float(national["people"].loc["QN05917M", "population"]), lang) in chosen(seen)
    before = pixels(seen)
    seen.tab.uncheck('#layers input[value="qpv-2024"]')
    seen.settled()
    assert pixels(seen) != before
    if place is None:
        assert "QN09105I" in seen.tab.locator("footer").inner_text()
        assert seen.tab.locator("#jump option").count() > 7
