"""Places of published figures."""

import pytest
from tests.builders import refused

from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.published.figure_inputs import Material
from qpvgeo.published.scopes import NATIONAL, scope_of


@pytest.mark.parametrize(
    ("national", "count"),
    [
        ("hexagone", 96),
        ("hexagone + 5 DOM", 101),
        ("5 DOM", 5),
        ("overseas", 7),
        ("France", 103),
        ("France de province", 88),
    ],
)
def test_national_scopes_are_made_of_departments(national, count):
    assert len(scope_of(national).codes) == count


@pytest.mark.parametrize("national", NATIONAL)
def test_every_name_of_a_national_scope_means_it(national):
    assert {scope_of(name).national for name in NATIONAL[national]} == {national}


@pytest.mark.parametrize(
    ("name", "level", "codes"),
    [
        ("Aisne (02)", "departments", ("02",)),
        ("region:94", "departments", ("2A", "2B")),
        ("departments:27;76", "departments", ("27", "76")),
        ("La Réunion and Mayotte", "departments", ("974", "976")),
        ("La Grand-Combe (30132)", "commune", ("30132",)),
        ("epci:247600596", "epci", ("247600596",)),
        ("QN05980M", "qpv", ("QN05980M",)),
        ("Saint-Martin (978)", "departments", ("978",)),
        ("Lorraine (54, 55, 57, 88)", "departments", ("54", "55", "57", "88")),
        ("48 Lozère", "departments", ("48",)),
        ("93", "departments", ("93",)),
        ("Corse (5 QPV)", "departments", ("2A", "2B")),
    ],
)
def test_places_are_found_by_name_code_or_level(name, level, codes):
    scope = scope_of(name)
    assert (scope.level, scope.codes) == (level, codes)


def test_a_place_that_does_not_exist_is_refused():
    refused(lambda: scope_of("Atlantide"), kind=UsageError)


def test_the_name_of_a_commune_needs_a_table_of_communes():
    refused(lambda: scope_of("Bastia", Material()), "published.needs", MissingDataError)
