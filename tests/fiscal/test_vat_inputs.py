"""Reduced VAT: what is given and in which form, what is not known, an oracle, the published list of conventions."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely import Point, Polygon, box
from tests.fiscal.footprints import (
    CODE,
    DAY,
    NONE_FORMER,
    OLD,
    OTHER,
    QPV,
    SQUARE,
    X,
    Y,
    at,
    east,
    layer,
    overseas,
    zone,
)

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.errors import DataError, UsageError
from qpvgeo.fiscal.vat import INDICATIVE, vat_zone
from qpvgeo.language import Note


@pytest.mark.parametrize("reach", [299.999, 300.001])
def test_degrees_and_metres_give_the_same_answer(reach):
    shape, qpv = gpd.GeoSeries([east(100, reach)], crs=2154), QPV
    metres = vat_zone(shape, qpv, npnru=(), on=DAY)
    for crs in (4326, 3035, 3857):
        other = vat_zone(shape.to_crs(crs), qpv.to_crs(4326), npnru=(), on=DAY)
        assert other["eligible"].tolist() == metres["eligible"].tolist()
        assert other["nearest_m"].iloc[0] == pytest.approx(metres["nearest_m"].iloc[0], abs=2e-4)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (None, "no outline"),
        (Polygon(), "no outline"),
        (Polygon([(X, Y), (X + np.inf, Y), (X, Y + 1)]), "coordinates that are not numbers"),
        (Polygon([(X, Y), (X + 10, Y), (X + 5, Y)]), "no area"),
        (box(X, Y, X, Y), "no area"),
        (box(-5_000_000, 0, -4_999_000, 1000), "outside France"),
    ],
)
def test_footprint_that_lies_nowhere_says_so(shape, reason):
    found = zone(shape)
    assert pd.isna(found["eligible"])
    assert pd.isna(found["zone"])
    assert found["reason"] == reason


@pytest.mark.parametrize(("lon", "lat"), [(4.35, 50.85), (-3.0, 45.0)], ids=["Brussels", "Bay of Biscay"])
def test_footprint_abroad_or_at_sea_within_the_box_of_the_hexagone_is_outside_france(lon, lat):
    found = zone(box(lon, lat, lon + 0.001, lat + 0.001), crs=4326)
    assert (found["eligible"], found["reason"]) == (None, "outside France")


def test_territory_without_its_perimeters_says_so():
    epsg, square = overseas("974")
    found = zone(square, QPV, crs=epsg)
    assert pd.isna(found["eligible"])
    assert found["reason"] == "no perimeters given for La Réunion"


def test_territory_that_has_no_qpv_is_a_known_no():
    found = zone(box(-56.2, 46.77, -56.19, 46.78), QPV, crs=4326)
    assert found[["eligible", "reason"]].tolist() == [False, "no QPV in Saint-Pierre-et-Miquelon"]


def test_part_of_a_list_is_told_in_the_note():
    assert "1 of the 1,362 perimeters of France hexagonale given" in zone(east(900, 1000))["note"]


def test_perimeter_without_an_outline_is_not_counted_as_given():
    assert "1 of the 1,362" in zone(SQUARE, layer({CODE: SQUARE, OTHER: None}))["note"]
    found = zone(SQUARE, layer({CODE: None}))
    assert found["reason"] == "no perimeters given for France hexagonale"


@pytest.mark.parametrize("shape", [Point(X, Y), shapely.LineString([(X, Y), (X + 1, Y)])])
def test_points_and_lines_are_no_footprints(shape):
    with pytest.raises(DataError, match="not a polygon"):
        vat_zone(gpd.GeoSeries([SQUARE, shape], crs=2154), QPV, on=DAY)


def test_calls_that_cannot_be_answered_are_refused():
    with pytest.raises(UsageError, match="bare shape"):
        vat_zone(SQUARE, QPV, on=DAY)
    with pytest.raises(DataError, match="no CRS"):
        vat_zone(gpd.GeoSeries([SQUARE]), QPV, on=DAY)
    with pytest.raises(DataError, match="CRS"):
        zone(SQUARE, layer({CODE: SQUARE}, crs=None))
    with pytest.raises(DataError, match=r"here is not the code[\s\S]*appears 2 times"):
        zone(SQUARE, layer({"here": SQUARE}).set_axis(["here"]).pipe(lambda one: pd.concat([one, one])))
    with pytest.raises(DataError, match="not of the 2015 geography"):
        zone(SQUARE, former=layer({OTHER: SQUARE}))
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        zone(SQUARE, on="01/03/2025")


@pytest.mark.parametrize(
    "given", [[SQUARE], "qpv.gpkg", pd.DataFrame({"a": [1]}), None], ids=["list", "path", "table", "none"]
)
def test_what_is_no_frame_of_outlines_is_refused_with_the_way_out(given):
    shapes = gpd.GeoSeries([SQUARE], crs=2154)
    with pytest.raises(UsageError, match=r"read_qpv"):
        vat_zone(shapes, given, on=DAY)
    with pytest.raises(UsageError, match=r"read_qpv"):
        vat_zone(given, QPV, on=DAY)


def test_all_that_is_no_frame_of_outlines_is_named_at_once():
    index = qg.PerimeterIndex(QPV)
    with pytest.raises(UsageError) as error:
        vat_zone([SQUARE], index, former="former.gpkg", on=DAY)
    assert error.value.problems == (
        "`footprints` is a list",
        "`qpv` is a PerimeterIndex",
        "`former` is a str",
    )


def test_outline_that_crosses_itself_counts_as_what_it_encloses():
    eight = Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
    assert zone(eight)["zone"] == "in QPV"


def test_index_order_and_duplicates_are_kept():
    shapes = gpd.GeoDataFrame(
        {"name": list("cab")}, geometry=[east(400, 500), None, SQUARE], index=["b", "a", "b"], crs=2154
    )
    found = vat_zone(shapes, QPV, npnru=(), on=DAY)
    assert found.index.tolist() == ["b", "a", "b"]
    assert found["eligible"].tolist() == [False, pd.NA, True]


def test_no_footprint_and_no_perimeter_give_empty_and_open_answers():
    assert vat_zone(gpd.GeoSeries([], crs=2154), QPV, on=DAY).empty
    assert zone(SQUARE, QPV.iloc[:0])["reason"] == "no perimeters given for France hexagonale"


def test_answer_says_that_it_is_indicative_and_where_it_comes_from():
    found = vat_zone(gpd.GeoSeries([SQUARE], crs=2154), QPV, npnru=(), on=DAY)
    about = found.attrs["qpvgeo"]
    assert found["note"].str.startswith(INDICATIVE).all()
    assert about["indicative"] == INDICATIVE
    assert about["on"] == DAY
    assert {rule["id"] for rule in about["rules"]} >= {"in-qpv-2020", "npnru-2024"}


def test_former_perimeters_that_are_not_used_are_told():
    found = vat_zone(gpd.GeoSeries([SQUARE], crs=2154), QPV, on="2027-01-01", former=layer({OLD: SQUARE}))
    assert "fiscal.no_former_rule" in [getattr(note, "key", "") for note in found.attrs["qpvgeo"]["notes"]]


@settings(max_examples=40, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.floats(-700, 1700), st.floats(-700, 1700), st.floats(1, 300), st.floats(1, 300)),
        min_size=1,
        max_size=5,
    ),
    turn=st.floats(0, 90),
)
def test_plain_shapely_agrees_on_random_footprints(places, turn):
    # of a convex perimeter the corners of a footprint say all
    shapes = [shapely.affinity.rotate(at(x, y, x + w, y + h), turn) for x, y, w, h in places]
    found = vat_zone(gpd.GeoSeries(shapes, crs=2154), QPV, npnru=[CODE], former=NONE_FORMER, on=DAY)
    for shape, row in zip(shapes, found.itertuples(), strict=True):
        farthest = shapely.distance(shapely.points(shapely.get_coordinates(shape)), SQUARE).max()
        nearest = shape.distance(SQUARE)
        if min(abs(farthest - 300), abs(farthest - 500), abs(nearest - 300), farthest or 1) < 1e-3:
            continue
        inside = "in QPV" if farthest == 0 else "within 300 m" if farthest < 300 else None
        expected = inside or ("NPNRU" if farthest < 500 and nearest < 300 else None)
        assert (row.zone if isinstance(row.zone, str) else None) == expected
        assert row.nearest_m == pytest.approx(nearest, abs=1e-3)


def test_company_and_order_change_nothing():
    sample = qg.sample()
    shapes = gpd.read_file(sample.footprints)
    qpv = qg.read_qpv(sample.qpv_2024)
    whole = vat_zone(shapes, qpv, npnru=(), on=DAY)
    assert_frame_equal(vat_zone(shapes[::-1], qpv[::-1], npnru=(), on=DAY)[::-1], whole)
    assert_frame_equal(vat_zone(shapes[5:9], qpv, npnru=(), on=DAY), whole[5:9])


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_qpv_equally_near_the_reason_names_the_lower_code(order):
    both = layer({OTHER: at(1400, 0, 2400, 1000), CODE: SQUARE})[::order]
    shape = at(1100, 400, 1300, 2000)
    assert zone(shape, both)["reason"] == f"near {CODE}, and reaches beyond 300 m of it"


@pytest.mark.parametrize(("npnru", "limit"), [((), 300), ([CODE], 500)])
def test_reason_names_the_distance_of_the_widest_rule_of_the_qpv(npnru, limit):
    found = zone(at(1290, 400, 1501, 600), npnru=npnru)
    assert found["reason"] == f"near {CODE}, and reaches beyond {limit} m of it"


@pytest.mark.real
def test_distances_and_dates_agree_with_the_reference_table(reference):
    table = pd.read_csv(reference / "fiscal_distance_rules.csv")
    near, npnru, former = (row for row in table.itertuples() if row.rule.startswith("TVA"))
    rules = {row["id"]: row for row in facts.rows("fiscal_rules")}
    assert rules["near-qpv-2015"]["wholly_within_m"] == str(near.distance_m) == "300"
    assert rules["npnru-2017"]["wholly_within_m"] == str(npnru.distance_m) == "500"
    assert rules["npnru-2017"]["partly_within_m"] == str(near.distance_m)
    assert "300 m" in npnru.predicate
    assert rules["npnru-2017"]["filed_from"] in npnru.validity
    assert rules["former-300"]["filed_to"] in former.validity
    assert {rules[one]["filed_to"] for one in rules if one.startswith("former")} == {"2026-12-31"}


@pytest.mark.real
def test_list_of_conventions_published_as_flags_is_read(real_data):
    flags = gpd.read_file(real_data / "npnru" / "Paris_TVA.gpkg", layer="QPV_Fu")
    qpv = qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLE_LB93.shp")
    rings = qpv.geometry[["QP093028", "QP075001"]].buffer(310).difference(qpv.geometry[["QP093028", "QP075001"]])
    found = vat_zone(rings, qpv, npnru=flags, on="2020-06-01")
    told = flags.set_index("CODE_QP")["NPNRU"].eq("OUI").reindex(rings.index).fillna(value=False)
    expected = np.where(told, "NPNRU", "")
    assert found["zone"].where(found["zone"].eq("NPNRU"), "").tolist() == expected.tolist()


def test_days_for_which_the_lists_are_not_fully_known_are_told():
    series = gpd.GeoSeries([SQUARE], crs=2154)
    notes = {on: vat_zone(series, QPV, npnru=(), on=on).attrs["qpvgeo"]["notes"] for on in (DAY, "2027-03-01")}
    assert [note.key for note in notes[DAY]] == ["fiscal.law_not_checked"]
    assert "the release of 2026-01-15" in notes["2027-03-01"][2]
    with pytest.raises(UsageError, match="NaT is not a day"):
        vat_zone(series, QPV, npnru=(), on=pd.NaT)


def test_frames_without_an_active_geometry_are_refused_all_together():
    bare = gpd.GeoDataFrame({"place": [SQUARE]})
    with pytest.raises(UsageError, match=r"`footprints` has no active geometry[\s\S]*`qpv` has no active geometry"):
        vat_zone(bare, bare, npnru=(), on=DAY)


LISTED, UNLISTED = "QP059014", "QP059013"


def test_the_held_list_is_taken_by_default_with_its_caveat():
    before = {"qpv": layer({LISTED: SQUARE}), "on": "2019-06-01"}
    found = vat_zone(gpd.GeoSeries([east(200, 400)], crs=2154), **before).iloc[0]
    assert found["eligible"]
    assert found["zone"] == "NPNRU"
    assert Note("policy.held_npnru") in found["note"]
    # the caller's own list wins
    own = vat_zone(gpd.GeoSeries([east(200, 400)], crs=2154), npnru=[UNLISTED], **before).iloc[0]
    assert not own["eligible"]
    assert Note("policy.held_npnru") not in own["note"]


def test_of_qpv_that_it_does_not_name_the_held_list_says_nothing():
    for code, on in ((UNLISTED, "2019-06-01"), (CODE, DAY)):
        found = vat_zone(gpd.GeoSeries([east(200, 400)], crs=2154), layer({code: SQUARE}), on=on).iloc[0]
        assert pd.isna(found["eligible"])


def test_the_list_carried_to_2024_is_one_of_conventions():
    joined = pd.DataFrame(
        {"qpv_code": [CODE, OTHER, OTHER], "programme": ["npnru", "pic", "npnru"], "share": [0.8, 1.0, 0.01]}
    )
    assert zone(east(200, 400), npnru=joined)["zone"] == "NPNRU"
    assert not zone(east(200, 400), layer({OTHER: SQUARE}), npnru=joined)["eligible"]
