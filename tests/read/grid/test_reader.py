"""The income grid: every form and vintage into one frame, filters, files of third parties, what is refused."""

import contextlib
import gzip
import sqlite3
import warnings
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused
from tests.read.grid.small_grids import (
    LILLE,
    THREE,
    cell,
    content,
    notes,
    outlined,
    to_csv,
    to_geoparquet,
    to_gpkg,
    to_parquet,
    to_shapefile,
    to_zip,
    to_zipped_7z,
)

from qpvgeo.errors import DataError, MissingDataError, QpvgeoError, UsageError
from qpvgeo.geometry.cell_cover import overlap_cells
from qpvgeo.geometry.insee_lattice import Lattice
from qpvgeo.quality.grids import check_grid
from qpvgeo.read.grid.reader import GRID_COLUMNS, read_grid
from qpvgeo.samples import sample


def to_gzip(frame, folder, name="carreaux_200m_met.csv.gz"):
    (folder / name).write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    return folder / name


FORMS = [to_csv, to_parquet, to_gpkg, to_geoparquet, to_shapefile, to_zip, to_zipped_7z, to_gzip]


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
