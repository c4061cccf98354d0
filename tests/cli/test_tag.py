"""The command `tag`: which points of a file lie in a QPV, or near one."""

import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import DataError, MissingDataError, OutputError, QpvgeoError, UsageError
from qpvgeo.language import Note
from qpvgeo.samples import FICTIONAL


def run(*words):
    return CliRunner().invoke(app, ["tag", *map(str, words)])


def answer(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(kind, *words):
    error = run(*words).exception
    assert isinstance(error, kind), error
    assert isinstance(error, QpvgeoError)
    return error


@pytest.fixture
def addresses(tmp_path):
    path = tmp_path / "some.csv"
    path.write_text("id;x;y\n1;188879.56;6562446.69\n2;;\n3;1\n", encoding="utf-8")
    return path


def test_the_sample_answers_alone_and_says_that_it_is_fictional():
    found = answer("--sample")
    assert found["rows"] == 3904
    assert sum(found["states"].values()) == found["rows"]
    assert sum(found["reasons"].values()) == found["states"]["unknown"]
    assert sum(found["bands"].values()) <= found["states"]["out"]
    assert (found["vintage"], found["vintages"], found["output"]) == (2024, [2024], None)
    assert found["fictional"] == FICTIONAL
    assert {"rows", "states", "bands", "reasons", "output", "sources"} <= set(found)
    assert list(found["bands"]) == ["300", "500"]


def test_the_command_and_the_library_say_the_same():
    sample = qg.sample()
    table = pd.read_csv(sample.addresses, sep=";", dtype="str")
    expected = qg.tag_points(table, qg.read_qpv(sample.qpv_2024))
    assert answer("--sample")["states"] == expected["state"].value_counts().to_dict()


def test_the_summary_names_states_bands_reasons_and_source():
    out = run("--sample").stdout
    for text in ("In a QPV", "Out, within 300 m", "Out, from 300 to 500 m", "Out, beyond 500 m", "Unknown"):
        assert text in out
    for text in ("no coordinates", "swapped", "geography of 2024", "adresses-99.csv.gz", FICTIONAL, "--output"):
        assert text in out


def test_in_french():
    out = run("--sample", "--lang", "fr").stdout
    for text in ("Dans un QPV", "Hors QPV, à moins de 300 m", "coordonnées absentes", "Aucun fichier enregistré"):
        assert text in out


@pytest.fixture
def extract(tmp_path):
    """A saved index of two QPV of the hexagone, one of which has no outline, and a table of a point."""
    shapes = {"QN07501M": shapely.box(3, 46, 3.1, 46.1), "QN07502I": None}
    frame = gpd.GeoDataFrame({"vintage": 2024}, geometry=list(shapes.values()), index=list(shapes), crs=4326)
    with pytest.warns(UserWarning, match="no outline|may lie in another"):
        qg.PerimeterIndex(frame).save(tmp_path / "index")
    (tmp_path / "in.csv").write_text("lon,lat\n4,46\n")
    return tmp_path / "in.csv", "--index", tmp_path / "index"


def test_perimeters_that_are_a_part_of_a_list_or_lack_an_outline_are_told_in_json(extract):
    found = answer(*extract)
    assert found["states"] == {"in": 0, "out": 1, "unknown": 0}
    assert found["notes"] == [
        "1 perimeter has no outline: nothing is found in or near QN07502I",
        "2 of the 1,362 perimeters of France hexagonale (2024) are given: a point outside them may lie in another",
    ]


def test_perimeters_that_are_a_part_of_a_list_or_lack_an_outline_are_told_in_both_languages(extract):
    assert "2 of the 1,362 perimeters of France hexagonale (2024) are given" in run(*extract).stdout
    french = run(*extract, "--lang", "fr").stdout
    assert (
        "2 des 1\u202f362 périmètres de France hexagonale (2024) sont donnés\u202f: un point hors de ceux-ci" in french
    )
    assert "1 périmètre n’a pas de contour" in french


def test_the_sample_is_no_part_of_a_list():
    assert answer("--sample")["notes"] == []


def test_in_or_out_alone():
    found = answer("--sample", "--bands", "")
    assert found["bands"] == {}
    out = run("--sample", "--bands", "").stdout
    assert "Out " in out
    assert "within" not in out


def test_both_geographies_stand_beside_each_other():
    found = answer("--sample", "--vintage", "2015", "--vintage", "2024")
    assert list(found["by_vintage"]) == ["2015", "2024"]
    assert found["by_vintage"]["2024"]["states"] == found["states"] == answer("--sample")["states"]
    assert found["by_vintage"]["2015"]["states"] == answer("--sample", "--vintage", "2015")["states"]
    head = run("--sample", "--vintage", "2015", "--vintage", "2024").stdout
    assert "2015, 2024" in head


def test_the_geography_of_a_day():
    found = answer("--sample", "--on", "2019-03-14")
    assert (found["on"], found["vintage"], found["vintages"]) == ("2019-03-14", None, [2015])
    assert found["states"] == answer("--sample", "--vintage", "2015")["states"]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_the_file_written_has_every_row(tmp_path, addresses, suffix):
    out = tmp_path / f"out{suffix}"
    found = answer(addresses, "-o", out, "--sample", "--x", "x", "--y", "y", "--crs", "2154")
    read = pd.read_parquet(out) if suffix == ".parquet" else pd.read_csv(out, sep=";")
    assert read["reason"].tolist()[1:] == ["no coordinates", "row cannot be read"]
    assert read["id"].astype("str").tolist() == ["1", "2", "3;1"]
    assert found["output"] == str(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([addresses.name, out.name])


def test_the_output_is_named_in_the_summary(tmp_path, addresses):
    out = run(addresses, "-o", tmp_path / "out.csv", "--sample", "--x", "x", "--y", "y", "--crs", "2154").stdout
    assert "Written to" in out


def test_a_saved_index_takes_the_place_of_the_perimeters(tmp_path):
    square = gpd.GeoDataFrame(geometry=[shapely.box(3, 46, 3.1, 46.1)], index=["one"], crs=4326)
    qg.PerimeterIndex(square).save(tmp_path / "index")
    (tmp_path / "in.csv").write_text("lon,lat\n3.05,46.05\n4,46\n")
    found = answer(tmp_path / "in.csv", "--index", tmp_path / "index")
    assert found["states"] == {"in": 1, "out": 1, "unknown": 0}
    assert (found["vintage"], "fictional" in found) == (None, False)
    assert "geography" not in run(tmp_path / "in.csv", "--index", tmp_path / "index").stdout


@pytest.mark.parametrize("tolerance", ["5", "5,0", "off"])
def test_tolerances(tmp_path, tolerance):
    qpv = qg.read_qpv(qg.sample().qpv_2024).to_crs(2154)
    x, y = shapely.get_coordinates(qpv.geometry.iloc[0])[0]
    (tmp_path / "in.csv").write_text(f"x,y,off\n{x},{y},5\n")
    found = answer(tmp_path / "in.csv", "--sample", "--x", "x", "--y", "y", "--crs", "2154", "--tolerance", tolerance)
    assert found["reasons"] == {"near the boundary": 1}


def test_resume_goes_on(tmp_path, addresses):
    options = (addresses, "-o", tmp_path / "out.csv", "--sample", "--x", "x", "--y", "y", "--crs", "2154", "--resume")
    assert answer(*options)["resumed_rows"] == 0


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ([], 1),
        (["--sample", "--vintage", "2015", "--on", "2019-01-01"], 1),
        (["--sample", "--resume"], 1),
        (["--sample", "--y", "y"], 1),
        (["--sample", "--bands", "near"], 1),
        (["--sample", "--index", "one", "--vintage", "2015"], 3),
        (["--sample", "--tolerance", "5000"], 1),
        (
            [
                "--sample",
                "--crs",
                "EPSG:0",
                "--on",
                "someday",
                "--bands",
                "500,300",
                "-o",
                "a.xlsx",
                "--tolerance",
                "-1",
            ],
            5,
        ),
        (["--sample", "-o", "none/out.xlsx"], 2),
    ],
)
def test_options_that_do_not_fit_together_are_all_named(words, problems):
    error = refused(UsageError, *words)
    assert (len(error.problems), error.exit_code) == (problems, 2)


