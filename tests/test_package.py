"""The wheel and the source archive hold what they must, and their metadata read well on an index."""

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = "https://example.org/owner/qpvgeo"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "hatch_build.py").is_file(), reason="not a checkout"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Both archives, as a maintainer builds them."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("dist")
    run = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        cwd=ROOT,
        env={**os.environ, "QPVGEO_REPOSITORY": REPOSITORY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def in_wheel(built):
    return set(zipfile.ZipFile(built[0]).namelist())


@pytest.fixture(scope="module")
def in_archive(built):
    with tarfile.open(built[1]) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


@pytest.fixture(scope="module")
def metadata(built):
    with zipfile.ZipFile(built[0]) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("/METADATA"))
        return message_from_string(wheel.read(name).decode("utf-8"))


def _tracked(folder):
    """Files of a folder of the checkout that belong to the package."""
    kept = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT)) for path in kept if path.suffix not in {".pyc", ".pyo"}}


def test_the_wheel_holds_the_package_whole_and_nothing_else(in_wheel):
    package = {name.removeprefix("src/") for name in _tracked("src/qpvgeo")}
    inside = {name for name in in_wheel if not name.startswith("qpvgeo-")}
    assert inside == package


def test_the_wheel_holds_tables_stubs_and_the_sample(in_wheel):
    assert {"qpvgeo/py.typed", "qpvgeo/__init__.pyi", "qpvgeo/facts/published_figures.csv"} <= in_wheel
    assert "qpvgeo/language/phrases/published.csv" in in_wheel
    assert any(name.startswith("qpvgeo/samples/data/") for name in in_wheel)
    assert any(name.endswith("/licenses/LICENSE") for name in in_wheel)


def test_the_source_archive_can_be_tested_and_documented(in_archive):
    wanted = {"pyproject.toml", "hatch_build.py", "mkdocs.yml", "Makefile", "README.md", "CHANGELOG.md", "CITATION.cff"}
    assert wanted <= in_archive
    for folder in ("tests", "docs", "notebooks", "scripts", "benchmarks", "src"):
        assert any(name.startswith(f"{folder}/") for name in in_archive), folder


def test_no_file_of_the_user_nor_of_a_build_is_published(in_wheel, in_archive):
    unwanted = re.compile(r"__pycache__|\.pyc$|^data/raw|^site/|^dist/|\.ipynb_checkpoints|\.venv")
    assert [name for name in in_wheel | in_archive if unwanted.search(name)] == []


def test_the_metadata_are_those_of_an_index(metadata):
    assert metadata["Name"] == "qpvgeo"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    classifiers = metadata.get_all("Classifier")
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= set(classifiers)
    assert dict(url.split(", ") for url in metadata.get_all("Project-URL"))["Source"] == REPOSITORY


def test_links_of_the_readme_are_absolute_on_an_index(metadata):
    text = metadata.get_payload()
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    assert links
    assert [link for link in links if not link.startswith(("https://", "http://", "#"))] == []
    targets = [link.removeprefix(f"{REPOSITORY}/blob/main/").partition("#")[0] for link in links if REPOSITORY in link]
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_without_an_address_no_link_of_the_readme_is_dead():
    import importlib.util

    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    assert hook.readme("See [a](docs/a.md) and [b](https://example.org).", "") == "See a and [b](https://example.org)."
    assert hook.urls("") == {}


def test_the_citation_has_what_an_archive_asks_for():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for field in (
        "cff-version",
        "title",
        "abstract",
        "authors",
        "version",
        "license",
        "keywords",
        "type",
        "references",
    ):
        assert re.search(rf"^{field}:", text, re.MULTILINE), field
    from qpvgeo import __version__

    assert f"version: {__version__}" in text


def test_the_workflow_names_three_pythons_the_oldest_dependencies_and_the_site():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert len(set(re.findall(r'"3\.\d+"', text))) >= 3
    assert "lowest-direct" in text
    assert "make docs" in text
    assert "qpvgeo ledger" in text


def test_the_wheel_answers_in_an_empty_environment(built, tmp_path):
    where = tmp_path / "empty"
    venv.create(where, with_pip=True)
    python = where / ("Scripts" if os.name == "nt" else "bin") / "python"
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "QPVGEO_TEST_DATA"}}
    install = [str(python), "-m", "pip", "install", "--quiet", str(built[0])]
    installed = subprocess.run(install, env=clean, capture_output=True, text=True, check=False)
    if installed.returncode and "connection" in installed.stderr.lower():
        pytest.skip("no index of packages is within reach")
    assert installed.returncode == 0, installed.stderr
    command = [str(python.with_name("qpvgeo")), "summary", "--sample", "--json"]
    said = subprocess.run(command, env=clean, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert (json.loads(said)["n_qpv"], json.loads(said)["population"]) == (16, 22_544)
    listed = subprocess.run(
        [str(python), "-c", "import qpvgeo; print(qpvgeo.__file__)"],
        env=clean,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(where) in listed.stdout
