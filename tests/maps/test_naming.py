"""Which names a map has: the largest communes first, the QPV of the place, none of its neighbours'."""

import geopandas as gpd
import pytest
import shapely

from qpvgeo import maps
from qpvgeo.maps.keys import in_columns
from qpvgeo.maps.naming import short_titles

X, Y = 700_000.0, 6_600_000.0


def square(x, y, size):
    return shapely.box(X + x, Y + y, X + x + size, Y + y + size)


def layers(count=6):
    """Four communes of 5 km, the second in another EPCI, and rows of QPV in the first and in the second."""
    communes = gpd.GeoDataFrame(
        {
            "name": ["Petite", "Ailleurs", "Ville", "Moyenne"],
            "population": [100, 90_000, 60_000, 5_000],
            "epci": ["241800001", "241800002", "241800001", "241800001"],
            "department": "18",
        },
        geometry=[square(0, 0, 5_000), square(5_000, 0, 5_000), square(0, 5_000, 5_000), square(5_000, 5_000, 5_000)],
        index=["18001", "18002", "18003", "18004"],
        crs=2154,
    )
    places = [
        (f"QN018{row:02d}M", f"Quartier {row}", ["18001"], 600 * (row % 8), 900 * (row // 8)) for row in range(count)
    ]
    places.append(("QN01899M", "Voisin", ["18002"], 6_000, 2_000))
    qpv = gpd.GeoDataFrame(
        {"name": [name for _, name, _, _, _ in places], "communes": [list(one) for _, _, one, _, _ in places]},
        geometry=[square(x + 300, y + 300, 250) for *_, x, y in places],
        index=[code for code, *_ in places],
        crs=2154,
    )
    return qpv, communes


def names_on(ax):
    ax.figure.draw_without_rendering()
    return [text.get_text().replace("\n", " ") for text in ax.texts if text.get_zorder() == 10 and text.get_visible()]


def key_of(ax):
    ax.figure.draw_without_rendering()
    return [f"{mark} {name}" for one in ax.artists if one.get_gid() == "key" for mark, name in one.entries]


def test_communes_of_the_place_come_by_population_and_neighbours_have_no_name():
    qpv, communes = layers()
    ax = maps.qpv(qpv, communes, place="241800001")
    names = names_on(ax)
    assert [name for name in names if name in set(communes["name"])] == ["Ville", "Moyenne", "Petite"]
    assert len([name for name in names if name.startswith("Quartier") or name.isdigit()]) == 6
    assert "Voisin" not in names


def test_qpv_outside_the_place_are_dimmed_and_in_the_legend():
    qpv, communes = layers()
    texts = [text.get_text() for text in maps.qpv(qpv, communes, place="241800001").get_legend().get_texts()]
    assert texts[:2] == ["QPV", "QPV, outside the place"]
    whole = [text.get_text() for text in maps.qpv(qpv, communes).get_legend().get_texts()]
    assert "QPV, outside the place" not in whole


def test_qpv_asked_for_is_named_alone():
    qpv, communes = layers()
    assert names_on(maps.qpv(qpv, communes, place="QN01802M")) == ["Quartier 2"]


def test_many_qpv_are_numbered_and_named_in_a_key():
    qpv, communes = layers(30)
    ax = maps.qpv(qpv, communes, place="241800001")
    key = key_of(ax)
    assert len(key) == 30
    assert {entry.split(" ", 1)[1] for entry in key} == {f"Quartier {row}" for row in range(30)}
    numbers = [name for name in names_on(ax) if name.isdigit()]
    assert set(numbers) <= {entry.split(" ", 1)[0] for entry in key}
    assert len(numbers) > 20


def test_names_without_room_become_numbers_with_a_key():
    qpv, communes = layers(16)
    long = qpv.assign(name=[f"{name} - un nom si long qu'il ne tient nulle part à côté" for name in qpv["name"]])
    ax = maps.qpv(long, communes, place="18001")
    names = names_on(ax)
    numbers = [name for name in names if name.isdigit()]
    assert numbers
    assert [entry.split(" - ")[0].split(" Quartier")[0] for entry in key_of(ax)] == numbers


def test_key_lies_outside_the_map_and_the_legend_and_on_the_sheet():
    qpv, communes = layers(30)
    ax = maps.qpv(qpv, communes, place="241800001")
    ax.figure.draw_without_rendering()
    (key,) = [one for one in ax.artists if one.get_gid() == "key"]
    box = key.get_window_extent()
    assert not box.overlaps(ax.get_window_extent())
    assert not box.overlaps(ax.get_legend().get_window_extent())
    assert ax.figure.bbox.x0 <= box.x0 <= box.x1 <= ax.figure.bbox.x1
    assert ax.figure.bbox.y0 <= box.y0


def _many(count, name="Quartier"):
    """Perimeters in rows, numbered."""
    shapes = [
        shapely.box(
            700_000 + 1_000 * (row % 10),
            7_000_000 - 1_000 * (row // 10),
            700_400 + 1_000 * (row % 10),
            7_000_400 - 1_000 * (row // 10),
        )
        for row in range(count)
    ]
    names = [f"{name} {row}" for row in range(count)]
    index = [f"QN{row:05}N" for row in range(59001, 59001 + count)]
    return gpd.GeoDataFrame({"name": names}, geometry=shapes, index=index, crs=2154)


@pytest.mark.parametrize("page", ["a4", "a4-landscape"])
def test_key_of_a_page_is_whole_and_within_it(page):
    ax = maps.qpv(_many(75), page=page)
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()
    assert len(key_of(ax)) == 75
    numbers = {name for name in names_on(ax) if name.isdigit()}
    assert numbers == {str(number) for number in range(1, 76)}


def source_of(ax):
    (source,) = [text.get_text() for text in ax.texts if text.get_gid() == "source"]
    return source.replace("\n", " ")


def test_key_of_a_small_page_runs_on_and_is_within_it():
    ax = maps.qpv(_many(45), page="half")
    assert len(key_of(ax)) == 45
    (key,) = [one for one in ax.artists if one.get_gid() == "key"]
    figure = ax.get_figure(root=True)
    written = " ".join(text.get_text() for text in key.get_texts())
    assert all(f"Quartier {row}" in written for row in range(45))
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()
    assert min(text.get_fontsize() for text in key.get_texts()) >= 6
    assert not key.get_window_extent().overlaps(ax.get_window_extent())
    assert "not named" not in source_of(ax)


def test_page_without_room_for_all_names_the_largest_and_says_which_page_has_room():
    many = _many(75)
    sizes = [1 + (row * 29 % 75) / 75 for row in range(75)]
    grown = [shapely.buffer(shape, 40 * size) for shape, size in zip(many.geometry, sizes, strict=True)]
    ax = maps.qpv(many.set_geometry(grown, crs=2154), page="half", lang="fr")
    names = {entry.split(" ", 1)[1] for entry in key_of(ax)}
    assert 20 < len(names) < 75
    largest = sorted(range(75), key=lambda row: -grown[row].area)[: len(names)]
    assert names == {f"Quartier {row}" for row in largest}
    numbers = {name for name in names_on(ax) if name.isdigit()}
    assert numbers == {str(number) for number in range(1, len(names) + 1)}
    said = f"{75 - len(names)} des 75 QPV ne sont pas nommés sur cette carte, faute de place."
    assert f"{said} Le format a4 permet de les nommer tous." in source_of(ax)
    whole = maps.qpv(many, page="a4", lang="fr")
    assert len(key_of(whole)) == 75
    assert "faute de place" not in source_of(whole)


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["Cité Du Port A", "Cité du Port B", "Cité Du Port C"], ["A", "B", "C"]),
        (["Cité Du Port A", "Cité Du Port B", "Gare"], ["Cité Du Port A", "Cité Du Port B", "Gare"]),
        (["Cité Neuve De A", "Cité Neuve D'B", "Cité Neuve C", "A"], ["Cité Neuve De A", "B", "C", "A"]),
        (["Cité Neuve", "Cité Neuve", "Cité Neuve"], ["Cité Neuve"] * 3),
    ],
    ids=["shared by all", "shared by two", "alike without it", "nothing left"],
)
def test_names_lose_what_most_of_them_begin_with(names, short):
    layer = gpd.GeoDataFrame({"name": names})
    assert short_titles(layer, layer.index) == short


def test_columns_of_a_key_are_of_one_height_and_part_no_name():
    names = [["1 a"], ["2 b", "   c"], ["3 d"], ["4 e", "   f", "   g"]]
    assert in_columns(names, 2) == [["1 a", "2 b", "   c", "3 d"], ["4 e", "   f", "   g"]]
    assert in_columns(names, 1) == [["1 a", "2 b", "   c", "3 d", "4 e", "   f", "   g"]]
    # three rows, of which the second name would take one of each column
    assert in_columns([["1 a", "   b"], ["2 c", "   d"], ["3 e"]], 2) == [["1 a", "   b"], ["2 c", "   d", "3 e"]]
