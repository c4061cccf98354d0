"""Shift of two layers: by hand, by the letter, by the same codes, and the tolerance that fits."""

import numpy as np
import pytest
from tests.builders import layer, square

import qpvgeo as qg
from qpvgeo.geographies.crosswalk_table import crosswalk
from qpvgeo.geographies.outcomes import crosswalk_classes

X, Y = 700_000.0, 6_600_000.0


def row_of(codes, shift=0.0, side=400.0):
    """Squares a kilometre apart, one for each code, shifted to the east."""
    return layer({code: square(X + 1_000 * at + shift, Y, side) for at, code in enumerate(codes)})


OLD = [f"QP00100{number}" for number in range(1, 6)]
KEPT = [f"QN0010{number}I" for number in range(1, 6)]


def about(walk):
    return walk.attrs["qpvgeo"]


def test_shift_of_outlines_that_the_letter_calls_unchanged_is_measured_and_said_first():
    walk = crosswalk(row_of(OLD), row_of(KEPT, 12.0))
    assert about(walk)["shift"] == {"outlines": 5, "median_m": 12.0, "most_m": 12.0, "tolerance_m": 12.0}
    note = about(walk)["notes"][0]
    assert (note.key, note.values["fitting_m"]) == ("geographies.shift_beyond_tolerance", 12.0)
    assert "12" in note.say("fr")


def test_tolerance_that_fits_is_taken_by_choice():
    before, after = row_of(OLD), row_of(KEPT, 12.0)
    assert set(crosswalk_classes(crosswalk(before, after))["change"]) == {"reshaped"}
    walk = crosswalk(before, after, tolerance_m="auto")
    assert about(walk)["tolerance_m"] == 12.0
    assert about(walk)["notes"][0].key == "geographies.shift"
    assert set(crosswalk_classes(walk)["change"]) == {"kept"}
    assert crosswalk(before, after, tolerance_m=12.0).equals(walk)


def test_code_that_calls_unchanged_what_changed_does_not_move_the_tolerance():
    after = row_of(KEPT, 3.0)
    after.loc[KEPT[0], "geometry"] = square(X, Y, 700)
    assert about(crosswalk(row_of(OLD), after, tolerance_m="auto"))["tolerance_m"] == 3.0


def test_two_releases_are_compared_by_their_codes():
    walk = crosswalk(row_of(OLD), row_of(OLD, 4.2))
    assert about(walk)["shift"]["tolerance_m"] == 5.0


def test_layers_that_agree_need_no_more_than_a_metre():
    walk = crosswalk(row_of(OLD), row_of(KEPT), tolerance_m="auto")
    assert (about(walk)["tolerance_m"], about(walk)["shift"]["most_m"]) == (1.0, 0.0)
    assert about(walk)["notes"] == []


def test_where_nothing_is_known_to_be_the_same_the_shift_is_not_measured():
    before, after = row_of(["a", "b"]), row_of(["c", "d"], 12.0)
    assert about(crosswalk(before, after))["notes"] == []
    walk = crosswalk(before, after, tolerance_m="auto")
    assert (about(walk)["shift"], about(walk)["tolerance_m"]) == (None, 1.0)
    assert [note.key for note in about(walk)["notes"]] == ["geographies.shift_not_measured"]


def test_uncovered_area_within_the_tolerance_is_said():
    before, after = row_of(OLD, side=400.0), row_of(KEPT, side=390.0)
    notes = {note.key: note.values for note in about(crosswalk(before, after, tolerance_m=40))["notes"]}
    assert notes["geographies.within_tolerance"]["before_km2"] == pytest.approx(5 * (400**2 - 390**2) / 1e6)


def test_outlines_and_points_are_projected_once(monkeypatch):
    from qpvgeo.geometry import projection

    counted = []
    real = projection.shapely.transform
    monkeypatch.setattr(
        projection.shapely, "transform", lambda shapes, *more: counted.append(len(shapes)) or real(shapes, *more)
    )
    before, after = row_of(OLD).to_crs(4326), row_of(KEPT, 12.0).to_crs(4326)
    crosswalk(before, after)
    assert counted == [5, 5]
    sample = qg.sample()
    old, new = (qg.read_qpv(path).to_crs(4326) for path in (sample.qpv_2015, sample.qpv_2024))
    grid = qg.read_grid(sample.grid_2019)
    counted.clear()
    crosswalk(old, new, grid)
    # the third is that of the grid, from the legal projection to its own
    assert counted[:2] == [len(old), len(new)]
    assert len(counted) <= 3


@pytest.mark.real
def test_simplified_file_of_2024_strays_by_some_37_m(real_data):
    old = qg.read_qpv(real_data / "qpv2015/shp/QP_METROPOLE_LB93.shp")
    new = qg.read_qpv(real_data / "qpv2024/qpv2024_simplified.geojson")
    new = new[new["territory"] == "hexagone"]
    walk = crosswalk(old, new, tolerance_m="auto")
    shift = about(walk)["shift"]
    assert shift["outlines"] == 291
    assert shift["median_m"] == pytest.approx(12.4, abs=0.1)
    assert shift["tolerance_m"] == about(walk)["tolerance_m"] == 37.0
    assert np.isin(["geographies.shift", "geographies.without_outline"], [n.key for n in about(walk)["notes"]]).all()
    classes = crosswalk_classes(walk)
    kept = classes[classes.index.str.endswith("I")]["change"].eq("kept")
    assert kept.mean() > 0.9
