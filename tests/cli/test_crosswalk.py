"""`qpvgeo crosswalk`: counts on the sample, files written, options judged together, the real pair."""

import collections
import json
import sys

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.outcomes import CLASSES


def run(*options):
    result = CliRunner().invoke(app, ["crosswalk", *map(str, options)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def answer(*options):
    return json.loads(run(*options, "--json"))


def test_classes_of_the_sample_are_counted_on_both_sides():
    found = answer("--sample")
    assert found["pairs"] == 13
    assert found["classes"] == dict(zip(CLASSES, [3, 2, 2, 2, 2, 1, 4, 2], strict=True))
    assert found["classes_by_vintage"]["2015"]["split"] == 1
    assert found["letters"]["N"]["new"] == 4
    assert found["correspondence"] == {}
    assert found["fictional"]


def test_outlines_are_placed_and_projected_half_as_often_as_in_the_first_release():
    """40 calls in 0.1.0: the layers once, what is read of each, the cells that are chosen once a grid."""
    calls = collections.Counter()

    def count(frame, event, _):
        if event == "call" and frame.f_code.co_name in ("territory_of", "reproject", "to_metric", "areas_m2"):
            calls[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        answer("--sample", "--weights", "grid")
    finally:
        sys.setprofile(None)
    assert 0 < sum(calls.values()) <= 20


def test_uncovered_people_and_homes_are_told():
    found = answer("--sample", "--weights", "grid")
    assert found["weights"] == "grid, by area"
    assert found["uncovered"]["2015"]["population"] == pytest.approx(2323, abs=1)
    assert 0 < found["uncovered"]["2024"]["households_share"] < 1


def test_published_people_say_nothing_of_who_lives_beyond_them():
    found = answer("--sample", "--weights", "population")
    assert found["uncovered"]["2015"]["population"] > 0
    assert found["uncovered"]["2024"]["population"] is None


def test_points_of_a_file_are_counted_and_areas_by_a_point_of_them():
    sample = qg.sample()
    homes = answer("--sample", "--weights", sample.footprints)
    assert homes["uncovered"]["2024"]["points"] > 0


def test_addresses_of_a_table_are_counted():
    found = answer("--sample", "--weights", qg.sample().addresses)
    assert 0 < found["uncovered"]["2015"]["points"] < found["uncovered"]["2024"]["points"] + 1_000


@pytest.mark.real
def test_addresses_of_the_national_table_are_counted(real_data):
    found = answer("--data", real_data, "--weights", real_data / "points" / "ban_bondy_93010.csv", "--tolerance", "40")
    assert found["uncovered"]["2024"]["points"] > 0


def test_grid_that_is_named_is_for_people_of_the_grid(tmp_path):
    with pytest.raises(UsageError) as caught:
        run("--sample", "--grid", tmp_path / "grid.csv")
    assert "--grid" in caught.value.problems[0]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_pairs_and_classes_are_written(tmp_path, suffix):
    pairs, classes = tmp_path / f"pairs{suffix}", tmp_path / f"classes{suffix}"
    found = answer("--sample", "-o", pairs, "--classes", classes)
    assert (found["output"], found["classes_output"]) == (str(pairs), str(classes))
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".json": pd.read_json}[suffix]
    walk, kinds = read(pairs), read(classes)
    assert int(walk[["code_from", "code_to"]].notna().all(axis=1).sum()) == 13
    kinds = kinds if suffix == ".parquet" else kinds.set_index("code")
    assert kinds.loc["QP099003", "change"] == "split"
    relatives = kinds.loc["QP099003", "relatives"]
    assert (relatives.split(", ") if suffix == ".csv" else list(relatives)) == ["QN09903M", "QN09904M"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([pairs.name, classes.name])


def test_table_is_readable_in_french():
    text = run("--sample", "--lang", "fr")
    for words in (
        "scindé",
        "Superficie de 2015 hors QPV de 2024",
        "Écarts avec la liste officielle",
        "Données fictives",
    ):
        assert words in text


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    with pytest.raises(UsageError) as caught:
        run("--sample", "-o", tmp_path / "no" / "x.txt", "--tolerance", "-1", "--territory", "75", "--weights", "homes")
    assert len(caught.value.problems) == 5


def test_tolerance_that_fits_is_taken_by_choice():
    found = answer("--sample", "--tolerance", "auto")
    assert (found["tolerance_m"], found["shift"]["tolerance_m"]) == (1.0, 1.0)
    assert not [note for note in found["notes"] if note.startswith("the two layers draw")]  # as they are the same


@pytest.mark.parametrize("tolerance", ["-1", "much", "nan", "inf"])
def test_tolerance_that_is_not_a_distance_is_refused(tolerance):
    with pytest.raises(UsageError) as caught:
        run("--sample", "--tolerance", tolerance)
    assert [problem.key for problem in caught.value.problems] == ["cli.not_a_distance"]


def test_territory_without_a_perimeter_names_those_at_hand():
    with pytest.raises(DataError, match="Those available lie in: 99"):
        run("--sample", "--territory", "974")


@pytest.mark.real
def test_real_pair_from_one_command(real_data, tmp_path):
    out = tmp_path / "pairs.parquet"
    found = answer("--data", real_data, "--territory", "hexagone", "--tolerance", 40, "-o", out)
    assert found["pairs"] == 1_274
    assert (found["classes"]["new"], found["classes"]["dropped"]) == (111, 42)
    assert found["without_outline"] == ["QN09105I", "QN09113I", "QN09503I"]
    assert (found["shift"]["outlines"], found["shift"]["tolerance_m"]) == (291, 37.0)
    assert "37 m" not in found["notes"][0]
    assert "36.8 m for nine in ten" in found["notes"][0]
    walk = pd.read_parquet(out)
    assert walk["area_m2"].sum() / 1e6 > 380
    assert not isinstance(walk, gpd.GeoDataFrame)


def test_a_place_names_the_files_that_hold_it(real_data):
    """Bondy lies in one of the nine shapefiles of 2015."""
    found = answer("--data", real_data, "--place", "Bondy (93010)")
    assert [source["file"] for source in found["sources"]] == ["QP_METROPOLE_LB93.shp", "qpv2024_simplified.geojson"]
    assert not [note for note in found["notes"] if "POLYNESIE" in note or "QN09105I" in note]
