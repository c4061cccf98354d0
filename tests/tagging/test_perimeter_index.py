"""The index of perimeters: what it takes, what it keeps, what it refuses."""

import os
import pickle
import signal
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry import point_location
from qpvgeo.geometry import point_location as pointgrid
from qpvgeo.geometry import validity as repairs
from qpvgeo.geometry.projection import reproject
from qpvgeo.tagging.perimeter_index import PerimeterIndex

# what a few perimeters of a long list do not know is tested by its name
pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")

X, Y = 700_000.0, 6_600_000.0


def square(x, y, side=300.0):
    return shapely.box(X + x, Y + y, X + x + side, Y + y + side)


def layer(crs=2154, vintage=None, **shapes):
    frame = gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=crs)
    return frame if vintage is None else frame.assign(vintage=vintage)


def tags(index):
    return index.locate([X + 150, X + 5_000], [Y + 150, Y], vintage=index.vintages[0]).tolist()


@pytest.fixture
def two():
    return layer(QN07501M=square(0, 0), QN07502I=square(1_000, 0), vintage=2024)


def test_label_of_the_perimeter_that_holds_a_point(two):
    assert tags(PerimeterIndex(two)) == ["QN07501M", None]


def test_smaller_of_two_that_overlap_wins_whatever_their_order():
    small, large = square(100, 100, 100), square(0, 0)
    for frame in (layer(a=large, b=small), layer(b=small, a=large)):
        assert tags(PerimeterIndex(frame)) == ["b", None]


def test_lower_label_of_two_of_one_size_wins_whatever_their_order():
    for frame in (layer(b=square(0, 0), a=square(0, 0)), layer(a=square(0, 0), b=square(0, 0))):
        assert tags(PerimeterIndex(frame)) == ["a", None]


def test_lower_label_of_two_equal_outlines_wins_whatever_their_first_vertex():
    angles = np.sort(np.random.default_rng(0).uniform(0, 6.28, 9))
    ring = np.column_stack([X + 150 + 140 * np.cos(angles), Y + 150 + 140 * np.sin(angles)]).round(1)
    shapes = [shapely.Polygon(np.roll(ring, turn, axis=0)) for turn in range(9)]
    assert len({shape.area for shape in shapes}) > 1
    for turn in range(9):
        frame = layer(b=shapes[turn], a=shapes[turn - 1], c=shapes[turn - 2])
        assert tags(PerimeterIndex(frame)) == ["a", None]


def test_area_that_is_smaller_by_more_than_a_square_millimetre_still_wins():
    slightly = shapely.box(X, Y, X + 300, Y + 300 - 1e-6)
    assert tags(PerimeterIndex(layer(a=square(0, 0), b=slightly))) == ["b", None]


def test_perimeters_of_all_territories_are_each_in_their_legal_projection():
    lille, mamoudzou = shapely.box(3.05, 50.62, 3.07, 50.64), shapely.box(45.22, -12.79, 45.24, -12.77)
    index = PerimeterIndex(layer(crs=4326, metropole=lille, mayotte=mamoudzou))
    x, y = shapely.get_coordinates(reproject(shapely.points([[45.23, -12.78]]), 4326, 4471))[0]
    assert index.locate([x], [y], territory="976").tolist() == ["mayotte"]
    assert index.locate([X], [Y]).tolist() == [None]


def test_several_vintages_are_told_apart(two):
    old = layer(QP075001=square(0, 0, 1_000), vintage=2015)
    index = PerimeterIndex([two, old])
    assert index.vintages == (2015, 2024)
    assert index.locate([X + 900], [Y + 900], vintage=2015).tolist() == ["QP075001"]
    assert index.locate([X + 900], [Y + 900], vintage=2024).tolist() == [None]


def test_vintage_must_be_named_where_there_are_several(two):
    index = PerimeterIndex([two, layer(QP075001=square(0, 0), vintage=2015)])
    with pytest.raises(UsageError, match="vintage None"):
        index.locate([X], [Y])


def test_territory_without_perimeters_is_an_error_that_lists_those_held(two):
    with pytest.raises(UsageError) as error:
        PerimeterIndex(two).locate([0.0], [0.0], territory="974")
    assert error.value.problems == ("hexagone, vintage 2024",)


