"""`qpvgeo exposure` and `qpvgeo programmes`: the sample, in both languages and as JSON."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.at_hand.files import communes
from qpvgeo.cli import app
from qpvgeo.errors import MissingDataError, UsageError


def run(*options):
    return CliRunner().invoke(app, [*options], catch_exceptions=False)


def answer(*options):
    return json.loads(run(*options, "--json").stdout)


def test_people_in_the_flood_zone_beside_the_rest_of_their_communes(tmp_path):
    out = tmp_path / "floods.csv"
    found = answer(
        "exposure",
        "zones-inondables-99.geojson",
        "--covered",
        "everywhere",
        "--class",
        "alea",
        "--sample",
        "-o",
        str(out),
    )
    people = [row["estimate"] for row in found["rows"]]
    assert people == sorted(people, reverse=True)
    assert all(row["low"] <= row["estimate"] <= row["high"] for row in found["rows"])
    assert found["unknown"] == pytest.approx(0, abs=1e-6)
    grades = {one["class"]: one["estimate"] for one in found["classes"]}
    assert list(grades) == ["Faible", "Fort", "Moyen", "(outside)", "(unknown)"]
    assert sum(grades[name] for name in ("Faible", "Fort", "Moyen")) == pytest.approx(sum(people))
    assert sum(grades.values()) == pytest.approx(sum(row["population"] for row in found["rows"]))
    assert found["inside"]["low"] <= found["inside"]["estimate"] <= found["inside"]["high"]
    assert pd.read_csv(out)["qpv_code"].tolist() == [row["qpv_code"] for row in found["rows"]]
    assert "fictional" in found


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_column_of_the_grid_has_a_threshold(lang):
    shown = run("exposure", "log_soc", "--quantile", "0.8", "--place", "Hautvent", "--sample", "--lang", lang).stdout
    assert "QN09911M" in shown
    assert ("mean over the people" if lang == "en" else "moyenne sur la population") in shown


def test_the_rest_of_an_epci_is_all_of_it():
    files = qg.sample()
    epci = communes(files.path, None).dissolve("epci")
    grid = qg.read_grid(files.grid_2019)
    alike = qg.resilience.exposure_beside(qg.read_qpv(files.qpv_2024), "log_soc", grid, epci, above=25)
    given = ("exposure", "log_soc", "--above", "25", "--place", "QN09904M", "--sample")
    own = {unit: answer(*given, "--beside", unit)["rows"][0]["rest_population"] for unit in ("commune", "epci")}
    assert own["epci"] == pytest.approx(alike.loc["QN09904M", "rest_population"])
    assert own["epci"] > own["commune"] * 1.1


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_polygons_that_do_not_say_what_they_cover_have_no_share(lang):
    given = ("exposure", "zones-inondables-99.geojson", "--sample")
    found = answer(*given)
    assert (found["inside"]["estimate"], found["outside"]["estimate"], found["ratio"]["estimate"]) == (None,) * 3
    assert {row["share"] for row in found["rows"]} == {None}
    known = {row["qpv_code"]: row["estimate"] for row in found["rows"]}
    # in it, and of those of whom the layer says nothing
    assert (round(known["QN09904M"]), known["QN09901M"]) == (912, None)
    shown = run(*given, "--lang", lang).stdout
    assert ("no share can be given" if lang == "en" else "aucune part ne peut être donnée") in shown
    assert "--covered" in shown


def test_the_title_says_which_layer_and_which_threshold(tmp_path, monkeypatch):
    from qpvgeo import maps

    drawn = {}
    save = maps.save
    monkeypatch.setattr(maps, "save", lambda ax, path: drawn.update(title=ax.get_title(loc="left")) or save(ax, path))
    monkeypatch.setenv("COLUMNS", "200")
    asked = "log_soc", "--above", "25"
    shown = run("exposure", *asked, "--sample", "--png", str(tmp_path / "map.png")).stdout
    assert "People where log_soc is 25 or more\n" in shown
    assert drawn["title"].startswith("People where log_soc is 25 or more")
    assert answer("exposure", *asked, "--sample")["threshold"] == 25


# what rasterio's own packages warn of is not ours to mend
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_geotiff_is_a_layer(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    grid = qg.read_grid(qg.sample().grid_2019)
    east = grid.index.str.extract(r"E(\d+)$")[0].astype(int)
    north = grid.index.str.extract(r"N(\d+)E")[0].astype(int)
    # 30 degrees in the west of the middle column, 40 in the east of it
    middle, path = int(east.median()) // 200 * 200, tmp_path / "heat.tif"
    width, height = 400, 400
    pixels = np.full((height, width), 30, np.float32)
    pixels[:, width // 2 :] = 40
    transform = rasterio.transform.from_origin(
        middle - 200 * width // 2, int(north.median()) // 200 * 200 + 200 * height // 2, 200, 200
    )
    options = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": "float32", "nodata": -1}
    with rasterio.open(path, "w", crs="EPSG:3035", transform=transform, **options) as target:
        target.write(pixels, 1)
    found = answer("exposure", str(path), "--above", "35", "--class", "35", "--sample")
    hot = grid.assign(heat=np.where(east.to_numpy() >= middle, 40.0, 30.0))
    alike = qg.exposure(qg.read_qpv(qg.sample().qpv_2024), "heat", hot, above=35)
    assert {row["qpv_code"]: row["estimate"] for row in found["rows"]} == pytest.approx(alike["estimate"].to_dict())
    assert [one["class"] for one in found["classes"]] == ["< 35", "≥ 35", "(unknown)"]
    assert "heat.tif" in found["asked"]
    assert "heat.tif" in {source["file"] for source in found["sources"]}


def test_a_table_of_distances_is_a_layer(tmp_path):
    codes = qg.read_qpv(qg.sample().qpv_2024).index
    path = tmp_path / "distances.csv"
    pd.DataFrame({"qpv_code": codes[:2], "metres": ["120,5", "900"]}).to_csv(path, sep=";", index=False)
    rows = {row["qpv_code"]: row for row in answer("exposure", str(path), "--below", "300", "--sample")["rows"]}
    assert rows[codes[0]]["estimate"] == rows[codes[0]]["population"] > 0
    assert rows[codes[1]]["estimate"] == 0
    assert (rows[codes[2]]["estimate"], rows[codes[2]]["unknown"]) == (None, rows[codes[2]]["population"])


def test_points_of_a_table_of_coordinates_are_a_layer(tmp_path):
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    place = qpv.to_crs(4326).geometry.iloc[0].representative_point()
    path = tmp_path / "parks.csv"
    path.write_text(f"name,lon,lat\npark,{place.x},{place.y}\n")
    found = answer("exposure", str(path), "--within", "300", "--sample")
    assert found["rows"][0]["qpv_code"] == qpv.index[0]
    assert "parks.csv" in found["asked"]


@pytest.mark.parametrize("limits", ["x", "3,2", ""])
def test_limits_that_are_no_numbers_are_refused(limits):
    with pytest.raises(UsageError) as raised:
        run("exposure", "log_soc", "--above", "3", "--class", limits, "--sample")
    assert raised.value.key == "resilience.limits"


def test_layers_that_are_nowhere_and_options_that_do_not_fit_are_refused():
    with pytest.raises(MissingDataError) as raised:
        run("exposure", "nowhere.geojson", "--sample")
    assert raised.value.key == "cli.no_layer_file"
    with pytest.raises(UsageError) as none:
        run("exposure", "log_socc", "--above", "3", "--sample")
    assert none.value.key == "cli.no_layer"
    with pytest.raises(UsageError) as wrong:
        run("exposure", "zones-inondables-99.geojson", "--above", "3", "--sample")
    assert wrong.value.key == "resilience.options"


def test_programmes_have_their_law_and_the_qpv_of_a_list(tmp_path):
    found = answer("programmes", "--sample")
    rows = {row["programme"]: row for row in found["rows"]}
    assert rows["npnru"]["count"] == 448
    assert rows["npnru"]["legal_reference"]
    # no list held speaks of the sample
    assert rows["npnru"]["n_qpv"] is None
    lists = tmp_path / "ours.csv"
    codes = pd.read_csv(qg.sample().npnru, sep=";")["code_qp"]
    pd.DataFrame({"programme": "ours", "unit": "qpv_2015", "code": codes}).to_csv(lists, index=False)
    mine = answer("programmes", "--sample", "--lists", str(lists))
    ours = next(row for row in mine["rows"] if row["programme"] == "ours")
    # La Misaine, Les Bossoirs in two, Galhauban; La Vieille Vigie was dropped
    assert ours["n_qpv"] == 4
    assert mine["unplaced"] == {"ours": 1}
    assert sum(one["n_qpv"] for one in mine["overlaps"]) == 16


def test_without_files_the_programmes_are_still_listed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert answer("programmes")["rows"][0]["programme"] == "npnru"


def test_summary_and_coverage_keep_the_qpv_of_a_programme(real_data):
    kept = answer("summary", "--vintage", "2015", "--programme", "npnru", "--data", str(real_data))
    assert kept["n_qpv"] == 448
    with pytest.raises(UsageError):
        run("coverage", "--programme", "quartiers-fertiles", "--sample")


@pytest.mark.parametrize("beside", ["commune", "epci"])
def test_quarters_that_are_not_asked_for_are_no_rest(beside):
    words = ["exposure", str(qg.sample().floods), "--sample", "--covered", "everywhere", "--beside", beside]
    every = {row["qpv_code"]: row for row in answer(*words)["rows"]}
    (alone,) = answer(*words, "--place", "QN09904M")["rows"]
    named = ("rest_population", "rest_share", "ratio", "estimate")
    assert [alone[name] for name in named] == pytest.approx([every["QN09904M"][name] for name in named])
