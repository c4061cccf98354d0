"""Places by the names people use: the wide ones before homonym communes, a list where several are meant."""

import pandas as pd
import pytest
from tests.builders import refused

from qpvgeo.codes.places import find_area
from qpvgeo.errors import UsageError

COMMUNES = pd.DataFrame(
    {
        "name": ["La Réunion", "Lille", "Maubeuge", "Saint-Denis", "Saint-Denis", "Paris"],
        "epci": ["200000001", "200093201", "200043396", "200054781", "249740119", "200054781"],
    },
    index=["47222", "59350", "59392", "93066", "97411", "75056"],
)
EPCI = pd.DataFrame(
    {"name": ["Métropole Européenne de Lille", "CA Maubeuge Val de Sambre"]}, index=["200093201", "200043396"]
)


@pytest.mark.parametrize(
    ("name", "level", "departments"),
    [
        ("La Réunion", "region", ("974",)),
        ("974", "territory", ("974",)),
        ("réunion", "region", ("974",)),
        ("Nord Pas de Calais", "former region", ("59", "62")),
        ("OCEAN INDIEN", "union", ("974", "976")),
        ("ile de france", "region", ("75", "77", "78", "91", "92", "93", "94", "95")),
        ("seine saint denis", "department", ("93",)),
        ("59", "department", ("59",)),
        ("Aude (11)", "department", ("11",)),
        ("75118", "arrondissement", ("75",)),
        ("Paris 18e", "arrondissement", ("75",)),
        ("Paris", "department", ("75",)),
        ("Lille", "commune", ("59",)),
        ("MEL", "epci", ("59",)),
        ("Maubeuge Val de Sambre", "epci", ("59",)),
        ("maubeuge", "commune", ("59",)),
    ],
)
def test_a_place_by_its_usual_name(name, level, departments):
    area = find_area(name, COMMUNES, EPCI)
    assert (area.level, area.departments) == (level, departments)


@pytest.mark.parametrize("name", ["11", "93", "Saint-Denis"])
def test_several_places_are_listed_and_the_way_out_finds_one(name):
    error = refused(lambda: find_area(name, COMMUNES, EPCI), "codes.several_places", UsageError)
    assert len(error.problems) == 2
    assert find_area(error.way_out.values["example"], COMMUNES, EPCI).label == error.way_out.values["example"]


OUEN = pd.DataFrame(
    {
        "name": ["Saint-Ouen", "Saint-Ouen", "Saint-Ouen-d'Aunis", "Saint-Ouen-sur-Seine"],
        "population": [900, 2000, 2500, 51000],
    },
    index=["41226", "80711", "17376", "93070"],
)


def test_homonyms_have_their_department_and_longer_names_follow_the_most_populated_first():
    error = refused(lambda: find_area("Saint-Ouen", OUEN), "codes.several_places", UsageError)
    assert list(error.problems) == [
        "Saint-Ouen (41226), commune, Loir-et-Cher",
        "Saint-Ouen (80711), commune, Somme",
        "near: Saint-Ouen-sur-Seine (93070)",
        "near: Saint-Ouen-d'Aunis (17376)",
    ]


def test_longer_names_are_near_to_one_that_no_commune_has():
    error = refused(lambda: find_area("Saint-Ouen", OUEN[2:]), "codes.unknown_place", UsageError)
    assert {problem.values["place"] for problem in error.problems} >= {
        "Saint-Ouen-sur-Seine (93070)",
        "Saint-Ouen-d'Aunis (17376)",
    }


@pytest.mark.parametrize(
    ("name", "code"), [("Saint-Denis (93)", "93066"), ("saint denis 974", "97411"), ("St-Denis (93)", "93066")]
)
def test_a_commune_by_its_name_and_its_department(name, code):
    communes = pd.DataFrame({"name": ["Saint-Denis"] * 3}, index=["11339", "93066", "97411"])
    assert find_area(name, communes).code == code


@pytest.mark.parametrize("name", ["Ste-Vigie", "ste vigie", "Sainte-Vigie"])
@pytest.mark.parametrize("written", ["Sainte-Vigie", "Ste-Vigie"])
def test_sainte_may_be_written_short_on_either_side(name, written):
    assert find_area(name, pd.DataFrame({"name": [written]}, index=["99007"])).code == "99007"


def test_a_level_settles_a_code_of_two_places():
    assert find_area("11", level="department").name == "Aude"
    assert find_area("11", level="region").name == "Île-de-France"


@pytest.mark.parametrize(("name", "near"), [("Seine Saint Deni", "Seine-Saint-Denis (93)"), ("1", "Ain (01)")])
def test_an_unknown_place_names_those_near(name, near):
    error = refused(lambda: find_area(name), "codes.unknown_place", UsageError)
    assert near in [problem.values["place"] for problem in error.problems]


@pytest.mark.parametrize("wrong", [None, 59, "", "  ", ["59"]])
def test_what_is_no_name_is_refused(wrong):
    refused(lambda: find_area(wrong), "codes.no_place_name", UsageError)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MEL", "200093201"),
        ("Lille Métropole", "200093201"),
        ("métropole européenne de lille", "200093201"),
        ("Grand Lyon", "200046977"),
        ("Grand Paris", "200054781"),
        ("Aix-Marseille-Provence", "200054807"),
        ("Nice Côte d'Azur", "200030195"),
        ("Grand Nancy", "245400676"),
        ("Eurométropole de Strasbourg", "246700488"),
        ("Plaine Commune", "200057867"),
    ],
)
def test_metropoles_are_known_without_a_file_of_epci(name, code):
    assert find_area(name).code == code
    bare = pd.DataFrame({"name": ["Lille"], "epci": [None]}, index=["59350"])
    assert find_area(name, bare).code == code


def test_members_of_a_metropole_are_those_of_the_communes_given():
    communes = pd.DataFrame({"name": ["Lille"], "epci": ["200093201"]}, index=["59350"])
    assert find_area("MEL", communes).communes == ("59350",)
    assert find_area("Lille", communes).level == "commune"


@pytest.mark.parametrize("city", ["Lille", "Lyon", "Brest"])
def test_a_city_is_not_its_metropole_where_communes_are_not_known(city):
    with pytest.raises(UsageError):
        find_area(city)
