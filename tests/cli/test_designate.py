"""`qpvgeo designate`: candidates on the sample, and the options that must be given."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note


def run(*options):
    return CliRunner().invoke(app, ["designate", *options], catch_exceptions=False)


def answer(*options):
    return json.loads(run(*options, "--json").stdout)


def test_the_sample_has_zones_that_pass_and_zones_that_come_near():
    found = answer("--sample")
    # 0.6 x (0.7 x 20,500 + 0.3 x 17,000) = 11,670
    assert found["threshold_eur"] == 11_700
    assert [zone["population"] for zone in found["zones"]] == sorted(
        (zone["population"] for zone in found["zones"]), reverse=True
    )
    assert all(zone["population"] >= 1_000 for zone in found["zones"])
    people = [row["population"] for row in found["near_misses"] if row["kind"] == "people"]
    assert people
    assert all(800 <= count < 1_000 for count in people)
    assert 0 < found["official"]["in_qpv_share"] <= 1
    assert "fictional" in found


def test_a_higher_minimum_leaves_fewer_zones():
    assert len(answer("--sample", "--min-population", "1200")["zones"]) < len(answer("--sample")["zones"])


def test_zones_are_written_with_their_outlines(tmp_path):
    out = tmp_path / "zones.gpkg"
    found = answer("--sample", "-o", str(out))
    zones = gpd.read_file(out, layer="zones")
    assert zones["zone"].tolist() == [zone["zone"] for zone in found["zones"]]
    assert zones.area.round().tolist() == [round(zone["area_km2"] * 1e6) for zone in found["zones"]]


def test_medians_are_needed_without_the_sample():
    with pytest.raises(UsageError) as raised:
        run("--national-median", "21000")
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize(
    "options",
    [
        ["--regime", "guyane"],
        ["--sample", "--regime", "976"],
        ["--regime", "Polynesie francaise"],
        ["--sample", "--place", "Guyane"],
    ],
    ids=" ".join,
)
def test_another_method_is_refused_by_name_with_its_article(options):
    with pytest.raises(UsageError) as raised:
        run(*options)
    assert raised.value.key in {"designation.unknown_regime", "designation.other_places"}
    assert [problem.key for problem in raised.value.problems] == ["designation.other_method"]
    assert "art." in raised.value.problems[0].values["article"]


def test_a_place_without_cells_is_named():
    with pytest.raises(DataError) as raised:
        run("--sample", "--place", "Bretagne")
    assert raised.value.key == "cli.no_cells_in_place"
    assert raised.value.message.values["place"] == "Bretagne (53)"


def test_a_zone_cut_at_the_limit_of_a_place_is_told():
    assert str(Note("cli.designate_cut")) in answer("--sample", "--place", "Hautvent")["notes"]


def test_cells_of_a_place_are_judged_with_those_of_their_unit(tmp_path):
    table = tmp_path / "units.csv"
    rows = [f"990{town:02d};99701;11000" for town in range(1, 13)]
    table.write_text("\n".join(["CODGEO;UU2020;population", *rows]), encoding="utf-8")
    options = ("--sample", "--units", str(table))
    # 0.6 x (0.7 x 20,500 + 0.3 x 17,000): the whole unit calibrates the cells of the place
    whole, part = answer(*options), answer(*options, "--place", "Hautvent")
    assert part["calibration"] == whole["calibration"]
    assert part["cells"] < whole["cells"]


@pytest.fixture
def drawn(tmp_path):
    path = tmp_path / "drawn.gpkg"
    qpv = qg.read_qpv(qg.sample().qpv_2024).loc[["QN09902I", "QN09904M", "QN09906M"]]
    gpd.GeoDataFrame({"code": qpv.index}, geometry=qpv.geometry.array, crs=qpv.crs).to_file(path)
    return path


def test_drawn_perimeters_are_judged(drawn, tmp_path):
    out = tmp_path / "verdicts.gpkg"
    found = answer("--sample", "--judge", str(drawn), "-o", str(out))
    assert {row["perimeter"]: row["passes"] for row in found["verdicts"]} == {
        "QN09902I": False, "QN09904M": True, "QN09906M": False,
    }  # fmt: skip
    assert {row["perimeter"] for row in found["changes"]} == {"QN09902I", "QN09904M", "QN09906M"}
    assert "zones" not in found
    written = gpd.read_file(out, layer="verdicts")
    assert written["reasons"].tolist() == [row["reasons"] for row in found["verdicts"]]
    assert written.geometry.is_valid.all()


def test_verdicts_are_a_table_and_a_map(drawn, tmp_path):
    shown = run("--sample", "--judge", str(drawn), "--lang", "fr", "--png", str(tmp_path / "map.png")).stdout
    assert "1 périmètre satisfait aux critères sur 3" in shown
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_what_moves_the_zones_is_a_table_and_a_picture(tmp_path):
    out, png = tmp_path / "moves.csv", tmp_path / "moves.png"
    found = answer("--sample", "--sensitivity", "-o", str(out), "--png", str(png))
    rows = pd.DataFrame(found["rows"])
    assert set(rows["proxy"]) == {"mean", "poverty"}
    as_asked = rows.query("proxy == 'mean' and threshold_factor == 1 and contiguity == 'queen' and gap == 0")
    assert as_asked.set_index("min_population")["population"].to_dict() == {800: 6_114, 1_000: 2_364, 1_200: 1_306}
    assert len(pd.read_csv(out)) == len(rows)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "10 of 120 combinations" in run("--sample", "--sensitivity").stdout


def test_one_question_at_a_time(drawn):
    with pytest.raises(UsageError):
        run("--sample", "--sensitivity", "--judge", str(drawn))


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--poverty-rate", "0.3"], ["cli.designate_rate_alone"]),
        (["--sensitivity", "-o", "zones.gpkg"], ["cli.endings"]),
    ],
)
def test_options_that_do_not_fit_are_told_without_the_way_out_of_medians(options, keys):
    with pytest.raises(UsageError) as raised:
        run("--sample", *options)
    assert ([problem.key for problem in raised.value.problems], raised.value.way_out) == (keys, "")


def test_a_table_of_units_has_its_own_people(tmp_path):
    units = tmp_path / "units.csv"
    units.write_text("commune,unit,population\n99001,A,60000\n")
    with pytest.raises(UsageError) as raised:
        run("--units", str(units), "--unit-population", "5", "--median", "1", "--national-median", "1")
    assert [problem.key for problem in raised.value.problems] == ["cli.exclude"]


def test_a_table_of_units_without_medians_is_refused(tmp_path):
    units = tmp_path / "units.csv"
    units.write_text("commune,unit,population\n99001,A,60000\n")
    with pytest.raises(UsageError) as raised:
        run("--grid", str(qg.sample().grid_2019), "--units", str(units), "--national-median", "20000")
    assert raised.value.key == "cli.designate_no_median"


def test_the_medians_of_a_table_go_before_that_of_the_sample(tmp_path):
    units = tmp_path / "units.csv"
    units.write_text("commune,unit,population,median\n99001,A,60000,20500\n")
    # 0.6 x (0.7 x 20,500 + 0.3 x 20,500)
    assert answer("--sample", "--units", str(units))["threshold_eur"] == 12_300


def test_a_gap_is_a_whole_number_of_cells():
    assert "1.5 is not a whole number" in run("--sample", "--gap", "1.5").stderr


def test_kinds_of_cells_are_counted_and_set_aside():
    found, aside = answer("--sample"), answer("--sample", "--set-aside", "imputed")
    assert found["basis"]["imputed"] == aside["states"]["imputed"] > 0
    assert "imputed" not in found["states"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_table_names_threshold_and_article(lang):
    shown = run("--sample", "--lang", lang).stdout
    assert "décret 2014-767" in shown


def test_zones_are_drawn(tmp_path):
    png = tmp_path / "zones.png"
    assert answer("--sample", "--png", str(png))["png"] == str(png)
    assert png.read_bytes().startswith(b"\x89PNG")
