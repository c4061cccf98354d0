"""Maps written to files: text, resolution, the same bytes, places that take none."""

from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from tests.maps.drawn_names import names_on

from qpvgeo import maps
from qpvgeo.errors import UsageError

AWKWARD = "L'Étang $10 & <b>d'Œuvre_1</b> \"x\" $"


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_names_of_the_data_appear_as_they_are(layers, tmp_path, suffix):
    named = layers["new"].assign(name=AWKWARD)
    ax = maps.qpv(named.iloc[:1], title=f"Title {AWKWARD}")
    assert names_on(ax)
    path = maps.save(ax, tmp_path / f"map{suffix}")
    assert [part.name for part in tmp_path.iterdir()] == [path.name]
    if suffix == ".svg":
        words = "".join(ET.parse(path).getroot().itertext())
        assert words.count("d'Œuvre_1") == 2, "in the title and as the name"
    if suffix == ".pdf":
        assert b"/Type0" in path.read_bytes() or b"/Type /Font" in path.read_bytes()


def test_text_of_an_svg_is_text(layers, tmp_path):
    root = ET.parse(maps.save(maps.qpv(layers["new"], layers["communes"]), tmp_path / "map.svg")).getroot()
    words = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Priority neighbourhoods (QPV) (geography of 2024)" in words


def test_png_has_300_dots_an_inch(layers, tmp_path):
    from PIL import Image

    with Image.open(maps.save(maps.qpv(layers["new"]), tmp_path / "map.png")) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert min(picture.size) > 900


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_the_same_map_is_the_same_bytes(layers, tmp_path, suffix):
    one, other = (maps.save(maps.qpv(layers["new"]), tmp_path / f"{name}{suffix}") for name in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_file_that_cannot_be_written_is_refused_with_every_reason(layers, tmp_path):
    with pytest.raises(UsageError) as caught:
        maps.save(maps.qpv(layers["new"]), tmp_path / "no" / "map.gif")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("engine", [None, "constrained"])
def test_settings_that_lay_figures_out_do_not_stop_a_picture(tmp_path, engine):
    with mpl.rc_context({"figure.autolayout": True}):
        figure = Figure(layout=engine)
        ax = figure.subplots()
        figure.colorbar(ax.scatter([0, 1], [0, 1], c=[0, 1]))
        before = figure.get_layout_engine()
        assert maps.save(ax, tmp_path / "map.png").stat().st_size > 1_000
    assert figure.get_layout_engine() is before
