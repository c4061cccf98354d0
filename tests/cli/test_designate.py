"""`qpvgeo designate`: candidates on the sample, and the options that must be given."""

import json

import geopandas as gpd
import pytest
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.errors import UsageError


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


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_table_names_threshold_and_article(lang):
    shown = run("--sample", "--lang", lang).stdout
    assert "décret 2014-767" in shown


def test_zones_are_drawn(tmp_path):
    png = tmp_path / "zones.png"
    assert answer("--sample", "--png", str(png))["png"] == str(png)
    assert png.read_bytes().startswith(b"\x89PNG")
