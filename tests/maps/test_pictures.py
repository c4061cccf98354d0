"""Maps of candidates and pictures beside the maps: what is drawn, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.samples import FICTIONAL


@pytest.fixture(scope="module")
def sample():
    files = qg.sample()
    return qg.read_qpv(files.qpv_2024), qg.read_grid(files.grid_2019)


@pytest.fixture(scope="module")
def cells(sample):
    units = qg.designation.single_unit(sample[1], population=124_000, median=17_000)
    return qg.eligible_cells(sample[1], units, national_median=20_500)


def squares(ax):
    """Number of cells of each collection, in the order of the legend."""
    return [len(one.get_paths()) for one in ax.collections if one.get_zorder() == 2]


def test_zones_are_drawn_with_what_comes_near(cells, sample):
    found = qg.candidate_zones(cells)
    ax = qg.maps.zones(found, sample[0])
    eligible = int(cells["eligible"].fillna(value=False).sum())
    inside = int(found.zones["cells"].sum())
    near = int((found.near_misses["kind"] == "income").sum())
    assert squares(ax) == [inside, eligible - inside, near]


def test_agreement_parts_the_cells_by_half_of_their_area(cells, sample):
    ax = qg.maps.agreement(qg.candidate_zones(cells), sample[0])
    both, alone, _ = squares(ax)
    assert both + alone == int(cells["eligible"].fillna(value=False).sum())
    agreement = qg.designation.compare_with_official(qg.candidate_zones(cells), sample[0])
    assert (both > alone) == (agreement.total["in_qpv_share"] > 1 / 2)


def test_cells_that_are_not_judged_are_apart(sample, cells):
    legend = qg.maps.agreement(qg.candidate_zones(cells), sample[0]).get_legend()
    assert "In a QPV, not judged" not in [text.get_text() for text in legend.get_texts()]
    unknown = cells.assign(eligible=cells["eligible"].mask(cells["eligible"]))
    unknown.attrs = cells.attrs
    ax = qg.maps.agreement(qg.candidate_zones(unknown), sample[0])
    assert "In a QPV, not judged" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_curves_of_sensitivity_are_the_rows_of_the_table(cells, lang):
    table = qg.designation.designation_sensitivity(
        cells, threshold_factors=[0.9, 1, 1.1], gap=[0], min_population=[1000]
    )
    figure = qg.maps.sensitivity(table, lang=lang)
    _, queen, rook = figure.axes[0].lines
    for line, contiguity in ((queen, "queen"), (rook, "rook")):
        rows = table[table["contiguity"] == contiguity].sort_values("threshold_factor")
        assert np.asarray(line.get_ydata()).tolist() == rows["population"].tolist()
    below, warning = (
        " ".join(text.split()) for text in (figure.get_supxlabel(), qg.language.terms.term(FICTIONAL, lang))
    )
    assert warning in below


def test_sets_of_programmes_have_bars_and_dots():
    overlaps = pd.DataFrame(
        {
            "a": [False, True, True, False],
            "b": [False, False, True, True],
            "n_qpv": [9, 4, 2, 1],
            "population": [9.0, 4.0, 2.0, 1.0],
        }
    )
    figure = qg.maps.programmes(overlaps, most=2)
    bars, sizes, dots = figure.axes
    assert [patch.get_height() for patch in bars.patches] == [4, 2]
    assert sorted(patch.get_width() for patch in sizes.patches) == [3, 6]
    assert [text.get_text() for text in dots.get_yticklabels()] == ["b", "a"]
    assert "9" in figure.get_supxlabel()
    assert "1" in figure.get_supxlabel()


def test_the_profile_has_a_panel_per_question(sample):
    qpv, grid = sample
    questions = {"social housing": {"layer": "log_soc", "above": 25}, "children": {"layer": "ind_0_3", "quantile": 0.8}}
    table = qg.resilience.resilience_profile(qpv, grid, questions)
    figure = qg.maps.profile(table)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["social housing", "children", "imputed"]
    said = " ".join(figure.axes[0].get_xlabel().split())
    assert said == "People where log_soc is 25 or more"
    points = figure.axes[0].lines[0]
    assert sorted(points.get_xdata()) == pytest.approx(sorted(table.loc["social housing", "share"]))


def test_tables_of_another_form_and_empty_ones_are_refused(cells):
    refused(lambda: qg.maps.zones(cells), "designation.not_zones", DataError)
    refused(lambda: qg.maps.sensitivity(pd.DataFrame({"a": [1]})), None, DataError)
    refused(lambda: qg.maps.programmes(pd.DataFrame({"n_qpv": [1], "population": [1]})), "maps.empty_table", DataError)
    refused(lambda: qg.maps.profile(pd.DataFrame({"name": []})), None, DataError)