def test_invalid_outline_counts_as_the_area_it_encloses_and_a_missing_one_is_left_out():
    eight = shapely.Polygon([(X, Y), (X + 300, Y + 300), (X + 300, Y), (X, Y + 300), (X, Y)])
    with pytest.warns(UserWarning, match="no outline"):
        index = PerimeterIndex(layer(a=eight, b=None))
    assert index.locate([X + 10, X + 290, X + 150], [Y + 150, Y + 150, Y + 10]).tolist() == ["a", "a", None]


def test_perimeter_that_encloses_no_area_counts_as_one_without_outline():
    flat = shapely.Polygon([(X, Y), (X + 300, Y), (X + 100, Y)])
    with pytest.warns(UserWarning, match="1 perimeter has no outline: nothing is found in or near b"):
        index = PerimeterIndex(layer(a=square(0, 0), b=flat))
    assert index.without_outline == ["b"]
    assert tags(index) == ["a", None]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_vertex_that_is_no_place_is_refused_and_its_perimeters_are_named(wrong):
    with np.errstate(invalid="ignore"):
        ring = shapely.Polygon([(X, Y), (X + 300, Y), (X + 300, wrong), (X, Y + 300)])
    with pytest.raises(DataError) as error:
        PerimeterIndex(layer(a=ring, b=square(0, 0), c=ring))
    assert [(problem.key, problem.values["label"]) for problem in error.value.problems] == [
        ("frames.not_finite", "a"),
        ("frames.not_finite", "c"),
    ]


@pytest.mark.parametrize("shapes", [{}, {"a": None, "b": shapely.Polygon()}], ids=["no row", "no outline"])
@pytest.mark.parametrize("several", [False, True])
def test_perimeters_without_any_outline_are_one_clear_error(shapes, several):
    frame = layer(**shapes)
    with pytest.raises(DataError, match=rf"None of the {len(shapes)} perimeters"):
        PerimeterIndex([frame] if several else frame)


def test_frame_without_rows_beside_another_changes_nothing(two):
    assert tags(PerimeterIndex([two.iloc[:0], two])) == tags(PerimeterIndex(two))


LATER = "a point outside them may lie in another"


@pytest.mark.parametrize(
    ("codes", "vintage", "expected"),
    [
        (["QN07501M", "QN07502I"], 2024, f"2 of the 1,362 perimeters of France hexagonale (2024) are given: {LATER}"),
        (["QP075001"], 2015, f"1 of the 1,296 perimeters of France hexagonale (2015) is given: {LATER}"),
        (["QN97601M"], 2024, f"1 of the 17 or 42 perimeters of Mayotte (2024) is given: {LATER}"),
        (["QN07501M"], None, None),
        (["QN07501M"], 2015, None),
        (["here", "there"], 2024, None),
        (["QN09901M"], 2024, None),
    ],
    ids=["2024", "2015", "two lists", "no vintage", "another vintage", "no codes", "sample"],
)
def test_perimeters_that_are_a_part_of_a_list_are_told(codes, vintage, expected):
    place = shapely.box(45.22, -12.79, 45.24, -12.77) if "976" in codes[0] else shapely.box(3, 46, 3.01, 46.01)
    frame = layer(crs=4326, vintage=vintage, **dict.fromkeys(codes, place))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        index = PerimeterIndex(frame)
    assert index.notes == [str(one.message) for one in told] == ([] if expected is None else [expected])


def test_a_list_counts_its_perimeters_without_outline():
    whole = {f"QN9720{n}M": None for n in range(1, 9)} | {"QN97209M": shapely.box(-61.07, 14.61, -61.06, 14.62)}
    with pytest.warns(UserWarning, match="8 perimeters have no outline") as told:
        PerimeterIndex(layer(crs=4326, vintage=2024, **whole))
    assert len(told) == 1


def test_saved_index_keeps_its_notes(two, tmp_path):
    frame = pd.concat([two, layer(QN07503M=None, vintage=2024)])
    with pytest.warns(UserWarning, match="no outline"):
        index = PerimeterIndex(frame)
    index.save(tmp_path / "index")
    assert PerimeterIndex.load(tmp_path / "index").notes == index.notes
    assert len(index.notes) == 2


def test_labels_that_repeat_are_listed(two):
    with pytest.raises(DataError, match="appear several times") as error:
        PerimeterIndex([two, two])
    assert error.value.problems == ("QN07501M", "QN07502I")


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ([], UsageError),
        (gpd.GeoDataFrame(geometry=[square(0, 0)]), DataError),
        (layer(a=shapely.Point(X, Y)), DataError),
        (layer(crs=4326, a=shapely.box(0, 0, 1, 1)), DataError),
    ],
    ids=["none", "no CRS", "a point", "at sea"],
)
def test_what_cannot_be_indexed_is_refused(frames, error):
    with pytest.raises(error):
        PerimeterIndex(frames)


