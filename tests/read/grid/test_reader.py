"""The income grid: every form and vintage into one frame, filters, files of third parties, what is refused."""

import contextlib
import gzip
import sqlite3
import warnings
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import py7zr
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused

from qpvgeo.errors import DataError, MissingDataError, QpvgeoError, UsageError
from qpvgeo.geometry.cell_cover import overlap_cells
from qpvgeo.geometry.insee_lattice import Lattice
from qpvgeo.quality.grids import check_grid
from qpvgeo.read.grid.reader import GRID_COLUMNS, read_grid
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import sample

LILLE = {
    "id": "cell_id",
    "imputed": "imputed",
    "num_people": "population",
    "mean_std_living": "living_standard_mean_eur",
    "poverty_ratio": "poverty_rate",
}


def cell(north, east, size=200, epsg=3035):
    return f"CRS{epsg}RES{size}mN{north}E{east}"


def content(epsg=3035, prefix="59"):
    """Six cells in the columns of 2019: one of two communes, one imputed, one without a poor household known."""
    north = [3067800, 3067800, 3068000, 3068000, 3068200, 3072000]
    east = [3817400, 3817600, 3817400, 3817600, 3817400, 3820000]
    one, two = f"{prefix}350"[:5], f"{prefix}009"[:5]
    return pd.DataFrame(
        {
            "idcar_200m": [cell(*pair, epsg=epsg) for pair in zip(north, east, strict=True)],
            "idcar_1km": [
                cell(n // 1000 * 1000, e // 1000 * 1000, 1000, epsg) for n, e in zip(north, east, strict=True)
            ],
            "i_est_200": [0, 1, 0, 0, 0, 1],
            "i_est_1km": [0, 0, 0, 0, 0, 0],
            "lcog_geo": [one, one + two, two, two, "2A004", "01004"],
            "ind": [34.0, 12.5, 100.0, 80.0, 60.0, 3.5],
            "men": [15.0, 5.5, 40.0, 31.0, 25.0, 1.5],
            "men_pauv": [3.0, 0.5, 20.0, 10.0, np.nan, 0.0],
            "ind_snv": [911455.4, 250000.0, 1500000.5, 1400000.0, 1300000.0, 80000.0],
            "men_surf": [1200.0, 500.5, 2900.0, 2500.0, 2000.0, 150.0],
            "ind_0_3": [1.0, 0.5, 8.0, 4.0, 3.0, 0.0],
        }
    )


def outlined(frame, epsg=3035, id_name="idcar_200m"):
    corner = frame[id_name].str.extract(r"RES(\d+)mN(\d+)E(\d+)").astype(int)
    squares = shapely.box(corner[2], corner[1], corner[2] + corner[0], corner[1] + corner[0])
    return gpd.GeoDataFrame(frame, geometry=squares, crs=epsg)


def to_csv(frame, folder, name="carreaux_200m_met.csv", **options):
    frame.to_csv(folder / name, index=False, **options)
    return folder / name


def to_parquet(frame, folder, name="carreaux_200m_met.parquet"):
    frame.to_parquet(folder / name)
    return folder / name


def to_gpkg(frame, folder, name="carreaux_200m_met.gpkg"):
    outlined(frame).to_file(folder / name, layer="carreaux_200m_met")
    return folder / name


def to_geoparquet(frame, folder, name="carreaux_200m_met.parquet"):
    outlined(frame).to_parquet(folder / name)
    return folder / name


def to_shapefile(frame, folder, name="carreaux_200m_met.shp"):
    outlined(frame).to_file(folder / name)
    return folder / name


def to_zip(frame, folder, name="Filosofi2021_carreaux_200m_csv.zip"):
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.write(to_csv(frame, folder), "carreaux_200m_met.csv")
    return folder / name


def to_zipped_7z(frame, folder, name="Filosofi2019_carreaux_200m_gpkg.zip"):
    with py7zr.SevenZipFile(folder / "inner.7z", "w") as archive:
        archive.write(to_gpkg(frame, folder), "carreaux_200m_met.gpkg")
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.write(folder / "inner.7z", "Filosofi2019_carreaux_200m_gpkg.7z")
    return folder / name


def to_gzip(frame, folder, name="carreaux_200m_met.csv.gz"):
    (folder / name).write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    return folder / name


FORMS = [to_csv, to_parquet, to_gpkg, to_geoparquet, to_shapefile, to_zip, to_zipped_7z, to_gzip]
THREE = [to_csv, to_parquet, to_gpkg]


def notes(frame):
    return frame.attrs["qpvgeo"]["notes"]


def expected():
    frame = content()
    return pd.DataFrame(
        {
            "population": frame["ind"],
            "households": frame["men"],
            "poor_households": frame["men_pauv"],
            "living_standard_sum_eur": frame["ind_snv"],
            "imputed": [False, True, False, False, False, True],
            "communes": [["59350"], ["59350", "59009"], ["59009"], ["59009"], ["2A004"], ["01004"]],
        }
    ).set_axis(pd.Index(frame["idcar_200m"], name="cell_id"), axis="index")


# The canonical frame


@pytest.mark.parametrize("write", FORMS)
def test_every_form_gives_the_same_frame(tmp_path, write):
    grid = read_grid(write(content(), tmp_path))
    wanted = expected()
    assert grid.index.equals(wanted.index)
    assert grid.index.name == "cell_id"
    assert tuple(grid.columns[:6]) == GRID_COLUMNS
    assert grid.columns[6:].tolist() == ["idcar_1km", "i_est_1km", "men_surf", "ind_0_3"]
    for name in GRID_COLUMNS[:4]:
        pd.testing.assert_series_equal(grid[name], wanted[name])
    assert grid["imputed"].dtype == "boolean"
    assert grid["imputed"].tolist() == wanted["imputed"].tolist()
    assert grid["communes"].tolist() == wanted["communes"].tolist()
    assert grid["ind_0_3"].tolist() == content()["ind_0_3"].tolist()
    assert (grid.attrs["epsg"], grid.attrs["resolution_m"]) == (3035, 200)


@st.composite
def contents(draw):
    corners = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=8, unique=True))
    number = st.one_of(st.none(), st.floats(0, 1e6).map(lambda value: round(value, 1)))
    numbers = st.lists(number, min_size=len(corners), max_size=len(corners))
    codes = st.lists(st.sampled_from(["59350", "2A004", "01004", "97411"]), min_size=1, max_size=4)
    lists = st.lists(st.one_of(st.none(), codes.map("".join)), min_size=len(corners), max_size=len(corners))
    flag = st.lists(st.sampled_from([0, 1]), min_size=len(corners), max_size=len(corners))
    return pd.DataFrame(
        {
            "idcar_200m": [cell(3000000 + 200 * n, 3800000 + 200 * e) for n, e in corners],
            "i_est_200": draw(flag),
            "lcog_geo": pd.Series(draw(lists), dtype="str"),
            **{
                name: pd.Series(draw(numbers), dtype=float) for name in ("ind", "men", "men_pauv", "ind_snv", "log_soc")
            },
        }
    )


