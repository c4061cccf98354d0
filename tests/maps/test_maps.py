"""Maps of the sample: pictures compared with those that were looked at, what stands on them, and what is refused."""

import re
from xml.etree import ElementTree as ET

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from matplotlib.collections import PathCollection, PolyCollection
from tests.maps.drawn_names import named, names_on

import qpvgeo as qg
from qpvgeo import maps
from qpvgeo.errors import DataError, OutputError, UsageError

TOLERANCE = 1.5
"""Root mean square of the difference of two pictures, of 255: the same picture is 0, one without its labels is 4."""

FIXED = {"font.family": "DejaVu Sans", "text.hinting": "none"}
looked_at = pytest.mark.mpl_image_compare(style=["default", FIXED], tolerance=TOLERANCE, savefig_kwargs={"dpi": 60})


def texts(ax):
    figure = ax.get_figure(root=True)
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


@looked_at
def test_perimeters_of_a_commune(layers):
    return maps.qpv(layers["new"], layers["communes"], place="Port-Brume").figure


@looked_at
def test_change_of_the_island_in_french(layers):
    return maps.change(layers["old"], layers["new"], layers["communes"], lang="fr").figure


@looked_at
def test_two_figures_of_each_commune(layers):
    return maps.bivariate(layers["coverage"], layers["communes"], ("share", "area_share"), lang="fr").figure


@looked_at
def test_share_by_commune(layers):
    return maps.choropleth(layers["coverage"], layers["communes"]).figure


@looked_at
def test_poverty_of_cells_in_french(layers):
    return maps.grid(layers["grid"], layers["new"], "poverty_rate", layers["communes"], place="99001", lang="fr").figure


@looked_at
def test_estimates_with_their_bounds(layers):
    return maps.estimates(layers["people"], layers["new"], layers["communes"], place="99001").figure


@looked_at
def test_tagged_addresses(layers):
    return maps.tags(layers["addresses"], layers["new"], layers["communes"], place="99001").figure


@looked_at
def test_country_with_its_insets(layers):
    return maps.france(layers["new"]).figure


@looked_at
def test_country_by_commune_in_french(layers):
    return maps.france(layers["coverage"], layers["communes"], lang="fr").figure


CALLS = {
    "qpv": lambda layers, **more: maps.qpv(layers["new"], layers["communes"], **more),
    "change": lambda layers, **more: maps.change(layers["old"], layers["new"], layers["communes"], **more),
    "choropleth": lambda layers, **more: maps.choropleth(layers["coverage"], layers["communes"], **more),
    "grid": lambda layers, **more: maps.grid(layers["grid"], layers["new"], "population", layers["communes"], **more),
    "estimates": lambda layers, **more: maps.estimates(layers["people"], layers["new"], layers["communes"], **more),
    "tags": lambda layers, **more: maps.tags(layers["addresses"], layers["new"], layers["communes"], **more),
    "france": lambda layers, **more: maps.france(layers["new"], layers["communes"], **more),
}
every_map = pytest.mark.parametrize("draw", CALLS.values(), ids=CALLS)


@every_map
def test_every_map_says_what_it_shows_from_which_data_and_that_they_are_fictional(layers, draw):
    ax = draw(layers)
    assert ax.get_title(loc="left")
    (source,) = [text for text in texts(ax) if text.startswith("Source:")]
    assert "qpvgeo" in source
    assert "Fictional data" in source
    assert "Licence" not in source, "no producer answers for fictional data"


@every_map
def test_every_map_speaks_french(layers, draw):
    words = " ".join(texts(draw(layers, lang="fr")))
    assert "Données fictives" in words
    assert not re.search(r"\b(the|people|within|kept|share)\b", words)


@every_map
def test_axes_given_are_drawn_on_and_given_back(layers, draw):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 6))
    assert draw(layers, ax=right) is right
    assert plt.get_fignums() == [figure.number]
    assert not left.collections


@every_map
def test_nothing_global_is_changed(layers, draw):
    # until then it is not settled
    mpl.get_backend()
    before = mpl.rcParams.copy()
    draw(layers)
    assert mpl.rcParams == before


