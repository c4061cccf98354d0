"""Perimeters that a town drew, matched to QPV by the area or the people that they share."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from tests.policy.test_contracts import links_of
from tests.policy.test_programmes import notes, qpv_of

import qpvgeo as qg
from qpvgeo.policy import programme_coverage

EAST, NORTH = 700_000, 6_600_000


def block(west, south, east, north):
    """Rectangle in kilometres."""
    return shapely.box(EAST + 1000 * west, NORTH + 1000 * south, EAST + 1000 * east, NORTH + 1000 * north)


@pytest.fixture
def qpv():
    """Two squares of a kilometre, side by side."""
    return qpv_of([["01001"]] * 2).set_geometry([block(0, 0, 1, 1), block(1, 0, 2, 1)], crs=2154)


def drawn(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=2154)


def rows(found):
    return found[["qpv_code", "member", "basis", "share"]].to_numpy().tolist()


@pytest.mark.parametrize("form", ["by programme", "series", "frame"])
def test_perimeters_are_matched_by_the_area_that_they_share(qpv, form):
    layer = drawn(block(0, 0, 1.5, 1), name=["centre"])
    if form == "series":
        layer = layer.set_index("name").geometry
    found = qg.join_programmes(qpv, layer.assign(programme="ours") if form == "frame" else {"ours": layer})
    assert rows(found) == [["QN00101M", "centre", "area", 1.0], ["QN00102M", "centre", "area", 0.5]]
    assert set(found["programme"]) == {"ours"}


def test_the_projection_of_the_perimeters_is_their_own(qpv):
    found = qg.join_programmes(qpv, {"ours": drawn(block(0, 0, 1.5, 1)).to_crs(4326)})
    assert found["share"].tolist() == pytest.approx([1.0, 0.5], abs=1e-6)


def test_slivers_and_perimeters_elsewhere_reach_nothing(qpv):
    layer = drawn(block(-9, 0, 0.01, 1), block(5, 5, 6, 6), name=["beside", "far"])
    found = qg.join_programmes(qpv, {"ours": layer})
    assert found.empty
    assert found.attrs["qpvgeo"]["unplaced"] == {"ours": ["0", "1"]}
    assert notes(found) == {"policy.slivers": 1}


def test_a_small_perimeter_wholly_inside_is_no_sliver(qpv):
    found = qg.join_programmes(qpv, {"ours": drawn(block(0.4, 0.4, 0.5, 0.5))})
    assert found["share"].tolist() == pytest.approx([0.01])


def test_perimeters_that_overlap_cover_their_union(qpv):
    layer = drawn(block(0, 0, 0.6, 1), block(0.4, 0, 1, 0.5), name=["a", "b"])
    found = qg.join_programmes(qpv, {"ours": layer})
    assert found["share"].tolist() == pytest.approx([0.6, 0.3])
    links = links_of(*((code, "01001", None, None, 100.0, 1.0, "published") for code in qpv.index))
    # 0.6 + 0.3 - 0.2 x 0.5 = 0.8
    assert programme_coverage(found, links)["population_covered"].tolist() == pytest.approx([80])


def test_rows_of_one_code_are_one_member(qpv):
    layer = drawn(block(0, 0, 0.25, 1), block(0.5, 0, 1, 1), code=["x", "x"])
    found = qg.join_programmes(qpv, {"ours": layer})
    assert rows(found) == [["QN00101M", "x", "area", 0.75]]


def test_rows_of_a_layer_with_another_unit_are_matched_by_their_code(qpv):
    layer = drawn(block(0, 0, 1, 1), None, programme="p", unit=["perimeter", "commune"], code=["x", "01001"])
    found = qg.join_programmes(qpv, layer)
    assert sorted(found["qpv_code"] + " " + found["basis"]) == [
        "QN00101M area",
        "QN00101M commune",
        "QN00102M commune",
    ]


def test_qpv_without_an_outline_are_not_known_to_be_reached(qpv):
    bare = qpv.copy()
    bare.loc["QN00102M", "geometry"] = None
    found = qg.join_programmes(bare, {"ours": drawn(block(0, 0, 2, 1))})
    assert found["qpv_code"].tolist() == ["QN00101M"]
    assert notes(found) == {"policy.qpv_without_outline": 1}


def test_with_a_grid_the_share_is_that_of_the_people():
    """A QPV on two cells of 30 and 10 people: the perimeter holds the first, and half of the ground."""
    west, south = 3_800_000, 2_900_000
    index = [f"CRS3035RES200mN{south}E{west + 200 * n}" for n in range(2)]
    grid = pd.DataFrame({"population": [30.0, 10.0]}, index=pd.Index(index, name="cell_id"))
    qpv = qpv_of([["01001"]]).set_geometry([shapely.box(west, south, west + 400, south + 200)], crs=3035)
    layer = gpd.GeoDataFrame(geometry=[shapely.box(west - 50, south, west + 200, south + 200)], crs=3035)
    found = qg.join_programmes(qpv, {"ours": layer}, grid=grid)
    assert rows(found) == [["QN00101M", "0", "grid", pytest.approx(0.75)]]
    # where the grid has nobody, area decides
    beside = grid.set_axis([one.replace("N2900", "N2950") for one in grid.index]).rename_axis("cell_id")
    assert rows(qg.join_programmes(qpv, {"ours": layer}, grid=beside))[0][2:] == ["area", pytest.approx(0.5, abs=1e-4)]