@given(frame=contents())
@settings(max_examples=15, deadline=None)
def test_csv_parquet_and_gpkg_of_one_content_are_equal(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    first, *others = [read_grid(write(frame, folder)) for write in THREE]
    for other in others:
        pd.testing.assert_frame_equal(other, first)
    assert first["population"].tolist() == pytest.approx(frame["ind"].tolist(), nan_ok=True)
    given_lists = [None if pd.isna(text) else text for text in frame["lcog_geo"]]
    assert ["".join(codes) if isinstance(codes, list) else None for codes in first["communes"]] == given_lists


def test_sample_in_both_styles():
    old, new = read_grid(sample().grid_2017), read_grid(sample().grid_2019)
    assert (old.attrs["vintage"], new.attrs["vintage"]) == (2017, 2019)
    assert old.index.equals(new.index)
    assert set(old.columns) - set(new.columns) == {"groupe"}
    assert old["groupe"].dtype == "Int64"
    for grid in (old, new):
        about = grid.attrs["qpvgeo"]
        assert (about["fictional"], about["territory"], about["epsg"]) == (True, "99", 3035)
        assert about["files"][0]["member"].endswith(".csv")
        assert about["notes"] == []


def test_columns_of_2015(tmp_path):
    names = {
        "idcar_200m": "IdINSPIRE",
        "idcar_1km": "Id_carr1km",
        "i_est_200": "I_est_cr",
        "lcog_geo": "Depcom",
        "i_est_1km": "I_est_1km",
        "ind": "Ind",
    }
    frame = content().rename(columns=names).assign(Groupe=7, I_pauv=0)
    frame["I_est_1km"] = [0, 1, 2, 0, 0, 0]
    grid = read_grid(to_csv(frame, tmp_path, "carreaux.csv"))
    assert grid.attrs["vintage"] == 2015
    assert grid["imputed"].tolist() == expected()["imputed"].tolist()
    assert grid["i_est_1km"].tolist() == [False, True, False, False, False, False]
    assert grid["groupe"].tolist() == [7] * 6
    assert any("Depcom" in note for note in notes(grid))


def test_header_in_any_case_spaces_and_byte_order_mark(tmp_path):
    frame = content().rename(columns={"idcar_200m": "IDCAR_200M", "ind": " Ind", "lcog_geo": "Lcog_Geo"})
    path = tmp_path / "grid.csv"
    path.write_bytes(frame.to_csv(index=False, sep=";").encode("utf-8-sig"))
    assert read_grid(path)["population"].tolist() == content()["ind"].tolist()


def test_row_names_written_by_r_are_left_out(tmp_path):
    lines = content().to_csv(index=True, header=True).splitlines()
    path = tmp_path / "grid.csv"
    path.write_text("\n".join([lines[0].removeprefix(","), *lines[1:]]), encoding="utf-8")
    pd.testing.assert_frame_equal(read_grid(path), read_grid(to_csv(content(), tmp_path)))


@pytest.mark.parametrize("delimiter", [";", ","])
def test_decimal_commas(tmp_path, delimiter):
    frame = content().assign(lcog_geo=["59350", "59350,59009", "59009", "59009", "2A004", "1004"])
    grid = read_grid(to_csv(frame, tmp_path, sep=delimiter, decimal=","))
    assert grid["population"].tolist() == content()["ind"].tolist()
    assert grid["communes"].tolist() == expected()["communes"].tolist()


def test_numbers_as_text_and_marks_of_secrecy(tmp_path):
    frame = content().astype({"men_pauv": "str", "ind": "str"})
    frame["men_pauv"] = ["3", "0,5", "ns", "1 010", "", "0"]
    grid = read_grid(to_parquet(frame, tmp_path))
    assert grid["poor_households"].tolist() == pytest.approx([3, 0.5, np.nan, 1010, np.nan, 0], nan_ok=True)
    assert grid["population"].tolist() == content()["ind"].tolist()
    again = read_grid(to_csv(frame, tmp_path))
    assert again["poor_households"].tolist() == pytest.approx([3, 0.5, np.nan, 1010, np.nan, 0], nan_ok=True)


def test_codes_that_lost_their_zero_get_it_back(tmp_path):
    frame = content().assign(lcog_geo=[59350, 5935059009, 59009, 59009, 59009, 1004])
    for write in THREE:
        grid = read_grid(write(frame, tmp_path))
        assert grid["communes"].iloc[1] == ["59350", "59009"]
        assert grid["communes"].iloc[5] == ["01004"]
        assert read_grid(write(frame, tmp_path), where="01004").index.tolist() == [grid.index[5]]


def test_unknown_columns_keep_their_name_and_nature(tmp_path):
    frame = content().assign(Nom=["Lille", "Été", None, "a", "b", "c"], insee=["01004"] * 6, Surf_ha=[1, 2, 3, 4, 5, 6])
    for write in THREE:
        grid = read_grid(write(frame, tmp_path))
        assert grid["nom"].tolist()[:2] == ["Lille", "Été"]
        assert grid["nom"].isna().tolist() == [False, False, True, False, False, False]
        assert grid["insee"].tolist() == ["01004"] * 6
        assert grid["surf_ha"].tolist() == [1, 2, 3, 4, 5, 6]


def test_text_in_cp1252(tmp_path):
    path = to_csv(content().assign(nom="Été"), tmp_path, encoding="cp1252")
    assert read_grid(path)["nom"].unique().tolist() == ["Été"]


def test_mirror_without_flags_and_communes_says_what_is_missing(tmp_path):
    grid = read_grid(to_parquet(content().drop(columns=["i_est_200", "lcog_geo", "men_pauv"]), tmp_path))
    assert grid[["poor_households", "imputed", "communes"]].isna().all(axis=None)
    (note,) = notes(grid)
    assert note.key == "grid.not_in_the_file"
    assert note.values["names"] == ["poor_households", "imputed", "communes"]
    assert grid.attrs["qpvgeo"]["poverty_basis"] is None


def test_frame_written_to_parquet_is_read_again(tmp_path):
    grid = read_grid(sample().grid_2019)
    grid.to_parquet(tmp_path / "grid.parquet")
    pd.testing.assert_frame_equal(read_grid(tmp_path / "grid.parquet"), grid)


@pytest.mark.parametrize(
    ("name", "vintage"),
    [
        ("Filosofi2021_carreaux_200m_met.csv", 2021),
        ("carreaux_200m_met.csv", None),
        ("extrait-2024.csv", None),
        ("2017_2019.csv", None),
    ],
)
def test_vintage_of_the_name(tmp_path, name, vintage):
    assert read_grid(to_csv(content(), tmp_path, name)).attrs["vintage"] == vintage


def test_key_of_the_catalogue_found_in_a_folder():
    grid = read_grid("filosofi-200m-2019", data=sample().path)
    assert grid.attrs["vintage"] == 2019
    with pytest.raises(MissingDataError, match="not available locally"):
        read_grid("filosofi-200m-2015", data=sample().path)


# Columns chosen


@pytest.mark.parametrize("write", THREE)
def test_keep_chooses_the_other_columns(tmp_path, write):
    path = write(content(), tmp_path)
    assert read_grid(path, keep=[]).columns.tolist() == list(GRID_COLUMNS)
    assert read_grid(path, keep=["Ind_0_3", "ind"]).columns.tolist() == [*GRID_COLUMNS, "ind_0_3"]
    with pytest.raises(DataError, match="'log_soc'"):
        read_grid(path, keep=["men_surf", "log_soc"])
    with pytest.raises(UsageError, match="one name"):
        read_grid(path, keep="men_surf")


def renamed(with_households):
    frame = content()
    people, homes = frame["ind"], frame["men"]
    extract = pd.DataFrame(
        {
            "id": frame["idcar_200m"],
            "imputed": frame["i_est_200"],
            "num_people": people,
            "mean_std_living": frame["ind_snv"] / people,
            "poverty_ratio": frame["men_pauv"] / homes,
        }
    )
    return extract.assign(homes=homes) if with_households else extract


def test_means_and_rates_become_sums_with_the_people_as_weights(tmp_path):
    grid = read_grid(to_csv(renamed(with_households=False), tmp_path), columns=LILLE)
    rate = content()["men_pauv"] / content()["men"]
    assert grid["living_standard_sum_eur"].tolist() == pytest.approx(content()["ind_snv"].tolist())
    assert grid["poor_population"].tolist() == pytest.approx((rate * content()["ind"]).tolist(), nan_ok=True)
    assert grid[["households", "poor_households"]].isna().all(axis=None)
    assert grid.attrs["qpvgeo"]["poverty_basis"] == "population"
    assert "living_standard_sum_eur is mean_std_living x num_people: the file gives a mean" in notes(grid)
    assert "id read as cell_id" in notes(grid)


def test_rates_are_weighted_with_the_households_where_they_are(tmp_path):
    grid = read_grid(to_csv(renamed(with_households=True), tmp_path), columns={**LILLE, "homes": "households"})
    assert grid["poor_households"].tolist() == pytest.approx(content()["men_pauv"].tolist(), nan_ok=True)
    assert "poor_population" not in grid
    assert grid.attrs["qpvgeo"]["poverty_basis"] == "households"


def test_the_caller_wins_over_the_published_name(tmp_path):
    frame = content().assign(people=1.0)
    grid = read_grid(to_csv(frame, tmp_path), columns={"people": "population"})
    assert grid["population"].tolist() == [1.0] * 6
    assert grid["ind_published"].tolist() == content()["ind"].tolist()


def test_the_name_of_insee_wins_over_ours(tmp_path):
    grid = read_grid(to_csv(content().assign(population=230000, poverty_rate=0.5), tmp_path))
    assert grid["population"].tolist() == content()["ind"].tolist()
    assert grid["population_published"].tolist() == [230000] * 6
    assert grid["poverty_rate_published"].tolist() == [0.5] * 6


def test_published_names_may_be_given(tmp_path):
    frame = content().rename(columns={"ind_0_3": "babies", "ind": "people"})
    grid = read_grid(to_csv(frame, tmp_path), columns={"babies": "ind_0_3", "people": "ind"}, keep=["ind_0_3"])
    assert grid["ind_0_3"].tolist() == content()["ind_0_3"].tolist()
    assert grid["population"].tolist() == content()["ind"].tolist()


def test_names_that_mean_nothing_are_listed_together(tmp_path):
    columns = {"a": "people", "b": "population", "c": "population", "d": "poverty_rate", "e": "poor_households"}
    with pytest.raises(UsageError) as error:
        read_grid(to_csv(content(), tmp_path), columns=columns)
    assert len(error.value.problems) == 3


def test_rates_in_percent_are_refused(tmp_path):
    frame = renamed(with_households=False)
    frame["poverty_ratio"] *= 100
    with pytest.raises(DataError, match="not from 0 to 1"):
        read_grid(to_csv(frame, tmp_path), columns=LILLE)


# Cells chosen

CODES = [
    ("hexagone", [0, 1, 2, 3, 4, 5]),
    ("974", []),
    ("59", [0, 1, 2, 3]),
    ("01", [5]),
    (["2A", "59350"], [0, 1, 4]),
    ({"59009"}, [1, 2, 3]),
    (["hexagone", "974"], [0, 1, 2, 3, 4, 5]),
    ("62", []),
]


@pytest.mark.parametrize("write", [*THREE, to_geoparquet, to_shapefile, to_zip])
@pytest.mark.parametrize(("where", "rows"), CODES)
def test_codes_choose_what_a_filter_afterwards_would(tmp_path, write, where, rows):
    path = write(content(), tmp_path)
    pd.testing.assert_frame_equal(read_grid(path, where=where), read_grid(path).iloc[rows])


@pytest.mark.parametrize("write", [*THREE, to_shapefile])
@pytest.mark.parametrize(
    ("box", "rows"),
    [
        ((3817400, 3067800, 3817600, 3068000), [0]),
        ((3817500, 3067900, 3817700, 3068100), [0, 1, 2, 3]),
        ((3817450, 3068050, 3817450, 3068050), [2]),
        ((0, 3068200, 9999999, 3068201), [4]),
        ((0, 0, 9999999, 9999999), [0, 1, 2, 3, 4, 5]),
        ((3900000, 3000000, 3900001, 3000001), []),
    ],
)
def test_box_in_metres(tmp_path, write, box, rows):
    path = write(content(), tmp_path)
    pd.testing.assert_frame_equal(read_grid(path, where=box), read_grid(path).iloc[rows])


@pytest.mark.parametrize("write", THREE)
def test_box_in_degrees_takes_all_the_cells_in_it(tmp_path, write):
    path = write(content(), tmp_path)
    west, south, east, north = (
        gpd.GeoSeries([shapely.box(3817450, 3067850, 3817700, 3068150)], crs=3035).to_crs(4326).total_bounds
    )
    found = read_grid(path, where=(west, south, east, north))
    assert set(read_grid(path).index[:4]) <= set(found.index)
    assert len(found) < 6
    assert read_grid(path, where=(3.0, 48.0, 3.1, 48.1)).empty


@pytest.mark.parametrize("write", THREE)
def test_polygons_choose_the_cells_they_share_ground_with(tmp_path, write):
    path = write(content(), tmp_path)
    areas = gpd.GeoSeries([shapely.box(3817500, 3067900, 3817600, 3068300), None, shapely.Polygon()], crs=3035)
    whole = read_grid(path)
    pd.testing.assert_frame_equal(read_grid(path, where=areas), whole.iloc[[0, 2, 4]])
    pd.testing.assert_frame_equal(read_grid(path, where=areas.to_frame("geometry").to_crs(4326)), whole.iloc[[0, 2, 4]])


def test_cells_of_the_qpv_of_the_sample_are_those_of_the_overlap():
    qpv, whole = read_qpv(sample().qpv_2024), read_grid(sample().grid_2019)
    touched = set(overlap_cells(qpv, Lattice(3035, 200))["right"])
    pd.testing.assert_frame_equal(read_grid(sample().grid_2019, where=qpv), whole[whole.index.isin(touched)])


@pytest.mark.parametrize("write", [*THREE, to_zipped_7z])
@pytest.mark.parametrize("where", ["62", "974", (3.0, 48.0, 3.1, 48.1)])
def test_nothing_chosen_keeps_columns_dtypes_and_provenance(tmp_path, write, where):
    path = write(content().assign(nom="a", surf=1.5), tmp_path)
    none, whole = read_grid(path, where=where), read_grid(path)
    assert none.empty
    pd.testing.assert_series_equal(none.dtypes, whole.dtypes)
    assert none.attrs["qpvgeo"]["files"] == whole.attrs["qpvgeo"]["files"]


@pytest.mark.parametrize("write", [to_csv, to_parquet])
def test_box_over_a_change_of_digits(tmp_path, write):
    north = [999600, 999800, 1000000, 1000200]
    frame = content().iloc[:4].assign(idcar_200m=[cell(n, 600000, epsg=5490) for n in north])
    path = write(frame, tmp_path)
    found = read_grid(path, where=(600000, 999900, 600100, 1000100))
    pd.testing.assert_frame_equal(found, read_grid(path).iloc[[1, 2]])


def test_columns_stored_as_categories(tmp_path):
    path = to_parquet(content(), tmp_path)
    whole, box = read_grid(path), (3817400, 3067800, 3817600, 3068000)
    texts = content().dtypes.index[content().dtypes == "str"]
    path = to_parquet(content().astype(dict.fromkeys(texts, "category")), tmp_path)
    pd.testing.assert_frame_equal(read_grid(path), whole)
    pd.testing.assert_frame_equal(read_grid(path, where=box), whole.iloc[[0]])
    pd.testing.assert_frame_equal(read_grid(path, where="59009"), whole.iloc[[1, 2, 3]])


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (None, None),
        (["59", "59350", "974"], {"territories": ["974"], "departments": ["59"], "communes": ["59350"]}),
        ((1.0, 42.0, 3.0, 44.0), {"box": [1.0, 42.0, 3.0, 44.0]}),
        (gpd.GeoSeries([shapely.box(3817400, 3067800, 3817500, 3067900)], crs=3035), {"areas": 1}),
    ],
)
def test_provenance_says_what_was_chosen(tmp_path, where, said):
    assert read_grid(to_csv(content(), tmp_path), where=where).attrs["qpvgeo"]["where"] == said


