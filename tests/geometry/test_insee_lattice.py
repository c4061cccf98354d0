"""Cell ids: corners worked out by hand, round trips, both ways of reading compared, every kind of bad id listed."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qpvgeo.errors import DataError
from qpvgeo.geometry.insee_lattice import (
    Cells,
    Lattice,
    centroids,
    format_ids,
    locate,
    neighbours,
    parents,
    parse_ids,
    parse_mixed,
    squares,
)

GOOD = ["CRS3035RES200mN2029800E4252400", "CRS3035RES200mN2030000E4252600", "CRS3035RES200mN2029600E4252200"]
NORTH, EAST = [2_029_800, 2_030_000, 2_029_600], [4_252_400, 4_252_600, 4_252_200]
INSEE = Lattice(3035, 200)
SIZES = (200, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000)

lattices = st.builds(Lattice, st.integers(1, 999_999), st.sampled_from(SIZES) | st.integers(200, 64_000))
numbers = st.integers(0, 12) | st.integers(0, 50_000) | st.integers(0, 10**9)


def cells_at(*corners, lattice=INSEE):
    """Cells given as (row, column) of the lattice."""
    rows = np.array(corners, np.int64).reshape(-1, 2) * lattice.size
    return Cells(lattice, rows[:, 0].copy(), rows[:, 1].copy())


def corners(cells):
    return list(zip(cells.north.tolist(), cells.east.tolist(), strict=True))


def problems_of(ids, lattice=None, parse=parse_ids):
    with pytest.raises(DataError) as caught:
        parse(ids) if lattice is None else parse(ids, lattice)
    return caught.value.problems


@st.composite
def anywhere(draw):
    lattice = draw(lattices)
    return cells_at(*draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20)), lattice=lattice)


def test_published_id_by_hand():
    cells = parse_ids(["CRS3035RES200mN2029800E4252400"])
    assert (cells.lattice, corners(cells), len(cells)) == (INSEE, [(2_029_800, 4_252_400)], 1)


def test_overseas_kilometre_id_by_hand():
    cells = parse_ids(["CRS2975RES1000mN7634000E319000"])
    assert (cells.lattice, corners(cells)) == (Lattice(2975, 1000), [(7_634_000, 319_000)])


def test_cell_at_the_origin():
    assert corners(parse_ids(["CRS3035RES200mN0E0"])) == [(0, 0)]


@settings(deadline=None)
@given(cells=anywhere())
def test_corners_survive_the_way_to_ids_and_back(cells):
    found = parse_ids(format_ids(cells))
    assert (found.lattice, corners(found)) == (cells.lattice, corners(cells))


@settings(deadline=None)
@given(cells=anywhere())
def test_mixed_reader_reads_what_the_strict_one_reads(cells):
    mixed = parse_mixed(format_ids(cells))
    assert set(mixed["epsg"]) == {cells.lattice.epsg}
    assert set(mixed["size"]) == {cells.lattice.size}
    assert list(zip(mixed["north"], mixed["east"], strict=True)) == corners(cells)


@settings(deadline=None)
@given(
    digits=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    corner=st.lists(st.tuples(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1)), min_size=1, max_size=20),
    other=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
)
def test_one_width_and_several_widths_are_read_alike(digits, corner, other):
    """A row of another width sends the whole column through the slow reader."""
    lattice = Lattice(3035, 1)
    ids = [f"CRS3035RES1mN{n % 10 ** digits[0]:0{digits[0]}}E{e % 10 ** digits[1]:0{digits[1]}}" for n, e in corner]
    odd = f"CRS3035RES1mN{other[0]:010}E{other[1]:010}"
    one_width, several = parse_ids(ids, lattice), parse_ids([*ids, odd], lattice)
    assert corners(one_width) == [(n % 10 ** digits[0], e % 10 ** digits[1]) for n, e in corner]
    assert corners(several) == [*corners(one_width), other]


def test_column_longer_than_a_block_is_read_to_the_last_row():
    number = (1 << 16) + 3
    cells = Cells(INSEE, (10_000 + np.arange(number) % 900) * 200, (20_000 + np.arange(number) // 900) * 200)
    found = parse_ids(format_ids(cells))
    assert np.array_equal(found.north, cells.north)
    assert np.array_equal(found.east, cells.east)


def test_bad_id_in_the_second_block_is_listed():
    ids = [GOOD[0]] * ((1 << 16) + 3)
    ids[-1] = ids[-1][:-1] + "x"
    assert [problem.split(":")[0] for problem in problems_of(ids)] == [f"position {(1 << 16) + 2}"]


@pytest.mark.parametrize(
    "made",
    [
        list,
        tuple,
        iter,
        np.array,
        lambda ids: np.array(ids, object),
        pd.Index,
        pd.Series,
        lambda ids: pd.Series(ids, index=[7, 7, 3]),
        lambda ids: pd.Series(ids, dtype=object),
        lambda ids: pd.Series(ids, dtype="category"),
        lambda ids: pd.Series(ids, dtype=pd.ArrowDtype(pa.string())),
        pa.array,
        lambda ids: pa.array(ids, pa.large_string()),
        lambda ids: pa.array(ids, pa.string_view()),
        lambda ids: pa.array(ids).dictionary_encode(),
        lambda ids: pa.chunked_array([ids[:1], [], ids[1:]], pa.string()),
        lambda ids: pa.chunked_array([ids[:2], ids[2:]], pa.large_string()),
        lambda ids: pa.array([GOOD[0], *ids, "end"]).slice(1, 3),
        lambda ids: pa.array(["x", *ids, None], pa.large_string()).slice(1, 3),
        lambda ids: pa.chunked_array([["x", *ids], [None]]).slice(1, 3),
    ],
    ids=[
        "list",
        "tuple",
        "iterator",
        "numpy",
        "numpy objects",
        "Index",
        "Series",
        "repeated labels",
        "objects",
        "categories",
        "Arrow Series",
        "string",
        "large_string",
        "string_view",
        "dictionary",
        "chunks",
        "large chunks",
        "slice",
        "large slice",
        "slice of chunks",
    ],
)
def test_any_holder_of_text_is_read(made):
    found = parse_ids(made(GOOD))
    assert (found.lattice, found.north.tolist(), found.east.tolist()) == (INSEE, NORTH, EAST)


@pytest.mark.parametrize("empty", [[], np.array([], object), pd.Index([], dtype="str"), pa.chunked_array([], "string")])
@pytest.mark.parametrize("lattice", [None, Lattice(2975, 1000)])
def test_no_ids_give_no_cells(empty, lattice):
    found = parse_ids(empty, lattice)
    assert (len(found), found.north.dtype, found.lattice) == (0, np.int64, lattice or INSEE)


def test_no_ids_of_any_kind_give_an_empty_table():
    assert parse_mixed([]).to_dict("list") == {"epsg": [], "size": [], "north": [], "east": []}


BAD = {
    "another projection": "CRS2975RES200mN2029800E4252400",
    "another size": "CRS3035RES400mN2029600E4252400",
    "size of other digits": "CRS3035RES1000mN2029000E4252000",
    "northing off the lattice": "CRS3035RES200mN2029850E4252400",
    "easting off the lattice": "CRS3035RES200mN2029800E4252500",
    "easting before northing": "CRS3035RES200mE4252400N2029800",
    "missing": None,
    "not a number": float("nan"),
    "empty": "",
    "lower case": "crs3035res200mn2029800e4252400",
    "truncated": "CRS3035RES200mN2029800E",
    "trailing letter": "CRS3035RES200mN2029800E4252400x",
    "trailing space": "CRS3035RES200mN2029800E4252400 ",
    "trailing line feed": "CRS3035RES200mN2029800E4252400\n",
    "leading space": " CRS3035RES200mN2029800E4252400",
    "zero byte": "CRS3035RES200mN2029800E425240\0",
    "decimals": "CRS3035RES200mN2029800.0E4252400",
    "negative": "CRS3035RES200mN-029800E4252400",
    "digit of another script": "CRS3035RES200mN2029800E425240\N{ARABIC-INDIC DIGIT ZERO}",
    "wide digit": "CRS3035RES200mN2029800E425240\N{FULLWIDTH DIGIT ZERO}",
    "no size": "CRS3035RES0mN2029800E4252400",
    "too many digits": f"CRS3035RES200mN{'9' * 25}E4252400",
    "number": 2029800,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("position", [1, 3])
def test_bad_id_is_listed_with_its_position(bad, position):
    ids = [*GOOD[:position], bad, *GOOD[position:]]
    assert [problem.split(":")[0] for problem in problems_of(ids)] == [f"position {position}"]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_id_is_listed_when_it_comes_first(bad):
    assert [problem.split(":")[0] for problem in problems_of([bad, *GOOD], INSEE)] == ["position 0"]


@pytest.mark.parametrize("bad", [None, float("nan"), "", "x"])
def test_column_that_starts_badly_is_refused_whatever_the_lattice(bad):
    assert [problem.split(":")[0] for problem in problems_of([bad, *GOOD])] == ["position 0"]


@pytest.mark.parametrize("bad", [[None, None], [1, 2], pd.RangeIndex(2), np.array([1.5, np.nan])])
def test_column_that_holds_no_id_is_listed_whole(bad):
    assert len(problems_of(bad)) == 2


@pytest.mark.parametrize("position", range(len(GOOD[0])))
@pytest.mark.parametrize("character", ["A", "/", ":", "\x00", "~"])  # both neighbours of the digits in ASCII
def test_wrong_character_is_found_wherever_it_stands(position, character):
    bad = GOOD[0][:position] + character + GOOD[0][position + 1 :]
    assert [problem.split(":")[0] for problem in problems_of([GOOD[0], bad])] == ["position 1"]


def test_bad_ids_of_all_kinds_are_listed_at_once():
    ids = [GOOD[0], "x", BAD["another size"], GOOD[1], BAD["another projection"], BAD["northing off the lattice"], None]
    listed = problems_of(ids)
    assert [problem.split(":")[0] for problem in listed] == [f"position {row}" for row in (1, 2, 4, 5, 6)]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("another projection", "is not of EPSG:3035, 200 m"),
        ("another size", "is not of EPSG:3035, 200 m"),
        ("easting off the lattice", "is not a multiple of 200 m"),
        ("truncated", "is not a cell id"),
    ],
)
def test_each_problem_says_what_is_wrong(kind, says):
    (problem,) = problems_of([GOOD[0], BAD[kind]])
    assert says in problem
    assert BAD[kind] in problem


def test_positions_are_counted_through_chunks():
    assert [p.split(":")[0] for p in problems_of(pa.chunked_array([GOOD, ["x"], GOOD]))] == ["position 3"]


def test_stated_lattice_prevails_over_the_first_id():
    assert len(problems_of(GOOD, Lattice(3035, 1000))) == 3


def test_error_counts_the_ids():
    with pytest.raises(DataError, match=r"^2 cell ids cannot be used"):
        parse_ids([GOOD[0], "x", None])


def test_mixed_ids_by_hand():
    mixed = parse_mixed(pd.Series(["CRS3035RES64000mN2048000E4224000", GOOD[0], "CRS5490RES200mN1600E400"]))
    assert mixed.to_numpy().tolist() == [
        [3035, 64_000, 2_048_000, 4_224_000],
        [3035, 200, 2_029_800, 4_252_400],
        [5490, 200, 1_600, 400],
    ]
    assert set(mixed.dtypes) == {np.dtype("int64")}


_NO_ID = {
    kind: bad for kind, bad in BAD.items() if "another" not in kind and "off" not in kind and "size of" not in kind
}


@pytest.mark.parametrize("bad", _NO_ID.values(), ids=_NO_ID.keys())
def test_mixed_reader_lists_what_is_no_id(bad):
    listed = problems_of([GOOD[0], bad, GOOD[1], "x"], parse=parse_mixed)
    assert [problem.split(":")[0] for problem in listed] == ["position 1", "position 3"]


def test_ids_are_an_index_named_as_in_the_grid():
    ids = format_ids(parse_ids(GOOD))
    assert (ids.tolist(), ids.name, ids.dtype) == (GOOD, "cell_id", pd.Index(GOOD, dtype="str").dtype)


def test_square_by_hand():
    assert squares(parse_ids(GOOD[:1])).tolist() == [[4_252_400.0, 2_029_800.0, 4_252_600.0, 2_030_000.0]]


def test_centroid_by_hand_is_easting_then_northing():
    assert centroids(parse_ids(GOOD[:1])).tolist() == [[4_252_500.0, 2_029_900.0]]


@settings(deadline=None)
@given(cells=anywhere())
def test_centroids_are_the_middles_of_squares(cells):
    west, south, east, north = squares(cells).T
    assert centroids(cells) == pytest.approx(np.column_stack([(west + east) / 2, (south + north) / 2]))


@pytest.mark.parametrize("made", [squares, centroids])
def test_no_cells_have_no_places(made):
    assert made(cells_at()).size == 0


@pytest.mark.parametrize(
    ("size", "corner"),
    [(200, (2_029_800, 4_252_400)), (1000, (2_029_000, 4_252_000)), (64_000, (1_984_000, 4_224_000))],
)
def test_parent_by_hand(size, corner):
    found = parents(parse_ids(GOOD[:1]), size)
    assert (found.lattice, corners(found)) == (Lattice(3035, size), [corner])


@settings(deadline=None)
@given(cells=anywhere(), times=st.integers(1, 320))
def test_parent_holds_its_cell(cells, times):
    found = parents(cells, cells.lattice.size * times)
    inner, outer = squares(cells), squares(found)
    assert (outer[:, :2] <= inner[:, :2]).all()
    assert (outer[:, 2:] >= inner[:, 2:]).all()
    assert not (found.north % found.lattice.size).any()


@settings(deadline=None)
@given(cells=anywhere(), first=st.integers(1, 20), second=st.integers(1, 20))
def test_parents_of_parents_are_parents(cells, first, second):
    size = cells.lattice.size
    twice = parents(parents(cells, size * first), size * first * second)
    assert corners(twice) == corners(parents(cells, size * first * second))


@pytest.mark.parametrize("size", [100, 300, 0, -200, 1100])
def test_size_that_does_not_hold_the_cells_is_refused(size):
    with pytest.raises(DataError, match="are not made of cells of 200 m"):
        parents(parse_ids(GOOD), size)


def test_neighbours_by_hand_go_round_from_the_north():
    found = [corners(other)[0] for other in neighbours(cells_at((5, 7)))]
    assert [(north // 200, east // 200) for north, east in found] == [(6, 7), (5, 8), (4, 7), (5, 6)]


def test_corner_neighbours_by_hand_follow_the_sides():
    found = [corners(other)[0] for other in neighbours(cells_at((5, 7)), corners=True)]
    assert [(n // 200, e // 200) for n, e in found[4:]] == [(6, 8), (4, 8), (4, 6), (6, 6)]


@settings(deadline=None)
@given(cells=anywhere())
def test_neighbours_touch_and_do_not_overlap(cells):
    here = shapely.box(*squares(cells).T)
    for position, others in enumerate(neighbours(cells, corners=True)):
        there = shapely.box(*squares(others).T)
        assert shapely.touches(here, there).all()
        shared = shapely.length(shapely.intersection(here, there))
        assert shared.tolist() == [cells.lattice.size if position < 4 else 0.0] * len(cells)


def test_cells_are_located_by_hand_in_a_table_out_of_order():
    table = cells_at((3, 3), (0, 0), (9, 1), (2, 5))
    assert locate(cells_at((9, 1), (1, 1), (3, 3), (9, 1)), table).tolist() == [2, -1, 0, 2]


def test_nothing_is_located_in_an_empty_table():
    assert locate(cells_at((1, 1), (2, 2)), cells_at()).tolist() == [-1, -1]


def test_no_cells_are_located_nowhere():
    assert locate(cells_at(), cells_at((1, 1))).tolist() == []


def test_cells_far_away_are_not_located():
    table = cells_at((0, 0), (10**7, 10**7))
    assert locate(cells_at((10**9, 5), (10**7, 10**7), (5, 10**9)), table).tolist() == [-1, 1, -1]


def test_cells_one_row_or_column_beside_the_table_are_not_taken_for_others():
    table = cells_at(*((row, col) for row in range(3) for col in range(3)))
    around = cells_at((-1, 0), (0, -1), (3, 0), (0, 3), (-1, 3), (3, -1))
    assert locate(around, table).tolist() == [-1] * 6


def test_negative_corners_are_located():
    table = cells_at((-3, -5), (-3, 5), (3, -5))
    assert locate(cells_at((3, -5), (-3, -5)), table).tolist() == [2, 0]


@pytest.mark.parametrize("other", [Lattice(3035, 1000), Lattice(2975, 200)])
def test_lattices_that_differ_are_refused(other):
    with pytest.raises(DataError, match=f"EPSG:{other.epsg}, {other.size} m"):
        locate(cells_at((5, 5)), cells_at((5, 5), lattice=other))


@settings(max_examples=200, deadline=None)
@given(
    table=st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), unique=True, max_size=60),
    wanted=st.lists(st.tuples(st.integers(-25, 25), st.integers(-25, 25)), max_size=60),
    spread=st.sampled_from([1, 1000, 10**6]),
)
def test_positions_are_those_of_a_dictionary(table, wanted, spread):
    place = {corner: position for position, corner in enumerate(table)}
    scaled = [cells_at(*((row * spread, col * spread) for row, col in some)) for some in (wanted, table)]
    assert locate(*scaled).tolist() == [place.get(corner, -1) for corner in wanted]


def test_table_longer_than_a_block_is_searched_whole():
    table = cells_at(*((row, col) for row in range(300) for col in range(300)))
    order = np.random.default_rng(5).permutation(len(table))
    shuffled = Cells(INSEE, table.north[order], table.east[order])
    assert np.array_equal(order[locate(table, shuffled)], np.arange(len(table)))


def test_no_id_is_written_for_a_corner_below_zero():
    below = Cells(Lattice(3035, 200), np.array([-400]), np.array([200]))
    with pytest.raises(DataError, match="below zero"):
        format_ids(below)
