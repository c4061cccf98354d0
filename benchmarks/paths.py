"""Speed on the user's own path, as ratios: `python benchmarks/paths.py [--quick] [--old SRC] [WORKLOAD...]`.

From the frames and commands that people have to the answer; peers do all that our call does, projection and tree
included, and a call with everything new is told apart from one that finds a tree or an index kept. Answers are compared
first. Calls take turns in one process held to two processors; a ratio is one median over another.

`--quick` takes two minutes on two idle cores, before a release; `--json` keeps the ratios, one file a release, so that
a loss is seen. `--old` names the sources of an earlier version, to be measured beside this one (`releases.py`).
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path
from time import perf_counter

import data
import geopandas as gpd
import numpy as np
import pandas as pd
import releases
import shapely

import qpvgeo as qg
from qpvgeo.tagging import PerimeterIndex

HERE = Path(__file__).parent
ONE_POINT = 2_000
AGREE_PEOPLE = 1e-6


def perimeters():
    """The published QPV of 2015 in EPSG:2154 where `QPVGEO_TEST_DATA` names their folder, else fictional ones."""
    folder = os.environ.get("QPVGEO_TEST_DATA")
    if folder is None:
        return data.qpv(1_609, where=data.INLAND).assign(vintage=2015)
    return qg.read_qpv(next(Path(folder).rglob("QP_METROPOLE_LB93.shp")), vintage=2015)


def clustered(qpv, count, seed=data.SEED):
    """Points in EPSG:2154: six in ten around the middles of QPV, 300 m to 5 km off, the others anywhere inland."""
    chance = np.random.default_rng(seed)
    middles, many = shapely.get_coordinates(shapely.centroid(qpv.geometry.to_numpy())), int(0.6 * count)
    off = chance.normal(0, 1, (many, 2)) * chance.choice([300, 1_500, 5_000], many)[:, None]
    corner, size = data.INLAND
    xy = np.concatenate(
        [middles[chance.integers(len(middles), size=many)] + off, corner + chance.random((count - many, 2)) * size]
    )
    return chance.permutation(xy)


def _new(frame):
    """The same frame without a tree."""
    shapes = gpd.array.GeometryArray(np.asarray(frame.geometry.array), crs=frame.crs)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index))


def _points(xy):
    return gpd.GeoDataFrame({"id": np.arange(len(xy))}, geometry=gpd.points_from_xy(*xy.T), crs=2154)


def inside(millions, rounds):
    """In or out, from a GeoDataFrame."""
    qpv = perimeters()
    points, plain = _points(clustered(qpv, int(millions * 1e6))), qpv[["geometry"]]
    kept = _new(points)
    index = PerimeterIndex(qpv)
    calls = {
        "tag_points": lambda: qg.tag_points(_new(points), qpv, bands=()),
        "tag_points, index kept": lambda: qg.tag_points(_new(points), index, bands=()),
        "geopandas.sjoin": lambda: gpd.sjoin(_new(points), plain, predicate="within"),
        "geopandas.sjoin, tree kept": lambda: gpd.sjoin(kept, plain, predicate="within"),
        "sedonadb": _sedonadb(points, plain),
        "shapely.get_x, get_y": lambda: (shapely.get_x(points.geometry.array), shapely.get_y(points.geometry.array)),
    }
    tags, joined = calls["tag_points"](), calls["geopandas.sjoin"]()
    ours = int((tags["state"] == "in").sum() + tags["also_in"].str.count(",").add(1).sum())
    # a point on an outline is in for the law, and not within for geopandas
    _agree("in or out", ours, len(joined) + _on_outlines(points, qpv, joined, tags))
    return _told(f"in or out, {millions:g} million", calls, rounds)


def _on_outlines(points, qpv, joined, tags):
    rows = np.setdiff1d(np.flatnonzero(tags["state"] == "in"), joined.index.to_numpy())
    pairs = shapely.STRtree(qpv.geometry.to_numpy()).query(points.geometry.array[rows], predicate="intersects")
    return pairs.shape[1]


def _sedonadb(points, qpv):
    try:
        import geoarrow.pyarrow  # noqa: F401
        import sedonadb
        import sedonadb.raster
        import sedonadb.read
    except ModuleNotFoundError as error:
        print(f"sedonadb is left out: {error}", file=sys.stderr)
        return None
    session = sedonadb.connect()

    def call():
        session.create_data_frame(points).to_view("points", overwrite=True)
        session.create_data_frame(qpv.reset_index()).to_view("qpv", overwrite=True)
        query = "SELECT points.id, qpv.qpv_code FROM points JOIN qpv ON ST_Intersects(qpv.geometry, points.geometry)"
        return session.sql(query.replace("qpv.qpv_code", f"qpv.{qpv.index.name}")).to_arrow_table()

    return call


def near(millions, rounds):
    """Exact distances up to 500 m, from a GeoDataFrame."""
    qpv = perimeters()
    points = _points(clustered(qpv, int(millions * 1e6)))
    index = PerimeterIndex(qpv)
    calls = {
        "tag_points": lambda: qg.tag_points(_new(points), qpv),
        "tag_points, index kept": lambda: qg.tag_points(_new(points), index),
    }
    if millions <= 1:
        some = points.iloc[:100_000]
        found = gpd.sjoin_nearest(some, qpv[["geometry"]], max_distance=500, distance_col="metres")
        found = found["metres"].groupby(level=0).first().reindex(some.index).to_numpy()
        ours = qg.tag_points(some, qpv)["distance_m"].to_numpy()
        _agree(
            "distances",
            float(np.nanmax(np.abs(ours - found))) < 1e-6 and (np.isnan(ours) == np.isnan(found)).all(),
            True,
        )
        calls["geopandas.sjoin_nearest, a tenth"] = lambda: gpd.sjoin_nearest(
            _new(some), qpv[["geometry"]], max_distance=500, distance_col="metres"
        )
    return _told(f"exact distance, {millions:g} million", calls, rounds)


def forms(millions, rounds):
    """One call from each form of the same points, in degrees."""
    qpv = perimeters()
    drawn = _points(clustered(qpv, int(millions * 1e6))).to_crs(4326)
    table = pd.DataFrame({"lon": drawn.geometry.x, "lat": drawn.geometry.y})
    index = PerimeterIndex(qpv)
    given = {"arrays": (table["lon"].to_numpy(), table["lat"].to_numpy()), "DataFrame": table, "GeoDataFrame": drawn}
    try:
        import duckdb
        import polars as pl
        import pyarrow as pa
    except ModuleNotFoundError as error:
        print(f"frames of Arrow are left out: {error}", file=sys.stderr)
    else:
        given |= {
            "pyarrow": pa.Table.from_pandas(table, preserve_index=False),
            "polars": pl.from_pandas(table),
            "GeoArrow": pa.table(drawn[["geometry"]].to_arrow(geometry_encoding="geoarrow", index=False)),
        }
        session = duckdb.connect(config={"threads": 2})
        session.register("points", given["pyarrow"])
        given["DuckDB"] = session.sql("SELECT * FROM points")
    first = qg.tag_points(given["arrays"], index, crs=4326)
    for name, points in given.items():
        own = qg.tag_points(points, index, crs=4326)
        _agree(name, own.reset_index(drop=True).equals(first), True)
    calls = {name: lambda one=points: qg.tag_points(one, index, crs=4326) for name, points in given.items()}
    if "pyarrow" in given:
        calls["pyarrow to pyarrow"] = lambda: qg.tag_points(given["pyarrow"], index, crs=4326, returns="pyarrow")
    return _told(f"forms of points, {millions:g} million", calls, rounds)


def one(_, rounds, dsn=None):
    """One point through an index, everything known; PostGIS through its driver where a database is named."""
    qpv = perimeters()
    index = PerimeterIndex(qpv)
    middle = qpv.geometry.iloc[0].representative_point()
    asked = {
        "in, EPSG:2154": ((middle.x, middle.y), {"crs": 2154}),
        "out, degrees": ((2.29, 48.86), {}),
        "with a day and a tolerance": ((2.35, 48.9), {"on": "2019-03-14", "tolerance_m": 10}),
    }

    def often(point, options):
        times = []
        for _ in range(ONE_POINT):
            start = perf_counter()
            index.tag(*point, **options)
            times.append(perf_counter() - start)
        return statistics.median(times)

    seconds = {f"tag, {name}": [often(*asked[name]) for _ in range(rounds)] for name in asked}
    frame = [_seconds(lambda: qg.tag_points(([middle.x], [middle.y]), index, crs=2154)) for _ in range(20)]
    if dsn is not None:
        inside = shapely.get_coordinates(gpd.GeoSeries([middle], crs=2154).to_crs(4326).to_numpy())[0]
        points = {"in": (*map(float, inside), qpv.index[0]), "out": (2.29, 48.86, None)}
        seconds |= asyncio.run(_in_postgis(dsn, qpv, points, rounds))
    return written("one point", seconds | {"tag_points": frame}, unit="tag_points")


async def _in_postgis(dsn, qpv, points, rounds):
    """ST_Covers and ST_Distance of one point by a prepared statement: the median of many, in each round."""
    import asyncpg
    import served

    await served.fill(dsn, qpv)
    connected = await asyncpg.connect(dsn)
    statement, seconds = await connected.prepare(served.ONE), {}
    for name, (lon, lat, code) in points.items():
        _agree(f"PostGIS, {name}", (await statement.fetchrow(lon, lat))[0], code)
        times = seconds[f"PostGIS, {name}"] = []
        for _ in range(rounds):
            each = []
            for _ in range(ONE_POINT):
                start = perf_counter()
                await statement.fetchrow(lon, lat)
                each.append(perf_counter() - start)
            times.append(statistics.median(each))
    await connected.close()
    return seconds


def people(_, rounds):
    """People of all QPV from frames in EPSG:2154 and a grid of 2.3 million cells, projection included."""
    qpv = data.national_qpv().to_crs(2154)
    cells = data.grid(data.national_qpv())
    corners = [cells["east"].to_numpy(), cells["north"].to_numpy()]
    people = cells["people"].to_numpy()
    grid = pd.DataFrame({"population": people}, index=pd.Index(data.ids(200, *corners[::-1]), name="cell_id"))

    def ours():
        labels = pd.Index(pd.array(grid.index.to_numpy(), dtype="str"), name="cell_id")
        again, shapes = grid.set_axis(labels), shapely.from_wkb(shapely.to_wkb(qpv.geometry.to_numpy()))
        layer = gpd.GeoDataFrame({"name": "a"}, geometry=shapes, index=qpv.index, crs=2154)
        return partial(_people, layer, again)

    def squares():
        return gpd.GeoDataFrame(
            {"population": people}, geometry=shapely.box(*corners, *(c + 200 for c in corners)), crs=3035
        )

    def overlay():
        moved = qpv.to_crs(3035)[["geometry"]].reset_index(names="label")
        parts = gpd.overlay(moved, squares(), how="intersection", keep_geom_type=True)
        weighed = parts["population"] * parts.area / 40_000
        return weighed.groupby(parts["label"]).sum().reindex(qpv.index).to_numpy()

    def tobler():
        from tobler.area_weighted import area_interpolate

        found = area_interpolate(squares(), qpv.to_crs(3035), extensive_variables=["population"], allocate_total=False)
        return found["population"].to_numpy()

    slow = {"geopandas.overlay": overlay, "tobler": tobler}
    expected, mine = overlay(), ours()()
    _agree("people", float(np.abs(mine - expected).max()) < AGREE_PEOPLE, True)
    times = {"estimate_population": [], "estimate_population, again": [], **{name: [] for name in slow}}
    for turn in range(rounds):
        call = ours()
        times["estimate_population"].append(_seconds(call))
        times["estimate_population, again"].append(_seconds(call))
        for name, peer in slow.items():
            if turn < 2:
                times[name].append(_seconds(peer))
    return written("people of all QPV", times, unit="estimate_population")


def _people(layer, grid):
    return qg.estimate_population(layer, grid)["estimate"].to_numpy()


def commands(_, rounds):
    """Commands in fresh processes: with an empty cache, then again."""
    asked = (
        "--help",
        "--version",
        "datasets",
        "summary --sample",
        "coverage --sample",
        "tag --sample",
        "crosswalk --sample",
    )
    code = "from qpvgeo.cli import main; main()"
    times = {}
    for words in asked:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as cache:
                env = {**os.environ, "QPVGEO_CACHE": cache}
                for name in (f"qpvgeo {words}", f"qpvgeo {words}, warm"):
                    run = partial(_run, [sys.executable, "-c", code, *words.split()], env)
                    times.setdefault(name, []).append(_seconds(run))
    alone = partial(_run, [sys.executable, "-c", "import geopandas"], dict(os.environ))
    times["import geopandas"] = [_seconds(alone) for _ in range(rounds)]
    return written("commands", times, unit="import geopandas")


def _run(command, env):
    subprocess.run(command, check=True, capture_output=True, env=env)


def _agree(what, ours, theirs):
    if ours != theirs:
        raise SystemExit(f"{what}: {ours} and {theirs} differ")


def _seconds(call):
    start = perf_counter()
    call()
    return perf_counter() - start


def _told(title, calls, rounds):
    """Take turns, throw the first round away, and write the ratios over the first call."""
    calls = {name: call for name, call in calls.items() if call is not None}
    times = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            times[name].append(_seconds(call))
    return written(title, {name: of[1:] for name, of in times.items()}, unit=next(iter(calls)))


def written(title, times, *, unit):
    """Print a table, and return medians as ratios."""
    base = statistics.median(times[unit])
    print(f"\n{title} (load {os.getloadavg()[0]:.1f})\n")
    print(f"| call | median, s | over `{unit}` | lowest and highest, s |\n|---|---|---|---|")
    for name, of in times.items():
        middle = statistics.median(of)
        print(f"| `{name}` | {middle:.4f} | {middle / base:.2f} | {min(of):.4f} to {max(of):.4f} |")
    ratios = {name: round(statistics.median(of) / base, 3) for name, of in times.items()}
    return {title: {"unit": unit, "seconds": round(base, 4), "load": round(os.getloadavg()[0], 1), "ratios": ratios}}


def keep(file, found):
    """Keep ratios in a file; those of other workloads stay."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept | found, indent=1, ensure_ascii=False) + "\n")