def test_nothing_chosen_of_the_sample_is_still_fictional():
    assert read_grid(sample().grid_2019, where="59").attrs["qpvgeo"]["fictional"]


def test_paris_stands_for_its_arrondissements(tmp_path):
    frame = content().assign(lcog_geo=["75101", "75120", "59009", "59009", "59009", "75056"])
    assert len(read_grid(to_csv(frame, tmp_path), where="75056")) == 3


def test_communes_asked_of_a_file_without_them(tmp_path):
    path = to_parquet(content().drop(columns="lcog_geo"), tmp_path)
    with pytest.raises(DataError, match="does not give the communes"):
        read_grid(path, where="59350")
    assert len(read_grid(path, where="hexagone")) == 6


@pytest.mark.parametrize(
    "where", ["21A", ["59", "ZZ"], 59, (1.0, 2.0, 3.0), (5.0, 2.0, 3.0, 4.0), [], {"a": 1}, [59, "2A"]]
)
def test_filters_that_are_none(tmp_path, where):
    with pytest.raises(UsageError):
        read_grid(to_csv(content(), tmp_path), where=where)


# Several tables

PLACES = {"met": (3035, "59"), "mart": (5490, "97"), "reun": (2975, "97")}


def archive_of_three(folder):
    path = folder / "Filosofi2019_carreaux_200m_csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place, (epsg, prefix) in PLACES.items():
            archive.writestr(f"carreaux_200m_{place}.csv", content(epsg, prefix).to_csv(index=False))
    return path