def test_frames_without_an_active_geometry_are_told(two):
    bare = gpd.GeoDataFrame({"shape": two.geometry.to_list()}, index=two.index)
    with pytest.raises(UsageError, match="frame 2 has no active geometry"):
        PerimeterIndex([two, bare])


@pytest.mark.parametrize("reach", [-1, np.nan, np.inf, 2_001, "500"])
def test_reach_that_is_no_distance_is_refused(two, reach):
    with pytest.raises(UsageError, match="is not a distance"):
        PerimeterIndex(two, reach_m=reach)


@pytest.mark.parametrize("column", ["code_qp", "CODE_QP", "codeQPV", "code_qpv", "qpv_code"])
@pytest.mark.parametrize("index", [None, [3.0, 7.0]], ids=["range", "numbers"])
def test_codes_that_stand_in_a_column_are_told_and_row_numbers_are_no_labels(two, column, index):
    frame = two.rename_axis(column).reset_index()
    frame = frame if index is None else frame.set_axis(index)
    with pytest.raises(UsageError, match="read_qpv") as error:
        PerimeterIndex(frame)
    told = f"frame 1 has row numbers as labels and its codes in the column {column}: .set_index('{column}')"
    assert error.value.problems == (told,)
    assert tags(PerimeterIndex(frame.set_index(column))) == ["QN07501M", None]


def test_codes_in_a_column_beside_labels_of_ones_own_are_no_fault(two):
    frame = two.rename_axis("code_qp").reset_index().set_axis(["one", "other"])
    assert tags(PerimeterIndex(frame)) == ["one", None]


@pytest.mark.parametrize("year", [2024.0, "2024", np.int16(2024), "2024.0"], ids=repr)
def test_year_may_be_written_in_several_ways_and_is_the_same(two, saved, year):
    assert PerimeterIndex.load(saved, two.assign(vintage=year)).vintages == (2024,)


def test_year_that_is_no_whole_number_is_refused(two):
    with pytest.raises(UsageError, match=r"has the vintage 2024\.5"):
        PerimeterIndex(two.assign(vintage=2024.5))


@pytest.fixture
def saved(two, tmp_path):
    path = tmp_path / "qpv.index"
    PerimeterIndex(two, reach_m=400).save(path)
    return path


def test_index_read_from_its_file_is_the_same(two, saved):
    index = PerimeterIndex.load(saved, two)
    assert repr(index) == "<PerimeterIndex: 2 perimeters, vintage 2024, reach 400 m>"
    assert tags(index) == ["QN07501M", None]
    points = np.array([X + 400.0, X + 600]), np.array([Y + 150.0, Y + 150])
    fresh = PerimeterIndex(two, reach_m=400).layer("hexagone", 2024).boundaries(400).nearest(*points)
    kept = index.layer("hexagone", 2024).boundaries(400).nearest(*points)
    assert [part.tolist() for part in kept] == [part.tolist() for part in fresh]
    assert kept[0].tolist() == [100, 300]


def test_saving_leaves_nothing_beside_the_file(saved):
    assert [path.name for path in saved.parent.glob("*index*")] == ["qpv.index"]


def test_order_of_rows_does_not_make_other_perimeters(two, saved):
    assert PerimeterIndex.load(saved, two.iloc[::-1]).digest == PerimeterIndex(two).digest


@pytest.mark.parametrize("given", [5, "qpv.gpkg"])
def test_index_is_compared_with_frames_alone(saved, given):
    with pytest.raises(UsageError, match=f"frame 1 is a {type(given).__name__}"):
        PerimeterIndex.load(saved, given)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.set_geometry(frame.translate(1e-6)),
        lambda frame: frame.rename({"QN07501M": "QN07503M"}),
        lambda frame: frame.assign(vintage=2015),
        lambda frame: frame.iloc[:1],
        lambda frame: frame.to_crs(4326),
    ],
    ids=["moved", "renamed", "of another year", "fewer", "projected"],
)
def test_index_of_other_perimeters_is_refused(two, saved, change):
    with pytest.raises(DataError, match="built from other perimeters"):
        PerimeterIndex.load(saved, change(two))


