"""How often a command opens each file: in a new folder, and once the folder is known."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qpvgeo as qg

HERE = Path(__file__).parent
PERIMETERS_2024 = {"qpv-2024-geojson.zip": 1, "QP2024_France_Hexagonale_Outre_Mer_WGS84.geojson": 2}
PERIMETERS_2015 = {
    "qp-politiquedelaville-shp.zip": 1,
    "QP_METROPOLE_LB93.shp": 2,
    "QP_METROPOLE_LB93.dbf": 2,
    "QP_METROPOLE_LB93.prj": 1,
    "QP_METROPOLE_LB93.shx": 1,
}
GRIDS = {
    "Filosofi2017_carreaux_200m_csv.zip": 1,
    "Filosofi2017_carreaux_200m_met.csv": 1,
    "Filosofi2019_carreaux_200m_csv.zip": 1,
    "carreaux_200m_met.csv": 1,
}
PEOPLE = {"pop_QPV24.csv": 1, "cog2024_communes.csv": 1}
KNOWN = {
    "summary": PERIMETERS_2024 | PEOPLE,
    "coverage": PERIMETERS_2024 | PEOPLE,
    "population": PERIMETERS_2024 | GRIDS,
    "crosswalk --weights grid": PERIMETERS_2024
    | PERIMETERS_2015
    | GRIDS
    | {"liste-correspondance-qp2024-qp2015.csv": 1},
}
"""Files that a command opens once the folder is known. An archive is opened once, to list it and to unpack it; a member
is written and looked at, and a shapefile's table is searched for its encoding."""

LAYERS = {"QP2024_France_Hexagonale_Outre_Mer_WGS84.geojson": 3, "QP_METROPOLE_LB93.shp": 3}
"""Calls of GDAL: a layer is described, its first rows are judged, and it is read."""

MOST_OF_THE_PACKAGE = 26
"""Stubs, facts and phrases: of the phrases, the tables of the packages that say something."""


FIRST = {
    "summary": 17,
    "coverage": 17,
    "population": 20,
    "crosswalk --weights grid": 32,
    "map Port-Brume --png map.png": 26,
}
"""Files opened and calls of GDAL in a folder seen for the first time: those that may change the answer, once each."""


def opened(cache, command):
    """Files opened by a command on the sample."""
    words = [sys.executable, str(HERE / "opened.py"), *command.split(), "--sample"]
    env = {**os.environ, "QPVGEO_CACHE": str(cache), "QPVGEO_PROCESSED": "1"}
    run = subprocess.run(words, env=env, cwd=cache, capture_output=True, text=True, encoding="utf-8", check=True)
    told = json.loads(run.stdout)
    assert told["code"] in (0, None)
    return told


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Cache in which the sample and its hashes are known, with what the first command opened."""
    cache = tmp_path_factory.mktemp("known")
    first = opened(cache, "crosswalk --weights grid")
    opened(cache, "coverage")
    return cache, first


@pytest.mark.parametrize("command", KNOWN)
def test_a_command_opens_each_file_once_the_folder_is_known(known, command):
    told = opened(known[0], command)
    assert told["opened"] == KNOWN[command]
    assert told["gdal"] == {name: count for name, count in LAYERS.items() if name in KNOWN[command]}
    assert told["package"] <= MOST_OF_THE_PACKAGE


@pytest.mark.parametrize("command", FIRST)
def test_a_command_opens_in_a_new_folder_what_may_hold_its_answer(tmp_path, command):
    told = opened(tmp_path, command)
    assert sum(told["opened"].values()) + sum(told["gdal"].values()) == FIRST[command]


def test_a_new_folder_is_looked_at_once(known):
    first = known[1]["opened"]
    read = {name for files in KNOWN.values() for name in files}
    only_recognised = {path.name for path in qg.sample().path.iterdir()} - read
    counts = {name: first[name] for name in only_recognised & first.keys()}
    assert counts == dict.fromkeys(counts, 1)
    assert {"npnru-99.csv", "cog2024_regions.csv", "zones-inondables-99.geojson"} <= counts.keys()
    # a published name says that they hold something else
    assert not {"pop_qp_2013.csv", "adresses-99.csv.gz"} & counts.keys()