def test_what_is_wrong_is_told_in_the_words_of_the_command_line(tmp_path, addresses):
    words = (
        "--crs",
        "EPSG:0",
        "--on",
        "someday",
        "--bands",
        "5,3",
        "--tolerance",
        "5000",
        "--index",
        tmp_path / "none",
    )
    error = refused(UsageError, addresses, *words, "-o", tmp_path / "out.ods")
    assert [told.partition(":")[0] for told in error.problems] == [
        f"--index {tmp_path / 'none'}",
        "--bands 5,3 must be ascending distances in metres, such as 300, or 300 and 500",
        "--on someday is not a valid day",
        "--tolerance 5000 is more than the maximum of 2,000 m",
        "--crs EPSG",
        "the output out.ods must end in one of",
    ]


@pytest.mark.parametrize(
    "words", [("--x", "east", "--y", "y", "--crs", "2154"), ("--tolerance", "off"), ("--tolerance", "ban")]
)
def test_columns_that_are_not_there_are_a_wrong_call(tmp_path, words):
    (tmp_path / "in.csv").write_text("lon;lat;y\n3;46;1\n")
    error = refused(UsageError, tmp_path / "in.csv", "--sample", *words)
    assert "Its columns are: lon, lat, y." in str(error)


@pytest.mark.parametrize("content", [b"id;x;y\n", b"\x80\x04K\x01."], ids=["table", "pickle"])
def test_index_that_is_none_is_told_without_the_words_of_numpy(tmp_path, addresses, content):
    (tmp_path / "a.csv").write_bytes(content)
    error = refused(DataError, addresses, "--index", tmp_path / "a.csv")
    assert "a.csv is not an index of perimeters" in str(error)
    assert "pickle" not in str(error)


