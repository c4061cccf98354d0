"""Reduced VAT: each clause and both sides of each threshold by hand, dates, territories, what is not known."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely import MultiPolygon, Point, Polygon, affinity, box
from tests.builders import refused

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.fiscal.vat import INDICATIVE, ZONE_COLUMNS, vat_zone
from qpvgeo.fiscal.vat_rules import regime_of
from qpvgeo.language import Note

X, Y = 700_000, 7_050_000  # near Lille
DAY = "2025-03-01"
CODE, OTHER, OLD = "QN05901N", "QN05902N", "QP059001"
A, B = "CGI 278 sexies III 2° a", "CGI 278 sexies III 2° b"


def at(west, south, east, north):
    return box(X + west, Y + south, X + east, Y + north)


SQUARE = at(0, 0, 1000, 1000)
FAR_OFF = at(20_000, 0, 21_000, 1000)


def layer(shapes, crs=2154):
    """Perimeters by code."""
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=crs)


QPV = layer({CODE: SQUARE})
NONE_FORMER = layer({OLD: SQUARE}).iloc[:0]


def east(nearest, farthest):
    """Footprint east of the square, from one distance to the other."""
    return at(1000 + nearest, 400, 1000 + farthest, 450)


def zone(shape, qpv=QPV, *, npnru=(), on=DAY, **options):
    """Answer for one footprint; unless told, no former QPV is near."""
    series = gpd.GeoSeries([shape], crs=options.pop("crs", 2154))
    found = vat_zone(series, qpv, npnru=npnru, on=on, **{"former": NONE_FORMER} | options).iloc[0].copy()
    found["eligible"] = None if pd.isna(found["eligible"]) else bool(found["eligible"])
    return found


def test_columns_are_those_announced():
    assert tuple(zone(SQUARE).index) == ZONE_COLUMNS


@pytest.mark.parametrize(("on", "code"), [("2020-03-01", OLD), (DAY, CODE)])
def test_of_several_geographies_each_day_takes_its_own(on, code):
    both = [layer({OLD: SQUARE}), QPV.to_crs(4326)]
    for frames in (both, both[::-1]):
        found = zone(east(0, 100), frames, on=on)
        assert (found["zone"], found["qpv_code"]) == ("within 300 m", code)


def test_two_releases_joined_are_refused_and_work_as_a_list():
    fuller = layer({CODE: SQUARE, OTHER: FAR_OFF})
    error = refused(lambda: zone(east(0, 100), pd.concat([QPV, fuller])), "fiscal.no_perimeters_by_code", DataError)
    assert (error.problems[0].values["label"], error.way_out.key) == (CODE, "fiscal.releases_as_a_list")
    assert zone(east(0, 100), [QPV, fuller])["qpv_code"] == CODE


def test_of_two_releases_of_one_list_the_fuller_is_taken():
    fuller = layer({CODE: SQUARE, OTHER: FAR_OFF})
    for frames in ([QPV, fuller], [fuller, QPV]):
        assert zone(at(20_100, 100, 20_200, 200), frames)["qpv_code"] == OTHER


@pytest.mark.parametrize(("on", "code"), [("2025-03-01", "QN97601N"), ("2026-02-01", "QN97601C")])
def test_of_two_releases_mayotte_takes_the_one_of_the_day(on, code):
    square = shapely.box(520_000, 8_590_000, 521_000, 8_591_000)
    releases = [layer({"QN97601N": square}, 4471), layer({"QN97601C": square}, 4471)]
    assert zone(square, releases, on=on, crs=4471)["qpv_code"] == code


def test_several_geographies_of_which_none_is_in_force_are_refused():
    with pytest.raises(DataError) as caught:
        zone(SQUARE, [layer({OLD: SQUARE})], on=DAY)
    assert caught.value.key == "fiscal.not_in_force"
    for wrong in ([], [QPV, 3], "QN05901N"):
        with pytest.raises(UsageError):
            zone(SQUARE, wrong)


def test_table_of_rules_has_the_shape_that_the_code_reads():
    for row in facts.rows("fiscal_rules"):
        assert row["perimeters"] in {"in force", "former"}
        assert row["convention_by"] in {"", "filing", "2023-12-31"}
        assert 0 <= float(row["wholly_within_m"]) <= 500
        assert row["filed_from"] <= row["checked_until"] <= (row["filed_to"] or "9999")
        assert not row["partly_within_m"] or float(row["partly_within_m"]) < float(row["wholly_within_m"])
        assert dt.date.fromisoformat(row["filed_from"]) < dt.date.fromisoformat(row["filed_to"] or "9999-12-31")
        assert row["reference"].startswith("CGI 278 sexies")
    assert len({row["id"] for row in facts.rows("fiscal_rules")}) == len(facts.rows("fiscal_rules"))


def test_territories_where_vat_differs_are_overseas_and_have_qpv():
    held = [row["territory"] for row in facts.rows("vat_territories")]
    assert held == [code for code in facts.geography(DAY).index if code != "hexagone"]


@given(day=st.dates(dt.date(2015, 1, 1), dt.date(2030, 12, 31)))
def test_no_two_rules_of_a_kind_hold_on_a_day(day):
    on = day.isoformat()
    rows = [row for row in facts.rows("fiscal_rules") if row["filed_from"] <= on <= (row["filed_to"] or "9999")]
    kinds = [(row["perimeters"], row["wholly_within_m"]) for row in rows]
    assert len(kinds) == len(set(kinds))
    assert {("in force", "0"), ("in force", "300")} <= set(kinds)


@pytest.mark.parametrize(
    "shape", [at(100, 100, 200, 200), SQUARE, at(0, 0, 10, 10)], ids=["middle", "whole", "on the limit"]
)
def test_wholly_inside_is_in_the_qpv(shape):
    found = zone(shape)
    assert found[["eligible", "zone", "case", "qpv_code"]].tolist() == [True, "in QPV", A, CODE]
    assert found[["nearest_m", "farthest_m", "limit_m"]].tolist() == [0.0, 0.0, 0.0]
    assert pd.isna(found["reason"])


def test_a_millimetre_outside_is_no_more_in_the_qpv():
    assert zone(at(900, 400, 1000.001, 450))[["zone", "farthest_m"]].tolist() == ["within 300 m", 0.001]


@pytest.mark.parametrize("nearest", [-100, 0, 0.001, 150, 299])
@pytest.mark.parametrize(
    ("farthest", "expected"), [(299.999, "within 300 m"), (300, "within 300 m"), (300.001, None), (400, None)]
)
def test_both_sides_of_wholly_within_300_m(nearest, farthest, expected):
    found = zone(east(nearest, farthest))
    assert found["eligible"] == (expected is not None)
    assert found["nearest_m"] == max(nearest, 0)
    if expected:
        assert found[["zone", "case", "limit_m", "farthest_m"]].tolist() == [expected, A, 300.0, farthest]
    else:
        assert found[["zone", "case", "qpv_code", "farthest_m", "limit_m"]].isna().all()


@pytest.mark.parametrize(
    ("nearest", "farthest", "eligible"),
    [
        (299.999, 499.999, True),
        (300, 500, True),
        (299.999, 500.001, False),
        (300.001, 499.999, False),
        (300.001, 310, False),
        (-50, 499.999, True),  # crosses the limit
        (-50, 500.001, False),
        (299.9, 300.001, True),
    ],
)
def test_both_sides_of_the_two_thresholds_of_npnru(nearest, farthest, eligible):
    found = zone(east(nearest, farthest), npnru=[CODE])
    assert found["eligible"] == eligible
    if eligible:
        assert found[["zone", "case", "qpv_code"]].tolist() == ["NPNRU", B, CODE]
        assert found[["limit_m", "partly_within_m", "farthest_m"]].tolist() == [500.0, 300.0, farthest]


def test_npnru_is_not_a_buffer_of_500_m():
    assert not zone(east(320, 480), npnru=[CODE])["eligible"]


def test_wholly_within_300_m_comes_before_npnru():
    assert zone(east(10, 200), npnru=[CODE])["case"] == A


def test_convention_of_another_qpv_does_not_help():
    assert not zone(east(100, 400), npnru=[OTHER])["eligible"]


def test_corner_that_a_buffer_polygon_would_miss_is_within_300_m():
    # off the corner of the square, between two corners of a buffer of 8 segments a quadrant
    angle = np.pi / 32
    shape = at(1000, 1000, 1000 + 299.9 * np.cos(angle), 1000 + 299.9 * np.sin(angle))
    assert not SQUARE.buffer(300, quad_segs=8).covers(shape)
    assert zone(shape)[["zone", "farthest_m"]].tolist() == ["within 300 m", 299.9]


def test_box_around_the_buffer_does_not_count_at_a_corner():
    reach = 300.1 / np.sqrt(2)
    assert not zone(at(1000, 1000, 1000 + reach, 1000 + reach))["eligible"]


def test_wall_between_the_arms_of_a_concave_qpv_is_farther_than_its_corners():
    def horseshoe(width):
        return at(-10, 0, width + 10, 1000).difference(at(0, 10, width, 1000))

    assert zone(at(0, 800, 600, 820), layer({CODE: horseshoe(600)}))["farthest_m"] == 300.0
    assert not zone(at(0, 800, 600.01, 820), layer({CODE: horseshoe(600.01)}))["eligible"]
    assert zone(at(0, 800, 600.01, 820), layer({CODE: horseshoe(600.01)}))["nearest_m"] == 0


def test_court_of_a_qpv_is_judged_by_its_middle():
    court = at(0, 0, 900, 900).difference(at(100, 100, 800, 800))
    found = zone(at(100, 100, 800, 800), layer({CODE: court}), npnru=[CODE])
    assert found[["zone", "farthest_m"]].tolist() == ["NPNRU", 350.0]


def test_two_parts_of_one_qpv_count_together():
    parts = MultiPolygon([at(0, 0, 100, 100), at(600, 0, 700, 100)])
    assert zone(at(100, 20, 600, 40), layer({CODE: parts}))[["zone", "farthest_m"]].tolist()[0] == "within 300 m"


def test_two_qpv_do_not_help_each_other():
    found = zone(at(100, 20, 600, 40), layer({CODE: at(0, 0, 100, 100), OTHER: at(600, 0, 700, 100)}))
    assert not found["eligible"]


def test_buildings_of_a_group_count_together():
    assert not zone(MultiPolygon([east(10, 20), east(310, 320)]))["eligible"]


def test_group_that_crosses_the_limit_and_goes_far_is_told_to_look_at_its_buildings():
    found = zone(east(-100, 350))
    assert (
        found["reason"] == f"on the limit of {CODE}, and reaches beyond 300 m of it: look at its buildings one by one"
    )


@pytest.mark.parametrize(
    ("nearest", "reason"),
    [(200, f"near {CODE}, and reaches beyond 300 m of it"), (310, "farther than 300 m from every QPV given")],
)
def test_no_says_why(nearest, reason):
    assert zone(east(nearest, 400))["reason"] == reason


def test_of_several_qpv_the_strongest_rule_then_the_least_stray_then_the_lower_code_is_named():
    twin = at(1200, 0, 2200, 1000)
    both = layer({OTHER: twin, CODE: SQUARE})
    assert zone(at(1250, 0, 1280, 10), both)["qpv_code"] == OTHER
    assert zone(at(1050, 0, 1080, 10), both)["qpv_code"] == CODE
    assert zone(at(1090, 0, 1110, 10), both)["qpv_code"] == CODE  # 110 m from each


@pytest.mark.parametrize(
    ("on", "vintage_code", "case"),
    [
        ("2016-12-31", OLD, None),
        ("2017-01-01", OLD, "CGI 278 sexies I 11 bis"),
        ("2019-12-31", OLD, "CGI 278 sexies I 11 bis"),
        ("2020-01-01", OLD, B),
        ("2023-12-31", OLD, B),
        ("2024-01-01", CODE, B),
    ],
)
def test_npnru_holds_for_permits_filed_from_2017(on, vintage_code, case):
    found = zone(east(200, 400), layer({vintage_code: SQUARE}), npnru=[vintage_code], on=on)
    assert found["eligible"] == (case is not None)
    assert found["case"] == case or pd.isna(found["case"])


@pytest.mark.parametrize(("on", "case"), [("2015-01-01", "CGI 278 sexies I 11 bis"), ("2020-01-01", A)])
def test_300_m_hold_from_2015_under_two_numbers(on, case):
    assert zone(east(10, 20), layer({OLD: SQUARE}), on=on)["case"] == case


def test_before_2015_there_is_no_rule():
    with pytest.raises(UsageError, match="There was no QPV on 2014-12-31"):
        zone(SQUARE, on="2014-12-31")


@pytest.mark.parametrize("on", [dt.date(2025, 3, 1), pd.Timestamp(DAY), DAY])
def test_day_may_be_a_date_or_text(on):
    assert zone(SQUARE, on=on)["zone"] == "in QPV"


def former_case(shape, on=DAY, npnru=(OLD, OTHER), qpv=None):
    qpv = layer({CODE: FAR_OFF}) if qpv is None else qpv
    return zone(shape, qpv, npnru=list(npnru), on=on, former=layer({OLD: SQUARE}))


@pytest.mark.parametrize(
    ("nearest", "farthest", "case"),
    [
        (-500, -400, "CGI 278 sexies B with III 2° a"),
        (100, 299.999, "CGI 278 sexies B with III 2° a"),
        (100, 300.001, "CGI 278 sexies B with III 2° b"),
        (299.999, 499.999, "CGI 278 sexies B with III 2° b"),
        (300.001, 499.999, None),
        (299.999, 500.001, None),
    ],
)
def test_both_sides_of_the_thresholds_of_a_former_qpv(nearest, farthest, case):
    found = former_case(east(nearest, farthest))
    assert found["eligible"] == (case is not None)
    if case:
        assert found[["zone", "case", "qpv_code"]].tolist() == ["former QPV", case, OLD]


@pytest.mark.parametrize(("on", "eligible"), [("2024-01-01", True), ("2026-12-31", True), ("2027-01-01", False)])
def test_former_qpv_hold_until_the_end_of_2026(on, eligible):
    assert former_case(east(10, 20), on)["eligible"] == eligible


def test_before_2024_a_former_qpv_is_one_in_force():
    found = zone(east(10, 20), layer({OLD: SQUARE}), on="2023-12-31", former=layer({OLD: SQUARE}))
    assert found[["zone", "qpv_code"]].tolist() == ["within 300 m", OLD]


def test_former_qpv_without_a_convention_does_not_count():
    assert not former_case(east(10, 20), npnru=["QP059002"])["eligible"]


@pytest.mark.parametrize("npnru", [None, [CODE]])
def test_former_qpv_whose_convention_is_not_known_leaves_it_open(npnru):
    found = zone(east(10, 20), layer({CODE: FAR_OFF}), npnru=npnru, former=layer({OLD: SQUARE}))
    assert pd.isna(found["eligible"])
    assert found["reason"] == f"whether {OLD} has an NPNRU convention is not known"


@pytest.mark.parametrize(("signed", "eligible"), [("2023-12-31", True), ("2024-01-01", False), (None, None)])
def test_convention_of_a_former_qpv_was_signed_by_the_end_of_2023(signed, eligible):
    table = pd.DataFrame({"code_qp": [OLD, CODE], "date_convention": [signed, "2020-01-01"]})
    found = zone(east(10, 20), layer({CODE: FAR_OFF}), npnru=table, former=layer({OLD: SQUARE}))
    assert found["eligible"] == eligible


@pytest.mark.parametrize(("signed", "eligible"), [(DAY, True), ("2025-03-02", False)])
def test_convention_signed_after_the_filing_does_not_count(signed, eligible):
    table = pd.DataFrame({"code_qp": [CODE], "date_convention": [signed]})
    assert zone(east(10, 400), npnru=table)["eligible"] == eligible


@pytest.mark.parametrize(
    ("days", "eligible"),
    [
        ([None], None),
        ([""], None),
        (["2025-06-01", None], None),
        ([None, "2025-01-01"], True),
        (["2025-06-01", "2025-01-01"], True),
        (["2025-06-01", "2025-07-01"], False),
    ],
)
def test_convention_whose_day_lacks_leaves_it_open_unless_another_day_tells(days, eligible):
    found = zone(east(10, 450), npnru=pd.DataFrame({"code_qp": [CODE] * len(days), "date_convention": days}))
    assert found["eligible"] is eligible
    if eligible is None:
        assert found["reason"] == f"when the NPNRU convention of {CODE} was signed is not known"


@pytest.mark.parametrize(
    "npnru",
    [pd.Series({CODE: False}), pd.Series({CODE: True}), pd.DataFrame({"code_qp": [CODE], "NPNRU": ["NON"]})],
    ids=["no", "yes", "table"],
)
def test_no_to_the_present_qpv_says_nothing_of_the_former_ones(npnru):
    far = layer({CODE: FAR_OFF})
    found = zone(east(10, 60), far, npnru=npnru, former=layer({OLD: SQUARE}))
    assert found[["eligible", "reason"]].tolist() == [None, f"whether {OLD} has an NPNRU convention is not known"]
    lacking = zone(east(10, 60), far, npnru=npnru, former=None)
    why = "meets no rule of the QPV given, and the former QPV were not given"
    assert lacking[["eligible", "reason"]].tolist() == [None, why]
    assert "rule of former QPV not evaluated" in lacking["note"]


def test_no_to_the_former_qpv_says_that_none_counts():
    npnru = pd.Series({CODE: False, OLD: False})
    for former in (layer({OLD: SQUARE}), None):
        assert zone(east(10, 60), layer({CODE: FAR_OFF}), npnru=npnru, former=former)["eligible"] is False


def test_present_qpv_comes_before_a_former_one():
    assert former_case(east(10, 20), qpv=layer({CODE: at(900, 0, 2000, 1000)}))["zone"] == "in QPV"


@pytest.mark.parametrize(("overlap", "known"), [(5, True), (20, False)])
def test_former_qpv_under_a_present_one_may_have_been_continued(overlap, known):
    present = layer({CODE: at(-1000, 0, overlap, 1000)})
    found = former_case(at(900, 0, 950, 10), qpv=present)
    assert found["eligible"] is True if known else pd.isna(found["eligible"])
    if not known:
        assert found["reason"] == f"{OLD} still overlaps {CODE}: continued, or former?"


def test_former_qpv_that_were_not_given_leave_it_open_while_their_rule_holds():
    assert pd.isna(zone(east(900, 1000), npnru=[CODE], former=None)["eligible"])
    assert zone(east(900, 1000), npnru=[CODE])["eligible"] is False
    assert (
        zone(east(900, 1000), npnru=[], former=None)["eligible"] is False
    )  # no convention at all: no former QPV can count
    assert zone(east(900, 1000), npnru=[CODE], former=None, on="2027-01-01")["eligible"] is False


def test_without_the_conventions_the_npnru_rule_is_open_only_where_it_could_hold():
    near, beyond = (zone(east(*pair), npnru=None) for pair in ((200, 400), (200, 600)))
    assert pd.isna(near["eligible"])
    assert pd.isna(near["zone"])
    assert near["reason"] == f"whether {CODE} has an NPNRU convention is not known"
    assert "NPNRU rule not evaluated" in near["note"]
    assert beyond["eligible"] is False


def test_conventions_of_the_other_geography_say_nothing():
    found = zone(east(200, 400), npnru=[OLD])
    assert pd.isna(found["eligible"])
    assert "no code of 2024" in found["note"]


@pytest.mark.parametrize(
    "npnru",
    [
        (code for code in [CODE]),
        pd.Series([CODE]),
        pd.Series([True, False], index=[CODE, OTHER]),
        pd.DataFrame({"code_qp": [CODE.lower() + " "]}),
        pd.DataFrame({"name": ["here"]}, index=[CODE]),
        pd.DataFrame({"CODE_QP": [CODE, OTHER], "NPNRU": ["OUI", None]}),
    ],
    ids=["iterable", "series", "flags", "column", "index", "oui"],
)
def test_conventions_may_come_in_several_forms(npnru):
    assert zone(east(200, 400), npnru=npnru)["zone"] == "NPNRU"


def test_flag_that_is_not_set_is_no_convention():
    table = pd.DataFrame({"CODE_QP": [CODE, OTHER], "NPNRU": [None, "OUI"]})
    assert zone(east(200, 400), npnru=table)["eligible"] is False


def test_what_is_no_list_of_conventions_is_refused():
    with pytest.raises(UsageError, match="single text"):
        zone(SQUARE, npnru=CODE)
    with pytest.raises(DataError, match="no valid qpv code"):
        zone(SQUARE, npnru=["nowhere"])
    with pytest.raises(DataError, match="date_convention"):
        zone(SQUARE, npnru=pd.DataFrame({"code_qp": [CODE], "date_convention": ["soon"]}))
    with pytest.raises(DataError, match="neither True nor False"):
        zone(SQUARE, npnru=pd.Series([True, None], index=[CODE, OTHER], dtype="boolean"))


@pytest.mark.parametrize(("on", "code"), [("2023-12-31", CODE), ("2024-01-01", OLD)])
def test_perimeters_that_were_not_in_force_are_refused(on, code):
    with pytest.raises(DataError, match=rf"not in force on {on}[\s\S]*{code}"):
        zone(SQUARE, layer({code: SQUARE}), on=on)


PLACES = {
    "971": ("97101", 16.24, -61.53),
    "972": ("97201", 14.61, -61.07),
    "973": ("97301", 4.92, -52.32),
    "974": ("97401", -20.9, 55.46),
    "976": ("97601", -12.79, 45.22),
    "978": ("97801", 18.07, -63.08),
    "987": ("98701", -17.56, -149.58),
}


def overseas(territory):
    """Legal projection and a square of 1 km there."""
    _, latitude, longitude = PLACES[territory]
    epsg = territories.get(territory).epsg
    x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(longitude, latitude)
    return epsg, box(round(x), round(y), round(x) + 1000, round(y) + 1000)


@pytest.mark.parametrize("territory", PLACES)
@pytest.mark.parametrize(("farthest", "near"), [(299.999, True), (300.001, False)])
def test_metres_overseas_are_those_of_the_legal_projection(territory, farthest, near):
    epsg, square = overseas(territory)
    corner = square.bounds[2]
    shape = box(corner + 100, square.bounds[1], corner + farthest, square.bounds[1] + 10)
    qpv = layer({f"QN{PLACES[territory][0]}M": square}, crs=epsg)
    assert (zone(shape, qpv, crs=epsg)["zone"] == "within 300 m") == near
    # in degrees, and in a projection of elsewhere
    degrees = gpd.GeoSeries([shape], crs=epsg).to_crs(4326).iloc[0]
    assert (zone(degrees, qpv.to_crs(4326), crs=4326)["zone"] == "within 300 m") == near


@pytest.mark.parametrize(
    ("territory", "words"), [("973", "VAT is not levied in Guyane (CGI 294)"), ("974", "% in La Réunion (CGI 296)")]
)
def test_note_tells_what_vat_is_overseas(territory, words):
    epsg, square = overseas(territory)
    found = zone(square, layer({f"QN{PLACES[territory][0]}M": square}, crs=epsg), crs=epsg)
    assert found["zone"] == "in QPV"
    assert words in found["note"]


@pytest.mark.parametrize("territory", ["973", "976", "978", "987"])
def test_where_vat_is_not_levied_nothing_is_eligible_whatever_its_zone(territory):
    epsg, square = overseas(territory)
    qpv = layer({f"QN{PLACES[territory][0]}M": square}, crs=epsg)
    inside, beyond = (zone(shape, qpv, crs=epsg) for shape in (square, affinity.translate(square, 5000)))
    assert [inside["eligible"], beyond["eligible"]] == [False, False]
    assert [inside["zone"], inside["farthest_m"]] == ["in QPV", 0.0]
    assert inside["reason"] == beyond["reason"] == regime_of(territory)
    # nothing need be known of the list
    assert zone(square, QPV.to_crs(epsg), crs=epsg, on="2030-01-01")["eligible"] is False


@pytest.mark.parametrize(("on", "doubted"), [("2024-12-31", False), ("2025-01-01", True)])
def test_law_is_doubted_beyond_the_day_to_which_it_was_checked(on, doubted):
    found = vat_zone(gpd.GeoSeries([SQUARE], crs=2154), QPV, npnru=(), on=on)
    keys = [note.key for note in found.attrs["qpvgeo"]["notes"]]
    assert ("fiscal.law_not_checked" in keys) == doubted
    assert ("2024-12-31" in found["note"].iloc[0]) == doubted
    assert found["eligible"].tolist() == [True]


def test_end_of_the_rule_on_former_qpv_comes_first():
    notes = vat_zone(gpd.GeoSeries([SQUARE], crs=2154), QPV, npnru=(), on="2027-01-01").attrs["qpvgeo"]["notes"]
    assert notes[0].key == "fiscal.former_ended"
    assert notes[0].values == {"ended": "2026-12-31", "on": "2027-01-01"}


@pytest.mark.parametrize(("on", "eligible"), [("2024-01-01", None), ("2024-03-31", None), ("2024-04-01", False)])
def test_between_two_contracts_what_meets_no_rule_is_open(on, eligible):
    assert zone(east(400, 500), on=on)["eligible"] is eligible
    assert zone(SQUARE, on=on)["eligible"] is True


def test_perimeters_of_territories_without_a_footprint_are_not_judged():
    epsg, square = overseas("974")
    away = layer({"QN97401M": square}, crs=epsg).to_crs(2154)
    both = pd.concat([QPV, away])
    found = zone(SQUARE, both, on="2024-06-01")
    assert (found["eligible"], found["zone"]) == (True, "in QPV")
    series = pd.concat([gpd.GeoSeries([SQUARE], crs=2154), gpd.GeoSeries([square], crs=epsg).to_crs(2154)])
    error = refused(lambda: vat_zone(series, both, npnru=(), on="2024-06-01"), "fiscal.not_in_force", DataError)
    assert [problem.key for problem in error.problems] == ["fiscal.other_list"]


@pytest.mark.parametrize(("on", "code"), [("2024-12-31", "QP974001"), ("2025-01-01", "QN97401M")])
def test_during_2024_the_two_geographies_stand_side_by_side(on, code):
    epsg, square = overseas("974")
    assert zone(square, layer({code: square}, crs=epsg), crs=epsg, on=on)["qpv_code"] == code
    wrong = {"QP974001": "QN97401M", "QN97401M": "QP974001"}[code]
    with pytest.raises(DataError, match="La Réunion: 1 are not of the"):
        zone(square, layer({wrong: square}, crs=epsg), crs=epsg, on=on)


def test_qpv_overseas_that_was_still_one_in_2024_is_no_former_one():
    epsg, square = overseas("974")
    former = layer({"QP974001": square}, crs=epsg)
    away = shapely.affinity.translate(square, 10_000)
    options = {"npnru": ["QP974001"], "former": former, "crs": epsg}
    found = zone(square, layer({"QP974002": away}, crs=epsg), on="2024-06-30", **options)
    assert found["eligible"] is False
    found = zone(square, layer({"QN97401M": away}, crs=epsg), on="2025-06-30", **options)
    assert found["zone"] == "former QPV"


def test_list_of_mayotte_whose_first_day_is_not_known_is_refused_before_its_release():
    epsg, square = overseas("976")
    with pytest.raises(DataError, match=r"release 2025\), the last whose days are established, the first QN97651C"):
        zone(square, layer({"QN97651C": square}, crs=epsg), crs=epsg, on="2026-01-05")


@pytest.mark.parametrize(("on", "code"), [("2026-01-14", "QN97601M"), ("2026-01-15", "QN97651C")])
def test_mayotte_has_two_lists_of_the_same_geography(on, code):
    epsg, square = overseas("976")
    assert zone(square, layer({code: square}, crs=epsg), crs=epsg, on=on)["zone"] == "in QPV"
    wrong = {"QN97601M": "QN97651C", "QN97651C": "QN97601M"}[code]
    with pytest.raises(DataError, match="Mayotte"):
        zone(square, layer({wrong: square}, crs=epsg), crs=epsg, on=on)


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
"""QPV of 2015 in the held list of NPNRU projects, and one that is not."""


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
