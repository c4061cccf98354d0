"""Places of maps: by code, by name, by box; what is near to a wrong one; frames in metres."""

import geopandas as gpd
import matplotlib.pyplot as plt
import pandas as pd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry.projection import reproject
from qpvgeo.maps import find_place

X, Y = 700_000.0, 6_600_000.0


def square(x, y, size=1_000):
    return shapely.box(X + x, Y + y, X + x + size, Y + y + size)


@pytest.fixture
def qpv():
    return gpd.GeoDataFrame(
        {"name": ["Le Port", "La Cité"], "department": ["18", "18"]},
        geometry=[square(200, 200, 300), square(1_500, 100, 200)],
        index=["QN01801M", "QN01802N"],
        crs=2154,
    ).to_crs(4326)


@pytest.fixture
def communes():
    return gpd.GeoDataFrame(
        {
            "name": ["Saint-Étienne-d'Œuvre", "Bourges", "Saint Etienne d'Oeuvre", "L'Île"],
            "epci": ["241800507", "241800507", "200000001", None],
            "ept": None,
            "department": ["18", "18", "18", "36"],
        },
        geometry=[square(0, 0), square(1_000, 0), square(0, 1_000), square(1_000, 1_000)],
        index=["18001", "18033", "18002", "36001"],
        crs=2154,
    ).to_crs(4326)


@pytest.mark.parametrize(
    ("asked", "name", "members"),
    [
        ("18033", "Bourges (18033)", {"18033"}),
        ("bourges", "Bourges (18033)", {"18033"}),
        (" BOURGES ", "Bourges (18033)", {"18033"}),
        ("l ile", "L'Île (36001)", {"36001"}),
        ("18", "Cher", {"18001", "18033", "18002"}),
        ("cher", "Cher", {"18001", "18033", "18002"}),
        ("241800507", "EPCI 241800507", {"18001", "18033"}),
        ("QN01801M", "Le Port (QN01801M)", set()),
        ("qn01802n", "La Cité (QN01802N)", set()),
    ],
)
def test_place_is_known_by_its_code_or_name(asked, name, members, qpv, communes):
    found = find_place(asked, qpv, communes)
    assert (found.label, set(found.communes), found.territory, found.epsg) == (name, members, "hexagone", 2154)


def test_names_of_epci_come_from_their_table(qpv, communes):
    epci = pd.DataFrame({"name": ["CA Bourges Plus"]}, index=["241800507"])
    assert find_place("Bourges Plus", qpv, communes, epci=epci.assign(name="Bourges Plus")).communes == {
        "18001",
        "18033",
    }
    assert find_place("241800507", qpv, communes, epci=epci).label == "CA Bourges Plus (241800507)"


def test_name_of_several_places_is_answered_with_all_of_them(qpv, communes):
    with pytest.raises(UsageError) as caught:
        find_place("Saint-Etienne d'Œuvre", qpv, communes)
    assert caught.value.key == "codes.several_places"
    assert [problem.values["place"] for problem in caught.value.problems] == [
        "Saint-Étienne-d'Œuvre (18001)",
        "Saint Etienne d'Oeuvre (18002)",
    ]
    for problem in caught.value.problems:
        assert find_place(problem.values["place"], qpv, communes).label == problem.values["place"]


@pytest.mark.parametrize(
    ("asked", "near"), [("Bourge", "Bourges (18033)"), ("18034", "Bourges (18033)"), ("dlle", "L'Île (36001)")]
)
def test_place_that_there_is_not_is_answered_with_those_near(asked, near, qpv, communes):
    with pytest.raises(UsageError) as caught:
        find_place(asked, qpv, communes)
    assert caught.value.key == "codes.unknown_place"
    assert f"near: {near}" in caught.value.problems


@pytest.mark.parametrize(("asked", "name"), [("la cite", "La Cité (QN01802N)"), ("Le Port", "Le Port (QN01801M)")])
def test_qpv_is_known_by_its_name(asked, name, qpv, communes):
    assert find_place(asked, qpv, communes).label == name
    assert find_place(asked, qpv).label == name


