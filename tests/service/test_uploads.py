"""Files sent to be tagged: the same as `qpvgeo tag`, whatever is sent is answered, and nothing is left behind."""

import gzip
import io
import json
import re
import socket
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from tests.servers import Server

import qpvgeo as qg
from qpvgeo.cli import app


@pytest.fixture(scope="module")
def text():
    return gzip.decompress(qg.sample().addresses.read_bytes())


def test_a_csv_comes_back_as_qpvgeo_tag_writes_it(client, text, tmp_path, leftovers):
    answer = client.post("/v1/tag", content=text, headers={"content-type": "text/csv"})
    qg.tag_file(qg.sample().addresses, tmp_path / "out.csv", qg.read_qpv(qg.sample().qpv_2024))
    assert answer.content == (tmp_path / "out.csv").read_bytes()
    summary = json.loads(answer.headers["x-qpvgeo-summary"])
    assert summary["rows"] == sum(summary["states"].values())
    assert summary["fictional"] is True
    assert leftovers() == []


def test_a_parquet_comes_back_as_one(client, addresses):
    sent = io.BytesIO()
    addresses.head(300).assign(lon=lambda t: pd.to_numeric(t["lon"], errors="coerce")).to_parquet(sent)
    answer = client.post("/v1/tag", content=sent.getvalue())
    found = pq.read_table(io.BytesIO(answer.content)).to_pandas()
    assert len(found) == 300
    assert {"state", "qpv_code", "distance_m", "band"} <= set(found.columns)
    text = client.post("/v1/tag", params={"output": "csv"}, content=sent.getvalue())
    assert text.headers["content-type"].startswith("text/csv")


def test_a_workbook_comes_back_as_csv(client, inside):
    book = openpyxl.Workbook()
    for row in (["nom", "lon", "lat"], ["=1+1", *inside[:2]], ["b", -3.7, 45.9]):
        book.active.append(row)
    sent = io.BytesIO()
    book.save(sent)
    answer = client.post("/v1/tag", params={"safe": "1"}, content=sent.getvalue())
    assert answer.status_code == 200
    assert [line.split(b",")[3:4] for line in answer.content.splitlines()[1:]] == [[b"in"], [b"out"]]


def test_options_are_those_of_the_command(client, tmp_path, addresses):
    some = addresses.head(200).rename(columns={"lon": "X", "lat": "Y"})
    source = tmp_path / "in.csv"
    some.to_csv(source, index=False)
    asked = {"x": "X", "y": "Y", "crs": "4326", "bands": "100,400", "distance": "signed", "on": "2020-01-01"}
    answer = client.post("/v1/tag", params=asked, content=source.read_bytes())
    qpv = [qg.read_qpv(path) for path in (qg.sample().qpv_2015, qg.sample().qpv_2024)]
    qg.tag_file(
        source,
        tmp_path / "out.csv",
        qpv,
        xy=("X", "Y"),
        crs="4326",
        bands=(100, 400),
        distance="signed",
        on="2020-01-01",
    )
    assert answer.content == (tmp_path / "out.csv").read_bytes()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"\n\n", 400),
        (gzip.compress(b"lon,lat\n1,2\n", mtime=0), 415),
        (b"\xd0\xcf\x11\xe0 an old workbook", 415),
        (b"name;town\na;b\n", 422),
        (b'"lon;lat\n1;2\n' * 50, 422),
        (b"\x00\x01\x02\x03" * 100, 422),
        (b"PAR1 and nothing more", 422),
        (b"PK\x03\x04 and nothing more", 422),
    ],
)
def test_files_that_are_no_table_are_refused_in_words(client, content, status, leftovers):
    answer = client.post("/v1/tag", content=content)
    assert answer.status_code in {status, 400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]
    assert leftovers() == []


def zipped(members):
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sent.getvalue()


def workbook(shared):
    """Workbook of one point, whose texts are shared: a part that may hold anything."""
    space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    cells = b"".join(b'<c r="%s1" t="s"><v>%d</v></c>' % (name, row) for row, name in enumerate((b"A", b"B", b"C")))
    point = b'<c r="A2"><v>2.3</v></c><c r="B2"><v>48.8</v></c><c r="C2" t="s"><v>2</v></c>'
    sheet = b'<worksheet %s><sheetData><row r="1">%s</row><row r="2">%s</row></sheetData></worksheet>'
    office = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    sent, made, book = io.BytesIO(), io.BytesIO(), openpyxl.Workbook()
    book.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = sheet % (space, cells, point)
            if name == "xl/_rels/workbook.xml.rels":
                link = b'<Relationship Id="rId99" Type="%s" Target="sharedStrings.xml"/></Relationships>' % office
                content = content.replace(b"</Relationships>", link)
            archive.writestr(name, content)
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            for text in shared(space):
                part.write(text)
    return sent.getvalue()


def ordinary(space):
    yield b"<sst %s><si><t>lon</t></si><si><t>lat</t></si><si><t>z</t></si></sst>" % space