WORKLOADS = {"inside": inside, "near": near, "forms": forms, "one": one, "people": people, "commands": commands}
QUICK = {
    "inside": ((1,), 3),
    "near": ((1,), 2),
    "forms": ((0.3,), 3),
    "one": ((0,), 3),
    "people": ((0,), 2),
    "commands": ((0,), 2),
}
WHOLE = {
    "inside": ((1, 5), 5),
    "near": ((1, 5), 3),
    "forms": ((1,), 5),
    "one": ((0,), 5),
    "people": ((0,), 5),
    "commands": ((0,), 5),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="few points and rounds")
    parser.add_argument("--json", type=Path, help="file to keep the ratios in; those of other workloads stay")
    parser.add_argument("--old", type=Path, help="folder `src` of an earlier version")
    parser.add_argument("--postgis", metavar="DSN", help="database for one point to be asked of too")
    given = parser.parse_args()
    if unknown := sorted(set(given.workloads) - set(WORKLOADS)):
        parser.error(f"no workload {', '.join(unknown)}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    warnings.simplefilter("ignore")
    found, calls = {}, WORKLOADS | {"one": partial(one, dsn=given.postgis)}
    for name in given.workloads or WORKLOADS:
        sizes, rounds = (QUICK if given.quick else WHOLE)[name]
        for size in sizes:
            found |= calls[name](size, rounds)
    if given.old is not None:
        found |= releases.beside(given.old, rounds=3 if given.quick else 5)
    if given.json:
        keep(given.json, found)


if __name__ == "__main__":
    main()