@every_map
def test_legend_lies_beside_the_map(layers, draw):
    ax = draw(layers)
    ax.figure.draw_without_rendering()
    assert not ax.get_window_extent().overlaps(ax.get_legend().get_window_extent())


@every_map
def test_labels_lie_inside_and_not_over_each_other(layers, draw):
    ax = draw(layers)
    ax.figure.draw_without_rendering()
    inside = ax.get_window_extent()
    boxes = [label.get_window_extent() for label in names_on(ax)]
    for box in boxes:
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert inside.y0 <= box.y0
        assert box.y1 <= inside.y1
        assert box.count_overlaps(boxes) == 1, "only with itself"


def test_name_that_has_no_room_is_left_out(layers):
    crowd = layers["new"].assign(name="a very long name that has no room at all beside the others")
    ax = plt.figure(figsize=(2.2, 2.2)).subplots()
    maps.qpv(crowd, layers["communes"], ax=ax)
    assert len([text for text in names_on(ax) if "very" in text.get_text()]) < len(crowd)


def test_scale_bars_are_as_long_on_paper_as_they_say(layers):
    main = maps.france(layers["new"], layers["communes"])
    alone = maps.qpv(layers["new"], layers["communes"], place="99001")
    drawn = [one for one in (alone, main, *main.child_axes) if one.collections]
    assert len(drawn) == 3
    for ax in drawn:
        figure = ax.figure
        figure.set_dpi(200)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        bar = next(line for line in ax.lines if line.get_gid() == "scale")
        label = next(text for text in ax.texts if text.get_gid() == "scale").get_text()
        number_, unit = label.split("\xa0")
        metres = float(number_.replace(",", "")) * (1000 if unit == "km" else 1)
        pixels = metres * ax.get_window_extent().width / np.ptp(ax.get_xlim())
        inked = np.flatnonzero(_alone(bar, figure).any(axis=0))
        # its ends may each share a pixel with the paper
        assert np.ptp(inked) + 1 == pytest.approx(pixels, abs=2)


def _alone(artist, figure):
    """Pixels of one artist of a figure."""
    shown = [one for one in figure.findobj(lambda one: one is not figure) if one.get_visible()]
    keep = {artist, artist.axes, artist.axes.figure, *figure.axes}
    for one in shown:
        one.set_visible(one in keep)
    figure.canvas.draw()
    picture = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    for one in shown:
        one.set_visible(True)
    return (picture != picture[0, 0]).any(axis=2)


def test_arrow_points_to_true_north_and_a_wide_map_has_none(layers):
    ax = maps.qpv(layers["new"], layers["communes"], place="99001")
    arrow = next(text for text in ax.texts if text.get_gid() == "north" and text.arrow_patch is not None)
    (x0, y0), (x1, y1) = arrow.get_position(), arrow.xy
    place = maps.find_place("99001", layers["new"], layers["communes"])
    east, north = (place.frame[0] + place.frame[2]) / 2, (place.frame[1] + place.frame[3]) / 2
    move = pyproj.Transformer.from_crs(2154, 4326, always_xy=True)
    lon, lat = move.transform(east, north)
    up = move.transform(lon, lat + 0.01, direction="INVERSE")
    assert np.degrees(np.arctan2(x1 - x0, y1 - y0)) == pytest.approx(
        np.degrees(np.arctan2(up[0] - east, up[1] - north)), abs=0.2
    )
    assert not [text for text in maps.france(layers["new"]).texts if text.get_gid() == "north"]


def test_cells_are_drawn_from_their_ids_as_one_collection(layers):
    ax = maps.grid(layers["grid"], layers["new"])
    (squares,) = [
        one for one in ax.collections if isinstance(one, PolyCollection) and not isinstance(one, PathCollection)
    ]
    areas = [shapely.Polygon(path.vertices[:4]).area for path in squares.get_paths()]
    assert np.median(areas) == pytest.approx(200 * 200, rel=0.01)
    assert len(areas) > 300


