"""Estimates beside published people: totals that are met, and what Insee counted in Lille."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

import qpvgeo as qg
from qpvgeo.population.estimation import estimate_population
from qpvgeo.read.grid.reader import read_grid


def test_total_by_commune_is_met_on_the_sample():
    grid = read_grid(qg.sample().grid_2019)
    communes = grid["communes"].explode().dropna().unique().tolist()
    totals = pd.Series(1_000.0, index=communes)
    everywhere = gpd.GeoSeries([box(*qg.read_qpv(qg.sample().qpv_2024).to_crs(3035).total_bounds)], crs=3035).buffer(
        50_000
    )
    alone = grid[[isinstance(found, list) for found in grid["communes"]]]
    found = estimate_population(everywhere, alone, method="constrained", constraint=totals)
    assert found["estimate"].iloc[0] == pytest.approx(totals.sum(), rel=1e-9)
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == []


@pytest.fixture(scope="module")
def published(real_data, lille):
    """Published people of the perimeters of Lille."""
    people = qg.read_population(real_data / "qpv2015" / "pop_qp_2013.csv")["population"]
    return people.reindex(lille[0].index).astype(float)


@pytest.mark.real
def test_area_finds_four_fifths_of_the_published_people_of_lille(lille, published):
    """Fiscal households, cells under 11 households and dense estates at the edge make up the gap."""
    qpv, grid = lille
    found = estimate_population(qpv, grid)["estimate"]
    assert len(found) == 26
    assert found.sum() / published.sum() == pytest.approx(0.795, abs=0.001)


@pytest.mark.real
def test_area_follows_the_published_people_of_lille(lille, published):
    qpv, grid = lille
    assert np.corrcoef(estimate_population(qpv, grid)["estimate"], published)[0, 1] == pytest.approx(0.9977, abs=1e-4)


@pytest.mark.real
def test_constrained_meets_the_published_people_of_lille(lille, published):
    qpv, grid = lille
    found = estimate_population(qpv, grid, method="constrained", constraint=published)
    assert found["estimate"].to_numpy() == pytest.approx(published.to_numpy(), rel=1e-3)
    assert found["gap"].abs().max() < 1e-3
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == []


@pytest.mark.real
def test_published_people_of_lille_stand_between_the_bounds_without_exception(lille, published):
    qpv, grid = lille
    found = estimate_population(qpv, grid)
    outside = published[(published < found["low"]) | (published > found["high"])]
    assert outside.index.tolist() == []


@pytest.mark.real
@pytest.mark.parametrize("method", ["area", "centroid", "touching"])
def test_poverty_of_lille_is_that_of_priority_neighbourhoods(lille, method):
    """Above a third in the perimeters together, under a fifth in the whole extract."""
    qpv, grid = lille
    found = estimate_population(qpv, grid, method=method)
    inside = np.average(found["poverty_rate"], weights=found["estimate"].clip(lower=1))
    assert inside > 0.3
    assert grid["poor_population"].sum() / grid["population"].sum() < 0.2
