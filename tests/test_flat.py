"""Memory and open files do not grow with what is done: a few of the cycles of `make soak`."""

import contextlib
import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "scripts" / "flat.py"

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")


@pytest.fixture(scope="module")
def flat():
    spec = importlib.util.spec_from_file_location("flat", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_indexing_and_tagging_again_and_again_keeps_nothing(flat):
    found = flat.growth(flat.index_and_tag(), 20)
    assert found.last_mb - found.first_mb < 12
    assert found.handles == 0


def test_reading_again_and_again_keeps_nothing(flat):
    reads = flat.reads()
    forms = ("qpv.zip", "qpv.gpkg", "qpv.geojson", "qpv.parquet", "people.xlsx", "points.csv.gz")
    grown = {name: flat.growth(reads[name], 8) for name in forms}
    assert {name: found for name, found in grown.items() if found.handles} == {}
    assert {name: found for name, found in grown.items() if found.last_mb - found.first_mb > 12} == {}


def test_what_is_kept_is_seen(flat):
    kept = []
    with contextlib.ExitStack() as files:
        found = flat.growth(lambda: kept.append((b"x" * (4 << 20), files.enter_context(PATH.open("rb")))), 10)
    assert found.last_mb - found.first_mb > 12
    assert found.handles == 10