def test_imputed_cells_are_hatched_as_one_patch(layers):
    ax = maps.grid(layers["grid"], layers["new"])
    hatched = [patch for patch in ax.patches if patch.get_hatch()]
    assert len(hatched) == 1
    assert "Imputed" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_bounds_of_an_estimate_are_rings_of_their_size(layers):
    ax = maps.estimates(layers["people"], layers["new"])
    low, estimate, high = sorted(
        (one for one in ax.collections if type(one).__name__ == "EllipseCollection"), key=lambda one: -one.get_zorder()
    )
    sizes = [2 * one._widths for one in (low, estimate, high)]
    assert (sizes[0] <= sizes[1]).all()
    assert (sizes[1] <= sizes[2]).all()
    ratio = (sizes[1] / sizes[2]) ** 2
    frame = layers["people"].loc[maps.find_place(None, layers["new"]).metres(layers["new"]).index]
    assert ratio == pytest.approx((frame["estimate"] / frame["high"]).to_numpy(dtype=float))


def test_kept_gained_and_lost_ground_add_up_to_both_geographies(layers):
    ax = maps.change(layers["old"], layers["new"])
    drawn = [one for one in ax.collections if one.get_zorder() == 3]
    areas = [_area(one) for one in drawn]
    new = layers["new"].to_crs(2154).union_all().area
    old = layers["old"].to_crs(2154).union_all().area
    assert areas[0] + areas[1] == pytest.approx(new, rel=1e-6)
    assert areas[0] + areas[2] == pytest.approx(old, rel=1e-6)


def _area(collection):
    """Area of the paths of a collection: rings turn one way outside and the other in holes."""
    total = 0.0
    for path in collection.get_paths():
        for ring in path.to_polygons(closed_only=True):
            x, y = ring.T - ring.T[:, :1]
            total += 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    return total


def test_units_that_are_not_known_are_hatched_and_those_without_a_qpv_grey(layers):
    coverage = layers["coverage"].copy()
    coverage.loc["99003", "share"] = np.nan
    legend = [text.get_text() for text in maps.choropleth(coverage, layers["communes"]).get_legend().get_texts()]
    assert legend[-2:] == ["Not known", "No QPV"]
    plain = [
        text.get_text() for text in maps.choropleth(layers["coverage"], layers["communes"]).get_legend().get_texts()
    ]
    assert "Not known" not in plain


def test_communes_are_joined_to_the_level_of_the_coverage(layers):
    links = qg.join_communes(layers["new"], layers["communes"])
    ax = maps.choropleth(qg.coverage(links, by="epci"), layers["communes"], "n_qpv")
    assert ax.get_title(loc="left") == "Number of QPV by EPCI (geography of 2024)"
    units = next(one for one in ax.collections if one.get_zorder() == 2)
    assert len(units.get_paths()) == layers["communes"]["epci"].nunique()


def test_insets_have_each_a_scale_of_their_own_and_say_what_is_not_given(layers):
    ax = maps.france(layers["new"])
    labels = [inset.get_label() for inset in ax.child_axes]
    assert labels == ["971", "972", "973", "974", "976", "978", "987", "paris"]
    assert [text.get_text() for text in ax.child_axes[0].texts] == ["not given"]


def test_territory_without_perimeters_given_says_so_even_where_its_land_is(layers):
    island = gpd.GeoDataFrame(
        {"name": ["x"]}, geometry=[shapely.box(-61.5, 16.0, -61.4, 16.1)], index=["97101"], crs=4326
    )
    land = pd.concat([layers["communes"].to_crs(4326), island])
    guadeloupe = maps.france(layers["new"], land).child_axes[0]
    assert [text.get_text() for text in guadeloupe.texts] == ["not given"]
    assert not guadeloupe.collections


def test_territory_is_shown_whole_where_its_land_is_given():
    land = gpd.GeoDataFrame(geometry=[shapely.box(-61.6, 16.0, -61.3, 16.2)], index=["97101"], crs=4326)
    qpv = gpd.GeoDataFrame(
        {"name": ["a"]}, geometry=[shapely.box(-61.31, 16.18, -61.305, 16.185)], index=["QN97101N"], crs=4326
    )
    alone, within = (maps.france(qpv, units).child_axes[0] for units in (None, land))
    assert np.ptp(within.get_xlim()) > 10 * np.ptp(alone.get_xlim())


