"""Every map with every wrong thing: one clear error of ours, and no picture left behind."""

import geopandas as gpd
import matplotlib.pyplot as plt
import pandas as pd
import pytest
import shapely

from qpvgeo import maps
from qpvgeo.errors import QpvgeoError, UsageError
from qpvgeo.language import Note


@pytest.fixture(scope="module")
def layers(layers):
    """Those of the sample, with a point in each perimeter."""
    new = layers["new"]
    return layers | {"points": gpd.GeoDataFrame(geometry=new.representative_point(), crs=new.crs)}


MAPS = {
    "qpv": (maps.qpv, ("new", "communes")),
    "change": (maps.change, ("old", "new", "communes")),
    "choropleth": (maps.choropleth, ("coverage", "communes")),
    "grid": (maps.grid, ("grid", "new")),
    "estimates": (maps.estimates, ("people", "new", "communes")),
    "tags": (maps.tags, ("points", "new", "communes")),
    "france": (maps.france, ("coverage", "communes")),
}

OPTIONS = {
    "language": ({"lang": "de"}, "maps.unknown_language"),
    "axes": ({"ax": "left"}, "maps.not_axes"),
    "title": ({"title": 3}, "maps.not_text"),
    "source": ({"source": ["a"]}, "maps.not_text"),
    "page": ({"page": "a5"}, "maps.unknown_page"),
    "unknown": ({"colour": "red"}, "maps.unknown_option"),
    "near": ({"titel": "x"}, "maps.unknown_option_near"),
}

every_map = pytest.mark.parametrize("name", MAPS)


@every_map
@pytest.mark.parametrize("wrong", OPTIONS)
def test_wrong_option_is_refused_by_its_kind(layers, name, wrong):
    draw, given = MAPS[name]
    options, key = OPTIONS[wrong]
    with pytest.raises(UsageError) as caught:
        draw(*(layers[layer] for layer in given), **options)
    assert caught.value.key == "maps.invalid_options"
    assert caught.value.problems[0].key in (key, "maps.unknown_option")
    assert plt.get_fignums() == []


def test_all_wrong_options_are_in_one_error(layers):
    with pytest.raises(UsageError) as caught:
        maps.qpv(layers["new"], lang="de", ax=1, title=2, source=3, colour="red")
    assert len(caught.value.problems) == 5


def test_country_takes_no_place(layers):
    with pytest.raises(UsageError) as caught:
        maps.france(layers["new"], place="Port-Brume")
    assert [problem.values["option"] for problem in caught.value.problems] == ["place"]


WRONG = {
    "text": lambda _: "qpv.geojson",
    "number": lambda _: 59350,
    "list": lambda _: [1, 2],
    "none": lambda _: None,
    "table": lambda _: pd.DataFrame({"a": [1]}),
    "no crs": lambda frame: frame.set_crs(None, allow_override=True) if isinstance(frame, gpd.GeoDataFrame) else None,
    "no geometry": lambda _: gpd.GeoDataFrame({"a": [1]}),
    "twice": lambda frame: pd.concat([frame, frame]),
    "lines": lambda _: gpd.GeoDataFrame(geometry=[shapely.LineString([(2.0, 48.0), (2.1, 48.1)])], crs=4326),
}
"""Wrong things in the place of a layer."""

OPTIONAL = {("qpv", 1), ("change", 2), ("grid", 2), ("estimates", 2), ("tags", 2)}
"""Arguments that may be None."""


@every_map
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("position", range(3))
def test_wrong_layer_gives_a_map_or_one_error_of_ours(layers, name, wrong, position):
    draw, given = MAPS[name]
    if position >= len(given):
        pytest.skip("the map has fewer layers")
    frames = [layers[layer] for layer in given]
    frames[position] = WRONG[wrong](frames[position])
    if frames[position] is None and (name, position) in OPTIONAL:
        pytest.skip("the layer may be left out")
    try:
        draw(*frames)
    except QpvgeoError as error:
        assert str(error)  # noqa: PT017 - a map is as good
        assert plt.get_fignums() == []


@every_map
def test_errors_of_maps_say_themselves_in_french(layers, name):
    draw, given = MAPS[name]
    with pytest.raises(UsageError) as caught:
        draw(*(layers[layer] for layer in given), lang="de")
    assert isinstance(caught.value.message, Note)
    assert caught.value.say("fr") != caught.value.say("en")