def test_points_most_of_which_lie_outside_france_are_told_and_are_no_failure(tmp_path):
    (tmp_path / "in.csv").write_text("x,y\n3,46\n")
    words = (tmp_path / "in.csv", "--sample", "--x", "x", "--y", "y", "--crs", "2154")
    assert answer(*words)["notes"] == [
        "1 of 1 points lie outside France: crs=EPSG:2154 is in metres and the values look like degrees"
    ]
    assert "est en mètres" in run(*words, "--lang", "fr").stdout


def test_the_title_is_printed_whole(tmp_path):
    name = "a-file-of-points-with-a-name-that-is-much-longer-than-the-table-of-its-counts-is-wide.csv"
    (tmp_path / name).write_text("lon,lat\n-3.6,45.97\n")
    assert f"{name}, 1 rows, geography of 2024" in run(tmp_path / name, "--sample").stdout


def test_nothing_to_go_on_with_is_told(tmp_path, addresses):
    words = (addresses, "-o", tmp_path / "out.csv", "--sample", "--x", "x", "--y", "y", "--crs", "2154", "--resume")
    assert Note("tagging.nothing_to_resume").say("en")[:30] in run(*words).stdout
    assert Note("tagging.nothing_to_resume").say("fr")[:30] in run(*words, "--lang", "fr").stdout


@pytest.mark.parametrize("kept", [True, False])
def test_interrupted_run_says_how_to_go_on(tmp_path, addresses, monkeypatch, kept):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("qpvgeo.tagging.files.tag_file", interrupted)
    output = ("-o", tmp_path / "out.csv") if kept else ()
    result = run(addresses, *output, "--sample")
    assert result.exit_code != 0
    assert ("the same command with --resume" in result.stderr) == kept


def test_output_that_cannot_be_written_is_a_message_and_an_exit_status(tmp_path, addresses):
    (tmp_path / ".out.csv.parts").write_text("")
    words = (addresses, "-o", tmp_path / "out.csv", "--sample", "--x", "x", "--y", "y", "--crs", "2154")
    assert refused(OutputError, *words).exit_code == 2