def test_language_that_there_is_not_is_refused(layers):
    with pytest.raises(UsageError) as caught:
        maps.qpv(layers["new"], lang="de")
    assert [problem.key for problem in caught.value.problems] == ["maps.unknown_language"]


@pytest.mark.parametrize(
    ("draw", "near"),
    [
        (lambda layers: maps.choropleth(layers["coverage"], layers["communes"], "shares"), "share"),
        (lambda layers: maps.grid(layers["grid"], layers["new"], "poverty"), "poverty_rate"),
        (lambda layers: maps.qpv(layers["new"], layers["communes"], place="Port-Brum"), "Port-Brume (99001)"),
    ],
)
def test_wrong_name_is_answered_with_those_near(layers, draw, near):
    with pytest.raises(UsageError) as caught:
        draw(layers)
    assert any(near in problem for problem in caught.value.problems)


def test_estimates_of_other_perimeters_are_refused(layers):
    with pytest.raises(DataError, match="none of the perimeters"):
        maps.estimates(layers["people"].rename(lambda code: f"{code}x"), layers["new"])


def test_legend_counts_the_points_on_the_map_and_those_that_are_not(layers):
    ax = maps.tags(layers["addresses"], layers["new"], layers["communes"], place="QN09902I")
    counts = [text.get_text() for text in ax.get_legend().get_texts()]
    drawn = sum(len(line.get_xdata()) for line in ax.lines if line.get_gid() is None and line.get_marker() != "x")
    ours = [text for text in counts if text.startswith(("In a", "Within"))]
    shown = sum(int(re.search(r"\(([\d,]+)\)", text)[1].replace(",", "")) for text in ours)
    assert 0 < drawn == shown < len(layers["addresses"])
    unknown = int((qg.tag_points(layers["addresses"], layers["new"])["state"] == "unknown").sum())
    assert f"Unknown ({unknown:,})" in counts
    assert f"Not on this map ({len(layers['addresses']) - shown - unknown:,})" in counts


def test_tags_of_other_points_are_refused(layers):
    tags = qg.tag_points(layers["addresses"].head(10), layers["new"])
    with pytest.raises(DataError, match="not those of the points"):
        maps.tags(layers["addresses"], layers["new"], tags=tags)


def test_place_without_a_cell_says_so(layers):
    far = gpd.GeoDataFrame({"name": ["x"]}, geometry=[shapely.box(700_000, 6_600_000, 701_000, 6_601_000)], crs=2154)
    with pytest.raises(DataError, match="No cell of the grid"):
        maps.grid(layers["grid"], far)


def source_of(ax):
    (source,) = [text.get_text() for text in ax.texts if text.get_gid() == "source"]
    return source


def test_source_names_producer_vintage_release_and_licence_and_files_of_the_place_alone(layers):
    told = {"kind": "perimeters", "producer": "ANCT", "vintage": 2024, "release": "2025"}
    files = [{"file": "here.shp", "regions": ["99"], **told}, {"file": "far.shp", "regions": ["02"], **told}]
    ax = maps.qpv(named(layers["new"], files=files), lang="fr")
    assert source_of(ax).startswith(
        "Source\u202f: ANCT, périmètres des QPV (géographie 2024, version 2025), Licence Ouverte 2.0. qpvgeo\u00a0"
    )


def test_a_published_file_is_cited_by_its_title(layers):
    told = {"kind": "perimeters", "producer": "ANCT", "vintage": 2024, "release": "2025"}
    record = {"file": "qp2024-france-hexagonale-outre-mer-wgs84-epsg4326.geojson", "regions": ["99"], **told}
    source = source_of(maps.qpv(named(layers["new"], files=[record]), lang="fr")).replace("\n", " ")
    title = "QPV 2024, périmètres, version de février 2025 (géographie 2024, version 2025)"
    assert source.startswith(f"Source\u202f: ANCT, {title}, Licence Ouverte 2.0. qpvgeo")


def test_addresses_of_the_national_base_are_credited(layers):
    new = layers["new"].iloc[:9][["name", "geometry"]]
    qpv = named(new.set_axis([f"QN0750{number}M" for number in range(1, 10)]), files=[])
    assert "BAN, addresses, Licence Ouverte" in source_of(maps.tags(layers["addresses"], qpv)).replace("\n", " ")


