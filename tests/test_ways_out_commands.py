"""Ways out of commands, of runs that stopped and of the service: each is taken on what raised it."""

import json
import resource
import socket

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner
from tests.builders import refused
from tests.test_ways_out_taken import LILLE, POINT, answer, made, text

import qpvgeo as qg
from qpvgeo.cli import app

FAR = shapely.box(2.3, 48.8, 2.31, 48.81)
MEDIAN = ("--national-median", 22000)
DESIGNATE = ("designate", "--unit-population", 60000, "--median", 20000, *MEDIAN)


def empty(folder):
    (folder / "empty").mkdir(exist_ok=True)
    return folder / "empty"


def drawn(folder, shape):
    path = folder / "drawn.gpkg"
    gpd.GeoDataFrame({"name": ["here"]}, geometry=[shape], crs=4326).to_file(path)
    return path


def units(folder, *columns):
    rows = ["commune,unit,population", "99001,A,60000"]
    return text(folder, "\n".join(",".join(one) for one in zip(rows, *columns, strict=True)) + "\n", "units.csv")


def grid(folder, west=4252400, north=2029800):
    """Two layers of a square each under names of their own, of which only the second lies there."""
    for name, east in (("away", 3_700_000), ("here", west)):
        square = shapely.box(east, north, east + 200, north + 200)
        frame = gpd.GeoDataFrame({"cell": [f"CRS3035RES200mN{north}E{east}"], "folk": [5]}, geometry=[square], crs=3035)
        frame.to_file(folder / "cells.gpkg", layer=name)
    return folder / "cells.gpkg"


CASES = {
    "cli.codes_of_places": (
        lambda _: answer("population", "--sample", "--place", "Le Ressac"),
        lambda _: answer("coverage", "--by", "commune", "--sample"),
    ),
    "cli.designate_medians": (
        lambda here: answer("designate", "--grid", made().sample.grid_2019, "--units", units(here), *MEDIAN),
        lambda here: [
            answer("designate", "--grid", made().sample.grid_2019, "--units", *more, *MEDIAN)
            for more in ([units(here), "--median", 20000], [units(here, [",median", ",20000"][:2])])
        ],
    ),
    "cli.layer_and_columns": (
        lambda here: answer(*map_of_cells(here)),
        lambda here: answer(*map_of_cells(here), "--layer", "here", "--columns", "cell=cell_id,folk=population"),
    ),
    "cli.leave_by_out": (
        lambda _: answer("summary", "--by", "department"),
        lambda _: [
            answer("summary"),
            answer("summary", "--by", "department", "--data", made().sample.path),
        ],
    ),
    "cli.name_the_folder": (
        lambda _: answer("programmes", "--place", "99003"),
        lambda _: [
            answer("programmes", "--sample", "--place", "99003"),
            answer("programmes", "--data", made().sample.path, "--place", "99003"),
        ],
    ),
    "cli.place_or_lists": (
        lambda here: answer("programmes", "--sample", "--png", here / "a.png"),
        lambda here: answer("programmes", "--sample", "--lists", lists(here), "--png", here / "a.png"),
    ),
    "cli.no_cell_near_way_out": (
        lambda here: answer("population", drawn(here, FAR), "--data", made().sample.path),
        lambda here: answer("population", drawn(here, FAR), "--grid", cells_near(here), "--layer", "here"),
    ),
    "cli.no_grid_way_out": (
        lambda here: answer(*DESIGNATE, "--data", empty(here)),
        lambda _: [
            answer(*DESIGNATE, "--grid", made().sample.grid_2019),
            answer(*DESIGNATE, "--data", made().sample.path),
        ],
    ),
    "cli.other_grid": (
        lambda _: answer("designate", "--sample", "--place", "Bretagne"),
        lambda _: answer("designate", "--sample", "--place", "99"),
    ),
    "formats.doctor_names_records": (
        lambda here: qg.read_qpv(cut_short(here)),
        lambda here: doctor(cut_short(here)),
    ),
}