def test_exit_statuses_say_what_failed(tmp_path, addresses):
    assert refused(DataError, addresses, "--sample").exit_code == 1
    assert refused(MissingDataError, tmp_path / "none.csv", "--sample").exit_code == 3
    assert refused(UsageError, tmp_path, "--sample").exit_code == 2
    assert refused(UsageError, addresses, "--index", tmp_path / "none").exit_code == 2
    assert refused(UsageError, "--sample", "--on", "someday").exit_code == 2
    assert refused(UsageError, "--sample", "--bands", "500,300").exit_code == 2


# published files, as they come


@pytest.fixture
def around(tmp_path):
    """A saved index of three made-up QPV: in Seine-Saint-Denis, in La Réunion."""
    boxes = {
        "QN09301I": shapely.box(657700, 6870300, 657900, 6870500),
        "QN09312I": shapely.box(662400, 6866400, 662500, 6866600),
    }
    hexagone = gpd.GeoSeries(pd.Series(boxes), crs=2154).to_crs(4326)
    island = gpd.GeoSeries([shapely.box(334200, 7646500, 334400, 7646700)], index=["QN97401I"], crs=2975).to_crs(4326)
    frame = gpd.GeoDataFrame(geometry=pd.concat([hexagone, island]), crs=4326).assign(vintage=2024)
    with pytest.warns(UserWarning, match="may lie in another"):
        qg.PerimeterIndex(frame).save(tmp_path / "qpv.idx")
    return tmp_path / "qpv.idx"


SIRENE = """siret;x;y;qualite_xy;epsg;plg_qp24;plg_code_commune;y_latitude;x_longitude
00000000000001;657782.12;6870427.10;11;2154;QN09301I;93010;48.932435;2.423775
00000000000002;334283.40;7646648.87;11;2975;QN97401I;97414;-21.274365;55.402696
"""
RIL = """Fichier encodé en UTF-8 sans BOM, champs séparés par un point-virgule
depcom;id_ea;numero;libelle;x;y;code_epsg;iris;qp
93010;930100000000001;1;RUE A;662450.5;6866514.1;2154;0304;QN09312I
93010;930100000000002;2;RUE B;662342.2;6866954.6;2154;0402;
"""


@pytest.mark.parametrize("words", [(), ("--x", "x", "--y", "y", "--crs", "epsg")])
def test_geolocated_sirene_needs_no_option_and_overseas_rows_are_not_lost(tmp_path, around, words):
    path = tmp_path / "GeolocalisationEtablissement_Sirene.csv"
    path.write_text(SIRENE, encoding="utf-8")
    answer(path, "--index", around, "-o", tmp_path / "out.csv", *words)
    out = pd.read_csv(tmp_path / "out.csv", sep=";", dtype="str")
    assert out["qpv_code"].tolist() == out["plg_qp24"].tolist()
    assert out["state"].tolist() == ["in", "in"]
    assert out["siret"].tolist() == ["00000000000001", "00000000000002"]


@pytest.mark.parametrize("words", [(), ("--x", "x", "--y", "y", "--crs", "2154")])
def test_ril_with_a_sentence_above_its_header(tmp_path, around, words):
    path = tmp_path / "RIL-2025.csv"
    path.write_text(RIL, encoding="utf-8")
    found = answer(path, "--index", around, "-o", tmp_path / "out.csv", *words)
    assert (found["rows"], found["states"]) == (2, {"in": 1, "out": 1, "unknown": 0})
    out = pd.read_csv(tmp_path / "out.csv", sep=";", dtype="str")
    assert out["qpv_code"].fillna("").tolist() == out["qp"].fillna("").tolist() == ["QN09312I", ""]


def test_codes_are_plain_text_that_can_be_filled(tmp_path, around):
    path = tmp_path / "RIL-2025.csv"
    path.write_text(RIL, encoding="utf-8")
    table = pd.read_csv(path, sep=";", skiprows=1, dtype="str")
    tags = qg.tag_points(table, qg.PerimeterIndex.load(around))
    assert tags["qpv_code"].fillna("").tolist() == ["QN09312I", ""]


# every form, and the layer of one


