"""Layers of a crosswalk: outlines that are valid in degrees and not in metres, layers that cannot be crossed."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from tests.builders import layer, refused, square

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.geographies.crosswalk_table import crosswalk
from qpvgeo.geographies.outcomes import crosswalk_classes
from qpvgeo.geometry import validity

X, Y = 700_000.0, 6_600_000.0

# a hole touches a slanted edge at a point: on one side of it in degrees, on the other in metres
EDGE = [(5.563778, 47.639815), (5.572155, 47.640164), (5.572155, 47.650164), (5.563778, 47.649815)]
HOLE = [
    (5.570153261016443, 47.64008060416554),
    (5.5705532610164425, 47.64208060416554),
    (5.569753261016443, 47.64208060416554),
]


@pytest.fixture
def degrees():
    qpv = gpd.GeoDataFrame(geometry=[shapely.Polygon(EDGE, [HOLE])], index=["QN02101M"], crs=4326)
    assert qpv.is_valid.all()
    assert not qpv.to_crs(2154).is_valid.any()
    return qpv


def test_outline_that_is_valid_in_degrees_alone_is_repaired_in_metres(degrees):
    walk = crosswalk(degrees.rename({"QN02101M": "QP021001"}), degrees, tolerance_m=0)
    assert walk["area_m2"].tolist()[0] == pytest.approx(degrees.to_crs(2154).area.iloc[0], rel=1e-9)
    assert crosswalk_classes(walk)["change"].tolist() == ["kept", "kept"]
    note = walk.attrs["qpvgeo"]["notes"][0]
    assert (note.key, note.values["codes"]) == ("geographies.repaired", ["QP021001", "QN02101M"])


def test_outline_that_is_valid_in_degrees_alone_answers_for_vat(degrees):
    found = qg.vat_zone(degrees.to_crs(2154).buffer(-50), degrees, npnru=(), on="2025-03-01")
    assert found["zone"].tolist() == ["in QPV"]
    assert qg.vat_zone(degrees, degrees, npnru=(), on="2025-03-01")["zone"].tolist() == ["in QPV"]


def test_outline_that_no_repair_keeps_is_refused(monkeypatch):
    monkeypatch.setattr(validity, "_METHODS", ())
    bow_tie = shapely.Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
    error = refused(lambda: crosswalk(layer({"a": bow_tie}), layer({"b": bow_tie})), "geometry.cannot_measure")
    assert [problem.values["label"] for problem in error.problems] == ["a"]


def test_outline_that_crosses_itself_counts_as_the_area_that_its_rings_enclose():
    bow_tie = shapely.Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
    walk = crosswalk(layer({"a": bow_tie}), layer({"b": bow_tie}))
    assert walk["area_m2"].tolist() == pytest.approx([5_000])


def test_outline_that_encloses_no_area_counts_as_without_outline():
    line = shapely.Polygon([(X, Y), (X + 50, Y), (X + 100, Y)])
    walk = crosswalk(layer({"a": square(X, Y)}), layer({"b": square(X, Y), "c": line}))
    assert walk.attrs["qpvgeo"]["without_outline"] == ["c"]


def test_perimeters_without_any_outline_are_not_called_dropped():
    before = layer({"a": square(X, Y)})
    after = gpd.GeoDataFrame(geometry=[None, shapely.Polygon()], index=["b", "c"], crs=2154)
    refused(lambda: crosswalk(before, after), "geographies.no_outlines", DataError)
    refused(lambda: crosswalk(after, before), "geographies.no_outlines", DataError)


def test_perimeters_without_an_outline_are_named_in_a_note():
    after = gpd.GeoDataFrame(geometry=[square(X, Y), None], index=["b", "c"], crs=2154)
    walk = crosswalk(layer({"a": square(X, Y)}), after)
    assert walk.attrs["qpvgeo"]["without_outline"] == ["c"]
    assert [note.key for note in walk.attrs["qpvgeo"]["notes"]] == ["geographies.without_outline"]


def test_two_territories_are_each_crossed_in_their_projection():
    mayotte = gpd.GeoDataFrame(geometry=[square(520_000, 8_590_000)], index=["QP976001"], crs=4471).to_crs(4326)
    lille = layer({"QP059001": square(X, 7_050_000)}).to_crs(4326)
    before = pd.concat([mayotte, lille])
    walk = crosswalk(before, before.rename({"QP976001": "QN97601M", "QP059001": "QN05901M"}))
    assert walk["area_m2"].to_numpy() == pytest.approx(10_000, rel=1e-6)
    assert walk["code_to"].tolist() == ["QN97601M", "QN05901M"]