def cells_near(folder):
    point = gpd.GeoSeries([FAR.centroid], crs=4326).to_crs(3035).iloc[0]
    path = grid(folder, int(point.x // 200 * 200), int(point.y // 200 * 200))
    for layer in ("away", "here"):
        gpd.read_file(path, layer=layer).rename(columns={"cell": "idcar_200m", "folk": "ind"}).to_file(
            path, layer=layer
        )
    return path


def renamed(folder):
    """The cells of the sample in a layer of other names, beside a layer of something else."""
    ids = made().grid.index
    north, east = ids.str.extract(r"N(\d+)E(\d+)").astype(int).to_numpy().T
    shapes = shapely.box(east, north, east + 200, north + 200)
    frame = gpd.GeoDataFrame({"cell": ids, "folk": made().grid["population"].to_numpy()}, geometry=shapes, crs=3035)
    frame.to_file(folder / "cells.gpkg", layer="here")
    frame.head(1).drop(columns="cell").to_file(folder / "cells.gpkg", layer="away")
    return folder / "cells.gpkg"


def lists(folder):
    return text(folder, "code_qp\nQN09901M\nQN09902I\n", "mine.csv")


def map_of_cells(folder):
    return "map", "--sample", "--kind", "grid", "--grid", renamed(folder), "--png", folder / "a.png"


def doctor(path):
    found = json.loads(CliRunner().invoke(app, ["doctor", str(path), "--json"]).stdout)
    return [one for one in found["files"][0]["findings"] if one["row"] == 2] or None


def cut_short(folder):
    frame = gpd.GeoDataFrame({"code_qp": ["QN05901N", "QN05902N"]}, geometry=[LILLE, LILLE], crs=4326)
    frame.to_file(folder / "a.shp")
    (folder / "a.shp").write_bytes((folder / "a.shp").read_bytes()[:-40])
    return folder / "a.shp"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", CASES)
def test_the_way_out_of_a_command_is_taken(tmp_path, monkeypatch, key):
    monkeypatch.chdir(empty(tmp_path))
    before, after = CASES[key]
    error = refused(lambda: before(tmp_path))
    assert getattr(error.way_out, "key", None) == key, (error.key, error.way_out)
    assert after(tmp_path) is not None


@pytest.fixture
def stopped(tmp_path):
    """A run of thirty rows in tens that was stopped after twenty."""
    table = pd.DataFrame({"lon": POINT.x, "lat": POINT.y}, index=range(30))
    table.to_csv(tmp_path / "in.csv", index=False, sep=";")

    def stop(rows, _share):
        if rows >= 20:
            raise KeyboardInterrupt

    def run(**options):
        return qg.tagging.tag_file(tmp_path / "in.csv", tmp_path / "out.csv", made().new, batch_rows=10, **options)

    with pytest.raises(KeyboardInterrupt):
        run(progress=stop)
    return run


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("taken", [{"resume": True}, {"bands": (900,), "resume": False}], ids=["as it was", "again"])
def test_a_run_that_was_changed_is_run_as_it_was_or_again(stopped, taken):
    error = refused(lambda: stopped(bands=(900,), resume=True))
    assert error.way_out.key == "tagging.run_as_it_was"
    assert stopped(**taken)["rows"] == 30


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_found_no_room_goes_on(stopped):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        error = refused(lambda: stopped(resume=True))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.way_out.key == "tagging.go_on"
    assert stopped(resume=True)["rows"] == 30


def test_another_port_is_chosen(tmp_path):
    servers = pytest.importorskip("tests.servers")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        serve = pytest.importorskip("qpvgeo.service.serving").serve
        error = refused(lambda: serve(address=taken.getsockname(), sample=True))
        assert error.way_out.key == "service.other_port"
        other = servers.Server(tmp_path, "--sample", "--no-grid", "--no-page", "--host", "127.0.0.1")
    assert other.stop() == 0
