"""The command as a user runs it: what it prints and where, how it ends, what its JSON holds."""

import contextlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.cli.runs import answer, rows_by, run

from qpvgeo.samples import FICTIONAL, sample
from qpvgeo.sources import transfer

COMMANDS = ("datasets", "fetch", "doctor", "summary", "coverage", "tag")
HEAVY = ("geopandas", "pandas", "numpy", "shapely", "pyproj", "pyogrio", "fiona", "matplotlib", "requests")
FICTIONAL_FR = "Données fictives\u202f: l’exemple de qpvgeo ne décrit aucun lieu réel."
NARROW = "\u202f"
TABLE = b"codeQPV;popMuniQPV\nQN07501M;2500\n"

SUMMARY_KEYS = {
    "vintage": int,
    "n_qpv": int,
    "population": int,
    "population_year": int,
    "share_scope": str,
    "share_population": int,
    "denominator": int,
    "denominator_year": (int, type(None)),
    "share": float,
    "basis": str,
    "release": (str, type(None)),
    "by_territory": list,
    "scopes": list,
    "sources": list,
    "repairs": dict,
    "notes": list,
}
FIGURES = {
    "name": str,
    "n_qpv": int,
    "n_with_population": int,
    "population": (int, type(None)),
    "population_year": (int, type(None)),
    "denominator": (int, type(None)),
    "denominator_year": (int, type(None)),
    "share": (float, type(None)),
    "qpv_area_km2": (float, type(None)),
    "qpv_area_published_km2": (float, type(None)),
    "note": str,
}
COVERAGE_KEYS = {
    "by": str,
    "vintage": int,
    "attribution": str,
    "population_year": (int, type(None)),
    "qpv_population": (int, float, type(None)),
    "rows": list,
    "sources": list,
}
COVERAGE_ROW = {
    "code": (str, type(None)),
    "name": str,
    "n_qpv": int,
    "n_with_population": int,
    "qpv_population": (int, float, type(None)),
    "population": (int, type(None)),
    "population_year": (int, type(None)),
    "share": (float, type(None)),
    "qpv_area_km2": (float, type(None)),
    "area_share": (float, type(None)),
    "note": str,
}
DATASET_ROW = {
    "key": str,
    "vintage": (int, type(None)),
    "release": (str, type(None)),
    "territory": (str, type(None)),
    "kind": str,
    "format": (str, type(None)),
    "size_bytes": (int, type(None)),
    "licence": (str, type(None)),
    "url": (str, type(None)),
    "cached": bool,
    "path": (str, type(None)),
    "title": str,
    "producer": str,
    "evidence": (str, type(None)),
    "checked": (str, type(None)),
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """An empty folder, in no checkout, with no file at hand."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.fixture
def site(monkeypatch):
    """A server on this machine with one table; every other address is not found."""
    monkeypatch.setattr(transfer, "BACKOFF_S", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Visit) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path == "/table.csv"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(TABLE) if found else 0))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(TABLE if found else b"")

    def log_message(self, *_):
        pass


def process(*arguments, **environment):
    """Run the command in a process of its own."""
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'qpvgeo'; from qpvgeo.cli import main; main()",
        *map(str, arguments),
    ]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=os.environ | environment, check=False
    )


def shaped(given, keys):
    """The keys are all there and of their types; a bool is no number here."""
    assert set(keys) <= set(given), set(keys) - set(given)
    for key, kinds in keys.items():
        value = given[key]
        assert isinstance(value, kinds), (key, value)
        assert not isinstance(value, bool) or kinds is bool, (key, value)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_answers_without_the_heavy_packages(command):
    arguments = [*([command] if command else []), "--help"]
    script = (
        "import sys\nfrom qpvgeo.cli import main\nstatus = None\n"
        f"sys.argv = ['qpvgeo', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    status = end.code\n"
        f"print('LOADED', status, sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[-1] == "LOADED 0 []"
    assert "--help" in done.stdout
    assert done.stderr == ""


def test_help_names_every_command():
    out, _ = run("--help")
    assert [name for name in COMMANDS if f" {name} " not in out] == []


def test_version_is_that_of_the_package():
    import qpvgeo

    assert run("--version")[0] == f"qpvgeo {qpvgeo.__version__}\n"


def test_no_command_shows_the_help_and_is_a_wrong_call():
    done = process()
    assert done.returncode == 2
    assert "Usage: qpvgeo" in done.stdout + done.stderr


def test_summary_2015_with_no_file_at_hand_is_the_published_one():
    found = answer("summary", "--vintage", 2015)
    expected = {
        "vintage": 2015,
        "basis": "published",
        "n_qpv": 1514,
        "population_year": 2018,
        "share_scope": "hexagone + 5 DOM",
        "share_population": 5_360_753,
        "denominator": 66_989_056,
        "denominator_year": 2018,
        "fictional": None,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert found["share"] == 5_360_753 / 66_989_056
    assert round(found["share"], 3) == 0.080
    assert round(found["population"] / 1e6, 1) == 5.4
    assert [row["scope"] for row in found["scopes"]] == ["hexagone + 5 DOM", "total"]
    scope = found["scopes"][0]
    assert (scope["population_year"], scope["denominator_year"]) == (2018, 2018)
    assert sum(row["n_qpv"] for row in found["by_territory"]) == 1514


def test_summary_2015_in_words_gives_the_ratio_with_its_years_and_scope():
    out, _ = run("summary", "--vintage", 2015)
    for piece in (
        "QPV, geography of 2015",
        "(published figures)",
        "1,514 QPV",
        "(5.4 million)",
        "reference year 2018",
        "8.0% = 5,360,753 / 66,989,056 inhabitants (census 2018)",
        "scope: Hexagone and the five overseas departments",
        "Mayotte: census of 2017",
        "no denominator for Saint-Martin",
        "Source: published aggregates embedded in qpvgeo",
    ):
        assert piece in out, piece
    assert "ictional" not in out


def test_summary_2015_in_another_census_is_the_other_ratio_that_rounds_alike():
    found = answer("summary", "--vintage", 2015, "--year", 2013)
    assert (found["share_population"], found["denominator"], found["denominator_year"]) == (5_353_790, 65_777_356, 2013)
    assert (found["population"], found["population_year"]) == (5_435_060, 2013)


@pytest.mark.parametrize("arguments", [["--vintage", 2015], ["--sample"], ["--sample", "--vintage", 2015]])
def test_shape_of_summary(arguments):
    found = answer("summary", *arguments)
    shaped(found, SUMMARY_KEYS)
    for row in found["by_territory"]:
        shaped(row, {"territory": str} | FIGURES)
    for row in found["scopes"]:
        shaped(row, {"scope": str} | FIGURES)
    shaped(found["repairs"], {"outlines": int, "added_km2": float})
    assert all(isinstance(source, dict) for source in found["sources"])
    assert found["share"] == pytest.approx(found["share_population"] / found["denominator"], abs=1e-12)


@pytest.mark.parametrize("level", ["department", "region"])
def test_summary_by_a_level_adds_its_rows(level):
    rows = answer("summary", "--sample", "--by", level)[f"by_{level}"]
    assert [(row[level], row["n_qpv"], row["population"]) for row in rows] == [("99", 16, 22_544)]


@pytest.mark.parametrize("vintage", [2015, 2024])
@pytest.mark.parametrize("level", ["commune", "epci", "ept", "department", "region", "territory"])
def test_shape_of_coverage_and_its_people_add_up(level, vintage):
    found = answer("coverage", "--sample", "--by", level, "--vintage", vintage)
    shaped(found, COVERAGE_KEYS)
    assert (found["by"], found["vintage"]) == (level, vintage)
    for row in found["rows"]:
        shaped(row, COVERAGE_ROW)
        assert row["share"] == pytest.approx(row["qpv_population"] / row["population"], abs=1e-9)
    people = {2015: 18_899, 2024: 22_544}[vintage]
    assert found["qpv_population"] == people
    assert sum(row["qpv_population"] for row in found["rows"]) == pytest.approx(people, abs=1e-6)


def test_shape_of_datasets():
    found = answer("datasets")
    assert list(found) == ["datasets"]
    for row in found["datasets"]:
        shaped(row, DATASET_ROW)
    rows = rows_by("key", found["datasets"])
    assert len(rows) == len(found["datasets"])
    assert (rows["qpv-2024"]["vintage"], rows["qpv-2024"]["kind"]) == (2024, "perimeters")
    assert [row["path"] for row in rows.values() if row["cached"]] == []


def test_shape_of_doctor():
    found = answer("doctor", sample().qpv_2015)
    shaped(found, {"ok": bool, "files": list})
    (report,) = found["files"]
    shaped(report, {"file": str, "kind": str, "features": int, "findings": list})
    (finding,) = report["findings"]
    shaped(finding, {"code": str, "row": int, "level": str, "problem": str, "action": str})
    assert (finding["code"], finding["row"]) == ("QP099008", 8)


def test_shape_of_fetch():
    found = answer("fetch", "qpv-2024", "--data", sample().path)
    path = sample().qpv_2024
    row = {"key": "qpv-2024", "state": "already there", "size_bytes": path.stat().st_size, "path": str(path)}
    assert found == {"files": [row], "failed": []}


@pytest.mark.parametrize("command", ["datasets", "doctor", "summary", "coverage"])
def test_every_output_of_the_sample_says_that_it_is_fictional(command):
    assert FICTIONAL in run(command, "--sample")[0]
    assert FICTIONAL_FR in run(command, "--sample", "--lang", "fr")[0]
    assert answer(command, "--sample")["fictional"] == FICTIONAL
    assert answer(command, "--data", sample().path)["fictional"] == FICTIONAL


@pytest.mark.parametrize("command", ["datasets", "summary"])
def test_what_is_not_the_sample_does_not_say_so(command):
    assert "fictional" not in answer(command, *(["--vintage", "2015"] if command == "summary" else []))


def test_datasets_of_the_sample_are_at_hand():
    out, _ = run("datasets", "--sample")
    (row,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["qpv-2024"]]
    assert row[-3:] == ["qpv-2024-geojson.zip", "established", "never"]


def test_doctor_passes_the_sample():
    found = answer("doctor", "--sample")
    assert found["ok"]
    assert "qp-politiquedelaville-shp.zip (QP_METROPOLE_LB93.shp)" in rows_by("file", found["files"])


def test_summary_of_the_sample_in_words():
    out, _ = run("summary", "--sample")
    assert "16 QPV, 22,544 people, reference year 2020" in out
    assert "17.0% = 22,544 / 132,238 inhabitants" in out


def test_coverage_of_the_sample_by_commune_in_words():
    out, _ = run("coverage", "--sample", "--by", "commune")
    row = next(line for line in out.splitlines() if "Port-Brume" in line)
    assert row.split() == ["99001", "Port-Brume", "8", "10,681", "60,274", "17.72%", "1.21"]
    assert "numbers do not add up, people do" in out


def test_summary_in_french():
    out, _ = run("summary", "--sample", "--lang", "fr")
    assert "QPV, géographie 2024" in out
    assert f"16 QPV, 22{NARROW}544 habitants, année de référence 2020" in out
    assert f"17,0{NARROW}% = 22{NARROW}544 / 132{NARROW}238 habitants" in out
    header = next(line for line in out.splitlines() if "Territoire" in line)
    columns = "Territoire QPV Population des QPV Population Part Superficie des QPV (km²)"
    assert " ".join(header.split()) == columns
    assert f"17,05{NARROW}%" in out
    assert "2,43" in out


def test_published_summary_in_french_has_its_notes_in_french():
    out, _ = run("summary", "--vintage", 2015, "--lang", "fr")
    assert f"8,0{NARROW}% = 5{NARROW}360{NARROW}753 / 66{NARROW}989{NARROW}056 habitants (recensement 2018)" in out
    assert "Mayotte\u202f: recensement de 2017" in out
    assert "population totale non disponible (Saint-Martin et Polynésie française)" in out
    assert "stands for" not in out


@pytest.mark.parametrize(
    ("command", "headers"),
    [
        ("datasets", "Clé Nature Millésime Format Mo Fichier trouvé Adresse vérifiée"),
        ("coverage", "Code Nom QPV Population des QPV Population Part Superficie des QPV (km²)"),
        ("doctor", "Ligne Code Problème Traitement"),
    ],
)
def test_headers_in_french(command, headers):
    out, _ = run(command, "--sample", "--lang", "fr")
    assert headers.split() in [line.split() for line in out.splitlines()]


def test_json_does_not_depend_on_the_language():
    assert answer("summary", "--sample", "--lang", "fr") == answer("summary", "--sample")


@pytest.mark.parametrize(
    "arguments",
    [
        ["summary", "--bogus"],
        ["summary", "--vintage", "2019"],
        ["summary", "--by", "commune"],
        ["summary", "--year", "1999"],
        ["coverage", "--by", "canton"],
        ["coverage", "--sample", "--by", "epci", "--attribution", "code"],
        ["summary", "--lang", "de"],
        ["datasets", "--sample", "--data", "."],
        ["doctor", "--sample", "--data", "."],
        ["summary", "--sample", "--data", "."],
        ["coverage", "--sample", "--data", "."],
        ["datasets", "--data", "no-such-folder"],
        ["doctor", "--data", "no-such-folder"],
        ["summary", "--data", "no-such-folder"],
        ["coverage", "--data", "no-such-folder"],
        ["fetch", "qpv-2024", "--data", "no-such-folder"],
        ["fetch", "no-such-key"],
        ["fetch", "--theme", "weather"],
        ["fetch", "qpv-2024", "--all"],
        ["fetch", "http://[::1"],
        ["fetch", "qpv-2024", "qpv-2015", "--url", "http://127.0.0.1:9/x.zip"],
        ["doctor"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_calls_end_with_2_and_print_nothing_on_standard_output(arguments):
    assert run(*arguments, status=2)[0] == ""


@pytest.mark.parametrize("command", ["summary", "coverage"])
def test_folder_named_without_the_file_ends_with_3(command, empty):
    assert run(command, "--data", empty, status=3)[0] == ""


def test_coverage_with_no_file_at_hand_ends_with_3():
    assert run("coverage", status=3)[0] == ""


def test_year_that_no_table_at_hand_has_ends_with_3():
    assert run("summary", "--sample", "--year", 1999, status=3)[0] == ""


def test_doctor_of_a_file_that_is_not_there_ends_with_3():
    assert run("doctor", "gone.shp", status=3)[0] == ""


def test_doctor_of_a_broken_file_ends_with_1_and_still_answers(tmp_path):
    path = tmp_path / "qp.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [', encoding="utf-8")
    found = answer("doctor", path, sample().qpv_2024, status=1)
    assert [found["ok"], *(bool(report["findings"]) for report in found["files"])] == [False, True, False]
    out, _ = run("doctor", path, sample().qpv_2024, status=1)
    assert "not usable as it is" in out
    assert "16 records: usable" in out


def test_doctor_of_a_file_whose_name_is_not_text_still_answers(tmp_path):
    name = os.fsdecode(b"\xe9t\xe9.csv")
    try:
        (tmp_path / name).write_text("a;b\n1;2\n", encoding="utf-8")
    except OSError:
        pytest.skip("this disk holds names of text alone")
    found = tmp_path.parent / f"{tmp_path.name}.csv"
    done = process("doctor", tmp_path, "--json", "-o", found)
    assert (done.returncode, len(json.loads(done.stdout)["files"])) == (0, 1)
    assert "\ufffdt\ufffd.csv" in found.read_text(encoding="utf-8-sig")


def test_error_of_the_library_is_a_message_on_standard_error_and_no_traceback(empty):
    done = process("summary", "--vintage", 2015, "--data", empty, "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("qpvgeo: No file of perimeters of the 2015 geography is available locally.\n")
    assert str(empty) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["summary", "--vintage", "2015", "--json"], 0), (["coverage", "--by", "canton", "--json"], 2)],
    ids=["done", "wrong call"],
)
def test_exit_status_of_the_process(arguments, status):
    done = process(*arguments)
    assert done.returncode == status
    assert (done.stdout == "") == (status != 0)
    assert (done.stderr == "") == (status == 0)


def test_process_of_the_doctor_ends_with_1_on_a_truncated_shapefile(tmp_path):
    shutil.unpack_archive(sample().qpv_2015, tmp_path)
    path = next(tmp_path.rglob("*.shp"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = process("doctor", path, "--json")
    report = json.loads(done.stdout)["files"][0]
    assert done.returncode == 1
    assert report["features"] == 14
    lost = [found["row"] for found in report["findings"] if found["problem"] == "no outline"]
    assert lost == list(range(lost[0], 15))


def test_fetch_offline_ends_with_3_and_one_json_document():
    done = process("fetch", "qpv-2024-list", "--url", "http://127.0.0.1:9/x.csv", "--json", QPVGEO_OFFLINE="1")
    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert found["files"] == []
    assert [(row["key"], row["error"]) for row in found["failed"]] == [("qpv-2024-list", "OfflineError")]
    assert "QPVGEO_OFFLINE" in found["failed"][0]["message"]


def test_fetch_from_another_address_lands_in_the_cache(site, tmp_path):
    found = answer("fetch", "qpv-2024-list", "--url", f"{site}/table.csv")
    (row,) = found["files"]
    assert (row["key"], found["failed"]) == ("qpv-2024-list", [])
    assert Path(row["path"]).parent == tmp_path / "cache"
    assert Path(row["path"]).read_bytes() == TABLE


def test_fetch_in_words_prints_the_path_on_standard_output(site):
    out, err = run("fetch", f"{site}/table.csv")
    *key, state, _, path = out.splitlines()[-1].split()
    assert (key, state, err) == ([f"{site}/table.csv"], "got", "")
    assert Path(path).read_bytes() == TABLE


def test_one_failed_file_does_not_keep_the_others(site, tmp_path):
    keys = (f"{site}/gone.csv", f"{site}/table.csv", "qpv-2015-population-2013")
    found = answer("fetch", *keys, status=3)
    assert [row["key"] for row in found["files"]] == [keys[1]]
    assert [(row["key"], row["error"]) for row in found["failed"]] == [
        (keys[0], "NotFoundError"),
        (keys[2], "MissingDataError"),
    ]
    shutil.rmtree(tmp_path / "cache")
    out, err = run("fetch", *keys, status=3)
    rows = [line.split()[:2] for line in out.splitlines()[2:5]]
    assert rows == [[keys[1], "got"], [keys[0], "not"], [keys[2], "not"]]
    assert err == ""  # no bars without a terminal


def test_a_file_that_cannot_be_had_comes_with_its_link_and_its_place(tmp_path):
    done = process("fetch", "qpv-2024-communes", "--json", QPVGEO_OFFLINE="1", QPVGEO_CACHE=str(tmp_path / "cache"))
    (row,) = json.loads(done.stdout)["failed"]
    assert row["link"].endswith("/8186239/TAG_QPV2024_2025_csv.zip")
    assert (row["names"], row["folder"]) == (["TAG_QPV2024_2025_csv.zip"], str(tmp_path / "cache"))
    assert (row["reason"] in row["message"], row["page"].startswith("https://www.insee.fr/")) == (True, True)


def test_links_are_listed_without_a_download():
    out, err = run("fetch", "--list-links")
    links = out.split()
    assert any(link.endswith("/qp-politiquedelaville-shp.zip") for link in links)
    assert all(link.startswith("https://") for link in links)
    assert "https://www.insee.fr/fr/statistiques/8210600?sommaire=8186144" in err
    rows = answer("fetch", "--list-links", "--theme", "jobs")["links"]
    assert [(row["key"], row["link"], row["evidence"]) for row in rows] == [("qpv-2024-jobs", None, "by resolver")]