def test_coverage_and_estimates_keep_the_years_of_what_they_are_made_of(layers):
    assert "population of 2020" in source_of(maps.choropleth(layers["coverage"], layers["communes"])).replace("\n", " ")
    assert "grid of 2019" in source_of(maps.estimates(layers["people"], layers["new"])).replace("\n", " ")


def test_qpv_without_an_outline_are_named(layers):
    qpv = layers["new"].copy()
    qpv.loc["QN09902I", "geometry"] = None
    said = "1 QPV without an outline in the file, not shown: QN09902I."
    assert said in source_of(maps.qpv(qpv, layers["communes"], place="99001"))
    assert said in source_of(maps.france(qpv))
    assert "not shown" not in source_of(maps.qpv(qpv, layers["communes"], place="99012"))


def test_legend_names_no_perimeters_where_there_are_none(layers):
    bare = next(code for code in layers["communes"].index if code not in layers["coverage"].index)
    far = layers["new"].iloc[:1]
    ax = maps.qpv(far, layers["communes"], place=bare)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "Commune boundary",
        layers["communes"].loc[bare, "name"],
    ]


def test_title_of_a_change_holds_the_years_that_are_drawn(layers):
    ax = maps.change(layers["old"], layers["new"], lang="fr")
    assert ax.get_title(loc="left") == "Évolution des périmètres QPV entre 2015 et 2024"


@pytest.mark.parametrize(("before", "after"), [("new", "old"), ("new", "new")])
def test_change_that_goes_backwards_or_nowhere_is_refused(layers, before, after):
    with pytest.raises(UsageError) as caught:
        maps.change(layers[before], layers[after])
    assert caught.value.key == "maps.change_order"


def test_change_of_a_qpv_of_either_geography(layers):
    for layer in ("old", "new"):
        code = layers[layer].index[0]
        name = layers[layer]["name"].iloc[0]
        assert name in maps.change(layers["old"], layers["new"], place=code).get_title(loc="left")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda one: maps.change(one["old"], None), "not a frame of outlines"),
        (lambda _: maps.qpv("qpv.geojson"), "not a frame of outlines"),
        (lambda one: maps.france(one["coverage"], one["coverage"]), "not a frame of outlines"),
        (lambda one: maps.qpv(one["new"].set_crs(None, allow_override=True)), "projection"),
        (lambda one: maps.choropleth(one["coverage"], one["communes"].set_crs(None, allow_override=True)), "project"),
        (lambda one: maps.qpv(pd.concat([one["new"], one["new"]])), "several times"),
        (lambda one: maps.qpv(one["new"], place=59350), "A code is text: 59350"),
        (lambda one: maps.choropleth(one["coverage"], one["communes"], classes=2.5), "2.5 is not a number of classes"),
    ],
)
def test_layers_that_cannot_be_drawn_are_refused_in_words(layers, draw, words):
    with pytest.raises(UsageError, match=words):
        draw(layers)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda one: maps.choropleth(one["coverage"].iloc[:0], one["communes"]), "has no rows"),
        (lambda one: maps.choropleth(pd.concat([one["coverage"]] * 2), one["communes"]), "several times"),
        (lambda one: maps.choropleth(one["coverage"], one["communes"].iloc[:0]), "there are no outlines"),
        (lambda one: maps.estimates(pd.concat([one["people"]] * 2), one["new"]), "several times"),
        (lambda one: maps.france(one["communes"]), "not perimeters of QPV"),
        (lambda one: maps.france(one["coverage"]), "needs the outlines"),
    ],
)
def test_frames_that_cannot_be_shown_are_refused_in_words(layers, draw, words):
    with pytest.raises(DataError, match=words):
        draw(layers)


def test_poor_households_without_households_give_no_rate(layers):
    with pytest.raises(UsageError, match="no column of numbers 'poverty_rate'") as caught:
        maps.grid(layers["grid"].drop(columns="households"), layers["new"], "poverty_rate")
    assert not any("poverty_rate" in problem for problem in caught.value.problems)


