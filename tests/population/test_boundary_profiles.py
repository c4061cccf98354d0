"""Profiles at the limit: areas of bands by formula, bands that add up to the grid, the case of Lille."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry.insee_lattice import Cells, Lattice, format_ids
from qpvgeo.population.boundary_profiles import PROFILE_COLUMNS, boundary_profile
from qpvgeo.read.grid.reader import read_grid

# Martinique, where the grid is in the legal projection: no distance is changed on the way
N, E = 1_620_000, 710_000
MARTINIQUE = Lattice(5490, 200)
SIDE = 12  # cells
SUMS = ["population", "households", "poor_households"]


def grid_of(people, *, lattice=MARTINIQUE, origin=(N, E), **columns):
    """Grid frame of a table of people, rows northwards."""
    table = np.asarray(people, dtype=float)
    row, col = (part.ravel() for part in np.indices(table.shape))
    cells = Cells(lattice, origin[0] + row * lattice.size, origin[1] + col * lattice.size)
    values = table.ravel()
    frame = {
        "population": values,
        "households": values / 2,
        "poor_households": values / 8,
        "living_standard_sum_eur": values * 20_000,
    }
    return pd.DataFrame(frame | columns, index=format_ids(cells))


def at(x, y, width, height):
    return box(E + x, N + y, E + x + width, N + y + height)


def layer(*shapes, crs=5490):
    return gpd.GeoSeries(list(shapes), crs=crs)


UNIFORM = grid_of(np.full((SIDE, SIDE), 400.0))  # a person for 100 m2
SQUARE = layer(at(850, 930, 600, 600))


def reached(distance, side=600, quarter=32):
    """Square metres within a distance of a square; its rounded corners are polygons of four times 32 sides."""
    if distance <= 0:
        return max(side + 2 * distance, 0) ** 2
    corners = 4 * quarter * distance**2 * np.sin(np.pi / 2 / quarter) / 2
    return side**2 + 4 * side * distance + corners


def test_columns_are_those_announced():
    assert tuple(boundary_profile(SQUARE, UNIFORM).columns) == PROFILE_COLUMNS


def test_bands_of_a_square_have_the_people_of_their_area():
    bands = (-400, -200, -100, 0, 100, 300, 500)
    found = boundary_profile(SQUARE, UNIFORM, bands=bands)
    within = [0, *(reached(distance) for distance in bands), (SIDE * 200) ** 2]
    assert found["population"].to_numpy() == pytest.approx(np.diff(within) / 100, abs=1e-6)


def test_rounded_corners_fall_short_of_circles_by_little():
    found = boundary_profile(SQUARE, UNIFORM, bands=(0, 300)).loc["0 to 300 m", "population"]
    assert found == pytest.approx((4 * 600 * 300 + np.pi * 300**2) / 100, rel=3e-4)


def test_other_sums_go_with_the_people():
    found = boundary_profile(SQUARE, UNIFORM, bands=(0,))
    assert found.loc["inside", SUMS].tolist() == pytest.approx([3_600, 1_800, 450])


def test_rates_are_ratios_of_the_sums_of_the_band():
    # the square takes a whole cell and half of the one east of it
    grid = grid_of(
        [[400, 400, 400]],
        households=[100.0, 20.0, 7.0],
        poor_households=[50.0, 0.0, 7.0],
        living_standard_sum_eur=[4e6, 16e6, 1e6],
    )
    inside = boundary_profile(layer(at(0, 0, 300, 200)), grid, bands=(0,)).loc["inside"]
    assert inside["poverty_rate"] == pytest.approx(50 / 110)
    assert inside["living_standard_mean_eur"] == pytest.approx(12e6 / 600)


def test_rate_of_a_grid_without_households_is_by_people():
    grid = UNIFORM.assign(households=np.nan, poor_households=np.nan, poor_population=100.0)
    found = boundary_profile(SQUARE, grid, bands=(0,))
    assert found["poverty_rate"].tolist() == pytest.approx([0.25, 0.25])
    assert found[["households", "poor_households"]].isna().all(axis=None)


def test_column_that_the_grid_lacks_is_missing():
    found = boundary_profile(SQUARE, UNIFORM[["population"]], bands=(0,))
    assert found["population"].notna().all()
    assert found.drop(columns=["from_m", "to_m", "population", "grid_share"]).isna().all(axis=None)


def test_empty_band_has_no_people_and_no_rate():
    found = boundary_profile(SQUARE, UNIFORM, bands=(-400, 0)).iloc[0]
    assert found["population"] == 0
    assert found[["poverty_rate", "living_standard_mean_eur"]].isna().all()


def test_value_that_is_missing_makes_only_its_own_bands_missing():
    people = np.full((SIDE, SIDE), 400.0)
    people[-1, -1] = np.nan
    found = boundary_profile(SQUARE, grid_of(people), bands=(0, 100))
    assert found["population"].isna().tolist() == [False, False, True]
    assert found["poverty_rate"].isna().tolist() == [False, False, True]


def test_imputed_share_is_of_the_people_of_the_band():
    # inside: all of 300 and half of 200, of which the first are imputed; outside: half of 200 and all of 100
    grid = grid_of([[300, 200, 100]], imputed=[True, False, True])
    found = boundary_profile(layer(at(0, 0, 300, 200)), grid, bands=(0,))
    assert found["imputed_share"].tolist() == pytest.approx([300 / 400, 100 / 200])


def test_imputed_share_is_missing_where_the_grid_does_not_say():
    grid = grid_of([[300, 200, 100]], imputed=pd.array([True, False, None], dtype="boolean"))
    found = boundary_profile(layer(at(0, 0, 300, 200)), grid, bands=(0,))
    assert found["imputed_share"].tolist() == pytest.approx([300 / 400, np.nan], nan_ok=True)
    assert boundary_profile(SQUARE, UNIFORM, bands=(0,))["imputed_share"].isna().all()


def test_imputed_share_is_missing_in_an_empty_band():
    found = boundary_profile(SQUARE, UNIFORM.assign(imputed=True), bands=(-400, 0))
    assert found["imputed_share"].tolist() == pytest.approx([np.nan, 1, 1], nan_ok=True)


def test_grid_share_is_of_the_ground_of_the_band():
    # 100 m of the 400 m are in a cell that the grid has; of the ring of 100 m, what is over the two cells
    found = boundary_profile(layer(at(-300, 0, 400, 200)), grid_of([[100, 100]]), bands=(0, 100, 300))
    ring = 2 * 100 * (400 + 200) + 4 * 32 * 100**2 * np.sin(np.pi / 2 / 32) / 2
    assert found["grid_share"].tolist()[:2] == pytest.approx([1 / 4, 100 * 200 / ring])
    assert pd.isna(found["grid_share"].iloc[-1])


def test_grid_share_is_whole_where_the_grid_has_every_cell():
    found = boundary_profile(SQUARE, UNIFORM, bands=(-400, -100, 0, 300))["grid_share"]
    assert found.tolist() == pytest.approx([np.nan, 1, 1, 1, np.nan], nan_ok=True)
    assert not (found > 1).any()


def test_grid_share_is_the_same_for_perimeters_in_degrees():
    grid = UNIFORM.iloc[: len(UNIFORM) // 2]
    found = boundary_profile(SQUARE.to_crs(4326), grid)
    pd.testing.assert_series_equal(found["grid_share"], boundary_profile(SQUARE, grid)["grid_share"], rtol=1e-6)


def read_with(where, grid=UNIFORM, notes=()):
    """Grid as the reader gives it for a filter."""
    grid = grid.copy()
    grid.attrs["qpvgeo"] = {"where": where, "notes": list(notes)}
    return grid


TOUCHED = grid_of([[400, 400], [400, 400]], origin=(N + 800, E + 800))  # the cells that the perimeter of NEAR touches
NEAR = layer(at(850, 930, 300, 200))


def test_grid_cut_at_the_perimeters_has_no_band_outside():
    with pytest.raises(DataError, match=r"where=qpv\.to_crs\(5490\)\.buffer\(500\)"):
        boundary_profile(NEAR, read_with({"areas": 1}, TOUCHED))


def test_grid_cut_at_perimeters_that_are_not_touched_alike_in_degrees_is_refused_too():
    with pytest.raises(DataError, match="only the cells that the perimeters touch"):
        boundary_profile(NEAR.to_crs(4326), read_with({"areas": 1}, TOUCHED), bands=(0, 100))


def test_grid_cut_at_the_perimeters_has_bands_inside():
    found = boundary_profile(NEAR, read_with({"areas": 1}, TOUCHED), bands=(-50, 0))
    assert found["population"].sum() == pytest.approx(1_600)
    assert "bands hold only the cells that were read" in found.attrs["qpvgeo"]["notes"][-1]


@pytest.mark.parametrize("where", [{"areas": 1}, {"box": [0, 0, 1, 1]}, {"departments": ["972"]}], ids=str)
def test_profile_of_a_filtered_grid_says_that_it_holds_what_was_read(where):
    about = boundary_profile(SQUARE, read_with(where, notes=["cut at the commune"])).attrs["qpvgeo"]
    assert about["notes"] == [
        "cut at the commune",
        "the grid was read with a filter: the bands hold only the cells that were read, the last band included",
    ]


@pytest.mark.parametrize("where", [None, {"territories": ["972"]}], ids=str)
def test_profile_of_a_whole_grid_has_the_notes_of_the_grid_alone(where):
    about = boundary_profile(SQUARE, read_with(where, notes=["cut"])).attrs["qpvgeo"]
    assert about["notes"] == ["cut"]


def test_way_out_of_a_grid_cut_at_the_perimeters_works():
    sample = qg.sample()
    qpv = qg.read_qpv(sample.qpv_2024)
    with pytest.raises(DataError, match=r"to_crs\(2154\)"):
        boundary_profile(qpv, read_grid(sample.grid_2019, where=qpv), bands=(0, 300))
    farther = read_grid(sample.grid_2019, where=qpv.to_crs(2154).buffer(300))
    found, whole = (boundary_profile(qpv, grid, bands=(0, 300)) for grid in (farther, read_grid(sample.grid_2019)))
    pd.testing.assert_frame_equal(found.iloc[:2], whole.iloc[:2])
    assert found["population"].iloc[2] < whole["population"].iloc[2]


def test_perimeters_that_overlap_or_touch_count_as_one():
    parts = layer(at(850, 930, 400, 600), at(1_050, 930, 400, 600))
    pd.testing.assert_frame_equal(boundary_profile(parts, UNIFORM), boundary_profile(SQUARE, UNIFORM))


def test_distance_is_to_the_nearest_of_all_perimeters():
    two = layer(at(400, 400, 200, 200), at(800, 400, 200, 200))
    found = boundary_profile(two, UNIFORM, bands=(0, 100))
    # the bands of 100 m meet in the gap of 200 m and share nothing
    assert found["population"].tolist()[:2] == pytest.approx([800, 2 * (reached(100, 200) - 200**2) / 100])
    wider = boundary_profile(two, UNIFORM, bands=(0, 150)).loc["0 to 150 m", "population"]
    assert wider < 2 * (reached(150, 200) - 200**2) / 100


def test_hole_in_a_perimeter_is_outside():
    ring = layer(at(850, 930, 600, 600).difference(at(1_050, 1_130, 200, 200)))
    found = boundary_profile(ring, UNIFORM, bands=(0, 100))["population"]
    assert found["inside"] == pytest.approx(3_200)
    # the hole is 200 m wide: all of it lies within 100 m
    assert found["0 to 100 m"] == pytest.approx((reached(100) - 600**2 + 200**2) / 100)


def test_invalid_outline_counts_as_the_area_that_it_encloses():
    x, y = E + 850, N + 930
    eight = layer(Polygon([(x, y), (x + 600, y + 600), (x + 600, y), (x, y + 600), (x, y)]))
    assert boundary_profile(eight, UNIFORM, bands=(0,))["population"].iloc[0] == pytest.approx(1_800)


def test_perimeters_elsewhere_are_left_out():
    guadeloupe = box(650_000, 1_790_000, 650_400, 1_790_400)
    found = boundary_profile(layer(guadeloupe, None, SQUARE.iloc[0]), UNIFORM)
    pd.testing.assert_frame_equal(found, boundary_profile(SQUARE, UNIFORM))


NAMES = {
    (0,): ["inside", "outside"],
    (0, 300): ["inside", "0 to 300 m", "beyond 300 m"],
    (-100, 0): ["deeper than 100 m inside", "inside, 0 to 100 m", "outside"],
    (-200, -100, 0, 62.5): [
        "deeper than 200 m inside",
        "inside, 100 to 200 m",
        "inside, 0 to 100 m",
        "0 to 62.5 m",
        "beyond 62.5 m",
    ],
    (-100, 100): ["deeper than 100 m inside", "100 m inside to 100 m outside", "beyond 100 m"],
    (-100,): ["deeper than 100 m inside", "less than 100 m inside, or outside"],
}


@pytest.mark.parametrize(("bands", "names"), NAMES.items(), ids=str)
def test_names_of_bands_from_the_inside_out(bands, names):
    found = boundary_profile(SQUARE, UNIFORM, bands=bands)
    assert found.index.tolist() == names
    assert found.index.name == "band"


def test_ends_of_bands_are_open():
    found = boundary_profile(SQUARE, UNIFORM, bands=(-100, 0, 300))
    assert found["from_m"].tolist() == [-np.inf, -100, 0, 300]
    assert found["to_m"].tolist() == [-100, 0, 300, np.inf]


@pytest.mark.parametrize(
    "bands",
    [(), (100, 0), (0, 0), (0, np.inf), (np.nan,), (0, np.nan), ("near",), "0,100", 100, None, (0, None)],
    ids=str,
)
def test_bands_that_are_no_ascending_numbers_are_refused(bands):
    with pytest.raises(UsageError, match="ascending distances in metres"):
        boundary_profile(SQUARE, UNIFORM, bands=bands)


@pytest.mark.parametrize("perimeters", [layer(box(650_000, 1_790_000, 650_400, 1_790_400)), layer(None), layer()])
def test_perimeters_without_grid_are_refused(perimeters):
    with pytest.raises(DataError, match="No perimeter lies in the territory of this grid"):
        boundary_profile(perimeters, UNIFORM)


@pytest.mark.parametrize("crs", [4326, 5490])
def test_perimeters_with_exchanged_axes_are_refused_with_the_way_out(crs):
    wrong = SQUARE.to_crs(crs).transform(lambda xy: xy[:, ::-1])
    with pytest.raises(DataError, match=r"qpv = qpv\.geometry\.transform\(lambda xy: xy\[:, ::-1\]\)"):
        boundary_profile(wrong, UNIFORM)


def test_guadeloupe_in_degrees_is_refused_on_the_grid_of_the_hexagone():
    grid = grid_of([[100]], lattice=Lattice(3035, 200), origin=(3_070_000, 3_830_000))
    with pytest.raises(DataError, match="EPSG:3035"):
        boundary_profile(layer(box(-61.55, 16.2, -61.5, 16.25), crs=4326), grid)


@pytest.mark.parametrize(
    ("grid", "says"),
    [(UNIFORM.drop(columns="population"), "population"), (UNIFORM.reset_index(drop=True), "cell ids cannot be used")],
    ids=["no people", "no ids"],
)
def test_frame_that_is_no_grid_is_refused(grid, says):
    with pytest.raises(DataError, match=says):
        boundary_profile(SQUARE, grid)


def test_perimeters_without_crs_are_refused():
    with pytest.raises(DataError, match="no CRS"):
        boundary_profile(layer(at(0, 0, 9, 9), crs=None), UNIFORM)


def test_order_of_the_cells_changes_nothing():
    found = boundary_profile(SQUARE, UNIFORM.iloc[::-1])
    pd.testing.assert_frame_equal(found, boundary_profile(SQUARE, UNIFORM), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    discs=st.lists(st.tuples(*[st.floats(0, 2_400)] * 2, st.floats(5, 900)), min_size=1, max_size=4),
    bands=st.lists(st.floats(-500, 900), min_size=1, max_size=6, unique=True).map(sorted),
    people=st.lists(st.floats(0, 900), min_size=SIDE**2, max_size=SIDE**2),
)
def test_bands_add_up_to_the_grid(discs, bands, people):
    grid = grid_of(np.reshape(people, (SIDE, SIDE)))
    found = boundary_profile(layer(*(Point(E + x, N + y).buffer(r) for x, y, r in discs)), grid, bands=bands)
    for column in SUMS:
        assert found[column].sum() == pytest.approx(grid[column].sum(), abs=1e-6)
    assert (found[SUMS] >= 0).all(axis=None)


@settings(max_examples=10, deadline=None)
@given(bands=st.lists(st.floats(-0.02, 0.02), min_size=2, max_size=6, unique=True).map(sorted))
def test_bands_thinner_than_the_error_of_projections_still_add_up(bands):
    grid = grid_of(np.full((8, 8), 100.0), lattice=Lattice(3035, 200), origin=(3_070_000, 3_830_000))
    oblique = gpd.GeoSeries([box(3_830_300, 3_070_300, 3_831_300, 3_071_100)], crs=3035).to_crs(2154)
    assert boundary_profile(oblique, grid, bands=bands)["population"].sum() == pytest.approx(6_400, abs=1e-6)


def test_band_of_a_nanometre_holds_nobody_rather_than_less():
    oblique = gpd.GeoSeries([box(E + 300.3, N + 300.7, E + 1_300, N + 1_100)], crs=5490).to_crs(4326)
    assert (boundary_profile(oblique, UNIFORM, bands=(-2e-9, -1e-9, 0))[SUMS] >= 0).all(axis=None)


def test_distances_are_those_of_lambert_93_in_the_hexagone():
    """The grid is drawn in another projection: areas change by the same factor everywhere, distances do not."""
    grid = grid_of(np.full((16, 16), 100.0), lattice=Lattice(3035, 200), origin=(3_070_000, 3_830_000))
    x, y = gpd.GeoSeries([Point(3_831_600, 3_071_600)], crs=3035).to_crs(2154).get_coordinates().iloc[0]
    square = layer(box(x - 300, y - 300, x + 300, y + 300), crs=2154)
    found = boundary_profile(square, grid, bands=(0, 200, 400))["population"]
    expected = np.diff([reached(0), reached(200), reached(400)]) / reached(0)
    assert (found.iloc[1:3] / found["inside"]).to_numpy() == pytest.approx(expected, rel=1e-5)


def test_provenance_tells_the_vintage_and_the_sources():
    sample = qg.sample()
    about = boundary_profile(qg.read_qpv(sample.qpv_2024), read_grid(sample.grid_2019)).attrs["qpvgeo"]
    assert (about["grid_vintage"], about["fictional"]) == (2019, True)
    assert [record["file"] for record in about["files"]] == [sample.qpv_2024.name, sample.grid_2019.name]


@pytest.fixture(scope="module")
def around_lille(lille):
    """Profile at the limit of the perimeters of Lille."""
    return boundary_profile(*lille)


@pytest.mark.real
def test_poverty_falls_from_the_inside_of_perimeters_of_lille_outwards(around_lille):
    profile = around_lille
    assert (profile["poverty_rate"].diff().dropna() < 0).all()
    assert profile["poverty_rate"].iloc[0] > 2.5 * profile["poverty_rate"].iloc[-1]


@pytest.mark.real
def test_living_standard_rises_from_the_inside_of_perimeters_of_lille_outwards(around_lille):
    profile = around_lille
    assert (profile["living_standard_mean_eur"].diff().dropna() > 0).all()


@pytest.mark.real
def test_bands_of_lille_add_up_to_its_grid(lille, around_lille):
    _, grid = lille
    assert around_lille["population"].sum() == pytest.approx(grid["population"].sum(), abs=1e-6)


def test_columns_are_summed_or_averaged_by_hand():
    """Half of the cells at 10, half at 30; the square of SQUARE lies over both."""
    warm = np.where(np.arange(SIDE * SIDE) % SIDE < 6, 10.0, 30.0)
    grid = grid_of(np.full((SIDE, SIDE), 400.0), ind_0_3=np.full(SIDE * SIDE, 4.0), warm=warm)
    square = layer(at(1000, 1000, 600, 400))
    found = boundary_profile(square, grid, bands=(0,), columns={"ind_0_3": "sum", "warm": "mean"})
    assert found["ind_0_3"].tolist() == pytest.approx([24.0, 4.0 * (SIDE * SIDE - 6)])
    # a column of 10 and two of 30
    assert found.loc["inside", ["warm", "warm_low", "warm_high"]].tolist() == pytest.approx([70 / 3, 10.0, 30.0])
    assert found.attrs["qpvgeo"]["columns"] == {"ind_0_3": "sum", "warm": "mean"}
    by_area = boundary_profile(square, grid, bands=(0,), columns={"warm": "mean_by_area"})
    assert by_area.loc["inside", "warm"] == pytest.approx(70 / 3)


def test_column_of_unknown_measure_is_asked_for():
    grid = UNIFORM.assign(warm=20.0)
    error = refused(lambda: boundary_profile(SQUARE, grid, columns=["warm"]), "population.measure_unknown", UsageError)
    assert [problem.values["name"] for problem in error.problems] == ["warm"]