def test_commune_comes_before_a_qpv_of_its_name(qpv, communes):
    assert find_place("Bourges", qpv.assign(name="Bourges"), communes).label == "Bourges (18033)"
    with pytest.raises(UsageError, match="2 places are called"):
        find_place("Centre", qpv.assign(name="Centre"), communes)


def test_zero_that_was_lost_is_given_back(qpv, communes):
    with pytest.raises(UsageError) as caught:
        find_place("1053", qpv, communes.rename({"18033": "01053"}))
    assert caught.value.problems[0] == "near: Bourges (01053)"


def test_wrong_code_of_a_qpv_is_answered_with_qpv(qpv, communes):
    with pytest.raises(UsageError) as caught:
        find_place("QN01802M", qpv, communes)
    assert caught.value.problems
    assert all("QN018" in problem for problem in caught.value.problems)


def test_code_of_the_other_geography_is_told(qpv, communes):
    with pytest.raises(UsageError) as caught:
        find_place("QP018001", qpv, communes)
    assert (caught.value.key, caught.value.message.values["held"]) == ("maps.other_geography", ["2024"])
    assert "--vintage 2015" in caught.value.way_out


@pytest.mark.parametrize("asked", ["200057867", "Plaine Commune"])
def test_ept_without_a_table_of_them_says_so(asked, qpv, communes):
    with pytest.raises(UsageError) as caught:
        find_place(asked, qpv, communes)
    assert caught.value.key == "maps.members_not_known"


def test_qpv_without_an_outline_is_told_from_nothing(qpv, communes):
    qpv.loc["QN01801M", "geometry"] = None
    with pytest.raises(DataError, match=r"Le Port \(QN01801M\) has no outline"):
        find_place("QN01801M", qpv, communes)
    assert find_place(None, qpv).bare == ("QN01801M",)
    listed = qpv.assign(communes=[["18001"], ["18033"]])
    assert find_place("18001", listed, communes).bare == ("QN01801M",)
    assert find_place("18033", listed, communes).bare == ()


def test_box_in_metres_is_of_the_territory_that_it_meets_there():
    island = gpd.GeoSeries([shapely.box(55.5, -21.0, 55.6, -20.9)], index=["QN97401N"], crs=4326)
    main = gpd.GeoSeries([square(0, 0)], index=["QN01801M"], crs=2154).to_crs(4326)
    both = gpd.GeoDataFrame(geometry=pd.concat([main, island]))
    assert find_place([X, Y, X + 2_000, Y + 1_000], both).territory == "hexagone"
    west, south, east, north = island.to_crs(2975).total_bounds.tolist()
    assert find_place([west, south, east, north], both).territory == "974"
    with pytest.raises(DataError, match="meets none"):
        find_place([0, 0, 1_000, 1_000], both)
    with pytest.raises(UsageError, match=r"outlines of France hexagonale and La Réunion"):
        find_place([0, 0, 9e6, 9e6], both)


def test_box_with_latitudes_first_is_told_the_order(qpv):
    with pytest.raises(UsageError, match="no French territory") as caught:
        find_place([48.8, 2.3, 48.9, 2.4], qpv)
    assert "longitudes" in caught.value.way_out


def test_frame_holds_the_place_with_a_margin(qpv, communes):
    west, south, east, north = find_place("18033", qpv, communes).frame
    assert (west, south) == pytest.approx((X + 1_000 - 40, Y - 40), abs=0.1)
    assert (east, north) == pytest.approx((X + 2_000 + 40, Y + 1_000 + 40), abs=0.1)


def test_small_place_is_shown_with_its_surroundings(qpv):
    west, _, east, _ = find_place("QN01802N", qpv).frame
    assert east - west >= 400