def test_threads_may_build_and_ask_at_once():
    chance = np.random.default_rng(1)
    frame = layer(**{f"q{n:02d}": square(*chance.uniform(0, 5_000, 2)) for n in range(40)})
    x, y = X + chance.uniform(0, 5_300, 5_000), Y + chance.uniform(0, 5_300, 5_000)
    expected = PerimeterIndex(frame).locate(x, y).tolist()
    index = PerimeterIndex(frame)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(lambda _: index.locate(x, y).tolist(), range(16)))


def forked(call):
    """Whether a call in a forked process ends with what is true; one that hangs is ended by the system."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        answered = False
        try:
            answered = call()
        finally:
            os._exit(not answered)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    ("where", "name"),
    [(point_location.PointGrid, "of_boxes"), (pointgrid, "_holds"), (repairs, "in_parts")],
    ids=["builds", "tests outlines", "looks whether outlines are valid"],
)
def test_process_forked_while_a_thread_asks_may_ask(two, monkeypatch, where, name):
    index, parent, held = PerimeterIndex(two), threading.get_ident(), getattr(where, name)
    at_work, go_on = threading.Event(), threading.Event()

    def paused(*args, **options):
        if threading.get_ident() != parent:
            at_work.set()
            go_on.wait(20)
        return held(*args, **options)

    monkeypatch.setattr(where, name, paused)
    thread = threading.Thread(target=lambda: tags(index if where is not repairs else PerimeterIndex(two)))
    thread.start()
    assert at_work.wait(20)
    try:
        assert forked(lambda: tags(index) == tags(PerimeterIndex(two)) == ["QN07501M", None])
    finally:
        go_on.set()
        thread.join()


def test_other_processes_may_ask(two):
    index = PerimeterIndex(two)
    assert tags(pickle.loads(pickle.dumps(index))) == tags(index)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(index.locate, [X + 150], [Y + 150]).result().tolist() == ["QN07501M"]


def test_sample_says_it_is_fictional():
    index = PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024))
    assert index.fictional
    assert [record["file"] for record in index.files] == ["qpv-2024-geojson.zip"]


def test_perimeters_as_large_as_a_region_get_larger_cells_and_the_same_answers():
    large = layer(R=shapely.box(X - 200_000, Y - 200_000, X + 200_000, Y + 200_000))
    index = PerimeterIndex(large)
    inner = index.layer("hexagone", None)
    inner.expect(np.inf)
    assert inner.grid.frame.cell == pytest.approx(100)
    assert index.locate([X, X + 200_000, X + 200_000.01], [Y, Y, Y]).tolist() == ["R", "R", None]


def test_index_for_few_or_many_points_answers_the_same():
    chance = np.random.default_rng(6)
    qpv = layer(**{f"q{n:02d}": square(*chance.uniform(0, 5_000, 2)) for n in range(40)})
    x, y = X + chance.uniform(0, 5_300, 4_000), Y + chance.uniform(0, 5_300, 4_000)
    answers, cells = [], []
    for many in (None, 6e6, 2e7):
        index = PerimeterIndex(qpv, expected_points=many)
        part = index.layer("hexagone", None)
        answers.append((index.locate(x, y).tolist(), *(axis.tolist() for axis in part.boundaries(500.0).nearest(x, y))))
        cells.append((part.grid.frame.cell, part.boundaries(500.0).frame.cell))
        part.expect(np.inf)
        assert (part.grid.frame.cell, part.boundaries(500.0).frame.cell) == (50, 100)
    assert str(answers[0]) == str(answers[1]) == str(answers[2])
    assert cells == [(200, 400), (50, 200), (50, 100)]


def test_digest_is_that_of_the_perimeters_as_they_were(two):
    index, expected = PerimeterIndex(two), PerimeterIndex(two.copy()).digest
    two.loc["QN07501M", "geometry"] = square(5_000, 5_000)
    assert index.digest == expected


@pytest.mark.real
def test_outlines_that_the_simplified_file_crushed_to_nothing_are_named(real_data):
    raw = gpd.read_file(real_data / "qpv2024" / "qpv2024_simplified.geojson").set_index("code_qp")
    with pytest.warns(UserWarning, match="3 perimeters have no outline"):
        index = PerimeterIndex(raw)
    assert index.without_outline == ["QN09105I", "QN09113I", "QN09503I"]


def test_perimeters_of_the_sample_are_known_for_fictional_by_their_codes_alone():
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    bare = gpd.GeoSeries(qpv.geometry.to_numpy(), index=list(qpv.index), crs=qpv.crs)
    assert PerimeterIndex(bare).fictional
    assert not PerimeterIndex(bare.set_axis([f"A{row}" for row in range(len(bare))])).fictional
