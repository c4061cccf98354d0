"""Frames shown as what they are."""

import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import UsageError


@pytest.fixture(scope="module")
def frames():
    files = qg.sample()
    qpv, grid = qg.read_qpv(files.qpv_2024), qg.read_grid(files.grid_2019)
    return {
        "qpv": qpv,
        "before": qg.read_qpv(files.qpv_2015),
        "communes": qg.read_communes(files.communes, table=files.communes_table),
        "grid": grid,
        "points": qpv[["geometry"]].set_geometry(qpv.representative_point()),
        "people": qg.read_population(files.population_2024),
        "estimates": qg.estimate_population(qpv, grid),
    }


def test_frames_in_any_order_make_the_page_of_their_roles(frames):
    made = qg.maps.explore(*reversed(frames.values()), place="Port-Brume", lang="en")
    same = qg.maps.page(
        [frames["before"], frames["qpv"]],
        frames["communes"],
        figures=[frames["estimates"], frames["people"]],
        grid=frames["grid"],
        points=frames["points"],
        place="Port-Brume",
        lang="en",
    )
    assert made.html == same.html


def test_what_load_gives_is_shown():
    loaded = qg.load(2024, data=qg.sample().path)
    made = qg.maps.explore(loaded, place="La Misaine", lang="en")
    assert made.html == qg.maps.page(loaded, place="La Misaine", lang="en").html


def test_what_cannot_be_shown_together_is_listed(frames):
    error = refused(
        lambda: qg.maps.explore(frames["communes"], frames["communes"], "a path"), "maps.cannot_explore", UsageError
    )
    assert [problem.key for problem in error.problems] == [
        "reports.not_a_frame",
        "maps.explored_twice",
        "maps.no_perimeters_explored",
    ]
