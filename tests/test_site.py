"""The site is built without a warning, from pages that the code makes too, and asks no other host for anything."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(not (ROOT / "mkdocs.yml").is_file(), reason="the site is not part of the package")


@pytest.fixture(scope="module")
def pages():
    """The script that makes pages from the code."""
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "scripts" / "site_pages.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make docs` builds it, notebooks as they are saved."""
    for name in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(name, reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    told = {**os.environ, "QPVGEO_SITE_NOTEBOOKS": "saved", "NO_MKDOCS_2_WARNING": "1"}
    run = subprocess.run(words, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def test_every_page_is_there(site, pages):
    named = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    made = [Path(path) for path in pages.generated(execute=False) if path.endswith(".md")]
    assert [str(path) for path in (*named, *made) if not (site / path).with_suffix(".html").is_file()] == []


def test_no_asset_comes_from_another_host(site):
    tag = re.compile(
        r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=[\"'](?:https?:)?//[^\"']+", re.IGNORECASE
    )
    style = re.compile(r"url\([\"']?(?:https?:)?//|@import\s+[\"']?(?:https?:)?//", re.IGNORECASE)
    found = {
        str(path.relative_to(site)): hits
        for path in site.rglob("*")
        if path.suffix in (".html", ".css")
        and (hits := (tag if path.suffix == ".html" else style).findall(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_every_public_name_is_in_the_reference(pages):
    import qpvgeo as qg

    told = "\n".join(pages.reference().values())
    verbs = [name for name in qg.__all__ if callable(getattr(qg, name)) and not name.startswith("_")]
    assert [name for name in verbs if not re.search(rf"\.{name}$|qpvgeo\.(facts|samples)$", told, re.MULTILINE)] == []


def test_every_error_that_has_a_key_is_in_the_index(pages):
    index = pages.errors()
    raised = pages.raised()
    told = pages.phrases()
    assert len(raised) > 150
    assert [key for _, key, _ in raised if key in told and f"`{key}`" not in index] == []


def test_every_phrase_of_the_index_is_there_in_both_languages(pages):
    told = pages.phrases()
    for _, key, way_out in pages.raised():
        for one in filter(None, (key, way_out)):
            assert told[one]["english"]
            assert told[one]["french"]


def test_arguments_that_share_a_description_have_types_of_their_own(site):
    page = (site / "reference" / "tagging.html").read_text(encoding="utf-8")
    described = page.partition('id="qpvgeo.tagging.files.tag_file"')[2]
    distance = described.partition("<code>distance</code></b>")[2].partition("–")[0]
    assert "exact" in distance