@pytest.mark.parametrize(
    ("where", "epsg", "territory"),
    [("hexagone", 3035, "hexagone"), ("972", 5490, "972"), ("974", 2975, "974"), ("59", 3035, "hexagone")],
)
def test_the_filter_chooses_the_member(tmp_path, where, epsg, territory):
    grid = read_grid(archive_of_three(tmp_path), where=where)
    about = grid.attrs["qpvgeo"]
    assert (about["epsg"], about["territory"], about["vintage"]) == (epsg, territory, 2019)
    assert len(grid) > 0


def test_no_table_of_the_territory_asked_for(tmp_path):
    with pytest.raises(DataError, match="No table of 971"):
        read_grid(archive_of_three(tmp_path), where="971")


def test_several_tables_are_listed(tmp_path):
    path = archive_of_three(tmp_path)
    with pytest.raises(DataError, match="3 tables of cells") as error:
        read_grid(path)
    assert len(error.value.problems) == 3
    assert read_grid(path, layer="carreaux_200m_reun").attrs["epsg"] == 2975
    with pytest.raises(DataError, match="no table 'elsewhere'"):
        read_grid(path, layer="elsewhere")


def test_qpv_of_another_territory_choose_no_cell(tmp_path):
    reunion = gpd.GeoSeries([shapely.box(55.4, -21.0, 55.5, -20.9)], crs=4326)
    assert read_grid(to_csv(content(), tmp_path), where=reunion).empty


def test_layers_of_one_file_are_chosen_by_name(tmp_path):
    path = tmp_path / "grid.gpkg"
    outlined(content()).to_file(path, layer="a")
    outlined(content().iloc[:2]).to_file(path, layer="b")
    with pytest.raises(DataError, match="2 tables of cells"):
        read_grid(path)
    assert len(read_grid(path, layer="b")) == 2


# Other sizes


def test_grid_of_1_km(tmp_path):
    frame = content().drop(columns=["idcar_200m", "i_est_200"]).iloc[[0, 4, 5]].assign(i_est_1km=[0, 1, 2])
    frame["idcar_1km"] = [cell(3067000, 3817000, 1000), cell(3068000, 3817000, 1000), cell(3072000, 3820000, 1000)]
    grid = read_grid(to_csv(frame, tmp_path, "carreaux_1km_met.csv"))
    assert grid.index.tolist() == frame["idcar_1km"].tolist()
    assert grid.attrs["resolution_m"] == 1000
    assert grid["imputed"].tolist() == [False, True, False]
    assert "i_est_1km" not in grid
    assert len(read_grid(tmp_path / "carreaux_1km_met.csv", where=(3817900, 3067900, 3818100, 3068100))) == 2


def test_natural_level(tmp_path):
    frame = content().drop(columns=["idcar_200m", "idcar_1km", "i_est_200", "i_est_1km"]).iloc[:3]
    frame.insert(0, "idcar_nat", [cell(3067800, 3817400), cell(3068000, 3818000, 2000), cell(3072000, 3816000, 8000)])
    path = to_csv(frame, tmp_path, "carreaux_nivNaturel_met.csv")
    grid = read_grid(path)
    assert grid.index.tolist() == frame["idcar_nat"].tolist()
    assert (grid.attrs["epsg"], grid.attrs["resolution_m"]) == (3035, None)
    assert grid["imputed"].isna().all()
    assert read_grid(path, where=(3823900, 3079900, 3823950, 3079950)).index.tolist() == [grid.index[2]]
    area = gpd.GeoSeries([shapely.box(3819000, 3069000, 3819100, 3069100)], crs=3035)
    assert read_grid(path, where=area).index.tolist() == [grid.index[1]]
    with pytest.raises(DataError, match="on several rows"):
        read_grid(to_csv(pd.concat([frame, frame]), tmp_path))


