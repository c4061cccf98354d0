"""Municipal populations under the shares: the right census, the right unit, nothing silent."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused

from qpvgeo import facts
from qpvgeo.errors import UsageError
from qpvgeo.indicators.denominators import DOM, Completeness, Denominator, Denominators, departments_of, unit_names

HEXAGONE = departments_of("hexagone", "territory")
MAINLAND_REGIONS = ["11", "24", "27", "28", "32", "44", "52", "53", "75", "76", "84", "93", "94"]


@pytest.mark.parametrize(
    ("reference_year", "people", "year", "note"),
    [
        (2013, 63_697_865, 2013, ""),
        (2018, 64_844_037, 2018, ""),
        (2020, 65_269_154, 2020, ""),
    ],
)
def test_census_that_fits_the_reference_year(reference_year, people, year, note):
    assert Denominators.for_reference_year(reference_year).of(HEXAGONE) == Denominator(people, year, note)


@pytest.mark.parametrize(
    ("reference_year", "people", "census"), [(2013, 212_600, 2012), (2018, 256_518, 2017), (2020, 256_518, 2017)]
)
def test_mayotte_has_its_own_census(reference_year, people, census):
    assert Denominators.for_reference_year(reference_year).of(["976"]) == Denominator(people, census)


def test_france_with_the_five_departments_names_the_other_census():
    both = Denominators.for_reference_year(2013).of([*HEXAGONE, *DOM])
    assert both == Denominator(65_777_356, 2013, "Mayotte: census of 2012")


@pytest.mark.parametrize("order", [["59", "976"], ["976", "59"]])
def test_two_censuses_in_equal_number_give_the_later_one_in_any_order(order):
    found = Denominators.choose(2020).of(order)
    assert found == Denominator(2_607_746 + 256_518, 2020, "Mayotte: census of 2017")


@pytest.mark.parametrize("territory", ["978", "987"])
def test_a_collectivity_has_no_denominator_and_says_so(territory):
    name = facts.names("territories")[territory]
    assert Denominators.for_reference_year(2020).of([territory]) == Denominator(
        None, None, f"no denominator for {name}"
    )


def test_one_part_missing_makes_the_whole_missing():
    found = Denominators.for_reference_year(2020).of(["59", "978"])
    assert found.people is None
    assert found.note == "no denominator for Saint-Martin"


def test_no_reference_year_gives_no_denominator():
    assert Denominators.for_reference_year(None).of(["59"]).people is None


def test_a_reference_year_without_table_gives_no_denominator():
    assert Denominators.for_reference_year(1999).of(["59"]).people is None


def test_a_year_that_the_facts_do_not_hold_is_an_error_when_asked_for():
    refused(lambda: Denominators.choose(2016), "facts.no_populations", UsageError)


def test_guyane_in_2018_has_its_own_census():
    assert Denominators.for_reference_year(2018).of(["973"]) == Denominator(276_128, 2018)


def test_a_department_of_the_hexagone_in_2018_takes_2019_and_says_so():
    found = Denominators.for_reference_year(2018).of(["59"])
    assert (found.people, found.year, found.note.key) == (2_608_346, 2019, "indicators.stands_for")
    # with the rest of its region it is the region that is known
    whole = Denominators.for_reference_year(2018).of(departments_of("32", "region"))
    assert whole == Denominator(6_004_108, 2018)


def test_all_departments_missing_are_one_name():
    found = Denominators.choose({"974": 860_000}).of([*HEXAGONE, "978"])
    assert found.note.values["places"] == ["France hexagonale", "Saint-Martin"]


def test_people_of_no_stated_year_have_that_reason():
    assert Denominators.for_reference_year(None).of(["59"]).note.key == "indicators.no_reference_year"
    assert Denominators.for_reference_year(1999).of(["59"]).note.key == "indicators.no_populations_of"


@pytest.mark.parametrize("wrong", ["2020", [1], True, {"59": float("inf")}, {"59": "12"}])
def test_what_is_no_denominator_is_refused(wrong):
    refused(lambda: Denominators.choose(wrong), kind=UsageError)


@pytest.mark.parametrize(
    ("departments", "asked", "whole", "short"),
    [
        (["48"], ["48"], set(), [(1, 0)]),
        (["972"] * 7, ["972"], {"972"}, []),
        (["972"] * 6, ["972"], set(), [(6, 7)]),
        (["02"] * 17, ["02"], set(), []),
        (["02"] * 17, ["02", "60", "80"], set(), [(17, 44)]),
        (["99"] * 16, ["99"], set(), []),
    ],
)
def test_completeness_goes_by_the_counts_of_the_lists(departments, asked, whole, short):
    held = Completeness(pd.Series(departments), 2015)
    assert held.whole == whole
    assert [(note.values["count"], note.values["expected"]) for note in held.short(asked)] == short


def test_no_departments_at_all_is_not_zero_people():
    assert Denominators.choose(2020).of([]).people is None


def test_people_given_by_department_are_summed():
    given_people = {"59": 2_600_000, "62": 1_400_000}
    assert Denominators.choose(given_people).of(["59", "62"]) == Denominator(4_000_000, None)


def test_people_given_by_unit_are_taken_as_they_are():
    found = Denominators.choose({"32": 6_000_000}).of(departments_of("32", "region"), unit="32")
    assert found == Denominator(6_000_000, None)


def test_people_by_department_are_not_taken_for_those_of_the_region_of_that_code():
    by_department = {code: people for code, (people, _) in facts.census_populations(2020).items()}
    given_people = Denominators.choose(by_department)
    for region in MAINLAND_REGIONS:
        departments = departments_of(region, "region")
        expected = sum(by_department[code] for code in departments)
        assert given_people.of(departments, unit=region).people == expected
    assert given_people.of(departments_of("93", "region"), unit="93").people == 5_098_666
    assert given_people.of(["93"], unit="93").people == 1_655_422


def test_people_by_region_are_not_taken_for_those_of_departments_of_that_code():
    regions = {region: 1000 + rank for rank, region in enumerate([*MAINLAND_REGIONS, "01", "02", "03", "04", "06"])}
    given_people = Denominators.choose(regions)
    for region, people in regions.items():
        assert given_people.of(departments_of(region, "region"), unit=region).people == people


def test_a_year_of_the_facts_does_not_take_a_region_for_a_department():
    assert Denominators.choose(2020).of(departments_of("93", "region"), unit="93").people == 5_098_666


@pytest.mark.parametrize("wrong", [0, -5, float("nan"), None])
def test_people_must_be_numbers_above_zero(wrong):
    error = refused(
        lambda: Denominators.choose({"59": 10, "62": wrong}), "indicators.denominators_above_zero", UsageError
    )
    assert len(error.problems) == 1


def test_a_series_does_as_well_as_a_dictionary():
    people = pd.Series({"59": 10, "62": 20})
    assert Denominators.choose(people).of(["59", "62"]) == Denominators.choose(people.to_dict()).of(["59", "62"])


@settings(deadline=None)
@given(st.lists(st.sampled_from(HEXAGONE), min_size=1, unique=True))
def test_people_of_parts_add_up_in_any_order(departments):
    below = Denominators.choose(2020)
    assert below.of(departments).people == sum(below.of([code]).people for code in departments)
    assert below.of(departments) == below.of(departments[::-1])


def test_departments_of_the_regions_are_those_of_the_hexagone_once_each():
    parts = [department for region in MAINLAND_REGIONS for department in departments_of(region, "region")]
    assert sorted(parts) == sorted(HEXAGONE)
    assert len(HEXAGONE) == 96


def test_region_and_department_of_one_code_are_two_things():
    assert departments_of("93", "region") == ["04", "05", "06", "13", "83", "84"]
    assert departments_of("93", "department") == ["93"]
    assert departments_of("06", "region") == ["976"]
    assert unit_names("region")["93"] == "Provence-Alpes-Côte d'Azur"
    assert unit_names("department")["93"] == "Seine-Saint-Denis"


def test_collectivities_go_by_their_territory_at_every_level():
    for by in ("department", "region", "territory"):
        assert unit_names(by)["987"] == "Polynésie française"
        assert departments_of("987", by) == ["987"]


@pytest.mark.real
@pytest.mark.parametrize(("vintage", "year", "column"), [(2015, 2013, "dep_pmun_2013"), (2024, 2020, "dep_pmun_2020")])
def test_real_departments_agree_with_the_reference_tables(reference, vintage, year, column):
    table = pd.read_csv(reference / f"qpv{vintage}_by_department.csv", dtype={"dep_code": str}).set_index("dep_code")
    below = Denominators.choose(year)
    published = table[column].dropna().astype(int)
    assert {code: below.of([code]).people for code in published.index} == published.to_dict()
    assert len(published) >= 96
