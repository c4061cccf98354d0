"""Change one line of an engine at a time, and see that its tests notice: `make mutations`.

Each change is made in a copy of the package; the tests beside it run on the copy. Exits with 1 if one survives.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]


class Mutation(NamedTuple):
    """A line of the package, what replaces it, and the tests that must fail then."""

    file: str
    old: str
    new: str
    tests: str


MUTATIONS = (
    Mutation(
        "geometry/cell_cover.py",
        "share = np.where(edge_cell, np.clip(share, 0.0, 1.0), np.rint(share))",
        "share = np.where(edge_cell, np.rint(share), np.rint(share))",
        "geometry/test_cell_cover.py",
    ),
    Mutation(
        "geometry/overlap_table.py",
        "keep = shared > min_area_m2",
        "keep = shared >= min_area_m2",
        "geometry/test_overlap_table.py",
    ),
    Mutation(
        "geometry/point_location.py",
        "x = x0[edge] + (row + 0.5 - y0[edge])",
        "x = x0[edge] + (row - y0[edge])",
        "geometry/test_point_location.py",
    ),
    Mutation(
        "geometry/boundary_distance.py",
        "np.minimum(least + 2 * radius, reach + radius)",
        "np.minimum(least + radius, reach + radius)",
        "geometry/test_boundary_distance.py",
    ),
    Mutation(
        "geometry/insee_lattice.py",
        "cells.north // size * size, cells.east // size * size)",
        "cells.north // size * size, cells.east // size)",
        "geometry/test_insee_lattice.py",
    ),
    Mutation(
        "population/raking.py",
        "short = np.maximum(wanted - fixed, 0.0)",
        "short = np.maximum(wanted, 0.0)",
        "population/test_raking.py",
    ),
    Mutation(
        "population/estimation.py",
        'warned.add("mostly_no_cell", share < _MOST)',
        'warned.add("mostly_no_cell", share > _MOST)',
        "population/test_estimation.py",
    ),
    Mutation(
        "geographies/slivers.py",
        "certain = area > tolerance_m / 2 * (shapely.length(one) + shapely.length(other))",
        "certain = area > tolerance_m * (shapely.length(one) - shapely.length(other))",
        "geographies/test_crosswalk_table.py",
    ),
    Mutation(
        "geographies/outcomes.py",
        ".max(axis=1) > SIGNIFICANT_SHARE).to_numpy()]",
        ".min(axis=1) > SIGNIFICANT_SHARE).to_numpy()]",
        "geographies/test_crosswalk_table.py",
    ),
    Mutation(
        "indicators/by_territory.py",
        'frame["estimated_share"] = (frame["by_area"] / frame["qpv_population"])',
        'frame["estimated_share"] = (frame["by_area"] / frame["population"])',
        "indicators/test_by_territory.py",
    ),
    Mutation(
        "designation/thresholds.py",
        "* step) >= self.min_unit_population",
        "* step) > self.min_unit_population",
        "designation/test_thresholds.py",
    ),
    Mutation(
        "tagging/tolerance.py",
        "(numbers_of(points[score])[0] >= BAN_MIN_SCORE)",
        "(numbers_of(points[score])[0] > BAN_MIN_SCORE)",
        "tagging/test_tolerance.py",
    ),
    Mutation(
        "tagging/territory_tags.py",
        'np.searchsorted(bands, distance[known], "left") + 1',
        'np.searchsorted(bands, distance[known], "right") + 1',
        "tagging/test_points_in_qpv.py",
    ),
    Mutation(
        "codes/official.py",
        "total = sum(d if k % 2 == 0 else",
        "total = sum(d if k % 2 == 1 else",
        "codes/test_official.py",
    ),
)


def caught(mutation: Mutation) -> bool:
    """Whether the tests beside an engine fail once a line of it is another."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "qpvgeo")
        shutil.copytree(CHECKOUT / "src" / "qpvgeo", package)
        path = package / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            raise SystemExit(f"{mutation.file} holds this {text.count(mutation.old)} times, not once: {mutation.old}")
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", "0", "-m", "not real"]
        run = subprocess.run(  # noqa: S603 - our own tests
            [*command, str(CHECKOUT / "tests" / mutation.tests)],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            check=False,
        )
    # 1 is a test that failed; 2 and more are runs that could not be made
    if run.returncode > 1:
        raise SystemExit(run.stdout.decode(errors="replace")[-2_000:])
    return run.returncode == 1


if __name__ == "__main__":
    survivors = []
    for one in MUTATIONS:
        found = caught(one)
        print(f"{'caught  ' if found else 'SURVIVED'} {one.file}: {one.new}", flush=True)
        survivors += [] if found else [one]
    sys.exit(bool(survivors))
