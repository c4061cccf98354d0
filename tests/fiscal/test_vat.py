"""Reduced VAT: each clause and both sides of each threshold by hand, dates and territories."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, affinity, box
from tests.builders import refused
from tests.fiscal.footprints import (
    CODE,
    DAY,
    FAR_OFF,
    OLD,
    OTHER,
    PLACES,
    QPV,
    SQUARE,
    A,
    B,
    at,
    east,
    layer,
    overseas,
    zone,
)

from qpvgeo import facts
from qpvgeo.errors import DataError, UsageError
from qpvgeo.fiscal.vat import ZONE_COLUMNS, vat_zone
from qpvgeo.fiscal.vat_rules import regime_of


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