def test_coverage_with_outlines_of_its_own_is_drawn_by_its_column(layers):
    joined = gpd.GeoDataFrame(layers["coverage"].join(layers["communes"].geometry), geometry="geometry", crs=4326)
    assert maps.france(joined).get_title(loc="left") == "Share of people in QPV by commune, France"


def test_choropleth_of_a_place_has_the_classes_of_its_units_and_its_limit(layers):
    own = layers["communes"].index[layers["communes"]["epci"] == layers["communes"]["epci"].iloc[0]]
    code = layers["communes"]["epci"].iloc[0]
    ax = maps.choropleth(layers["coverage"], layers["communes"], "n_qpv", place=code)
    units = next(one for one in ax.collections if one.get_zorder() == 2)
    assert len(units.get_paths()) == len(own)
    assert [one for one in ax.collections if one.get_zorder() == 2.8]


def test_choropleth_of_one_unit_shows_those_around_it_lighter(layers):
    ax = maps.choropleth(layers["coverage"], layers["communes"], place="99001")
    units = next(one for one in ax.collections if one.get_zorder() == 2)
    assert len(units.get_paths()) > 1
    assert [one for one in ax.collections if one.get_zorder() == 2.7]


def test_units_with_a_code_alone_are_places(layers):
    communes = layers["communes"].drop(columns=["name", "epci", "ept", "department"])
    assert (
        maps.choropleth(layers["coverage"], communes, place="99001")
        .get_title(loc="left")
        .endswith("99001 (geography of 2024)")
    )


def test_column_without_words_is_said_to_be_one(layers):
    grid = layers["grid"].assign(men_prop=1.5)
    ax = maps.grid(grid, layers["new"], "men_prop", lang="fr")
    assert ax.get_title(loc="left").startswith("Colonne men_prop, carreaux")
    assert (
        maps.choropleth(layers["coverage"], layers["communes"], "estimated_share", lang="fr")
        .get_title(loc="left")
        .startswith("Part estimée selon la superficie")
    )


def test_grid_without_a_place_is_shown_where_its_cells_are(layers):
    few = layers["grid"].iloc[:40]
    wide, near = (np.ptp(maps.grid(grid, layers["new"]).get_xlim()) for grid in (layers["grid"], few))
    assert near < wide


def test_units_that_vanish_at_the_scale_of_the_country_warn_of_nothing(layers):
    speck = layers["communes"].copy()
    speck.loc["99003", "geometry"] = shapely.Point(-3.6, 45.97).buffer(1e-7)
    assert maps.france(layers["coverage"], speck).collections


def test_many_equal_numbers_warn_of_nothing(layers):
    coverage = layers["coverage"].assign(n_qpv=[1] * (len(layers["coverage"]) - 2) + [2, 3])
    assert maps.choropleth(coverage, layers["communes"], "n_qpv").get_legend().get_texts()


def test_control_characters_are_left_out_of_an_svg(layers, tmp_path):
    qpv = layers["new"].assign(name="Cité\x0b des\x00 Fleurs")
    root = ET.parse(maps.save(maps.qpv(qpv, title="a\x01b"), tmp_path / "map.svg")).getroot()
    assert "ab" in "".join(root.itertext())


def test_folder_that_takes_no_file_is_refused_in_words(layers, tmp_path):
    ax = maps.qpv(layers["new"])
    (tmp_path / "map.png").mkdir()
    with pytest.raises(OutputError, match="Cannot write"):
        maps.save(ax, tmp_path / "map.png")
    assert [one.name for one in tmp_path.iterdir()] == ["map.png"]


def test_insets_of_axes_with_a_name_have_the_detail_of_insets(layers):
    figure = plt.figure()
    axes = figure.subplot_mosaic([["left"]])["left"]
    named_, plain_ = (
        maps.france(layers["new"], layers["communes"], ax=axes),
        maps.france(layers["new"], layers["communes"], ax=plt.figure().subplots()),
    )
    counts = [
        sum(len(path.vertices) for one in ax.collections if one.get_zorder() == 1 for path in one.get_paths())
        for ax in (named_, plain_)
    ]
    assert counts[0] == counts[1]
