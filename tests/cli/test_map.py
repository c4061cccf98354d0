"""`qpvgeo map`: a file for each kind, options judged together, names near the wrong one, the published files."""

import base64
import gzip
import json
import re
import struct

import geopandas as gpd
import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.sources import recognise

pytest.importorskip("mapclassify", reason="the maps extra is not installed")


BONDY = "filosofi/filosofi2019_200m_bondy.gpkg"


def run(*options):
    result = CliRunner().invoke(app, ["map", *map(str, options)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def answer(*options):
    return json.loads(run(*options, "--json"))


@pytest.mark.parametrize(
    ("options", "title"),
    [
        (["Port-Brume"], "Priority neighbourhoods (QPV), Port-Brume (geography of 2024)"),
        (["Port-Brume", "--vintage", 2015], "Priority neighbourhoods (QPV), Port-Brume (geography of 2015)"),
        (["--kind", "choropleth"], "Share of people in QPV by commune (geography of 2024)"),
        (["--kind", "choropleth", "--by", "epci", "--column", "n_qpv"], "Number of QPV by EPCI (geography of 2024)"),
        (["99001", "--kind", "grid"], "People per cell, cells of 200 m, Port-Brume (grid of 2019)"),
        (
            ["99001", "--kind", "grid", "--column", "poverty_rate"],
            "Poverty rate of households, cells of 200 m, Port-Brume (grid of 2019)",
        ),
        (
            ["99001", "--kind", "estimates"],
            "People of fiscal households, estimated from cells, Port-Brume (grid of 2019)",
        ),
        (["99001", "--kind", "change"], "QPV perimeters from 2015 to 2024, Port-Brume"),
        (["QN09902I", "--kind", "tags"], "Addresses and QPV, La Misaine (geography of 2024)"),
        (["--kind", "france"], "Priority neighbourhoods (QPV), France (geography of 2024)"),
        (["--kind", "france", "--by", "commune"], "Share of people in QPV by commune, France (geography of 2024)"),
        (["--box", "-3.66,45.95,-3.57,46.0"], "Priority neighbourhoods (QPV) (geography of 2024)"),
        (["Port-Brume", "--title", "Nos quartiers à $10"], "Nos quartiers à $10"),
    ],
)
def test_map_of_the_sample_is_written(tmp_path, options, title):
    found = answer(*options, "--sample", "--svg", tmp_path / "map.svg")
    assert found["title"] == title
    assert found["outputs"] == [str(tmp_path / "map.svg")]
    assert found["fictional"]
    assert found["sources"]
    # long titles are broken into lines
    assert title.split(", ")[0] in (tmp_path / "map.svg").read_text(encoding="utf-8")


def test_one_map_is_written_in_all_the_formats_asked(tmp_path):
    options = [part for suffix in ("png", "svg", "pdf") for part in (f"--{suffix}", tmp_path / f"m.{suffix}")]
    text = run("Port-Brume", "--sample", "--lang", "fr", *options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.pdf", "m.png", "m.svg"]
    assert text.startswith("Quartiers prioritaires (QPV), Port-Brume (géographie 2024)")
    assert "Données fictives" in text


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    with pytest.raises(UsageError) as caught:
        run(
            "Port-Brume", "--kind", "france", "--by", "street", "--points", "x.csv", "--basemap",
            "--box", "1,2,3", "--png", tmp_path / "no" / "m.jpg", "--sample",
        )  # fmt: skip
    assert len(caught.value.problems) == 8


def test_no_file_to_write_is_refused():
    with pytest.raises(UsageError) as caught:
        run("Port-Brume", "--sample")
    assert list(caught.value.problems) == ["name a file to write with -o, ending in .png, .svg, .pdf or .html"]


def test_output_is_of_the_form_of_its_ending(tmp_path):
    forms = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF-", "html": b"<!DOCTYPE html>"}
    options = [part for form in forms for part in ("-o", tmp_path / f"m.{form}")]
    found = answer("Port-Brume", "--sample", *options)
    assert found["outputs"] == [str(tmp_path / f"m.{form}") for form in forms]
    for form, begins in forms.items():
        assert (tmp_path / f"m.{form}").read_bytes().lower().startswith(begins.lower())


def test_output_is_the_same_file_as_by_the_option_of_its_form(tmp_path):
    for form in ("svg", "html"):
        run("Port-Brume", "--sample", "--output", tmp_path / f"a.{form}")
        run("Port-Brume", "--sample", f"--{form}", tmp_path / f"b.{form}")
        assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()


def test_outputs_of_both_ways_are_all_written_each_once(tmp_path):
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    assert answer("Port-Brume", "--sample", "-o", one, "--svg", two, "-o", two)["outputs"] == [str(two), str(one)]


@pytest.mark.parametrize("name", ["m.jpg", "m", "m.csv"])
def test_output_of_another_form_is_refused_with_those_there_are(tmp_path, name):
    with pytest.raises(UsageError) as caught:
        run("Port-Brume", "--sample", "-o", tmp_path / name)
    assert list(caught.value.problems) == ["--output must end in one of .png, .svg, .pdf, .html, .htm"]
    assert list(tmp_path.iterdir()) == []


def test_output_is_never_a_file_that_the_map_reads(tmp_path):
    (tmp_path / "points.html").write_text("lon,lat\n3.0,50.6\n", encoding="utf-8")
    options = ("--kind", "tags", "--points", tmp_path / "points.html", "-o", tmp_path / "points.html")
    with pytest.raises(UsageError, match=r"points\.html"):
        run(*options, "--sample")
    assert (tmp_path / "points.html").read_text(encoding="utf-8").startswith("lon")


@pytest.mark.parametrize(
    ("options", "near"),
    [
        (["Port-Brune"], "Port-Brume"),
        (["99001", "--kind", "grid", "--column", "poverty"], "poverty_rate"),
        (["--kind", "choropleth", "--column", "shares"], "share"),
    ],
)
def test_wrong_name_is_answered_with_those_near(tmp_path, options, near):
    with pytest.raises(UsageError) as caught:
        run(*options, "--sample", "--png", tmp_path / "m.png")
    assert any(near in problem for problem in caught.value.problems)
    assert list(tmp_path.iterdir()) == []


def test_option_that_the_kind_does_not_use_is_refused(tmp_path):
    with pytest.raises(UsageError) as caught:
        run(
            "--by",
            "epci",
            "--column",
            "share",
            "--grid",
            "g.csv",
            "--sample",
            "--png",
            tmp_path / "m.png",
        )
    assert [problem.split(" ")[0] for problem in caught.value.problems] == ["--by", "--column", "--grid"]
    with pytest.raises(UsageError, match="--vintage is for --kind qpv"):
        run("--kind", "change", "--vintage", 2015, "--sample", "--png", tmp_path / "m.png")


def test_source_of_the_addresses_is_told(tmp_path):
    found = answer("99001", "--kind", "tags", "--sample", "--svg", tmp_path / "m.svg")
    assert "addresses" in [record.get("kind") for record in found["sources"]]


def test_qpv_is_drawn_without_communes(tmp_path):
    table = qg.read_qpv(qg.sample().qpv_2024)
    folder = tmp_path / "data"
    folder.mkdir()
    table.reset_index()[["qpv_code", "name", "geometry"]].rename(
        columns={"qpv_code": "code_qp", "name": "lib_qp"}
    ).to_file(folder / "qpv2024.geojson")
    found = answer("QN09902I", "--data", folder, "--png", tmp_path / "m.png")
    assert found["place"] == "La Misaine (QN09902I)"
    with pytest.raises(UsageError) as caught:
        run("Port-Brume", "--data", folder, "--png", tmp_path / "m.png")
    assert (caught.value.key, caught.value.way_out.key) == ("codes.unknown_place", "maps.no_place_without_communes")


def test_columns_that_are_not_pairs_are_refused(tmp_path):
    with pytest.raises(UsageError, match="not NAME=MEANING"):
        run("--kind", "grid", "--columns", "id", "--grid", "g.csv", "--sample", "--png", tmp_path / "m.png")


@pytest.mark.real
def test_grid_with_other_names_is_drawn(real_data, tmp_path):
    grid = real_data / "filosofi/filosofi2017_200m_lille.gpkg"
    options = ["Lille", "--kind", "grid", "--grid", grid, "--data", real_data, "--png", tmp_path / "m.png"]
    with pytest.raises(DataError, match="enriched_grid") as caught:
        run(*options)
    assert "--layer" in caught.value.way_out
    assert "--columns" in caught.value.way_out
    found = answer(*options, "--layer", "enriched_grid", "--columns", "id=cell_id,num_people=population")
    assert found["title"] == "People per cell, cells of 200 m, Lille (grid of 2017)"


@pytest.mark.real
def test_qpv_that_cannot_be_drawn_are_in_the_notes(real_data, tmp_path):
    found = answer("Quincy-sous-Sénart", "--data", real_data, "--png", tmp_path / "m.png")
    assert found["notes"] == ["1 QPV without an outline in the file, not shown: QN09113I."]


def test_box_without_a_cell_says_which_grids_were_read(tmp_path):
    with pytest.raises((MissingDataError, DataError), match="no cell"):
        run("--box", "2.30,48.80,2.40,48.90", "--kind", "grid", "--sample", "--png", tmp_path / "m.png")


def test_points_of_a_layer_and_of_a_table_give_the_same_map(tmp_path):
    addresses = qg.sample().addresses
    table = gpd.pd.read_csv(addresses, sep=";", dtype="str").dropna(subset=["lon", "lat"]).head(200)
    table.to_csv(tmp_path / "points.csv", index=False)
    points = gpd.points_from_xy(table["lon"].astype(float), table["lat"].astype(float))
    gpd.GeoDataFrame(table[["id"]], geometry=points, crs=4326).to_file(tmp_path / "points.gpkg")
    counts = []
    for suffix in ("csv", "gpkg"):
        picture = tmp_path / f"{suffix}.svg"
        run("99001", "--kind", "tags", "--points", tmp_path / f"points.{suffix}", "--sample", "--svg", picture)
        counts.append(picture.read_text(encoding="utf-8").count("<use"))
    assert counts[0] == counts[1] > 50


@pytest.mark.real
@pytest.mark.parametrize(
    ("options", "title"),
    [
        (["Lille"], "Priority neighbourhoods (QPV), Lille (geography of 2024)"),
        (["93010", "--kind", "estimates", "--lang", "fr", "--grid", BONDY, "--layer", "bondy"], None),
        (["200043396", "--kind", "change"], None),
    ],
)
def test_published_files_are_drawn(real_data, tmp_path, options, title):
    options = [real_data / part if part == BONDY else part for part in options]
    found = answer(*options, "--data", real_data, "--png", tmp_path / "m.png")
    assert found["outputs"] == [str(tmp_path / "m.png")]
    assert "fictional" not in found
    if title:
        assert found["title"] == title


@pytest.mark.real
def test_all_territories_are_on_the_map_of_the_country(real_data, tmp_path):
    vintages = [year for year in (2015, 2024) if recognise.find("perimeters", year, real_data)]
    for vintage in vintages:
        picture = tmp_path / f"{vintage}.svg"
        run("--kind", "france", "--vintage", vintage, "--data", real_data, "--svg", picture)
        text = picture.read_text(encoding="utf-8")
        for name in ("Guadeloupe", "Martinique", "Guyane", "La Réunion", "Mayotte", "Saint-Martin", "Polynésie"):
            assert name in text
        assert "not given" not in text


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        ([], ["communes", "qpv-2015", "qpv-2024"]),
        (["Port-Brume", "--kind", "grid", "--column", "poverty_rate"], ["communes", "grid", "qpv-2015", "qpv-2024"]),
        (["Port-Brume", "--kind", "estimates"], ["communes", "grid", "qpv-2015", "qpv-2024"]),
        (["QN09902I", "--kind", "tags"], ["communes", "qpv-2015", "qpv-2024", "points"]),
        (["--kind", "choropleth"], ["communes", "qpv-2015", "qpv-2024"]),
    ],
)
def test_page_of_the_sample_has_the_layers_of_its_kind(tmp_path, options, layers):
    found = answer(*options, "--sample", "--html", tmp_path / "map.html")
    assert found["outputs"] == [str(tmp_path / "map.html")]
    assert found["fictional"]
    html = (tmp_path / "map.html").read_text(encoding="utf-8")
    raw = gzip.decompress(base64.b64decode(re.search(r'id="data">([^<]*)<', html)[1]))
    header = json.loads(raw[4 : 4 + struct.unpack("<I", raw[:4])[0]])
    assert [one["id"] for one in header["layers"]] == layers


def test_page_and_picture_are_written_by_one_command(tmp_path):
    found = answer("Port-Brume", "--sample", "--html", tmp_path / "m.html", "--svg", tmp_path / "m.svg")
    assert len(found["outputs"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.html", "m.svg"]


def test_page_refuses_what_it_cannot_show(tmp_path):
    with pytest.raises(UsageError) as caught:
        run("--kind", "choropleth", "--by", "epci", "--sample", "--html", tmp_path / "m.png")
    assert [one.key for one in caught.value.problems] == ["cli.endings", "cli.page_by_commune"]


def sources_of(text):
    """Lines of the terminal below the word that announces them, as long as they are indented."""
    head, _, below = text.partition("Sources:\n")
    assert head
    lines = below.splitlines()
    return [line.strip() for line in lines[: next((i for i, one in enumerate(lines) if one[:2] != "  "), len(lines))]]


def test_terminal_writes_a_source_a_line_each_once(tmp_path):
    found = sources_of(run("Port-Brume", "--sample", "--svg", tmp_path / "map.svg"))
    assert len(found) > 1
    assert len(set(found)) == len(found)
    assert not any("; " in one for one in found)


def test_terminal_cites_only_the_files_that_the_map_shows_something_of(real_data, tmp_path):
    options = ["--data", real_data, "--svg", tmp_path / "map.svg"]
    lille, toulouse = (sources_of(run(place, *options)) for place in ("59350", "31555"))
    # outlines of three regions are in a file of their own
    assert [one for one in lille if "communes_20" in one and one.endswith("parquet")] == [
        "communes_2024_100m_sauf_44_75_76.parquet"
    ]
    assert "communes_2018_regions_44_75_76.parquet" in toulouse
