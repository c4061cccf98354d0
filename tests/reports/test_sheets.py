"""The sheet: its figures are those of the frames, its text is text, its PDF tagged; in a real Chromium too."""

import dataclasses
import html as html_text
import io
import re
import unicodedata

import geopandas as gpd
import pandas as pd
import pytest
from tests import browsers
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.language.numbers import number, share
from qpvgeo.maps import find_place

pytest.importorskip("jinja2", reason="the report extra is not installed")

HOSTILE = "</script><script>alert(1)</script> \"q\" 'L’Été' $1 & <b>x</b>"
LANGS = ("en", "fr")


@pytest.fixture(scope="module")
def known():
    sample = qg.sample()
    frames, grid = qg.load(2024, sample=True), qg.read_grid(sample.grid_2019)
    floods = qg.exposure(frames.qpv, gpd.read_file(sample.floods), grid, covered="everywhere")
    return {
        "frames": frames,
        "before": qg.read_qpv(sample.qpv_2015),
        "estimate": qg.estimate_population(frames.qpv, grid),
        "exposure": {"Floods & <rivers>": floods},
    }


@pytest.fixture(scope="module")
def sheets(known):
    return {lang: qg.report("Port-Brume", lang=lang, **known) for lang in LANGS}


def text_of(html):
    """Words of a sheet without its fonts, styles and drawings."""
    bare = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    return re.sub(r"[ \n]+", " ", html_text.unescape(re.sub(r"<[^>]*>", " ", bare)))


@pytest.mark.parametrize("lang", LANGS)
def test_figures_are_those_of_the_frames(known, sheets, lang):
    frames = known["frames"]
    covered = qg.coverage(frames.links, by="commune", units=frames.communes).loc["99001"]
    own = frames.links.loc[frames.links["commune"] == "99001", "qpv_code"]
    estimate = known["estimate"].loc[own]
    rate = estimate["poor_households"].sum() / estimate["households"].sum()
    wanted = [
        number(float(covered["qpv_population"]), lang),
        share(float(covered["share"]), lang, 1),
        number(float(covered["population"]), lang),
        number(estimate["low"].sum(), lang),
        number(estimate["high"].sum(), lang),
        share(float(rate), lang, 1),
        number(float(known["exposure"]["Floods & <rivers>"].loc[own, "estimate"].sum()), lang),
        *own,
    ]
    assert [one for one in wanted if one not in text_of(sheets[lang].html)] == []


def test_change_names_the_ancestors(known, sheets):
    classes = qg.geographies.crosswalk_classes(qg.crosswalk(known["before"], known["frames"].qpv))
    row = classes.loc["QN09905M"]
    assert f"merged ({', '.join(row['relatives'])})" in text_of(sheets["en"].html)


def test_dropped_perimeters_of_the_place_are_named(known):
    walk = qg.geographies.crosswalk_classes(qg.crosswalk(known["before"], known["frames"].qpv))
    gone = walk.index[(walk["change"] == "dropped") & (walk["side"] == "from")]
    assert len(gone)
    said = text_of(qg.report("99", known["frames"], before=known["before"], lang="en").html)
    assert [code for code in gone if code not in said] == []


def test_what_is_missing_is_said_to_be_so(known):
    frames = known["frames"]
    people = frames.population.copy()
    people["population"] = people["population"].astype("Int64")
    people.loc["QN09902I", "population"] = pd.NA
    links = frames.links.copy()
    links.loc[links["qpv_code"] == "QN09902I", "population"] = pd.NA
    said = text_of(qg.report("Port-Brume", dataclasses.replace(frames, population=people, links=links), lang="en").html)
    assert "Population not available: QN09902I." in said
    assert "no grid of incomes was given" in said
    assert "the perimeters of 2015 were not given" in said


@pytest.mark.parametrize("place", ["QN09908I", "99001", "299900019", "99", "Hautvent"])
def test_places_of_every_level_have_a_sheet(known, place):
    made = qg.report(place, known["frames"], before=known["before"], estimate=known["estimate"], lang="fr")
    assert made.title.startswith("Quartiers prioritaires")
    assert "Données fictives" in made.html


