"""`import qpvgeo` is light and does nothing: no heavy module, no file, no network, no log."""

import json
import os
import re
import subprocess
import sys

import pytest

import qpvgeo

HEAVY = ("pandas", "geopandas", "numpy", "shapely", "pyproj", "pyogrio", "fiona", "matplotlib", "requests")

# the audit hook sees every file opened for writing, every folder made and every connection
PROBE = """
import json, os, sys
seen = []
WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND

def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITE:
        seen.append(f"open {args[0]}")
    elif event in ("os.mkdir", "os.rename", "os.remove", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        seen.append(event)

sys.addaudithook(watch)
%s
import logging
print(json.dumps({"seen": seen, "modules": sorted(sys.modules), "handlers": len(logging.getLogger().handlers)}))
"""


def run(statement, folder):
    """What a fresh interpreter saw while it ran a statement."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    environment = kept | {"HOME": str(folder), "QPVGEO_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROBE % statement],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "statement", ["import qpvgeo", "import qpvgeo; dir(qpvgeo)", "import qpvgeo.errors, qpvgeo.settings"]
)
def test_import_loads_no_heavy_module(tmp_path, statement):
    assert set(run(statement, tmp_path)["modules"]) & set(HEAVY) == set()


def test_import_writes_nothing_connects_nowhere_and_logs_nothing(tmp_path):
    told = run("import qpvgeo", tmp_path)
    assert told["seen"] == []
    assert told["handlers"] == 0
    assert list(tmp_path.iterdir()) == []


def test_every_name_that_qpvgeo_offers_can_be_had_without_writing(tmp_path):
    # maps load matplotlib, which keeps its list of fonts in a cache of its own
    told = run("import qpvgeo\nfor name in set(qpvgeo.__all__) - {'maps'}: getattr(qpvgeo, name)", tmp_path)
    assert "geopandas" in told["modules"]
    assert [event for event in told["seen"] if str(tmp_path) in event] == []
    assert list(tmp_path.iterdir()) == []


def test_facts_need_no_pandas_to_be_read_as_rows(tmp_path):
    statement = "import qpvgeo.facts\nassert qpvgeo.facts.rows('regions')"
    assert "pandas" not in run(statement, tmp_path)["modules"]


def test_probe_sees_what_an_import_must_not_do(tmp_path):
    statement = "import os, pandas\nos.mkdir('made')\nopen('made/file', 'w').close()"
    told = run(statement, tmp_path)
    assert "pandas" in told["modules"]
    assert told["seen"] == ["os.mkdir", "open made/file"]


@pytest.mark.parametrize("name", qpvgeo.__all__)
def test_every_public_name_resolves(name):
    assert getattr(qpvgeo, name) is not None
    assert name in dir(qpvgeo)


def test_public_names_are_sorted_and_unique():
    assert list(qpvgeo.__all__) == sorted(set(qpvgeo.__all__))


def test_every_public_function_has_a_docstring_and_a_home_of_its_own():
    functions = [getattr(qpvgeo, name) for name in qpvgeo.__all__ if callable(getattr(qpvgeo, name))]
    assert len(functions) >= 16
    assert [one.__name__ for one in functions if not (one.__doc__ or "").strip()] == []
    assert all(one.__module__.startswith("qpvgeo.") for one in functions)


def test_names_that_complete_are_public_and_there():
    assert dir(qpvgeo) == sorted(qpvgeo.__all__)
    assert not [name for name in dir(qpvgeo) if getattr(qpvgeo, name, None) is None]
    assert not {"Any", "import_module", "warnings"} & set(dir(qpvgeo))
    assert {"read_qpv", "summary", "coverage", "tag_points", "crosswalk", "vat_zone", "maps"} <= set(dir(qpvgeo))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("read_QPV", "read_qpv"),
        ("coverge", "coverage"),
        ("zus", "dir(qpvgeo)"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_those_near_it(name, near):
    with pytest.raises(AttributeError, match=re.escape(near)) as raised:
        getattr(qpvgeo, name)
    assert raised.value.name == name


def test_gdal_is_loaded_for_layers_alone(tmp_path):
    """It takes 30 MB of each process that tags tables, or reads frames that were kept."""
    code = """
import sys
import qpvgeo as qg
here = qg.sample()
qg.PerimeterIndex(qg.read_qpv(here.qpv_2024)).save(sys.argv[1])
"""
    index = tmp_path / "a.qpvidx"
    subprocess.run([sys.executable, "-c", code, str(index)], check=True)
    code = """
import sys
import qpvgeo as qg
index, out = sys.argv[1:]
qg.tag_file(qg.sample().addresses, out, qg.PerimeterIndex.load(index), bands=())
print("pyogrio" in sys.modules, "fiona" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(index), str(tmp_path / "out.csv")], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "False"]
