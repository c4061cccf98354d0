"""The index of perimeters: what it takes, what it keeps, what it refuses."""

import json
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import geopandas as gpd
import numpy as np
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.projection import reproject

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


def test_labels_that_repeat_are_listed(two):
    with pytest.raises(DataError, match="stand several times") as error:
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


@pytest.mark.parametrize("reach", [-1, np.nan, np.inf, 2_001, "500"])
def test_reach_that_is_no_distance_is_refused(two, reach):
    with pytest.raises(UsageError, match="is no distance"):
        PerimeterIndex(two, reach_m=reach)


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
    fresh = PerimeterIndex(two, reach_m=400).layer("hexagone", 2024).limits(400).nearest(*points)
    kept = index.layer("hexagone", 2024).limits(400).nearest(*points)
    assert [part.tolist() for part in kept] == [part.tolist() for part in fresh]
    assert kept[0].tolist() == [100, 300]


def test_saving_leaves_nothing_beside_the_file(saved):
    assert [path.name for path in saved.parent.glob("*index*")] == ["qpv.index"]


def test_order_of_rows_does_not_make_other_perimeters(two, saved):
    assert PerimeterIndex.load(saved, two.iloc[::-1]).digest == PerimeterIndex(two).digest


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


def rewritten(path, **changes):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays["about"].tobytes()) | changes
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as out:
        np.savez(out, **arrays)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-500]), "no index of perimeters"),
        (lambda path: path.write_text("code;name\n"), "no index of perimeters"),
        (lambda path: path.write_bytes(b""), "no index of perimeters"),
        (lambda path: rewritten(path, version=99), "form 99"),
        (lambda path: rewritten(path, format="another"), "no index of perimeters"),
        (lambda path: rewritten(path, content="0"), "damaged"),
    ],
    ids=["cut short", "a table", "empty", "of a later form", "of another program", "altered"],
)
def test_file_that_is_no_sound_index_is_refused(saved, damage, words):
    damage(saved)
    with pytest.raises(DataError, match=words):
        PerimeterIndex.load(saved)


def test_index_that_is_not_there_says_so(tmp_path):
    with pytest.raises(MissingDataError):
        PerimeterIndex.load(tmp_path / "none.index")


def test_threads_may_build_and_ask_at_once():
    chance = np.random.default_rng(1)
    frame = layer(**{f"q{n:02d}": square(*chance.uniform(0, 5_000, 2)) for n in range(40)})
    x, y = X + chance.uniform(0, 5_300, 5_000), Y + chance.uniform(0, 5_300, 5_000)
    expected = PerimeterIndex(frame).locate(x, y).tolist()
    index = PerimeterIndex(frame)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(lambda _: index.locate(x, y).tolist(), range(16)))


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


def test_index_for_few_points_is_rebuilt_finer_when_more_are_asked_and_answers_the_same():
    chance = np.random.default_rng(6)
    index = PerimeterIndex(layer(**{f"q{n:02d}": square(*chance.uniform(0, 5_000, 2)) for n in range(40)}))
    x, y = X + chance.uniform(0, 5_300, 4_000), Y + chance.uniform(0, 5_300, 4_000)
    part = index.layer("hexagone", None)
    answers, cells = [], []
    for more in (0, 2e6, 6e6):
        part.expect(more)
        distance, near = part.limits(500.0).nearest(x, y)
        answers.append((index.locate(x, y).tolist(), distance.tolist(), near.tolist()))
        cells.append((part.grid.frame.cell, part.limits(500.0).frame.cell))
    assert str(answers[0]) == str(answers[1]) == str(answers[2])
    assert cells == [(200, 400), (100, 200), (50, 100)]


def test_digest_is_that_of_the_perimeters_as_they_were(two):
    index, expected = PerimeterIndex(two), PerimeterIndex(two.copy()).digest
    two.loc["QN07501M", "geometry"] = square(5_000, 5_000)
    assert index.digest == expected
