"""Published perimeters and cells that several tests of people look at."""

import pyogrio
import pytest

import qpvgeo as qg


@pytest.fixture(scope="session")
def lille(real_data):
    """Perimeters of 2015 and the grid of 2017 of Lille."""
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    names = {
        "id": "cell_id",
        "num_people": "population",
        "mean_std_living": "living_standard_mean_eur",
        "poverty_ratio": "poverty_rate",
    }
    grid = qg.read_grid(path, layer="enriched_grid", columns=names, keep=[])
    return pyogrio.read_dataframe(path, layer="qpvs").set_index("CODE_QP"), grid