def layer_of(path, **options):
    points = gpd.GeoDataFrame(
        {"nom": ["é", "b"]}, geometry=gpd.points_from_xy([662450.5, 662342.2], [6866514.1, 6866954.6]), crs=2154
    )
    points.to_file(path, **({"driver": "LIBKML"} if path.suffix == ".kml" else {}), **options)
    return path


@pytest.mark.parametrize("form", ["p.gpkg", "p.geojson", "p.shp", "p.fgb", "p.kml"])
def test_layers_of_every_form_are_tagged(tmp_path, around, form):
    found = answer(layer_of(tmp_path / form), "--index", around, "-o", tmp_path / "out.csv")
    assert found["states"] == {"in": 1, "out": 1, "unknown": 0}
    assert pd.read_csv(tmp_path / "out.csv")["state"].tolist() == ["in", "out"]


def test_the_layer_is_named_where_there_are_several(tmp_path, around):
    path = layer_of(tmp_path / "p.gpkg", layer="one")
    layer_of(path, layer="two")
    error = refused(UsageError, path, "--index", around)
    assert [problem.values["layer"] for problem in error.problems] == ["one", "two"]
    assert answer(path, "--index", around, "--layer", error.way_out.values["layer"])["rows"] == 2
    assert answer(path, "--index", around, "--layer", "two")["rows"] == 2


# inputs that stay, and outputs that are none


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to", None])
@pytest.mark.parametrize("role", ["--data", "--communes", "--index"])
def test_no_input_is_written_over(tmp_path, addresses, role, link):
    folder = tmp_path / "data"
    folder.mkdir()
    victim = folder / "populations.csv"
    victim.write_text("precious")
    out = victim
    if link is not None:
        out = tmp_path / "out.csv"
        getattr(out, link)(victim)
    words = {"--data": folder, "--communes": victim, "--index": victim}
    error = refused(UsageError, addresses, role, words[role], "-o", out)
    assert "tagging.output_is_an_input" in [getattr(problem, "key", "") for problem in error.problems]
    assert victim.read_text() == "precious"


def test_a_link_where_the_progress_is_kept_is_refused(tmp_path):
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "thesis.txt").write_text("precious")
    (tmp_path / ".out.csv.parts").symlink_to(tmp_path / "victim")
    refused(OutputError, "--sample", "-o", tmp_path / "out.csv")
    assert (tmp_path / "victim" / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("output", [".", "", "~nobody-here/out.csv"])
def test_what_is_not_a_file_is_refused_as_output(output):
    assert len(refused(UsageError, "--sample", "-o", output).problems) == 1


@pytest.mark.parametrize(
    "words", [("~nobody-here/a.csv", "--sample"), ("--sample", "--communes", "~nobody-here/c.csv")]
)
def test_the_home_of_nobody_is_no_traceback(words):
    refused(MissingDataError, *words)


def test_an_output_keeps_its_mode(tmp_path, addresses):
    out = tmp_path / "out.csv"
    words = (addresses, "--sample", "--x", "x", "--y", "y", "--crs", "2154", "-o", out)
    answer(*words)
    out.chmod(0o600)
    answer(*words)
    assert out.stat().st_mode & 0o777 == 0o600


def test_formulas_of_the_source_stay_or_are_neutralised_and_ours_never_are(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,x,y\n=1+1,662450.5,6866514.1\n", encoding="utf-8")
    square = gpd.GeoDataFrame(
        {"name": ["=cmd|' /c calc'!A1"], "vintage": 2024},
        geometry=[shapely.box(662400, 6866400, 662500, 6866600)],
        index=["QN09312I"],
        crs=2154,
    )
    with pytest.warns(UserWarning, match="may lie in another"):
        qg.PerimeterIndex(square).save(tmp_path / "qpv.idx")
    words = (path, "--index", tmp_path / "qpv.idx", "--x", "x", "--y", "y", "--crs", "2154", "-o", tmp_path / "out.csv")
    for more, cell in (((), "=1+1"), (("--safe-csv",), "'=1+1")):
        answer(*words, *more)
        out = pd.read_csv(tmp_path / "out.csv", dtype="str")
        assert out["id"].tolist() == [cell]
        assert out["qpv_name"].tolist() == ["'=cmd|' /c calc'!A1"]