# The grid of 2010


def tables_of_2010():
    cells = pd.DataFrame(
        {
            "id": ["N1E1", "N1E2", "N2E1"],
            "idINSPIRE": [cell("3067800", "3817400"), cell("3067800", "3817600"), cell("3068000", "3817400")],
            "idk": ["K1", "K1", "K2"],
            "ind_c": [30.0, 10.0, 50.0],
            "nbcar": [2.0, 2.0, 1.0],
        }
    )
    ages = {"ind_age1": [4, 5], "ind_age2": [2, 2], "ind_age3": [4, 4], "ind_age4": [4, 3], "ind_age5": [2, 2]}
    older = {"ind_age6": [20, 30], "ind_age7": [8, 10], "i_age7": [0, 1], "ind_age8": [2, 5], "i_age8": [0, 1]}
    rectangles = pd.DataFrame(
        {
            "idk": ["K1", "K2"],
            "men": [16.0, 25.0],
            "men_surf": [1600.0, 2000.0],
            "men_basr": [4.0, 10.0],
            "i_basr": [0, 1],
        }
        | {"ind_r": [40.0, 50.0], **ages, **older, "ind_srf": [800000.0, 900000.0], "nbcar": [2.0, 1.0]}
    )
    return cells, rectangles


def write_2010(folder, *, rectangles=None):
    cells, published = tables_of_2010()
    pyogrio.write_dataframe(cells, folder / "car_m.dbf", driver="ESRI Shapefile")
    table = published if rectangles is None else rectangles
    pyogrio.write_dataframe(table, folder / "rect_m.dbf", driver="ESRI Shapefile")
    return folder / "car_m.dbf", folder / "rect_m.dbf"


def check_2010(grid):
    assert grid["population"].tolist() == [30.0, 10.0, 50.0]
    assert grid["households"].tolist() == [12.0, 4.0, 25.0]
    assert grid["ind_srf"].tolist() == [600000.0, 200000.0, 900000.0]
    assert grid["ind_0_3"].tolist() == [3.0, 1.0, 5.0]
    assert grid["ind_18_24"].tolist() == [3.0, 1.0, 4.0]
    assert grid["ind_25_64"].tolist() == [9.0, 3.0, 20.0]
    assert grid["ind_65_74"].tolist() == [4.5, 1.5, 5.0]
    assert grid["ind_75p"].tolist() == [1.5, 0.5, 5.0]
    assert grid["ind_r"].tolist() == [40.0, 40.0, 50.0]
    assert grid["nbcar"].tolist() == [2.0, 2.0, 1.0]
    assert grid["i_basr"].tolist() == [False, False, True]
    assert grid[["living_standard_sum_eur", "poor_households", "imputed", "communes"]].isna().all(axis=None)
    assert not {"ind_age6", "ind_age7", "ind_age8"} & set(grid.columns)
    assert grid.attrs["vintage"] == 2010
    assert any("ind_c / ind_r" in note for note in notes(grid))
    assert any("fiscal income" in note for note in notes(grid))


def test_2010_bands_add_up_to_the_people(tmp_path):
    grid = read_grid(write_2010(tmp_path))
    bands = [
        "ind_0_3",
        "ind_4_5",
        "ind_6_10",
        "ind_11_14",
        "ind_15_17",
        "ind_18_24",
        "ind_25_64",
        "ind_65_74",
        "ind_75p",
    ]
    assert grid[bands].sum(axis=1).tolist() == pytest.approx(grid["population"].tolist())


@pytest.mark.parametrize("form", ["pair", "folder", "cells", "zip", "two zips"])
def test_2010_in_every_form(tmp_path, form):
    cells, rectangles = write_2010(tmp_path)
    source = {"pair": [cells, rectangles], "folder": tmp_path, "cells": cells}.get(form)
    if form == "zip":
        source = tmp_path / "200m.zip"
        with zipfile.ZipFile(source, "w") as archive:
            archive.write(cells, "a/car_m.dbf")
            archive.write(rectangles, "a/rect_m.dbf")
    if form == "two zips":
        source = [tmp_path / "200m-carreaux-metropole.zip", tmp_path / "200m-rectangles-metropole.zip"]
        for path, table in zip(source, (cells, rectangles), strict=True):
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(table, table.name)
    check_2010(read_grid(source))


def test_2010_as_mif(tmp_path):
    for table, name in zip(tables_of_2010(), ("car_m.mif", "rect_m.mif"), strict=True):
        drawn = gpd.GeoDataFrame(table, geometry=[shapely.box(0, 0, 1, 1)] * len(table), crs=3035)
        drawn.to_file(tmp_path / name, driver="MapInfo File", FORMAT="MIF")
    check_2010(read_grid(tmp_path))


def test_2010_as_csv(tmp_path):
    cells, rectangles = tables_of_2010()
    check_2010(read_grid([to_csv(cells, tmp_path, "car_m.csv"), to_csv(rectangles, tmp_path, "rect_m.csv")]))


def test_2010_filter_and_columns(tmp_path):
    paths, whole = write_2010(tmp_path), read_grid(write_2010(tmp_path))
    box = (3817400, 3068000, 3817600, 3068200)
    pd.testing.assert_frame_equal(read_grid(paths, where=box), whole.iloc[[2]])
    assert read_grid(paths, keep=["ind_75p", "men_surf"]).columns.tolist() == [*GRID_COLUMNS, "men_surf", "ind_75p"]
    assert read_grid(paths, keep=[]).columns.tolist() == list(GRID_COLUMNS)
    with pytest.raises(DataError, match="'ind_age9'"):
        read_grid(paths, keep=["ind_age9"])


def test_2010_rectangles_missing_or_twice(tmp_path):
    _, rectangles = tables_of_2010()
    with pytest.raises(DataError, match="1 rectangle that cells lie in is missing") as error:
        read_grid(write_2010(tmp_path, rectangles=rectangles.iloc[:1]))
    assert error.value.problems == ("idk K2",)
    with pytest.raises(DataError, match="1 rectangle appears twice"):
        read_grid(write_2010(tmp_path, rectangles=pd.concat([rectangles, rectangles.iloc[:1]])))
    (tmp_path / "rect_m.dbf").unlink()
    with pytest.raises(DataError, match="needs the table of rectangles"):
        read_grid(tmp_path / "car_m.dbf")


def test_2010_ids_with_leading_zeros_get_the_form_of_later_years(tmp_path):
    cells, rectangles = tables_of_2010()
    cells["idINSPIRE"] = [text.replace("mN", "mN0") for text in cells["idINSPIRE"]]
    grid = read_grid([to_csv(cells, tmp_path, "car_m.csv"), to_csv(rectangles, tmp_path, "rect_m.csv")])
    assert grid.index[0] == cell(3067800, 3817400)


# What is refused


