"""Frames written in every form, read back, and refused with a way out."""

import json

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
from tests.builders import layer, refused, square

import qpvgeo as qg
from qpvgeo.errors import DataError, OutputError, UsageError
from qpvgeo.formats.frame_writer import write_frame
from qpvgeo.frames import provenance
from qpvgeo.language import Note

FILE = {"file": "a.csv", "sha256": "0" * 64, "bytes": 3}


@pytest.fixture
def table():
    frame = pd.DataFrame(
        {
            "name": ["Été", "=1+1", "-"],
            "population": pd.array([1250, None, 7], dtype="Int64"),
            "rate": [12.5, np.nan, -0.25],
            "communes": [["99001", "99002"], ["99001"], []],
        },
        index=pd.Index(["QN09901M", "QN09902M", "QN09903M"], name="qpv_code"),
    )
    frame["note"] = pd.Series([Note("frames.several_rows", label="x", count=2), None, None], frame.index, dtype=object)
    return provenance.stamp(frame, [FILE], notes=[Note("frames.several_rows", label="x", count=2)])


@pytest.fixture
def areas(table):
    shapes = {"QN09901M": square(0, 0), "QN09902M": None, "QN09903M": square(500, 0)}
    drawn = layer(shapes, crs=2154, name=["Été", "b", "c"], communes=table["communes"].to_numpy())
    drawn.index.name = "qpv_code"
    return provenance.stamp(drawn, [FILE])


def test_csv_in_english(table, tmp_path):
    lines = write_frame(table, tmp_path / "a.csv").read_bytes().decode().split("\n")
    assert lines[0] == "qpv_code,name,population,rate,communes,note"
    assert lines[1] == 'QN09901M,Été,1250,12.5,"99001, 99002",x appears 2 times'
    assert lines[2] == "QN09902M,=1+1,,,99001,"


def test_csv_in_french_opens_in_a_french_spreadsheet(table, tmp_path):
    raw = write_frame(table, tmp_path / "a.csv", lang="fr").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.decode("utf-8-sig").split("\n")[1] == "QN09901M;Été;1250;12,5;99001, 99002;x figure 2 fois"


def test_csv_as_it_is_wanted(table, tmp_path):
    text = write_frame(table, tmp_path / "a.csv", sep="\t", decimal=",", safe=True).read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    assert [row[1] for row in rows] == ["name", "Été", "'=1+1", "'-"]
    assert [row[3] for row in rows] == ["rate", "12,5", "", "-0,25"]


@pytest.mark.parametrize("ending", ["parquet", "PARQUET"])
def test_parquet_keeps_types_lists_and_provenance(table, tmp_path, ending):
    back = pd.read_parquet(write_frame(table, tmp_path / f"a.{ending}"))
    assert back.index.name == "qpv_code"
    assert back["population"].tolist() == [1250, pd.NA, 7]
    assert list(back.loc["QN09901M", "communes"]) == ["99001", "99002"]
    assert back.attrs["qpvgeo"]["files"] == [FILE]
    assert back.attrs["qpvgeo"]["notes"] == ["x appears 2 times"]


def test_lists_of_arrow_in_parquet_are_read_by_pandas(table, tmp_path):
    kind = pd.ArrowDtype(pa.list_(pa.string()))
    path = write_frame(table.assign(communes=table["communes"].astype(kind)), tmp_path / "a.parquet")
    assert list(pd.read_parquet(path).loc["QN09901M", "communes"]) == ["99001", "99002"]


def test_geoparquet_keeps_geometry_and_provenance(areas, tmp_path):
    back = gpd.read_parquet(write_frame(areas, tmp_path / "a.parquet"))
    assert back.crs.to_epsg() == 2154
    assert back.geometry.iloc[0].equals(square(0, 0))
    assert pd.read_parquet(tmp_path / "a.parquet").attrs["qpvgeo"]["files"] == [FILE]


def test_json_has_records(table, tmp_path):
    records = json.loads(write_frame(table, tmp_path / "a.json", lang="fr").read_text(encoding="utf-8"))
    assert records[0] == {
        "qpv_code": "QN09901M",
        "name": "Été",
        "population": 1250,
        "rate": 12.5,
        "communes": ["99001", "99002"],
        "note": "x figure 2 fois",
    }
    assert records[1]["population"] is None


def test_workbook_holds_text_and_numbers_and_no_formula(table, tmp_path):
    sheet = openpyxl.load_workbook(write_frame(table, tmp_path / "qpv [1].xlsx")).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][:4] == ("QN09901M", "Été", 1250, 12.5)
    assert rows[2][:4] == ("QN09902M", "=1+1", None, None)
    assert sheet["B3"].data_type == "s"


def test_geopackage_keeps_codes_and_provenance(areas, tmp_path):
    path = write_frame(areas, tmp_path / "a.gpkg")
    back = pyogrio.read_dataframe(path, layer="a")
    assert back.crs.to_epsg() == 2154
    assert back["qpv_code"].tolist() == ["QN09901M", "QN09902M", "QN09903M"]
    assert back["communes"].tolist()[0] == "99001, 99002"
    assert json.loads(pyogrio.read_info(path, layer="a")["dataset_metadata"]["qpvgeo"])["files"] == [FILE]