def test_box_in_degrees_or_metres(qpv):
    metres = find_place([X, Y, X + 2_000, Y + 1_000], qpv)
    assert metres.frame == (X, Y, X + 2_000, Y + 1_000)
    corners = gpd.GeoSeries([square(0, 0, 2_000)], crs=2154).to_crs(4326).total_bounds
    west, _, east, _ = find_place(corners.tolist(), qpv).frame
    assert east - west == pytest.approx(2_000, rel=0.02)


@pytest.mark.parametrize("box", [[1, 2, 3], [3, 46, 2, 47], "nowhere", ["a", 1, 2, 3]])
def test_box_that_is_none_is_refused(box, qpv):
    with pytest.raises(UsageError):
        find_place(box, qpv)


def test_department_without_communes_is_that_of_the_perimeters(qpv):
    assert find_place("18", qpv).name == "Cher"


def test_place_that_was_found_is_taken_as_it_is(qpv, communes):
    found = find_place("18", qpv, communes)
    assert find_place(found, qpv) is found


def test_perimeters_of_several_territories_need_a_place():
    both = gpd.GeoDataFrame(geometry=[shapely.box(3, 46, 3.1, 46.1), shapely.box(55.5, -21, 55.6, -20.9)], crs=4326)
    with pytest.raises(DataError, match="lie in 2: France hexagonale and La Réunion"):
        find_place(None, both)
    with pytest.raises(DataError, match="nothing to draw"):
        find_place(None, both.iloc[:0])


def test_layers_are_cut_to_the_frame_in_metres(qpv, communes):
    place = find_place("18001", qpv, communes)
    assert place.metres(qpv).index.tolist() == ["QN01801M"]
    assert place.metres(qpv).crs.to_epsg() == 2154


def test_sample_is_a_place():
    sample = qg.sample()
    assert find_place(None, qg.read_qpv(sample.qpv_2024)).territory == "hexagone"


@pytest.fixture
def homonyms():
    """Communes called as a region, a department and an EPCI, in and out of them."""
    rows = {
        "47222": ("La Réunion", "47", "244700001"),
        "97411": ("Saint-Denis", "974", "249740119"),
        "59392": ("Maubeuge", "59", "200043396"),
        "59442": ("Obies", "59", "200043396"),
        "11069": ("Carcassonne", "11", "200035715"),
        "77014": ("Avon", "77", "247700065"),
        "62041": ("Arras", "62", "200033579"),
    }
    shapes = [square(9_000 * row, 0) for row in range(len(rows))]
    frame = gpd.GeoDataFrame(
        {
            "name": [name for name, _, _ in rows.values()],
            "department": [code for _, code, _ in rows.values()],
            "epci": [code for _, _, code in rows.values()],
        },
        geometry=shapes,
        index=list(rows),
        crs=2154,
    ).to_crs(4326)
    frame.loc["97411", "geometry"] = shapely.box(55.4, -20.95, 55.5, -20.87)
    epci = pd.DataFrame(
        {"name": ["CA Maubeuge Val de Sambre", "Métropole Européenne de Lille"]}, index=["200043396", "200093201"]
    )
    return frame, epci


@pytest.mark.parametrize(
    ("asked", "label", "members"),
    [
        ("La Réunion", "La Réunion (04)", {"97411"}),
        ("Réunion", "La Réunion (04)", {"97411"}),
        ("La Réunion (47222)", "La Réunion (47222)", {"47222"}),
        ("47222", "La Réunion (47222)", {"47222"}),
        ("Maubeuge", "Maubeuge (59392)", {"59392"}),
        ("Maubeuge Val de Sambre", "CA Maubeuge Val de Sambre (200043396)", {"59392", "59442"}),
        ("Nord-Pas-de-Calais", "Nord-Pas-de-Calais", {"59392", "59442", "62041"}),
        ("Hauts-de-France", "Hauts-de-France (32)", {"59392", "59442", "62041"}),
        ("Aude (11)", "Aude", {"11069"}),
        ("Île-de-France (11)", "Île-de-France (11)", {"77014"}),
    ],
)
def test_wider_place_comes_before_a_commune_of_its_name(asked, label, members, homonyms):
    communes, epci = homonyms
    found = find_place(asked, communes, communes, epci=epci)
    assert (found.label, set(found.communes)) == (label, members)


