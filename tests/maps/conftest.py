"""The sample as maps take it; no picture outlives its test."""

import gc

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import qpvgeo as qg


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")
    gc.collect()


@pytest.fixture(scope="session")
def layers():
    """Frames of the sample that the maps show, by name."""
    sample = qg.sample()
    communes = qg.read_communes(sample.communes, table=sample.communes_table)
    old, new = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    grid = qg.read_grid(sample.grid_2019)
    links = qg.join_communes(new, communes, population=qg.read_population(sample.population_2024))
    return {
        "old": old,
        "new": new,
        "communes": communes,
        "grid": grid,
        "coverage": qg.coverage(links, by="commune", units=communes),
        "people": qg.estimate_population(new, grid),
        "addresses": pd.read_csv(sample.addresses, sep=";", dtype="str"),
    }
