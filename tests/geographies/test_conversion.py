"""Tables by QPV moved between geographies: squares by hand, the sample, and the populations of 2013 there and back."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
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
    assert there.table["people"].to_dict() == {"QN00101M": 80, "QN00102N": None}
    assert there.unplaced[["from", "value", "share"]].to_numpy().tolist() == [["QP001001", 50, 0.5]]
    back = convert(pd.Series({"QN00101M": 80.0, "QN00102N": 7.0}, name="people"), walk)
    assert back.table["people"].to_dict() == {"QP001001": 20, "QP001002": 20}
    assert back.unplaced[["from", "value"]].to_numpy().tolist() == [["QN00101M", 40], ["QN00102N", 7]]


def test_answer_says_how_much_of_each_perimeter_it_is_about(walk):
    there = convert(pd.Series({"QP001001": 100, "QP001002": 30}), walk)
    assert there.table["covered_share"].to_dict() == {"QN00101M": 0.5, "QN00102N": 0.0}


def test_what_was_converted_is_of_the_covered_part_and_nothing_of_it_is_lost_on_the_way_back(walk):
    there = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), walk)
    back = convert(there.table, walk)
    assert back.table["people"].to_dict() == {"QP001001": 40, "QP001002": 40}
    assert back.unplaced.empty
    # once its attributes are gone, a table is taken for one of whole perimeters
    plain = pd.DataFrame(there.table.to_dict())
    assert convert(plain, walk).unplaced["value"].tolist() == [40]
    assert convert(plain, walk, of="covered").unplaced.empty


def test_rate_and_category(walk):
    rates = pd.Series({"QP001001": 0.4, "QP001002": 0.1})
    people = pd.Series({"QP001001": 100, "QP001002": 50})
    assert convert(rates, walk, kind="rate", denominators=people).table["value"]["QN00101M"] == pytest.approx(0.25)
    kinds = pd.Series({"QP001001": "tower", "QP001002": "house"})
    assert convert(kinds, walk, kind="category").table["value"].isna().all()  # a tie, and a new one


def test_people_of_the_grid_share_out_before_ground(walk):
    weighed = walk.assign(population=[30.0, 10.0, 90.0, 5.0, 5.0])
    weighed["population_from_share"] = [0.25, 1.0, 0.75, np.nan, np.nan]
    weighed["population_to_share"] = [0.6, 0.2, np.nan, 0.2, np.nan]
    people = pd.Series({"QP001001": 100, "QP001002": 30}, name="people")
    assert convert(people, weighed).table["people"]["QN00101M"] == 55
    assert convert(people, weighed).table.attrs["qpvgeo"]["basis"] == "population"
    assert convert(people, weighed, by="area_m2").table["people"]["QN00101M"] == 80


def test_perimeter_that_holds_none_of_the_weight_is_shared_out_by_area_and_told():
    homes = gpd.GeoDataFrame(geometry=[square(410, 10, 2).centroid], crs=2154)
    before, after = layer(QP001001=square(0, 0), QP001002=square(400, 0, 200)), layer(QN00101M=square(200, 0, 800))
    moved = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), crosswalk(before, after, homes))
    assert moved.table["people"].tolist() == [80]
    assert moved.table.attrs["qpvgeo"]["notes"] == [
        "1 perimeters hold nothing of the weight (points) and are shared out by area: QP001001"
    ]


@pytest.fixture
def published():
    """People of 2015 alone weigh; half of QN00101M was in no perimeter."""
    before = layer(QP001001=square(0, 0, 100), QP001002=square(100, 0, 100))
    people = pd.Series({"QP001001": 900, "QP001002": 100})
    return people, crosswalk(before, layer(QN00101M=square(0, 0)), people)


def test_part_that_no_one_counted_is_told_by_area(published):
    people, walk = published
    assert convert(people, walk).table["covered_share"].tolist() == [0.5]


def test_way_back_divides_by_the_people_that_are_known(published):
    people, walk = published
    back = convert(convert(people.rename("people"), walk).table, walk)
    assert back.table["people"].to_dict() == {"QP001001": 900, "QP001002": 100}
    assert back.table.attrs["qpvgeo"]["notes"] == []
    whole = convert(pd.Series({"QN00101M": 100.0}), walk)
    assert whole.table["value"].tolist() == [25, 25]
    assert "QN00101M" in whole.table.attrs["qpvgeo"]["notes"][0]


def test_category_of_a_perimeter_that_holds_none_of_the_weight_goes_by_area():
    before, after = layer(a=square(0, 0, 360), b=square(360, 0, 40)), layer(c=square(0, 0))
    walk = crosswalk(before, after, gpd.GeoSeries([shapely.Point(0, 0)], crs=2154))
    moved = convert(pd.Series({"a": "tower", "b": "house"}), walk, kind="category")
    assert moved.table.to_numpy().tolist() == [["tower", 1.0]]


def test_column_that_was_not_converted_is_not_taken_for_one_that_was(walk):
    table = convert(pd.Series({"QP001001": 100, "QP001002": 30}, name="people"), walk).table
    table["published"] = [200.0, 50.0]
    assert convert(table["published"], walk).unplaced["value"].tolist() == [100, 50]
    assert convert(table["people"], walk).unplaced.empty
    with pytest.raises(UsageError, match="Some of these columns were converted"):
        convert(table, walk)


def test_what_was_converted_goes_on_to_a_third_geography_as_a_whole():
    a, b, c = layer(a=square(0, 0, 100)), layer(b=square(0, 0, 200)), layer(c=square(100, 0, 100))
    there = convert(pd.Series({"a": 100}, name="people"), crosswalk(a, b)).table
    on = convert(there, crosswalk(b, c))
    assert on.table["people"].tolist() == [50]
    assert on.unplaced["value"].tolist() == [50]
    assert "taken as of whole perimeters" in on.table.attrs["qpvgeo"]["notes"][0]


def test_perimeter_without_an_outline_is_left_over():
    before = layer(a=square(0, 0), z=None)
    moved = convert(pd.Series({"a": 10, "z": 5}), crosswalk(before, layer(b=square(0, 0))))
    assert moved.table["value"].tolist() == [10]
    assert moved.unplaced[["from", "value", "share"]].to_numpy().tolist() == [["z", 5, 1]]


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_value_that_is_infinite_is_listed(walk, value):
    with pytest.raises(DataError, match="infinite"):
        convert(pd.Series({"QP001001": value}), walk)


def test_values_and_crosswalk_in_the_wrong_order_are_told(walk):
    with pytest.raises(UsageError, match="The crosswalk is a Series"):
        convert(walk, pd.Series({"QP001001": 1}))


def test_codes_that_are_not_in_the_crosswalk_are_listed_with_what_they_are(walk):
    values = pd.Series(1, index=["QP001001", "QP001002", "QP075001", "QN00101M", "Lyon"])
    with pytest.raises(DataError) as caught:
        convert(values, walk)
    assert caught.value.problems == (
        "QP075001: of the 2015 geography, and not among its perimeters",
        "QN00101M: of the other geography than the first codes (2024)",
        "Lyon: not the code of a QPV",
    )


def test_shares_that_the_crosswalk_has_not_are_refused(walk):
    with pytest.raises(UsageError, match="no shares by 'households'"):
        convert(pd.Series({"QP001001": 1}), walk, by="households")
    with pytest.raises(UsageError, match="neither 'whole' nor 'covered'"):
        convert(pd.Series({"QP001001": 1}), walk, of="all")


def test_labels_of_both_geographies_do_not_say_which_way():
    same = layer(a=square(0, 0))
    with pytest.raises(DataError, match="labels in common"):
        convert(pd.Series({"a": 1}), crosswalk(same, same))


def test_frame_that_is_no_crosswalk_is_refused():
    with pytest.raises(DataError, match="The crosswalk lacks"):
        convert(pd.Series({"a": 1}), pd.DataFrame({"from": ["a"]}))


def test_sample_says_that_it_is_fictional():
    sample = qg.sample()
    walk = crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    people = qg.read_population(sample.population_2015)["population"]
    assert convert(people, walk).table.attrs["qpvgeo"]["fictional"]


@pytest.mark.real
def test_population_of_2013_there_and_back_keeps_the_total_of_the_covered_part(real_data):
    pair = [qg.read_qpv(f"qpv-{vintage}", data=real_data) for vintage in (2015, 2024)]
    walk = crosswalk(*(qpv[qpv["territory"] == "hexagone"] for qpv in pair), tolerance_m=40)
    people = qg.read_population(real_data / "qpv2015/pop_qp_2013.csv")["population"]
    people = people[people.index.isin(walk["from"])]
    assert (len(people), people.sum()) == (1_296, 4_856_046)
    there = convert(people, walk)
    placed, left = float(there.table["population"].sum()), float(there.unplaced["value"].sum())
    assert placed + left == pytest.approx(4_856_046, abs=1e-6)
    back = convert(there.table, walk)
    assert float(back.table["population"].sum()) == pytest.approx(placed, abs=1e-6)
    assert back.unplaced.empty
    # by ground, for no grid of the whole country is at hand
    assert left == pytest.approx(273_150, abs=1)
