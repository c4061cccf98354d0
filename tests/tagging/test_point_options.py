"""Tolerances, bands, geographies and days asked of tagged points."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tests.tagging.hand_points import NEW, ONE, X, Y, layer, row, square, tag

from qpvgeo.errors import UsageError
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points_in_qpv import tag_points

# what a few perimeters of a long list do not know is tested by its name
pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")


# uncertainty


@pytest.mark.parametrize(
    ("point", "tolerance", "state"),
    [
        ((310, 150), 10, "unknown"),
        ((310.001, 150), 10, "out"),
        ((290, 150), 10, "unknown"),
        ((289.999, 150), 10, "in"),
        ((150, 150), 0, "in"),
        ((300, 150), 0, "in"),
        ((900, 150), 700, "unknown"),
        ((150, 150), [np.inf], "unknown"),
        ((150, 150), [np.nan], "unknown"),
        ((150, 150), [-1.0], "unknown"),
    ],
)
def test_point_nearer_to_a_limit_than_its_tolerance_is_unknown(point, tolerance, state):
    found = row(point, tolerance_m=tolerance)
    reason = {False: None, True: "location too coarse" if isinstance(tolerance, list) else "near the boundary"}
    assert (found["state"], found["reason"]) == (state, reason[state == "unknown"])
    assert found["qpv_code"] == ("A" if state == "in" else None)


def test_tolerance_counts_without_bands_too():
    assert tag([(310, 150)], bands=(), tolerance_m=20)["state"].tolist() == ["unknown"]


def test_tolerance_of_each_point():
    table = pd.DataFrame({"x": [X + 310] * 3, "y": [Y + 150] * 3, "metres": ["5", "20", None]})
    found = tag_points(table, ONE, xy=("x", "y"), crs=2154, tolerance_m="metres")
    assert found["reason"].astype(object).where(found["reason"].notna(), "").tolist() == [
        "",
        "near the boundary",
        "location too coarse",
    ]


def test_types_and_scores_of_the_ban_say_what_is_too_coarse():
    kinds = ["housenumber", "street", "locality", "municipality", "housenumber", None]
    table = pd.DataFrame({"x": X + 150, "y": Y + 150, "type": kinds, "score": ["0,9", "0.9", "1", "1", "0.3", "0.9"]})
    found = tag_points(table, ONE, xy=("x", "y"), crs=2154, tolerance_m="ban")
    assert found["state"].tolist() == ["in"] + ["unknown"] * 5
    assert set(found["reason"].dropna()) == {"location too coarse"}


@pytest.mark.parametrize(
    ("tolerance", "words"),
    [
        (-1, "tolerance_m=-1 is not a distance in metres"),
        (np.nan, "tolerance_m=nan is not a distance in metres"),
        (None, "tolerance_m=None is neither a distance"),
        (2_001, r"tolerance_m=2001 is more than the maximum of 2,000 m"),
        (np.inf, r"tolerance_m=inf is more than the maximum of 2,000 m"),
        ([1, 2, 3], "3 tolerances for 2 points"),
        ("metres", r"no column 'metres'\nIts columns are: x, y\."),
        ("ban", r"no column 'result_type'[\s\S]*no column 'type'\nIts columns are: x, y\."),
    ],
    ids=str,
)
def test_tolerance_that_cannot_be_used_is_a_wrong_call(tolerance, words):
    table = pd.DataFrame({"x": [X, X], "y": [Y, Y]})
    with pytest.raises(UsageError, match=words):
        tag_points(table, ONE, xy=("x", "y"), crs=2154, tolerance_m=tolerance)


@pytest.mark.parametrize("given", [["near", "5,5", "-1", None], pd.Series(["near", "5,5", "-1", None])], ids=type)
def test_tolerances_that_are_no_distance_are_too_coarse_and_counted(given):
    found = tag([(310, 150)] * 4, tolerance_m=given)
    assert found["reason"].astype(object).where(found["reason"].notna(), "").tolist() == [
        "location too coarse",
        "",
        "location too coarse",
        "location too coarse",
    ]
    notes = found.attrs["qpvgeo"]["notes"]
    assert notes == [
        "3 points have a tolerance that is not a distance (missing, negative, not a number): too coarse",
    ]


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.array, float, int], ids=str)
def test_numbers_of_numpy_are_tolerances(kind):
    assert tag([(310, 150)], tolerance_m=kind(20))["reason"].tolist() == ["near the boundary"]


def test_tolerance_beyond_the_reach_of_a_given_index_is_too_coarse_and_no_error():
    index = PerimeterIndex(ONE, reach_m=500)
    found = tag([(310, 150)] * 3, index, tolerance_m=[5, 501, 2_500])
    assert found["state"].tolist() == ["out", "unknown", "unknown"]
    assert set(found["reason"].dropna()) == {"location too coarse"}
    note = "2 points have a tolerance beyond the 500 m measured: too coarse"
    assert found.attrs["qpvgeo"]["notes"] == [note]
    with pytest.raises(UsageError, match="up to 500 m, and 501 m are needed"):
        tag([(310, 150)], index, tolerance_m=501)


@pytest.mark.parametrize("place", ["no perimeters", "no list names it", "list not known"])
def test_place_that_is_too_coarse_is_never_out_nor_blamed_on_the_perimeters(place):
    lon, lat, on = {
        "no perimeters": (45.23, -12.78, None),
        "no list names it": (-62.83, 17.9, "2025-06-01"),
        "list not known": (45.23, -12.78, "2031-01-01"),
    }[place]
    points = ([lon, lon, 3.0], [lat, lat, 46.5])
    found = tag_points(points, NEW, crs=4326, on=on, tolerance_m=[np.inf, 0.0, 0.0])
    assert found["reason"][0] == "location too coarse"
    assert found["reason"][1] != "location too coarse"
    alone = tag_points(([lon], [lat]), NEW, crs=4326, on=on, tolerance_m=[None])
    assert alone["reason"].tolist() == ["location too coarse"]


def test_tolerance_makes_points_unknown_without_a_band_and_changes_no_distance():
    points = [(599, 150), (310, 150)]
    exact, careful = tag(points), tag(points, tolerance_m=10)
    assert careful["distance_m"].tolist() == exact["distance_m"].tolist() == pytest.approx([299, 10])
    assert careful["band"].tolist()[0] == "within 300 m"
    assert pd.isna(careful["band"][1])
    assert careful["state"].tolist() == ["out", "unknown"]


def test_all_arguments_that_are_wrong_are_listed_in_one_error():
    with pytest.raises(UsageError) as error:
        tag_points(
            ([X], [Y]), ONE, bands=300, distance="near", on="someday", tolerance_m=-1, xy=("x",), crs="Lambert or so"
        )
    starts = (
        "bands=300 ",
        "distance='near' ",
        "on='someday' ",
        "tolerance_m=-1 ",
        "xy=('x',) ",
        "crs='Lambert or so' ",
    )
    assert len(error.value.problems) == len(starts)
    assert all(told.startswith(start) for told, start in zip(error.value.problems, starts, strict=True))


def test_columns_named_of_points_that_have_none_stand_among_the_wrong_arguments():
    shapes = gpd.GeoSeries([shapely.Point(X, Y)], crs=2154)
    with pytest.raises(UsageError) as error:
        tag_points(shapes, ONE, bands=(500, 300), xy=("x", "y"))
    assert error.value.problems[1] == "xy=('x', 'y') names columns, and the coordinates of these points are shapes"


def test_long_arguments_are_not_printed_whole():
    with pytest.raises(UsageError) as error:
        tag([(0, 0)], on=pd.Series(range(1_000)), bands=list(range(1_000)))
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("bands", [np.array([300, 1_000]), [np.int64(300), np.float32(1_000)], pd.Series([300, 1_000])])
def test_bands_of_numpy_and_pandas_are_distances(bands):
    assert tag([(900, 150)], bands=bands)["band"].tolist() == ["within 1000 m"]


def test_bands_that_can_be_read_only_once_are_kept():
    frame = tag([(400, 0), (750, 0)], bands=(band for band in (300, 500)))
    assert frame["band"].tolist() == ["within 300 m", "within 500 m"]
    with pytest.raises(UsageError, match="ascending"):
        tag([(0, 0)], bands=iter((500, 300)))


def test_bands_beyond_what_can_be_told_are_refused():
    with pytest.raises(UsageError, match=r"exceed the maximum of 2,000 m"):
        tag([(0, 0)], bands=(300, 2_500))


@pytest.mark.parametrize(
    ("points", "crs", "note"),
    [
        (
            ([2.9, 2.95, 3.0], [46.5] * 3),
            2154,
            "3 of 3 points {}: crs=EPSG:2154 is in metres and the values look like degrees",
        ),
        (([X] * 2, [Y] * 2), 4326, "2 of 2 points {}: crs=EPSG:4326 is in degrees and the values look like metres"),
        (
            ([-100.0, -101.0, 3.0, None], [40.0] * 2 + [46.5, 1.0]),
            4326,
            "2 of 3 points {}, where crs=EPSG:4326 puts them",
        ),
        (([-100.0, 3.0, 3.0], [40.0] + [46.5] * 2), 4326, None),
        (([None], [None]), 4326, None),
    ],
    ids=["degrees", "metres", "elsewhere", "few", "no coordinates"],
)
def test_points_most_of_which_lie_outside_france_are_told(points, crs, note):
    told = tag_points(points, ONE, crs=crs).attrs["qpvgeo"]["notes"]
    assert told == ([] if note is None else [note.format("lie outside France")])


def test_index_that_does_not_reach_as_far_is_refused():
    with pytest.raises(UsageError, match="up to 300 m, and 500 m are needed"):
        tag([(0, 0)], PerimeterIndex(ONE, reach_m=300))


# vintages and dates

OLD = layer(QP075001=square(0, 0), vintage=2015)


def test_several_vintages_give_each_column_once_for_each():
    found = tag([(50, 150), (350, 150)], [NEW, OLD], bands=())
    assert found.columns.tolist() == [
        f"{name}_{year}" for year in (2015, 2024) for name in ("state", "reason", "qpv_code", "also_in")
    ]
    assert found[["state_2015", "state_2024"]].to_numpy().tolist() == [["in", "out"], ["out", "in"]]


@pytest.mark.parametrize(
    ("day", "state", "vintage"),
    [("2019-03-14", "in", 2015), ("2023-12-31", "in", 2015), ("2024-01-01", "out", 2024), ("2026-06-30", "out", 2024)],
)
def test_day_chooses_the_geography_in_force(day, state, vintage):
    found = row((50, 150), [OLD, NEW], on=day)
    assert (found["state"], found["vintage"]) == (state, vintage)


NOT_SETTLED = (
    "corrects names, communes and outlines of both 2015 lists: whether it held on 2015-02-01 is not established"
)
KNOWN_UNTIL = "the lists are known up to the release of 2026-01-15: what changed by 2028-01-01 is not"


@pytest.mark.parametrize(
    ("day", "words"),
    [("2015-02-01", [NOT_SETTLED]), ("2019-03-14", []), ("2026-01-15", []), ("2028-01-01", [KNOWN_UNTIL])],
)
def test_days_for_which_the_lists_are_not_fully_known_are_told(day, words):
    notes = tag([(50, 150)], [OLD, NEW], on=day).attrs["qpvgeo"]["notes"]
    told = [note for note in notes if "may lie in another" not in note]
    assert len(told) == len(words)
    assert all(word in note for word, note in zip(words, told, strict=True))


def test_domenjod_is_told_where_perimeters_of_la_reunion_are_given():
    reunion = layer(crs=4326, QP974049=shapely.box(55.44, -20.91, 55.46, -20.89), vintage=2015)
    notes = tag_points(([55.45], [-20.9]), reunion, crs=4326, on="2015-02-01").attrs["qpvgeo"]["notes"]
    assert any("La Réunion: 48 before décret 2015-1138, which added Domenjod" in note for note in notes)


@pytest.mark.parametrize("missing", [pd.NaT, pd.Timestamp("NaT"), np.datetime64("NaT")])
def test_missing_day_is_no_day(missing):
    with pytest.raises(UsageError, match="is not a day"):
        tag([(0, 0)], OLD, on=missing)


def test_in_2024_the_hexagone_had_changed_and_overseas_had_not():
    reunion = shapely.box(55.44, -20.91, 55.46, -20.89)
    old = pd.concat([OLD.to_crs(4326), layer(crs=4326, QP974001=reunion, vintage=2015)])
    found = tag_points(([2.99, 55.45], [46.5, -20.9]), [old, NEW], crs=4326, on="2024-06-30")
    assert found["vintage"].tolist() == [2024, 2015]
    assert found["state"].tolist()[1] == "in"


def test_geography_of_the_day_that_was_not_given_leaves_points_unknown():
    found = row((150, 150), OLD, on="2024-06-30")
    assert (found["state"], found["reason"]) == ("unknown", "no perimeters of the geography of that day")
    assert found["vintage"] is None


def test_day_asks_for_perimeters_that_have_a_vintage():
    for qpv in (ONE, [ONE, NEW]):
        with pytest.raises(UsageError, match="column `vintage`"):
            tag([(150, 150)], qpv, on="2024-06-30")


def test_day_before_there_was_any_qpv_is_refused():
    with pytest.raises(UsageError, match="There was no QPV"):
        tag([(0, 0)], OLD, on="2014-06-30")
