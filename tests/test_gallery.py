"""The pictures of the gallery are those that its own lines draw."""

import runpy
from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 1.5
"""Root mean square of the difference of two pictures, of 255: the same picture is 0, one without its labels is 4."""

pytestmark = pytest.mark.skipif(
    not (ROOT / "docs" / "gallery.md").is_file(), reason="the gallery is not part of the installed package"
)
pytest.importorskip("mapclassify", reason="the maps extra is not installed")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    runpy.run_path(str(ROOT / "scripts" / "make_gallery.py"))["draw"](folder)
    return folder / "gallery"


def test_every_picture_of_the_page_is_kept_and_no_other(drawn):
    kept = {path.name for path in (ROOT / "docs" / "gallery").iterdir()}
    assert {path.name for path in drawn.iterdir()} == kept


@pytest.mark.pictures
def test_pictures_are_those_that_the_lines_above_them_draw(drawn):
    different = [
        said
        for path in sorted(drawn.iterdir())
        if (said := compare_images(str(ROOT / "docs" / "gallery" / path.name), str(path), tol=TOLERANCE))
    ]
    assert different == []