@pytest.mark.parametrize("write", THREE)
def test_ids_of_another_projection_or_size_are_listed(tmp_path, write):
    frame = content()
    frame.loc[1, "idcar_200m"] = cell(7634000, 319000, epsg=2975)
    frame.loc[3, "idcar_200m"] = cell(3068000, 3817000, size=1000)
    frame.loc[5, "idcar_200m"] = "nowhere"
    with pytest.raises(DataError, match="3 ids do not agree") as error:
        read_grid(write(frame, tmp_path) if write is not to_gpkg else to_csv(frame, tmp_path, "grid.csv"))
    assert len(error.value.problems) == 3
    assert error.value.problems[0].startswith("position 1: CRS2975RES200m")


def test_wrong_ids_are_listed_with_a_filter_too(tmp_path):
    frame = content()
    frame.loc[1, "idcar_200m"] = cell(7634000, 319000, epsg=2975)
    frame.loc[5, "idcar_200m"] = "nowhere"
    with pytest.raises(DataError, match="2 ids do not agree") as error:
        read_grid(to_csv(frame, tmp_path), where=(3817400, 3067800, 3817600, 3068000))
    assert [problem.split(":")[0] for problem in error.value.problems] == ["position 1", "position 5"]


def test_the_first_id_is_not_the_rule(tmp_path):
    frame = content()
    frame.loc[0, "idcar_200m"] = cell(7634000, 319000, epsg=2975)
    with pytest.raises(DataError, match="1 id does not agree"):
        read_grid(to_csv(frame, tmp_path))


def test_ids_of_another_territory_than_the_file_declares(tmp_path):
    path = tmp_path / "grid.gpkg"
    outlined(content()).set_crs(2975, allow_override=True).to_file(path)
    with pytest.raises(DataError, match="declares EPSG:2975") as error:
        read_grid(path)
    assert len(error.value.problems) == 6


def test_ids_of_another_size_than_the_name_of_the_column(tmp_path):
    frame = content().drop(columns="idcar_1km")
    frame["idcar_200m"] = [cell(3067000 + 1000 * n, 3817000, 1000) for n in range(6)]
    with pytest.raises(DataError, match="6 ids do not agree"):
        read_grid(to_csv(frame, tmp_path))


@pytest.mark.parametrize("write", THREE)
def test_duplicated_ids_are_listed(tmp_path, write):
    frame = pd.concat([content(), content().iloc[[0, 3, 3]]])
    with pytest.raises(DataError, match="2 cells appear on several rows") as error:
        read_grid(write(frame, tmp_path))
    assert [problem.split(": ")[1] for problem in error.value.problems] == ["2 rows", "3 rows"]


def test_tables_without_ids_or_people(tmp_path):
    with pytest.raises(DataError, match="no table of cells"):
        read_grid(to_csv(content().drop(columns=["idcar_200m", "idcar_1km"]), tmp_path))
    with pytest.raises(DataError, match="no column of people"):
        read_grid(to_csv(content().drop(columns="ind"), tmp_path))
    with pytest.raises(DataError, match="no table of cells"):
        read_grid(to_csv(content(), tmp_path), columns={"nobody": "population"})
    with pytest.raises(DataError, match="no cell id"):
        read_grid(to_csv(content().assign(idcar_200m="here"), tmp_path))


def test_cells_that_cannot_be_read_are_listed_together(tmp_path):
    frame = content().astype({"ind": "str", "i_est_200": "int"})
    frame.loc[1, "ind"] = "many"
    frame.loc[2, "ind"] = "-4"
    frame.loc[3, "i_est_200"] = 3
    frame.loc[4, "lcog_geo"] = "593"
    for write in THREE:
        with pytest.raises(DataError, match="4 values of the table") as error:
            read_grid(write(frame, tmp_path))
        assert sorted(problem.split(",")[0] for problem in error.value.problems) == [
            "i_est_200",
            "ind",
            "ind",
            "lcog_geo",
        ]


def test_files_that_are_none(tmp_path):
    with pytest.raises(MissingDataError):
        read_grid(tmp_path / "nothing.csv")
    (tmp_path / "grid.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be opened"):
        read_grid(tmp_path / "grid.parquet")
    (tmp_path / "grid.csv").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="is empty"):
        read_grid(tmp_path / "grid.csv")
    (tmp_path / "readme.md").write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match="no table"):
        read_grid(tmp_path / "readme.md")
    (tmp_path / "ragged.csv").write_text("idcar_200m,ind\n" + cell(200, 200) + ",1,2,3\n", encoding="utf-8")
    with pytest.raises(DataError, match="is damaged"):
        read_grid(tmp_path / "ragged.csv")
    with pytest.raises(DataError, match="columns appear twice"):
        read_grid(to_csv(pd.concat([content(), content()[["ind"]]], axis=1), tmp_path))


@pytest.mark.parametrize("write", THREE)
def test_table_without_rows(tmp_path, write):
    grid = read_grid(write(content(), tmp_path), where="62")
    header = read_grid(to_csv(content().iloc[:0], tmp_path, "none.csv"))
    assert header.empty
    assert header.attrs["epsg"] is None
    assert header.columns.tolist() == grid.columns.tolist()


# Outlines


def test_cut_outlines_are_told_and_their_values_kept(tmp_path):
    grid = outlined(content())
    grid.loc[1, "geometry"] = shapely.box(3817600, 3067800, 3817650, 3068000)
    grid.loc[2, "geometry"] = shapely.box(3817600, 3068000, 3817800, 3068200)
    grid.loc[3, "geometry"] = None
    for path in (tmp_path / "grid.gpkg", tmp_path / "grid.parquet"):
        grid.to_file(path) if path.suffix == ".gpkg" else grid.to_parquet(path)
        found = check_grid(path)
        assert found["row"].tolist() == [1, 2, 3]
        assert found["problem"].tolist() == ["cut", "elsewhere", "no outline"]
        assert found["difference_share"].tolist() == pytest.approx([0.75, 2.0, np.nan], nan_ok=True)
        read = read_grid(path)
        assert read["population"].tolist() == content()["ind"].tolist()
        assert any("3 of the 6 outlines" in note for note in notes(read))
        assert len(read_grid(path, where=(3817700, 3067900, 3817750, 3067950))) == 1