def test_geojson_is_in_degrees(areas, tmp_path):
    back = pyogrio.read_dataframe(write_frame(areas, tmp_path / "a.geojson"))
    assert back.crs.to_epsg() == 4326
    assert back.to_crs(2154).geometry.iloc[0].distance(square(0, 0).centroid) < 1


def test_every_wrong_option_is_told_at_once(table, tmp_path):
    error = refused(
        lambda: write_frame(table, tmp_path / "a.doc", lang="de", sep=";;", decimal=";"), "formats.invalid_output"
    )
    keys = {problem.key for problem in error.problems}
    assert keys == {"formats.no_language", "formats.unknown_ending", "formats.no_delimiter", "formats.no_decimal"}
    error = refused(lambda: write_frame(table, tmp_path / "a.gpkg"), kind=UsageError)
    assert [problem.key for problem in error.problems] == ["formats.no_geometry"]
    error = refused(lambda: write_frame(table, tmp_path / "a.csv", sep=",", decimal=","), kind=UsageError)
    assert [problem.key for problem in error.problems] == ["formats.delimiter_is_decimal"]
    refused(lambda: write_frame([1], tmp_path / "a.csv"), "formats.not_a_frame", UsageError)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json"])
def test_repeated_columns_are_refused(tmp_path, ending):
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    refused(lambda: write_frame(twice, tmp_path / f"a.{ending}"), "formats.columns_repeated", DataError)


def test_columns_of_mixed_values_are_refused_by_parquet_and_nothing_is_left(tmp_path):
    mixed = pd.DataFrame({"a": [1, "b"]})
    refused(lambda: write_frame(mixed, tmp_path / "a.parquet"), "formats.frame_does_not_fit", DataError)
    assert not list(tmp_path.iterdir())


def test_geometry_without_a_projection_is_refused(tmp_path):
    bare = layer({"a": square(0, 0)}, crs=None)
    refused(lambda: write_frame(bare, tmp_path / "a.geojson"), "formats.no_crs", DataError)


def test_an_input_or_a_folder_is_never_written(table, tmp_path):
    given = tmp_path / "mine.csv"
    given.write_text("mine")
    (tmp_path / "link.csv").symlink_to(given)
    refused(lambda: write_frame(table, tmp_path / "link.csv", inputs=[given]), "formats.output_is_input", UsageError)
    (tmp_path / "folder.csv").mkdir()
    refused(lambda: write_frame(table, tmp_path / "folder.csv"), "formats.output_is_folder", OutputError)
    refused(lambda: write_frame(table, tmp_path / "none" / "a.csv"), "formats.no_folder", OutputError)
    assert given.read_text() == "mine"


def test_index_and_column_of_one_name_are_written_once(tmp_path):
    frame = pd.DataFrame({"code": ["a"], "n": [1]}, index=pd.Index(["a"], name="code"))
    assert write_frame(frame, tmp_path / "a.csv").read_text() == "code,n\na,1\n"


@pytest.mark.parametrize(("lang", "people"), [("en", "people"), ("fr", "habitants")])
def test_second_row_of_a_csv_gives_units_and_readers_pass_over_it(tmp_path, lang, people):
    population = qg.read_population(qg.sample().population_2024)
    path = write_frame(population, tmp_path / "people.csv", lang=lang, units=True)
    head, units, *lines = path.read_text(encoding="utf-8-sig").splitlines()
    sep = ";" if lang == "fr" else ","
    assert dict(zip(head.split(sep), units.split(sep), strict=True))["population"] == people
    assert len(lines) == len(population)
    again = qg.read_population(path)
    assert again["population"].tolist() == population["population"].tolist()
    assert again.index.tolist() == population.index.tolist()


def test_a_frame_of_another_library_is_written_as_one_of_pandas(tmp_path):
    table = pa.table({"code": ["01053", None], "people": [3, None]})
    assert write_frame(table, tmp_path / "a.csv").read_text(encoding="utf-8").splitlines() == [
        "code,people",
        "01053,3",
        ",",
    ]


def test_a_workbook_shows_shares_in_percent_and_people_whole(tmp_path):
    frame = pd.DataFrame(
        {"share": [0.17720741, None], "qpv_population": [4495.96, 224.0], "odd_rate": [45.0, 0.2], "n": [1, 2]}
    )
    sheet = openpyxl.load_workbook(write_frame(frame, tmp_path / "table.xlsx", lang="fr")).active
    assert [cell.number_format for cell in sheet[2]] == ["0.0%", "#,##0", "General", "General"]
    assert [cell.value for cell in sheet[2]] == [0.17720741, 4495.96, 45, 1]
    assert sheet["A3"].value is None
    assert sheet.column_dimensions["B"].width >= len("qpv_population")