def test_text_of_the_data_is_never_markup(known):
    frames = known["frames"]
    hostile = dataclasses.replace(frames, qpv=frames.qpv.assign(name=HOSTILE))
    made = qg.report("Port-Brume", hostile, title=HOSTILE, source=HOSTILE, exposure=known["exposure"])
    assert "<script" not in made.html
    assert "<b>" not in made.html
    assert "Floods &amp; &lt;rivers&gt;" in made.html
    assert "<script" not in made._repr_html_()
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    browsers.printing()
    words = flat("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made.pdf())).pages))
    assert flat(HOSTILE) in words
    # names on the map, some of them over several lines
    assert flat("alert(1)") in flat(re.search(r"<svg.*</svg>", made.html, re.DOTALL)[0])


def flat(text):
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("lang", LANGS)
def test_pdf_is_tagged_of_two_sheets_at_most_and_the_same_twice(sheets, lang):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    browsers.printing()
    data = sheets[lang].pdf()
    assert sheets[lang].pdf() == data
    read = pypdf.PdfReader(io.BytesIO(data))
    assert len(read.pages) <= 2
    assert read.trailer["/Root"]["/Lang"] == lang
    assert read.metadata.title == sheets[lang].title
    assert b"pdfuaid" in read.trailer["/Root"]["/Metadata"].get_object().get_data()
    kinds = tags_of(read.trailer["/Root"]["/StructTreeRoot"])
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= set(kinds)
    assert [one for one in kinds["/Figure"] if not str(one.get("/Alt", ""))] == []
    words = flat("".join(page.extract_text() for page in read.pages))
    assert flat("QN09905M") in words


def tags_of(node, found=None):
    """Elements of the structure of a PDF by kind."""
    found = {} if found is None else found
    held = node.get("/K", [])
    for child in held if isinstance(held, list) else [held]:
        child = child.get_object() if hasattr(child, "get_object") else child  # noqa: PLW2901
        if isinstance(child, dict) and "/S" in child:
            found.setdefault(str(child["/S"]), []).append(child)
            tags_of(child, found)
    return found


@pytest.mark.parametrize(
    ("place", "options", "key", "kind"),
    [
        ("Nowhere", {}, "codes.unknown_place", UsageError),
        (3, {}, "reports.invalid_options", UsageError),
        ("Port-Brume", {"lang": "de"}, "reports.invalid_options", UsageError),
        ("Port-Brume", {"exposure": pd.DataFrame()}, "reports.invalid_options", UsageError),
        ("Port-Brume", {"exposure": {"x": pd.DataFrame()}}, "reports.invalid_options", UsageError),
        ("99012", {}, "reports.no_qpv", DataError),
    ],
)
def test_misuse_is_one_error_of_ours(known, place, options, key, kind):
    refused(lambda: qg.report(place, known["frames"], **options), key, kind)


def test_frames_that_were_not_loaded_are_refused(known):
    error = refused(lambda: qg.report("Port-Brume", known["frames"].qpv), "reports.invalid_options", UsageError)
    assert [one.key for one in error.problems] == ["reports.frames_are_loaded"]


def test_sheet_is_saved_where_it_can_be(sheets, tmp_path):
    browsers.printing()
    assert sheets["en"].save(tmp_path / "s.html").read_bytes() == sheets["en"].html.encode()
    assert sheets["en"].save(tmp_path / "s.pdf").read_bytes().startswith(b"%PDF-")
    for path in (tmp_path / "s.docx", tmp_path / "none" / "s.html"):
        refused(lambda path=path: sheets["en"].save(path), "reports.cannot_write", UsageError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.html", "s.pdf"]


@pytest.mark.parametrize("lang", LANGS)
def test_sheet_opens_from_disk_without_fault_and_prints_whole(sheets, tmp_path, lang):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    path = sheets[lang].save(tmp_path / "sheet.html")
    with browsers.chromium() as browser:
        seen = browsers.Visit(browser, path)
        assert seen.serious_faults() == []
        assert seen.tab.locator("h1").inner_text() == sheets[lang].title
        assert seen.tab.locator("figure svg text").count() > 5
        cut = seen.tab.evaluate(browsers.CUT)
        printed = pypdf.PdfReader(io.BytesIO(seen.tab.pdf(prefer_css_page_size=True, print_background=True)))
        words = flat("".join(page.extract_text() for page in printed.pages))
        lines = [line for line in seen.tab.locator("table").inner_text().split() if flat(line) not in words]
        assert (cut, lines, seen.faults, seen.foreign()) == ([], [], [], [])
        seen.close()


@pytest.mark.real
def test_sheet_of_an_epci_holds_the_published_figures(real_data):
    frames = qg.load(2024, data=real_data)
    made = qg.report("200043396", frames, before=qg.read_qpv(real_data / "qpv2015/shp"), lang="fr")
    said = text_of(made.html)
    assert "CA Maubeuge Val de Sambre (200043396)" in said
    people = frames.population["population"]
    codes = re.findall(r"QN059\d\d[A-Z]", said)
    assert len(set(codes)) == 11
    assert [code for code in codes if number(float(people[code]), "fr") not in said] == []
    assert "Cités éducatives" in said
    assert "GUADELOUPE" not in said
    # the shift is that of the whole layers: no perimeter of the place is known to have stayed as it was
    assert "agrandi (8), nouveau (2) et redessiné (1)" in said
    assert "répartis selon la superficie" not in said
    assert "millésime non précisé" in said


def test_qpv_without_an_outline_or_people_leaves_figures_that_are_not_available(known):
    frames = known["frames"]
    bare = frames.qpv.copy()
    bare.loc["QN09902I", "geometry"] = None
    communes, people = frames.communes, frames.population.drop(index="QN09902I")
    links = qg.join_communes(bare, communes, population=people)
    held = dataclasses.replace(frames, qpv=bare, population=people, links=links)
    said = text_of(qg.report("Port-Brume", held, before=known["before"], lang="en").html)
    assert "Population not available: QN09902I." in said
    assert "1 QPV without an outline" in said
    nothing = dataclasses.replace(frames, population=people.iloc[:0])
    assert "10,681" in text_of(qg.report("Port-Brume", nothing, lang="en").html)


def test_a_box_has_no_sheet_in_words(known):
    box = find_place((-3.8, 45.8, -3.6, 46.0), known["frames"].qpv, known["frames"].communes)
    found = refused(lambda: qg.report(box, known["frames"]), "reports.no_sheet", UsageError)
    assert found.say("en").startswith("A box has no sheet.")


def test_a_place_that_was_found_before_has_the_same_sheet(known, sheets):
    frames = known["frames"]
    found = find_place("Port-Brume", frames.qpv, frames.communes, epci=frames.epci)
    assert qg.report(found, lang="en", **known).html == sheets["en"].html
