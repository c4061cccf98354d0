"""Grids and options that are refused, each with its reason."""

import pandas as pd
import pytest
from tests.read.grid.small_grids import THREE, cell, content, outlined, to_csv, to_gpkg

from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.read.grid.reader import read_grid

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
