"""Tables by QPV moved between geographies: squares by hand, the sample, and the populations of 2013 there and back."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.apportionment import unplaced
from qpvgeo.geographies.conversion import convert
from qpvgeo.geographies.crosswalk_table import crosswalk

X, Y = 700_000.0, 6_600_000.0


def square(x, y, width=400):
    return shapely.box(X + x, Y + y, X + x + width, Y + y + 400)


def layer(**shapes):
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=2154)


@pytest.fixture
def walk():
    """Half of QP001001 ended; the other half and QP001002 became QN00101M, which has as much ground again."""
    before = layer(QP001001=square(0, 0), QP001002=square(400, 0, 200))
    return crosswalk(before, layer(QN00101M=square(200, 0, 800), QN00102N=square(9_000, 0)))


def test_codes_say_which_way_to_go(walk):
    there = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), walk)
    assert there["people"].to_dict() == {"QN00101M": 80, "QN00102N": None}
    assert unplaced(there)[["code_from", "value", "share"]].to_numpy().tolist() == [["QP001001", 50, 0.5]]
    back = convert(pd.Series({"QN00101M": 80.0, "QN00102N": 7.0}, name="people"), walk)
    assert back["people"].to_dict() == {"QP001001": 20, "QP001002": 20}
    assert unplaced(back)[["code_from", "value"]].to_numpy().tolist() == [["QN00101M", 40], ["QN00102N", 7]]


def test_answer_says_how_much_of_each_perimeter_it_is_about(walk):
    there = convert(pd.Series({"QP001001": 100, "QP001002": 30}), walk)
    assert there["covered_share"].to_dict() == {"QN00101M": 0.5, "QN00102N": 0.0}


def test_what_was_converted_is_of_the_covered_part_and_nothing_of_it_is_lost_on_the_way_back(walk):
    there = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), walk)
    back = convert(there, walk, of="covered")
    assert back["people"].to_dict() == {"QP001001": 40, "QP001002": 40}
    assert unplaced(back).empty
    assert unplaced(convert(there, walk, of="whole"))["value"].tolist() == [40]
    # nothing is remembered: a plain table of the same values gives the same answers
    plain = pd.DataFrame(there.to_dict())
    pd.testing.assert_frame_equal(convert(plain, walk, of="covered"), back, check_dtype=False)


def test_table_that_was_converted_must_say_what_its_values_are_of(walk):
    there = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), walk)
    refused(lambda: convert(there, walk), "geographies.converted_of_what", UsageError)
    refused(lambda: convert(there, walk, of="all"), "geographies.no_such_support", UsageError)


def test_rate_and_category(walk):
    rates = pd.Series({"QP001001": 0.4, "QP001002": 0.1})
    people = pd.Series({"QP001001": 100, "QP001002": 50})
    assert convert(rates, walk, kind="rate", denominators=people)["value"]["QN00101M"] == pytest.approx(0.25)
    kinds = pd.Series({"QP001001": "tower", "QP001002": "house"})
    assert convert(kinds, walk, kind="category")["value"].isna().all()  # a tie, and a new one


def test_people_of_the_grid_share_out_before_ground(walk):
    weighed = walk.assign(population=[30.0, 10.0, 90.0, 5.0, 5.0])
    weighed["population_from_share"] = [0.25, 1.0, 0.75, np.nan, np.nan]
    weighed["population_to_share"] = [0.6, 0.2, np.nan, 0.2, np.nan]
    people = pd.Series({"QP001001": 100, "QP001002": 30}, name="people")
    assert convert(people, weighed)["people"]["QN00101M"] == 55
    assert convert(people, weighed).attrs["qpvgeo"]["basis"] == "population"
    assert convert(people, weighed, by="area_m2")["people"]["QN00101M"] == 80


def test_perimeter_that_holds_none_of_the_weight_is_shared_out_by_area_and_told():
    homes = gpd.GeoDataFrame(geometry=[square(410, 10, 2).centroid], crs=2154)
    before, after = layer(QP001001=square(0, 0), QP001002=square(400, 0, 200)), layer(QN00101M=square(200, 0, 800))
    moved = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), crosswalk(before, after, homes))
    assert moved["people"].tolist() == [80]
    assert [(note.key, note.values["codes"]) for note in moved.attrs["qpvgeo"]["notes"]] == [
        ("geographies.by_area_empty", ["QP001001"])
    ]


@pytest.fixture
def published():
    """People of 2015 alone weigh; half of QN00101M was in no perimeter."""
    before = layer(QP001001=square(0, 0, 100), QP001002=square(100, 0, 100))
    people = pd.Series({"QP001001": 900, "QP001002": 100})
    return people, crosswalk(before, layer(QN00101M=square(0, 0)), people)


def test_part_that_no_one_counted_is_told_by_area(published):
    people, walk = published
    assert convert(people, walk)["covered_share"].tolist() == [0.5]


def test_way_back_divides_by_the_people_that_are_known(published):
    people, walk = published
    back = convert(convert(people.rename("people"), walk), walk, of="covered")
    assert back["people"].to_dict() == {"QP001001": 900, "QP001002": 100}
    assert back.attrs["qpvgeo"]["notes"] == []
    whole = convert(pd.Series({"QN00101M": 100.0}), walk)
    assert whole["value"].tolist() == [25, 25]
    assert "QN00101M" in whole.attrs["qpvgeo"]["notes"][0]


def test_category_of_a_perimeter_that_holds_none_of_the_weight_goes_by_area():
    before, after = layer(a=square(0, 0, 360), b=square(360, 0, 40)), layer(c=square(0, 0))
    walk = crosswalk(before, after, gpd.GeoSeries([shapely.Point(0, 0)], crs=2154))
    moved = convert(pd.Series({"a": "tower", "b": "house"}), walk, kind="category")
    assert moved.to_numpy().tolist() == [["tower", 1.0]]


def test_what_was_converted_goes_on_to_a_third_geography_as_a_whole():
    a, b, c = layer(a=square(0, 0, 100)), layer(b=square(0, 0, 200)), layer(c=square(100, 0, 100))
    on = convert(convert(pd.Series({"a": 100}, name="people"), crosswalk(a, b)), crosswalk(b, c), of="whole")
    assert on["people"].tolist() == [50]
    assert unplaced(on)["value"].tolist() == [50]


def test_repeated_rows_of_a_crosswalk_are_refused(walk):
    people = pd.Series({"QP001001": 100, "QP001002": 30})
    error = refused(lambda: convert(people, pd.concat([walk, walk])), "geographies.passage_not_whole", DataError)
    assert error.problems[0].key == "geographies.part_twice"
    pairs = walk.dropna(subset=["code_from", "code_to"])
    error = refused(lambda: convert(people, pairs), "geographies.passage_not_whole", DataError)
    assert [problem.values for problem in error.problems] == [{"label": "QP001001", "total": 0.5}]
    # the way out: the whole frame
    assert convert(people, walk)["value"].tolist()[0] == 80


def test_crosswalk_of_version_0_1_0_is_taken(walk):
    people = pd.Series({"QP001001": 100, "QP001002": 30})
    old = walk.rename(columns={"code_from": "from", "code_to": "to"})
    pd.testing.assert_frame_equal(convert(people, old), convert(people, walk))


def test_what_is_left_over_survives_a_file(walk, tmp_path):
    there = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), walk)
    there.to_parquet(tmp_path / "there.parquet")
    pd.testing.assert_frame_equal(unplaced(pd.read_parquet(tmp_path / "there.parquet")), unplaced(there))
    refused(lambda: unplaced(pd.DataFrame()), "geographies.not_apportioned", DataError)
    assert len(pd.concat([there, there]))


def test_perimeter_without_an_outline_is_left_over():
    before = layer(a=square(0, 0), z=None)
    moved = convert(pd.Series({"a": 10, "z": 5}), crosswalk(before, layer(b=square(0, 0))))
    assert moved["value"].tolist() == [10]
    assert unplaced(moved)[["code_from", "value", "share"]].to_numpy().tolist() == [["z", 5, 1]]


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_value_that_is_infinite_is_listed(walk, value):
    error = refused(lambda: convert(pd.Series({"QP001001": value}), walk), "geographies.not_apportionable", DataError)
    assert [problem.key for problem in error.problems] == ["geographies.infinite"]


def test_values_and_crosswalk_in_the_wrong_order_are_told(walk):
    refused(lambda: convert(walk, pd.Series({"QP001001": 1})), kind=UsageError)


def test_codes_that_are_not_in_the_crosswalk_are_listed_with_what_they_are(walk):
    values = pd.Series(1, index=["QP001001", "QP001002", "QP075001", "QN00101M", "Lyon"])
    error = refused(lambda: convert(values, walk), "geographies.not_in_crosswalk", DataError)
    assert [(problem.key, problem.values["label"]) for problem in error.problems] == [
        ("geographies.code_without_perimeter", "QP075001"),
        ("geographies.code_of_the_other_vintage", "QN00101M"),
        ("geographies.not_a_qpv_code", "Lyon"),
    ]


def test_shares_that_the_crosswalk_has_not_are_refused(walk):
    refused(lambda: convert(pd.Series({"QP001001": 1}), walk, by="households"), "geographies.no_shares_by", UsageError)


def test_labels_of_both_geographies_do_not_say_which_way():
    same = layer(a=square(0, 0))
    refused(lambda: convert(pd.Series({"a": 1}), crosswalk(same, same)), "geographies.common_labels", DataError)


def test_frame_that_is_no_crosswalk_is_refused():
    refused(lambda: convert(pd.Series({"a": 1}), pd.DataFrame({"code_from": ["a"]})), kind=DataError)


def test_sample_says_that_it_is_fictional():
    sample = qg.sample()
    walk = crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    people = qg.read_population(sample.population_2015)["population"]
    assert convert(people, walk).attrs["qpvgeo"]["fictional"]


@pytest.mark.real
def test_population_of_2013_there_and_back_keeps_the_total_of_the_covered_part(real_data):
    pair = [qg.read_qpv(f"qpv-{vintage}", data=real_data) for vintage in (2015, 2024)]
    walk = crosswalk(*(qpv[qpv["territory"] == "hexagone"] for qpv in pair), tolerance_m=40)
    people = qg.read_population(real_data / "qpv2015/pop_qp_2013.csv")["population"]
    people = people[people.index.isin(walk["code_from"])]
    assert (len(people), people.sum()) == (1_296, 4_856_046)
    there = convert(people, walk)
    placed, left = float(there["population"].sum()), float(unplaced(there)["value"].sum())
    assert placed + left == pytest.approx(4_856_046, abs=1e-6)
    back = convert(there, walk, of="covered")
    assert float(back["population"].sum()) == pytest.approx(placed, abs=1e-6)
    assert unplaced(back).empty
    # by ground, for no grid of the whole country is at hand
    assert left == pytest.approx(273_150, abs=1)