def long_extract(rows, cut):
    """Rows of cells, of which some are cut to half."""
    number = np.arange(rows)
    ids = [cell(3000000 + 200 * (n // 200), 3800000 + 200 * (n % 200)) for n in number]
    grid = outlined(pd.DataFrame({"idcar_200m": ids, "ind": 10.0}))
    north, east = 3000000 + 200 * (cut // 200), 3800000 + 200 * (cut % 200)
    grid.loc[cut, "geometry"] = shapely.box(east, north, east + 100, north + 200)
    return grid


@pytest.mark.parametrize("form", ["gpkg", "parquet", "geojson"])
def test_cells_cut_far_down_an_extract_are_told(tmp_path, form):
    grid = long_extract(1_200, np.array([501, 700, 1_199]))
    path = tmp_path / f"extract.{form}"
    grid.to_parquet(path) if form == "parquet" else grid.to_file(path)
    told = [note for note in notes(read_grid(path)) if note.key == "grid.drawn_otherwise"]
    assert [note.values for note in told] == [{"count": 3, "total": 1_200, "cut": 3}]
    # a filter chooses what is read, not what is judged
    assert told[0] in notes(read_grid(path, where=(3800000, 3000000, 3800100, 3000100)))


@pytest.mark.parametrize("form", ["gpkg", "parquet"])
@pytest.mark.parametrize(
    ("rows", "key", "told"),
    [(20_000, "grid.drawn_otherwise", (2, 20_000)), (20_001, "grid.first_drawn_otherwise", (1, 500))],
)
def test_of_a_long_file_the_first_outlines_are_judged(tmp_path, form, rows, key, told):
    grid = long_extract(rows, np.array([499, 501]))
    path = tmp_path / f"extract.{form}"
    grid.to_parquet(path) if form == "parquet" else grid.to_file(path)
    found = [note.values for note in notes(read_grid(path)) if note.key == key]
    assert [(values["count"], values["total"]) for values in found] == [told]


def test_cells_drawn_in_another_projection_are_the_same_squares(tmp_path):
    outlined(content()).to_crs(2154).to_file(tmp_path / "grid.gpkg")
    assert check_grid(tmp_path / "grid.gpkg").empty
    assert notes(read_grid(tmp_path / "grid.gpkg")) == []


def test_tables_without_outlines_have_none_to_check(tmp_path):
    assert check_grid(to_parquet(content(), tmp_path)).empty


@pytest.mark.parametrize(("shift", "told"), [(0, []), (10**7, ["could not be compared"])])
def test_values_need_no_projection(tmp_path, shift, told):
    grid = gpd.GeoDataFrame(content(), geometry=outlined(content(), None).translate(shift))
    with warnings.catch_warnings():
        # some versions warn that the file will declare no projection
        warnings.simplefilter("ignore")
        grid.to_file(tmp_path / "grid.gpkg")
    read = read_grid(tmp_path / "grid.gpkg")
    assert len(read) == 6
    assert [note for note in notes(read) if told and told[0] in note] == notes(read)
    assert len(notes(read)) == len(told)


# Real files


@pytest.mark.real
def test_lille_is_read_with_a_mapping(real_data):
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    grid = read_grid(path, columns=LILLE)
    assert len(grid) == 9096
    assert round(grid["population"].sum()) == pytest.approx(1_099_837, abs=1)
    assert grid["living_standard_sum_eur"].iloc[0] == pytest.approx(26807.511765 * 34)
    assert grid["poor_population"].iloc[0] == pytest.approx(0.044776 * 34, rel=1e-4)
    assert grid.attrs["vintage"] == 2017
    assert check_grid(path, columns=LILLE).empty
    assert notes(grid)[0] == "id read as cell_id"
    assert not grid.attrs["qpvgeo"]["fictional"]


@pytest.mark.real
def test_bondy_is_cut_and_says_so(real_data):
    path = real_data / "filosofi" / "filosofi2019_200m_bondy.gpkg"
    grid = read_grid(path, layer="bondy")
    assert len(grid) == 164
    assert grid["population"].sum() == 65_548
    assert any("outlines are not the square of their id" in note for note in notes(grid))
    found = check_grid(path, layer="bondy")
    assert found["problem"].unique().tolist() == ["cut"]
    assert found["drawn_m2"].min() == pytest.approx(59, abs=1)
    assert grid["communes"].iloc[0] == ["93064", "93010"]
    assert len(read_grid(path, layer="bondy", where="93010")) <= 164
    with pytest.raises(DataError, match="tables of cells"):
        read_grid(path)


def eurostat(ids, **columns):
    return pd.DataFrame({"GRD_ID": ids} | columns)


KM = [cell(3067000, 3817000, 1000), cell(3068000, 3818000, 1000)]
SHORT = {
    "full": KM,
    "short": ["1kmN3067E3817", "1kmN3068E3818"],
    "easting first": ["1kmE3817N3067", "1kmE3818N3068"],
}


@pytest.mark.parametrize("ids", SHORT.values(), ids=SHORT.keys())
@pytest.mark.parametrize("people", ["T", "TOT_P", "TOT_P_2021", "OBS_VALUE_T"])
def test_grids_of_eurostat(tmp_path, ids, people):
    path = to_csv(eurostat(ids, **{people: [120, -9999], "M": [60, 3]}), tmp_path)
    grid = read_grid(path)
    assert grid.index.tolist() == KM
    assert (grid.attrs["epsg"], grid.attrs["resolution_m"]) == (3035, 1000)
    assert grid["population"].tolist()[:1] == [120.0]
    assert grid["population"].isna().tolist() == [False, True]
    assert grid["m"].tolist() == [60.0, 3.0]
    keys = [note.key for note in notes(grid)]
    assert {"grid.all_residents", "grid.marked_missing"} <= set(keys)
    assert grid.attrs["qpvgeo"]["files"][0]["producer"] == "Eurostat"
    chosen = read_grid(path, where=(3817000, 3067000, 3817500, 3067500))
    assert chosen.index.tolist() == KM[:1]


def test_several_years_of_people_are_for_the_caller_to_choose_from(tmp_path):
    path = to_csv(eurostat(KM, TOT_P_2018=[1, 2], TOT_P_2021=[3, 4]), tmp_path)
    error = refused(lambda: read_grid(path), "grid.no_people", DataError)
    assert error.way_out.values["name"] == "TOT_P_2018"
    assert read_grid(path, columns={"TOT_P_2021": "population"})["population"].tolist() == [3.0, 4.0]


def test_short_ids_of_another_size_are_refused(tmp_path):
    with pytest.raises(DataError, match="1 id does not agree"):
        read_grid(to_csv(eurostat(["1kmN3067E3817", "10kmN306E381"], T=[1, 2]), tmp_path))


@pytest.mark.parametrize("size", [200, 250])
def test_short_ids_drop_as_many_zeros_as_their_size_has(tmp_path, size):
    zeros = 100 if size == 200 else 10
    north, east = 3068000 // size * size, 3818000 // size * size
    grid = read_grid(to_csv(eurostat([f"{size}mN{north // zeros}E{east // zeros}"], T=[1]), tmp_path))
    assert grid.index.tolist() == [cell(north, east, size)]


def test_grid_of_one_kilometre_by_its_own_ids(tmp_path):
    frame = content().drop(columns=["idcar_200m", "i_est_200"]).iloc[[0, 5]]
    grid = read_grid(to_csv(frame.rename(columns={"idcar_1km": "Idcar_1km"}), tmp_path))
    assert grid.attrs["resolution_m"] == 1000
    assert grid["imputed"].tolist() == [False, False]


@pytest.mark.parametrize("where", [None, "59009", (3817400, 3067800, 3817600, 3068000)])
def test_squares_on_demand(tmp_path, where):
    path = to_csv(content(), tmp_path)
    grid = read_grid(path, where=where, geometry=True)
    assert isinstance(grid, gpd.GeoDataFrame)
    assert grid.crs == 3035
    assert grid.geometry.area.tolist() == [40_000.0] * len(grid)
    assert [cell(int(shape.bounds[1]), int(shape.bounds[0])) for shape in grid.geometry] == grid.index.tolist()
    plain = read_grid(path, where=where)
    pd.testing.assert_frame_equal(pd.DataFrame(grid.drop(columns="geometry")), plain)
    assert grid.attrs == plain.attrs


def test_of_several_layers_the_one_of_cells_is_read_and_the_others_are_named(tmp_path):
    path = to_gpkg(content(), tmp_path)
    notes_ = gpd.GeoDataFrame({"text": ["here"]}, geometry=[shapely.Point(0, 0)], crs=3035)
    notes_.to_file(path, layer="remarks", driver="GPKG")
    grid = read_grid(path)
    assert len(grid) == 6
    (note,) = [note for note in notes(grid) if getattr(note, "key", "") == "grid.other_tables"]
    assert note.values["names"] == [f"{path.name}:remarks"]
    with sqlite3.connect(path) as database:
        database.execute(
            "UPDATE gpkg_geometry_columns SET geometry_type_name='GEOMETRY', z=1 WHERE table_name='remarks'"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        pd.testing.assert_frame_equal(read_grid(path), grid)


def test_a_layer_declared_as_any_geometry_with_heights_is_read(tmp_path):
    path = to_gpkg(content(), tmp_path)
    grid = read_grid(path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE gpkg_geometry_columns SET geometry_type_name='GEOMETRY', z=1")
    pd.testing.assert_frame_equal(read_grid(path), grid)


def test_areas_that_lie_nowhere_are_refused_and_not_answered_with_no_row(tmp_path):
    path = to_csv(content(), tmp_path)
    area = gpd.GeoSeries([shapely.box(3817400, 3067800, 3817600, 3068000)], crs=3035)
    assert len(read_grid(path, where=area)) == 1
    wrong = area.to_crs(2154).set_crs(4326, allow_override=True)
    refused(lambda: read_grid(path, where=wrong), "grid.areas_nowhere", DataError)
    wrong = area.to_crs(4326).set_crs(2154, allow_override=True)
    refused(lambda: read_grid(path, where=wrong), "grid.areas_nowhere", DataError)
    assert len(read_grid(path, where=wrong.set_crs(4326, allow_override=True))) == 1


@pytest.mark.parametrize("box", [(48.8, 2.3, 48.9, 2.4), (652_000, 6_862_000, 653_000, 6_863_000), (0, 200, 1, 201)])
def test_boxes_that_lie_nowhere_are_refused(tmp_path, box):
    refused(lambda: read_grid(to_csv(content(), tmp_path), where=box), "grid.box_nowhere", UsageError)


def test_a_place_without_cells_is_noted(tmp_path):
    grid = read_grid(to_csv(content(), tmp_path), where=(3900000, 3000000, 3900001, 3000001))
    assert len(grid) == 0
    assert "grid.no_cell_chosen" in [note.key for note in notes(grid)]


@pytest.mark.parametrize("value", [-1.0, np.inf])
@pytest.mark.parametrize("column", ["ind", "men", "men_pauv"])
def test_impossible_counts_are_refused_with_their_rows(tmp_path, column, value):
    frame = content()
    frame.loc[2, column] = value
    error = refused(lambda: read_grid(to_parquet(frame, tmp_path)), kind=DataError)
    assert [(problem.values["name"], problem.values["row"]) for problem in error.problems] == [(column, 2)]


@pytest.mark.parametrize("where", [None, "59009", (3817400, 3067800, 3817600, 3068000)])
def test_columns_stored_as_string_views(tmp_path, where):
    plain = to_parquet(content(), tmp_path)
    table = pq.read_table(plain)
    for at, column in enumerate(table.schema):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            table = table.set_column(at, column.name, table[at].cast(pa.string_view()))
    pq.write_table(table, tmp_path / "views.parquet")
    pd.testing.assert_frame_equal(read_grid(tmp_path / "views.parquet", where=where), read_grid(plain, where=where))


BAD_SOURCES = {"nothing": None, "number": 3, "no name": "", "a list of nothing": [None], "no file": []}


@pytest.mark.parametrize("read", [read_grid, check_grid])
@pytest.mark.parametrize("source", BAD_SOURCES.values(), ids=BAD_SOURCES.keys())
def test_sources_that_are_not_paths_are_refused(read, source):
    assert not isinstance(refused(lambda: read(source)), DataError)


@pytest.mark.parametrize("read", [read_grid, check_grid])
def test_a_grid_that_was_read_is_not_a_file(tmp_path, read):
    grid = read_grid(to_csv(content(), tmp_path))
    refused(lambda: read(grid), "grid.frame_for_file", UsageError)


BAD_OPTIONS = {
    "columns is a list": {"columns": ["ind"]},
    "columns is text": {"columns": "ind"},
    "columns of numbers": {"columns": {1: 2}},
    "keep is a number": {"keep": 3},
    "keep of numbers": {"keep": [3]},
    "where is a number": {"where": 3},
    "where is a mapping": {"where": {"a": 1}},
    "where is a plain frame": {"where": pd.DataFrame({"a": [1]})},
    "where is no place": {"where": ["nowhere"]},
    "where has no geometry": {"where": gpd.GeoDataFrame({"a": [1]})},
    "where is one shape": {"where": shapely.box(0, 0, 1, 1)},
}


@pytest.mark.parametrize("options", BAD_OPTIONS.values(), ids=BAD_OPTIONS.keys())
def test_options_of_the_wrong_kind_are_refused(tmp_path, options):
    refused(lambda: read_grid(to_csv(content(), tmp_path), **options), kind=UsageError)


def test_cells_of_areas_and_of_a_grid_that_was_read(tmp_path):
    grid = read_grid(to_csv(content(), tmp_path))
    area = gpd.GeoSeries([shapely.box(3817400, 3067700, 3817500, 3068000)], index=["here"], crs=3035)
    found = overlap_cells(area, grid)
    assert found["right"].tolist() == [cell(3067800, 3817400)]
    assert len(overlap_cells(area, Lattice(3035, 200))) == 2
    for wrong in (None, 3, "x"):
        refused(lambda wrong=wrong: overlap_cells(area, wrong), "geometry.no_lattice", UsageError)
        refused(lambda wrong=wrong: overlap_cells(wrong, grid), "frames.not_a_layer", UsageError)


@pytest.mark.parametrize("write", [to_csv, to_parquet, to_geoparquet, to_gpkg, to_shapefile, to_zip])
def test_damaged_files_raise_our_errors_only(tmp_path, write):
    path = write(content(), tmp_path)
    whole, chance = path.read_bytes(), np.random.default_rng(0)
    for _ in range(12):
        bytes_ = bytearray(whole)
        for at in chance.integers(0, len(bytes_), 8):
            bytes_[at] = int(chance.integers(0, 256))
        path.write_bytes(bytes(bytes_[: int(chance.integers(1, 2 * len(bytes_)))]))
        for read in (read_grid, check_grid):
            with warnings.catch_warnings(), contextlib.suppress(QpvgeoError):
                warnings.simplefilter("ignore")
                read(path)
    path.write_bytes(whole)
    assert len(read_grid(path)) == 6
