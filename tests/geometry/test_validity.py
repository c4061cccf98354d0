"""Validity in metres: repaired to the area that the rings enclose, refused where it is lost."""

import warnings

import numpy as np
import pytest
import shapely

from qpvgeo.errors import DataError
from qpvgeo.geometry import validity
from qpvgeo.geometry.validity import judge, polygonal, require_kept, sound, valid

SQUARE = shapely.box(0, 0, 100, 100)
BOW_TIE = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
LINE = shapely.Polygon([(0, 0), (100, 0), (200, 0)])


def test_only_the_invalid_outlines_are_judged():
    found = judge(np.array([SQUARE, BOW_TIE, None, shapely.Polygon(), LINE], dtype=object))
    assert found.rows.tolist() == [1, 4]
    assert (found.bare.tolist(), found.lost.tolist()) == ([False, True], [False, False])
    assert found.after_m2.tolist() == [5_000, 0]


def test_place_of_a_fault_is_given_to_the_centimetre():
    far = shapely.Polygon([(0, 0), (100, 100.003), (100, 0), (0, 100)])
    found = judge(np.array([BOW_TIE, shapely.transform(far, lambda xy: xy + 600_000)]))
    assert found.reasons == ["Self-intersection[50 50]", "Self-intersection[600050 600050]"]


def test_sound_outlines_keep_their_area_and_one_without_area_is_missing():
    shapes = sound(np.array([SQUARE, BOW_TIE, LINE], dtype=object), ["a", "b", "c"], name="qpv")
    assert shapely.area(shapes[:2]).tolist() == [10_000, 5_000]
    assert shapes[2] is None


def test_outlines_lost_in_every_repair_are_listed_by_label(monkeypatch):
    monkeypatch.setattr(validity, "_METHODS", ())
    found = judge(np.array([SQUARE, BOW_TIE], dtype=object))
    with pytest.raises(DataError) as error:
        require_kept(found, ["a", "b"], name="qpv")
    assert error.value.key == "geometry.cannot_measure"
    assert [problem.values["label"] for problem in error.value.problems] == ["b"]


def test_looking_at_many_outlines_leaves_the_warnings_of_others_alone():
    shapes = np.array([SQUARE, BOW_TIE] * 2_000)
    before = list(warnings.filters)
    for _ in range(20):
        assert valid(shapes).sum() == 2_000
        assert warnings.filters == before


def test_nested_collection_gives_the_union_of_its_areas():
    nested = shapely.GeometryCollection([SQUARE, shapely.MultiPolygon([shapely.box(50, 0, 150, 100)])])
    assert polygonal([nested])[0].area == pytest.approx(15_000)


def test_lines_and_points_leave_no_area():
    given_shapes = [shapely.Point(0, 0), shapely.GeometryCollection([shapely.Point(0, 0)]), None]
    assert polygonal(given_shapes).tolist() == [None, None, None]
