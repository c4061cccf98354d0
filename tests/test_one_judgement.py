"""What a reader takes, recognition and the doctor take, and the other way round."""

import os
import shutil
from contextlib import suppress

import geopandas as gpd
import openpyxl
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import QpvgeoError
from qpvgeo.quality.files import examine
from qpvgeo.read.communes.events import read_commune_events
from qpvgeo.samples import files, sample
from qpvgeo.sources import recognise

READERS = {
    "perimeters": lambda path, vintage: qg.read_qpv(path, vintage=vintage),
    "communes": lambda path, _: qg.read_communes(path),
    "population": lambda path, _: qg.read_population(path),
    "population by commune": lambda path, _: qg.read_population(path, level="qpv_commune"),
    "communes population": lambda path, _: qg.read_population(path, level="commune"),
    "communes table": lambda path, _: qg.read_communes(path),
    "commune events": lambda path, _: read_commune_events(path),
    "correspondence": lambda path, _: qg.read_correspondence(path),
    "epci": lambda path, _: qg.read_epci(path),
}


def table(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def shapes(path, layer=None, **columns):
    number = len(next(iter(columns.values())))
    boxes = [shapely.box(3 + 0.1 * rank, 50, 3.05 + 0.1 * rank, 50.05) for rank in range(number)]
    gpd.GeoDataFrame(columns, geometry=boxes, crs=4326).to_file(path, **({"layer": layer} if layer else {}))
    return path


def agree(path):
    """The kinds that recognition finds; fails where the doctor or a reader says otherwise."""
    found = list(recognise.identify(path))
    reports = examine(path)
    assert {report.kind for report in reports} >= {one.kind for one in found}
    for one in found:
        if one.kind in READERS:
            assert len(READERS[one.kind](path, one.vintage))
        assert all(report.ok for report in reports if report.kind == one.kind)
    if not found:
        assert {report.kind for report in reports} <= {"unknown", "outlines", "points"}
        with pytest.raises(QpvgeoError):
            qg.read_qpv(path)
    return [one.kind for one in found]


@pytest.mark.parametrize("name", files())
def test_files_of_the_sample(name):
    agree(files()[name])


def test_a_workbook_whose_first_row_is_the_national_total(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["codeQPV", "libQPV", "popMuniQPV"],
        ["France métropolitaine", "Ensemble", 5_307_455],
        ["QN00101M", "A", 6490],
        ["QN00102M", "B", 1926],
    ):
        book.active.append(row)
    book.save(tmp_path / "pop_qpv_2020.xlsx")
    assert agree(tmp_path / "pop_qpv_2020.xlsx") == ["population"]
    assert recognise.find("population", 2024, tmp_path) == [tmp_path / "pop_qpv_2020.xlsx"]


@pytest.mark.parametrize(
    ("name", "text", "kinds"),
    [
        ("a.csv", "NOM_QP;qp;pop_mun_2018\nNom du quartier;Code du quartier;Population\nNord;QP059001;6000\n", 1),
        ("b.csv", "rang;identifiant;pop_mun_2018\n1;QP974026;12\n2;QP974014;13\n", 1),
        ("c.csv", "code,pop_2013,pop_2018\nQP001001,6056,6490\n", 1),
        ("d.txt", "DEP\tCOM\tNCCENR\n01\t001\tAbergement\n", 1),
        (
            "composition_2017.csv",
            "siren;nom;nature;insee;nom_com;pmun_com\n245900410;MEL;METRO;59350;Lille;236000\n",
            1,
        ),
        ("f.csv", "CODGEO;LIBGEO;PMUN21\n01004;Ambérieu;14000\n", 1),
        ("g.csv", "commune;lits\nLille;12\n", 0),
        ("h.csv", "region;part\n32;0,1\n", 0),
    ],
)
def test_tables_in_many_forms(tmp_path, name, text, kinds):
    path = table(tmp_path, name, text)
    if name == "c.csv":  # a choice is left to the caller, and the file is sound
        assert [one.kind for one in recognise.identify(path)] == ["population"]
        assert [report.ok for report in examine(path)] == [True]
        return
    assert len(agree(path)) == kinds


@pytest.mark.parametrize("column", ["id", "CODE", "Code_du_qu", "q"])
def test_outlines_whose_codes_are_known_by_their_values(tmp_path, column):
    path = shapes(tmp_path / "x.shp", rang=[1, 2], **{column: ["QN05901N", "QN05902N"]})
    assert agree(path) == ["perimeters"]
    assert recognise.find("perimeters", 2024, tmp_path) == [path]


def test_communes_among_layers_of_something_else(tmp_path):
    path = tmp_path / "x.gpkg"
    shapes(path, "grille", insee_com=["59350", "59350"], valeur=[1, 2])
    shapes(path, "villes", insee_com=["59350", "59009"], nom=["Lille", "Villeneuve"])
    assert qg.read_communes(path)["name"].tolist() == ["Lille", "Villeneuve"]
    assert qg.read_communes(path, layer="villes").index.tolist() == ["59350", "59009"]


ODD = {
    "a.parquet": b"PAR1 not parquet at all PAR1",
    "b.fgb": b"fgb\x03fgb\x00" + bytes(64),
    "c.shp": b"\x00\x00\x27\x0a" + bytes(96),
    "d.gpkg": b"SQLite format 3\x00" + bytes(200),
    "e.zip": b"PK\x03\x04" + bytes(40),
    "f.xlsx": b"PK\x03\x04" + bytes(40),
    "g.csv": b"\xff\xfe\x00",
    "h.geojson": b'{"type": "FeatureCollection", "features": [',
    "i.gz": b"\x1f\x8b\x08" + bytes(20),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ODD)
def test_one_odd_file_does_not_stop_a_folder(tmp_path, name):
    (tmp_path / name).write_bytes(ODD[name])
    shutil.copy(sample().qpv_2024, tmp_path)
    assert [path.name for path in recognise.find("perimeters", 2024, tmp_path)] == ["qpv-2024-geojson.zip"]
    assert len(qg.read_qpv("qpv-2024", data=tmp_path)) == 16
    assert len(qg.datasets(tmp_path))
    reports = {report.file: report for report in examine(tmp_path)}
    assert any(file.startswith("qpv-2024") and report.ok for file, report in reports.items())
    assert not reports[name].ok


def test_a_name_in_another_encoding_does_not_stop_a_folder(tmp_path):
    with suppress(OSError):
        shutil.copy(sample().communes, os.fsencode(tmp_path) + b"/p\xe9rim.geojson")
    shutil.copy(sample().qpv_2024, tmp_path)
    assert len(qg.read_qpv("qpv-2024", data=tmp_path)) == 16
    for report in examine(tmp_path):
        report.file.encode("utf-8")


def test_a_pipe_is_skipped_with_a_word(tmp_path):
    os.mkfifo(tmp_path / "p.csv")
    assert recognise.scan(tmp_path) == []
    (report,) = examine(tmp_path)
    assert [finding.problem.key for finding in report.findings] == ["quality.not_a_file"]


@pytest.mark.real
def test_every_published_file_is_judged_alike_alone_and_in_its_folder(real_data):
    together = {}
    for report in examine(real_data):
        # a record that cannot be used is named; the others are read
        of_the_file = [one for one in report.findings if one.level == "error" and one.row is None]
        known = report.kind not in ("unknown", "outlines", "points")
        if known and of_the_file:
            # what the doctor refuses of a file, its reader refuses
            with pytest.raises(QpvgeoError):
                qg.read_grid(real_data / "filosofi" / report.file.split(":")[0], layer=report.file.split(":")[1])
        elif report.kind == "grid":
            file, layer = report.file.split(":")
            assert len(qg.read_grid(real_data / "filosofi" / file, layer=layer)) == report.features
        together.setdefault(report.file.split(" (")[0].split(":")[0], []).append(report)
    for path in recognise.files_in(real_data):
        reports = together[path.name]
        assert [said(one) for one in examine(path)] == [said(one) for one in reports]
        agree_real(path, [one.kind for one in reports])


def said(report):
    """What a report says of a file; that one is not ours is an error where it is named, and a warning in a folder."""
    problems = [(one.row, one.code, str(one.problem)) for one in report.findings]
    return report.file, report.kind, report.features, report.ok or report.kind == "unknown", problems


def agree_real(path, together):
    """Readers take what recognition finds, and nothing else; the doctor said so in the folder."""
    found = list(recognise.identify(path))
    kinds = together
    assert {one.kind for one in found} <= set(kinds), (path.name, kinds)
    for one in found:
        layers = sum(other.kind == one.kind for other in found)
        if one.kind in READERS and layers == 1:
            assert len(READERS[one.kind](path, one.vintage)), path.name
    if "perimeters" not in kinds:
        with pytest.raises(QpvgeoError):
            qg.read_qpv(path)
