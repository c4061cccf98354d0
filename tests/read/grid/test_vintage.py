"""Which of several grids is the finest and the latest, told without reading them."""

import pytest

import qpvgeo as qg
from qpvgeo.read.grid import arrow_columns
from qpvgeo.read.grid.vintage import rank, rank_of_file


def grid(folder, name, column, size, rows=1):
    path = folder / name
    ids = [f"CRS3035RES{size}mN{3_000_000 + row * size}E3800000" for row in range(rows)]
    path.write_text(f"{column},ind\n" + "".join(f"{text},3\n" for text in ids))
    return path


@pytest.mark.parametrize(
    ("name", "column", "size", "expected"),
    [
        ("carreaux_200m_2019.csv", "idcar_200m", 200, (200, -2019)),
        ("carreaux_1km_2017.csv", "idcar_1km", 1000, (1000, -2017)),
        ("mine.csv", "idcar_200m", 200, (200, 0)),
        ("natural_2021.csv", "idcar_nat", 1000, (float("inf"), -2021)),
    ],
)
def test_rank_of_a_file(tmp_path, monkeypatch, name, column, size, expected):
    path = grid(tmp_path, name, column, size)
    monkeypatch.setattr(arrow_columns, "read", lambda *_: pytest.fail("rows were read"))
    assert rank_of_file(path) == expected


def test_archives_folders_and_other_files_are_left_to_the_reader(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert rank_of_file(tmp_path) is None
    assert rank_of_file(tmp_path / "other.csv") is None
    assert rank_of_file(qg.sample().grid_2019) in (None, rank(200, 2019))
