"""Counts of points that become notes: they add up, and speak only of what is most."""

import pyproj
import pytest

from qpvgeo.tagging.counts import Counted, crs_name

METRES, DEGREES = pyproj.CRS(2154), pyproj.CRS(4326)


def test_counts_of_parts_add_up():
    assert Counted(1, 2, 3, 4, 5) + Counted(10, 20, 30, 40, 50) == Counted(11, 22, 33, 44, 55)


def test_nothing_to_say_is_no_note():
    assert Counted(located=10).notes(METRES, 500.0) == []
    assert Counted().notes(METRES, 500.0) == []


@pytest.mark.parametrize(("outside", "told"), [(5, False), (6, True)])
def test_half_of_the_points_outside_france_is_not_most(outside, told):
    assert bool(Counted(10, outside).notes(DEGREES, 500.0)) == told


def test_tolerances_are_told_with_what_could_be():
    notes = Counted(located=10, no_distance=1_234, beyond_reach=1).notes(METRES, 2_000.0)
    assert notes[0].startswith("1,234 points have a tolerance that is not a distance")
    assert notes[1].startswith("1 point has a tolerance beyond the 2,000 m measured")


def test_projection_without_a_number_goes_by_its_name():
    assert crs_name(pyproj.CRS.from_proj4("+proj=laea +lat_0=10")) == "unknown"
    assert crs_name("EPSG:2154") == "EPSG:2154"


@pytest.mark.parametrize(
    ("counted", "key"),
    [
        (Counted(2_000, 1_500, 1_500), "tagging.degrees_as_metres"),
        (Counted(2_000, 1_500), "tagging.outside_france"),
        (Counted(no_distance=1), "tagging.unusable_tolerances"),
        (Counted(beyond_reach=2), "tagging.tolerances_beyond"),
    ],
)
def test_notes_are_data_in_both_languages(counted, key):
    (note,) = counted.notes(METRES, 2_000.0)
    assert note.key == key
    assert note.say("fr") != note.say("en")


def test_a_note_is_worded_in_french():
    (note,) = Counted(2_000, 1_500, 1_500).notes(METRES, 500.0)
    assert note.say("fr").startswith("1\u202f500 points sur 2\u202f000 sont hors de France\u202f: crs=EPSG:2154")