def endless(space):
    yield b"<sst %s><si><t>lon</t></si><si><t>lat</t></si><si><t>" % space
    yield from [b"x" * 1_000_000] * 300
    yield b"</t></si></sst>"


def laughs(space):
    """Entities made of entities: some kilobytes that say to be 40 petabytes."""
    yield b'<!DOCTYPE a [<!ENTITY b0 "%s">' % (b"x" * 1_000)
    for row in range(1, 9):
        yield b'<!ENTITY b%d "%s">' % (row, b"&b%d;" % (row - 1) * 50)
    yield b"]><sst %s><si><t>lon</t></si><si><t>lat</t></si><si><t>&b8;</t></si></sst>" % space


def test_workbooks_whose_texts_are_a_bomb(client, server, leftovers):
    told = client.post("/v1/tag", content=workbook(ordinary))
    assert (told.status_code, told.text.splitlines()[1].split(",")[2:4]) == (200, ["z", "unknown"])
    for shared in (endless, laughs):
        answer = client.post("/v1/tag", content=workbook(shared))
        assert answer.status_code == 422, answer.text[:200]
        assert answer.json()["title"]
    assert leftovers() == []
    for worker in server.workers():
        about = Path(f"/proc/{worker}/smaps_rollup")
        if about.exists():
            peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker}/status").read_text())[1]
            assert int(peak) < 1_000_000


def test_bombs_are_refused(client, leftovers):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "lon", "x"
    wide = io.BytesIO()
    book.save(wide)
    rows = pa.table({"lon": pa.array([1.0]).take(pa.array([0] * 1_200_000)), "lat": [2.0] * 1_200_000})
    long = io.BytesIO()
    pq.write_table(rows, long)
    sheet = b"<worksheet><sheetData>" + b"<row/>" * 12_000_000
    for body in (
        wide.getvalue(),
        long.getvalue(),
        zipped({"xl/worksheets/sheet1.xml": sheet}),
        zipped({"../../x": b"1"}),
    ):
        answer = client.post("/v1/tag", content=body)
        assert answer.status_code in {400, 413, 422}, answer.text
        assert answer.json()["key"]
    assert leftovers() == []
    assert client.get("/health").status_code == 200


def test_names_of_files_and_headers_go_nowhere(client):
    headers = {
        "content-disposition": 'attachment; filename="../../../etc/x\\r\\nset-cookie: a=b.csv"',
        "x-filename": "/etc/x",
    }
    answer = client.post(
        "/v1/tag", params={"lang": "fr"}, content=b"nom;lon;lat\n<script>alert(1)</script>;2;48\n", headers=headers
    )
    assert answer.headers["content-disposition"] == 'attachment; filename="tagged.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert b"<script>alert(1)</script>;2;48;" in answer.content


@pytest.mark.real
def test_all_real_addresses_are_tagged_as_by_the_command(real_data, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "qpv.gpkg").symlink_to(real_data / "qpv2024" / "qpv2024_bondy_clip_fullres.gpkg")
    source = real_data / "points" / "ban_bondy_93010.csv"
    server = Server(tmp_path, "--data", str(folder), "--rate", "0")
    try:
        answer = server.client.post("/v1/tag", content=source.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a part of the list is given
            words = ["tag", str(source), "-o", str(tmp_path / "out.csv"), "--data", str(folder), "--json"]
            assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
        assert answer.content == (tmp_path / "out.csv").read_bytes()
        table = pd.read_csv(tmp_path / "out.csv", dtype={"qpv_code": "str"})
        assert (len(table), int((table["state"] == "in").sum())) == (8413, 2033)
        points = table[["lon", "lat"]].to_numpy().tolist()
        rows = server.client.post("/v1/locate", json=points).json()["rows"]
        assert [row["state"] for row in rows] == table["state"].tolist()
        assert [row["qpv_code"] for row in rows] == [None if code != code else code for code in table["qpv_code"]]  # noqa: PLR0124
    finally:
        assert server.stop() == 0


def test_limits_of_size_rate_and_time_and_a_crowd(tmp_path):
    server = Server(tmp_path, "--sample", "--rate", "5", "--no-grid")
    try:
        url = server.about["url"]
        assert server.client.post("/v1/locate", content=b" " * 5_000_001).status_code == 413
        # a length that is announced is believed before a byte is read
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            raw.sendall(b"POST /v1/tag HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n")
            assert b" 413 " in raw.recv(400)
        with ThreadPoolExecutor(40) as crowd:
            body = b"lon,lat\n" + b"2.35,48.85\n" * 20_000
            sent = [crowd.submit(httpx.post, f"{url}/v1/tag", content=body, timeout=120) for _ in range(60)]
            status = [one.result().status_code for one in sent]
        assert set(status) <= {200, 503}
        assert status.count(200) > 0
        many = [server.client.get("/v1/places", params={"q": "a"}) for _ in range(300)]
        refused = [one for one in many if one.status_code == 429]
        assert refused
        assert refused[0].json()["key"] == "service.too_many_requests"
        assert int(refused[0].headers["retry-after"]) >= 1
        assert server.client.get("/health").status_code == 200
    finally:
        assert server.stop() == 0
