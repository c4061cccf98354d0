"""GDAL opens the forms that are read, and nothing that they refer to."""

import http.server
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from tests.builders import layer, refused, square

import qpvgeo as qg
from qpvgeo.errors import DataError, QpvgeoError
from qpvgeo.formats import staging, vector_layers
from qpvgeo.read.grid.reader import read_grid
from qpvgeo.sources import recognise

FEATURE = '{"type":"Feature","properties":{"code_qp":"QN09901M"},"geometry":{"type":"Point","coordinates":[2,48]}}'


@pytest.fixture
def served():
    """Address of a server, and the paths that it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def hostile(url):
    """Files that make GDAL ask the network when they are opened by their content."""
    inside = f'<OGRVRTLayer name="q"><SrcDataSource>/vsicurl/{url}/q</SrcDataSource></OGRVRTLayer>'
    vrt = f"<OGRVRTDataSource>{inside}</OGRVRTDataSource>"
    crs = '{"type":"FeatureCollection",%s,"features":[' + FEATURE + "]}"
    return {
        "vrt.geojson": vrt,
        "vrt.gpkg": vrt,
        "vrt.shp": vrt,
        "vrt.kml": vrt,
        "vrt.gml": f"<!-- http://www.opengis.net/gml -->{vrt}",
        "both.geojson": crs % f'"a":{json.dumps(vrt)}',
        "wfs.json": f"<OGRWFSDataSource><URL>{url}/wfs</URL></OGRWFSDataSource>",
        "alg.json": json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {url}"}),
        "link.geojson": crs % f'"crs":{{"type":"link","properties":{{"href":"{url}/crs"}}}}',
        "late.geojson": (crs % '"a":1')[:-1] + f',"crs":{{"properties":{{"url":"{url}/crs"}},"type":"URL"}}}}',
        "escaped.geojson": crs % f'"\\u0063rs":{{"t\\u0079pe":"l\\u0069nk","properties":{{"href":"{url}/crs"}}}}',
        "topo.json": json.dumps({"type": "Topology", "crs": {"type": "link", "properties": {"href": f"{url}/t"}}}),
        "caps.gml": f'<WFS_Capabilities xmlns:gml="http://www.opengis.net/gml"><a href="{url}"/></WFS_Capabilities>',
        "linked.tab": '!table\n!version 300\nDefinition Table\n  Type LINKED "x"\n',
    }


def test_no_file_reads_elsewhere_even_when_a_folder_is_scanned(tmp_path, served):
    url, asked = served
    files = hostile(url)
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr(name, content)
    assert recognise.scan(tmp_path) == []
    for name in files:
        for path in (tmp_path / name, tmp_path / f"{name}.zip"):
            error = refused(lambda path=path: vector_layers.layers(path), kind=DataError)
            assert error.key in {"formats.refers_elsewhere", "formats.not_the_form", "formats.unreadable"}, name
    assert asked == []


def test_a_crs_by_name_is_read(tmp_path):
    path = tmp_path / "a.geojson"
    member = '"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}'
    path.write_text(f'{{"type":"FeatureCollection",{member},"features":[{FEATURE}]}}')
    (one,) = vector_layers.layers(path)
    assert one.features == 1


KML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- drawn --><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    "<Placemark><name>Secteur</name><Polygon><outerBoundaryIs><LinearRing><coordinates>2.48,48.90 2.49,48.90 "
    "2.49,48.91 2.48,48.91 2.48,48.90</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    "</Document></kml>"
)
GML = (
    '<?xml version="1.0"?><ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" '
    'xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><ogr:q fid="q.0"><ogr:geometryProperty>'
    '<gml:Polygon srsName="EPSG:4326"><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>2.48,48.90 2.49,48.90 '
    "2.49,48.91 2.48,48.91 2.48,48.90</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon>"
    "</ogr:geometryProperty><ogr:name>Secteur</ogr:name></ogr:q></gml:featureMember></ogr:FeatureCollection>"
)
TOPOJSON = json.dumps(
    {
        "type": "Topology",
        "objects": {
            "q": {
                "type": "GeometryCollection",
                "geometries": [{"type": "Polygon", "arcs": [[0]], "properties": {"name": "Secteur"}}],
            }
        },
        "arcs": [[[2.48, 48.9], [2.49, 48.9], [2.49, 48.91], [2.48, 48.91], [2.48, 48.9]]],
    }
)
GEOJSON = json.dumps(
    {
        "type": "Feature",
        "properties": {"name": "Secteur"},
        "geometry": shapely.geometry.mapping(shapely.box(2.48, 48.9, 2.49, 48.91)),
    }
)
MIF = (
    'Version 300\nCharset "WindowsLatin1"\nDelimiter ","\nCoordSys Earth Projection 1, 104\nColumns 1\n'
    "  name Char(20)\nData\n\nRegion 1\n  5\n2.48 48.9\n2.49 48.9\n2.49 48.91\n2.48 48.91\n2.48 48.9\n"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.kml", KML),
        ("q.gml", GML),
        ("q.topojson", TOPOJSON),
        ("q.json", TOPOJSON),
        ("q.mif", MIF),
        ("q.geojson", GEOJSON),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_forms_of_town_halls_and_portals(tmp_path, name, content, packed):
    path = tmp_path / name
    path.write_text(content)
    if name == "q.mif":
        path.with_suffix(".mid").write_text('"Secteur"\n')
    if packed:
        parts = sorted(tmp_path.iterdir())
        path = tmp_path / "q.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part in parts:
                archive.write(part, f"folder/{part.name}")
    before = sorted(part.name for part in tmp_path.iterdir())
    (one,) = vector_layers.layers(path)
    frame, _ = vector_layers.read(one)
    assert frame.crs.is_geographic
    assert np.allclose(frame.total_bounds, [2.48, 48.9, 2.49, 48.91])
    assert "Secteur" in frame.drop(columns="geometry").to_numpy().ravel().tolist()
    assert sorted(part.name for part in tmp_path.iterdir()) == before


def test_kmz_is_a_zip_of_kml(tmp_path):
    with zipfile.ZipFile(tmp_path / "q.kmz", "w") as archive:
        archive.writestr("doc.kml", KML)
    (one,) = vector_layers.layers(tmp_path / "q.kmz")
    assert one.features == 1


def several(path, *, kind="GEOMETRY", z=1):
    """Write a GeoPackage of two layers, one declared with heights."""
    areas = layer({"a": square(650_000, 6_860_000)}, code_qp=["QN09901M"])
    areas.to_file(path, layer="qpv")
    gpd.GeoDataFrame({"text": ["x"]}, geometry=[shapely.Point(650_000, 6_860_000, 3)], crs=2154).to_file(
        path, layer="notes"
    )
    with closing(sqlite3.connect(path)) as base:
        base.execute(
            "UPDATE gpkg_geometry_columns SET geometry_type_name = ?, z = ? WHERE table_name = 'notes'", (kind, z)
        )
        base.commit()
    return path


def test_layers_declared_as_any_geometry_with_heights_are_read(tmp_path):
    path = several(tmp_path / "project.gpkg")
    before = path.read_bytes()
    found = vector_layers.layers(path)
    assert sorted(one.name for one in found) == ["notes", "qpv"]
    assert [len(vector_layers.read(one)[0]) for one in found] == [1, 1]
    assert path.read_bytes() == before


def test_a_geopackage_at_rest_is_read_where_it_is(tmp_path):
    path = several(tmp_path / "project.gpkg", z=0)
    assert staging.staged(path) == path
    assert [one.features for one in vector_layers.layers(path)] == [1, 1]
    assert [one.name for one in tmp_path.iterdir()] == ["project.gpkg"]


def test_a_geopackage_that_is_not_wholly_written_is_refused_until_it_is(tmp_path):
    path = several(tmp_path / "project.gpkg", z=0)
    link = tmp_path / "elsewhere" / "link.gpkg"
    link.parent.mkdir()
    link.symlink_to(path)
    assert read(path, "notes")["text"].tolist() == ["x"]
    with edited(path, "not yet in the file"):
        held = {one.name: one.read_bytes() for one in tmp_path.glob("project*") if not one.name.endswith("-shm")}
        assert sorted(held) == ["project.gpkg", "project.gpkg-wal"]
        for place in (path, link):
            error = refused(lambda place=place: read(place, "notes"), "formats.open_elsewhere", DataError)
            assert error.way_out.key == "formats.close_elsewhere"
        assert {name: (tmp_path / name).read_bytes() for name in held} == held
    # the way out is taken: the program has closed it
    assert read(path, "notes")["text"].tolist() == ["not yet in the file"]


def test_frames_kept_before_a_change_are_not_given_while_it_is_not_written(tmp_path):
    areas = layer({f"QN099{n:02}M": square(650_000 + 400 * n, 6_860_000) for n in range(60)}, name="x" * 500)
    path = tmp_path / "qpv_2024.gpkg"
    areas.rename_axis("code_qp").reset_index().to_file(path, layer="qpv")
    assert (qg.read_qpv(path).index == qg.read_qpv(path).index).all()
    with closing(writer_of(path)) as qgis:
        qgis.execute("PRAGMA journal_mode = WAL")
        qgis.execute("UPDATE qpv SET name = 'edited'")
        qgis.commit()
        refused(lambda: qg.read_qpv(path), "formats.open_elsewhere", DataError)
    assert (qg.read_qpv(path)["name"] == "edited").all()


def test_a_half_written_geopackage_is_refused(tmp_path):
    path = several(tmp_path / "project.gpkg", z=0)
    busy = tmp_path / "busy" / "project.gpkg"
    busy.parent.mkdir()
    with closing(writer_of(path)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        # pages reach the file before the end: as a program leaves them that is killed
        writer.execute("UPDATE notes SET text = 'half written'")
        writer.executemany("INSERT INTO notes (text) VALUES (?)", [("x" * 900,)] * 500)
        for part in tmp_path.glob("project.gpkg*"):
            shutil.copyfile(part, busy.parent / part.name)
        writer.rollback()
    assert {one.name for one in busy.parent.iterdir()} == {"project.gpkg", "project.gpkg-journal"}
    assert b"half written" in busy.read_bytes()
    refused(lambda: read(busy, "notes"), "formats.open_elsewhere", DataError)
    with closing(sqlite3.connect(busy)) as qgis:
        assert qgis.execute("SELECT count(*) FROM notes").fetchone() == (1,)
    assert read(busy, "notes")["text"].tolist() == ["x"]


def test_a_folder_with_an_open_geopackage_has_it_once_it_is_closed(tmp_path):
    path = several(tmp_path / "mine.gpkg", z=0)
    with edited(path, "edited") as qgis:
        # all is in the file then, and the log stays: to close it changes nothing of the file
        qgis.execute("PRAGMA wal_checkpoint(FULL)")
        os.utime(path, (1e9, 1e9))
        refused(lambda: recognise.find("perimeters", 2024, tmp_path), kind=QpvgeoError)
        os.utime(path, (1e9, 1e9))
    os.utime(path, (1e9, 1e9))
    assert recognise.find("perimeters", 2024, tmp_path) == [path]


def test_a_copy_that_another_program_changes_meanwhile_is_not_read(tmp_path, monkeypatch):
    path = several(tmp_path / "changed.gpkg", z=0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        copy = shutil.copyfile

        def meanwhile(source, target):
            made = copy(source, target)
            os.utime(source, (1e9, 1e9))
            return made

        monkeypatch.setattr(shutil, "copyfile", meanwhile)
        refused(lambda: staging.staged(path), "formats.open_elsewhere", DataError)
        monkeypatch.setattr(shutil, "copyfile", copy)
        made = staging.staged(path)
    assert made != path
    assert [one.name for one in made.parent.parent.glob("*/changed.gpkg")] == ["changed.gpkg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_what_only_has_the_name_of_a_journal_is_not_opened(tmp_path):
    path = several(tmp_path / "project.gpkg", z=0)
    os.mkfifo(f"{path}-journal")
    Path(f"{path}-wal").mkdir()
    assert read(path, "notes")["text"].tolist() == ["x"]


def test_a_log_that_a_former_file_left_is_not_applied(tmp_path):
    path = several(tmp_path / "project.gpkg", z=0)
    with edited(path, "of the former file"):
        log = Path(f"{path}-wal").read_bytes()
    new = several(tmp_path / "new.gpkg", z=0)
    new.replace(path)
    Path(f"{path}-wal").write_bytes(log)
    assert read(path, "notes")["text"].tolist() == ["x"]
    assert Path(f"{path}-wal").read_bytes() == log


def test_a_geopackage_that_another_program_locks_is_read(tmp_path):
    path = several(tmp_path / "project.gpkg", z=0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert read(path, "notes")["text"].tolist() == ["x"]


@contextmanager
def edited(path, text):
    """A program that has a GeoPackage open, and has changed it in the log beside it."""
    with closing(writer_of(path)) as program:
        program.execute("PRAGMA journal_mode = WAL")
        program.execute("UPDATE notes SET text = ?", (text,))
        program.commit()
        yield program


def writer_of(path):
    """Connection that may write: the index of a layer calls functions that GDAL has."""
    base = sqlite3.connect(path)
    for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
        base.create_function(name, 1, lambda _: None)
    return base


def read(path, name):
    """Rows of one layer."""
    (one,) = (one for one in vector_layers.layers(path) if one.name == name)
    return vector_layers.read(one)[0]


def test_layers_are_chosen_by_name_member_or_file(tmp_path):
    path = several(tmp_path / "project.gpkg")
    found = vector_layers.layers(path)
    assert [one.name for one in vector_layers.chosen(found, "QPV", where="project.gpkg")] == ["qpv"]
    assert vector_layers.chosen(found, None, where="project.gpkg") == found
    assert len(vector_layers.chosen(found, "project.gpkg", where="project.gpkg")) == 2
    error = refused(lambda: vector_layers.chosen(found, "other", where="project.gpkg"), "formats.no_layer")
    assert sorted(error.way_out.values["layers"]) == ["notes", "qpv"]


def test_a_damaged_geopackage_is_refused_and_not_read_short(tmp_path):
    path = tmp_path / "a.gpkg"
    layer({str(n): square(100 * n, 0) for n in range(3000)}, name=["x" * 50] * 3000).to_file(path)
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"x" * 50) // 4096 * 4096
    raw[at - 8192 : at] = b"\xff" * 8192
    path.write_bytes(bytes(raw))
    refused(lambda: [vector_layers.read(one) for one in vector_layers.layers(path)], "formats.unreadable", DataError)
    refused(lambda: staging.admitted(path, "a.gpkg"), "formats.unreadable", DataError)
    refused(lambda: read_grid(path), kind=DataError)


def test_a_file_of_another_form_or_empty_is_refused(tmp_path):
    for suffix in vector_layers.SUFFIXES:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(b"")
        refused(lambda path=path: vector_layers.layers(path), kind=DataError)
        path.write_bytes(b"PK\3\4 something else")
        refused(lambda path=path: vector_layers.layers(path), kind=DataError)


def test_a_name_that_is_not_text_is_read(tmp_path):
    path = tmp_path / "p\udce9rim.geojson"
    try:
        path.write_text(GEOJSON)
    except OSError:
        pytest.skip("this file system has no such names")
    (one,) = vector_layers.layers(path)
    assert len(vector_layers.read(one)[0]) == 1
    assert one.label.encode()


def test_members_are_unpacked_once_and_what_dead_processes_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(staging, "_root", None)
    left = tmp_path / "temporary" / f"qpvgeo-staged-{2**22 + 1}-x"
    left.mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "q.zip", "w") as archive:
        archive.writestr("a/q.geojson", GEOJSON)
    (one,) = vector_layers.layers(tmp_path / "q.zip")
    assert one.file == one.file
    assert not left.exists()
    assert len(list((tmp_path / "temporary").glob("*/*/q.geojson"))) == 1
    staging._kept.clear()
    monkeypatch.setattr(staging, "_root", None)


def test_a_json_that_is_cut_while_it_is_looked_through_does_not_end_the_interpreter(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_bytes(b'{"type": "FeatureCollection", "features": []' + b" " * 5_000_000 + b"}")
    code = (
        "import os, pathlib, sys\n"
        "from qpvgeo.formats import vector_forms\n"
        "class Cutting:\n"
        "    def finditer(self, content):\n"
        "        os.truncate(sys.argv[1], 0)\n"
        "        return known.finditer(content)\n"
        "known, vector_forms._CRS_KEY = vector_forms._CRS_KEY, Cutting()\n"
        "with open(sys.argv[1], 'rb') as stream:\n"
        "    print(vector_forms._links(stream))\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
    assert (run.returncode, run.stdout.split()) == (0, [b"False"])