def test_code_of_two_places_is_answered_with_a_list_whose_entries_work(homonyms):
    communes, _ = homonyms
    with pytest.raises(UsageError) as caught:
        find_place("11", communes, communes)
    assert caught.value.key == "codes.several_places"
    labels = [problem.values["place"] for problem in caught.value.problems]
    assert labels == ["Île-de-France (11)", "Aude (11)"]
    assert [sorted(find_place(label, communes, communes).communes) for label in labels] == [["77014"], ["11069"]]


@pytest.mark.parametrize(("asked", "key"), [("75118", "maps.no_arrondissements"), ("MEL", "maps.none_in_it")])
def test_place_whose_outlines_are_not_given_says_so(asked, key, homonyms):
    communes, epci = homonyms
    with pytest.raises((DataError, UsageError)) as caught:
        find_place(asked, communes, communes, epci=epci)
    assert (caught.value.key, caught.value.way_out.key) == (key, "maps.give_its_outlines")


@pytest.mark.parametrize("asked", ["75118", "Paris 18e", "Paris 18e arrondissement", "paris 18"])
def test_arrondissement_is_a_place_where_its_outline_is_given(asked, homonyms):
    communes, _ = homonyms
    paris = communes.iloc[[0]].set_axis(["75118"]).assign(name="Paris 18e Arrondissement", department="75")
    found = find_place(asked, communes, pd.concat([communes, paris]))
    assert (found.name, set(found.communes)) == ("Paris 18e", {"75118"})


def test_communes_that_the_perimeters_name_are_places_without_a_frame_of_communes(qpv):
    named = qpv.assign(communes=[["18033"], ["18001"]], lib_com=["Bourges", "Achères"])
    found = find_place("bourges", named)
    assert (found.label, found.outline) == ("Bourges (18033)", None)
    assert found.metres(named).index[found.own(named)].tolist() == ["QN01801M"]


def test_each_outline_is_projected_once_for_a_map(monkeypatch):
    sample = qg.sample()
    communes = qg.read_communes(sample.communes, table=sample.communes_table)
    old, new = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    projected = []

    def spy(shapes, *systems):
        projected.extend(shapely.to_wkb(shapes))
        return reproject(shapes, *systems)

    monkeypatch.setattr("qpvgeo.maps.layers.reproject", spy)
    for draw in (
        lambda: qg.maps.qpv(new, communes, place="Port-Brume"),
        lambda: qg.maps.change(old, new, communes),
        lambda: qg.maps.qpv(new, communes),
    ):
        projected.clear()
        draw()
        assert len(projected) == len(set(projected)) > 0
        plt.close("all")


def test_a_commune_that_the_perimeters_name_without_its_code(qpv):
    named = qpv.assign(commune_names=[["Le Havre-sur-Cher"], ["Bourges", "Le Havre-sur-Cher"]])
    place = find_place("le havre sur cher", named)
    assert (place.level, place.name) == ("commune", "le havre sur cher")
    west, _, east, _ = place.frame
    assert (west <= X + 200, east >= X + 1_700) == (True, True)
    assert find_place("Bourges", named).frame[0] > X + 500


def test_a_commune_named_in_two_departments_is_answered_with_the_choices(qpv):
    named = qpv.assign(commune_names=[["Saint-Denis"], ["Saint-Denis"]], department=["18", "36"])
    with pytest.raises(UsageError) as caught:
        find_place("Saint-Denis", named)
    assert (caught.value.key, caught.value.way_out.values["example"]) == ("codes.several_places", "Saint-Denis (18)")
    assert find_place("Saint-Denis (36)", named).name == "Saint-Denis"
