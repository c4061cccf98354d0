"""What estimates, profiles and the choice of cells share is computed once."""

import pandas as pd
from pandas.testing import assert_frame_equal
from tests.population.small_cells import ROW, at, layer

import qpvgeo as qg
from qpvgeo.geometry import cell_cover, insee_lattice
from qpvgeo.population.estimation import estimate_population
from qpvgeo.read.grid.reader import read_grid


def test_ids_are_parsed_once_whatever_is_asked(monkeypatch):
    """Ids are parsed when a grid is read, and not again: neither by estimates, nor by profiles, nor by maps."""
    asked = []
    real = insee_lattice.parse_ids
    monkeypatch.setattr(insee_lattice, "parse_ids", lambda *given: asked.append(len(given)) or real(*given))
    grid = read_grid(qg.sample().grid_2019)
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    first = estimate_population(qpv, grid)
    assert_frame_equal(estimate_population(qpv, grid.assign(heat=1.0)), first)
    qg.population.boundary_profile(qpv, grid, bands=(0, 100))
    assert asked == []
    plain = grid.set_axis(pd.Index(grid.index.tolist(), dtype="str"), axis="index")
    estimate_population(qpv, plain)
    estimate_population(qpv, plain)
    assert len(asked) == 1


def test_cover_and_validity_are_looked_at_once_for_choosing_cells_and_for_estimating(monkeypatch):
    made = []
    real = cell_cover._cover
    monkeypatch.setattr(cell_cover, "_cover", lambda *given: made.append(1) or real(*given))
    qpv = qg.read_qpv(qg.sample().qpv_2024).to_crs(2154)
    grid = read_grid(qg.sample().grid_2019, where=qpv)
    cut = estimate_population(qpv, grid)
    whole = estimate_population(qpv, read_grid(qg.sample().grid_2019))
    assert len(made) == 1
    assert_frame_equal(cut, whole)


def test_a_cover_is_kept_for_the_same_outlines_alone():
    areas = layer(at(0, 0), at(200, 0))
    assert estimate_population(areas, ROW)["estimate"].tolist() == [100.0, 200.0]
    areas.iloc[0] = at(400, 0)
    assert estimate_population(areas, ROW)["estimate"].tolist() == [400.0, 200.0]
    assert estimate_population(areas.iloc[::-1], ROW)["estimate"].tolist() == [200.0, 400.0]
    moved = areas.translate(200, 0)
    assert estimate_population(moved, ROW)["estimate"].iloc[1] == 400.0
