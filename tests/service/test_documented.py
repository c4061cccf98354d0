"""The page on hosting: its requests of curl are answered, its container and unit name what exists."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from qpvgeo.service import Limits
from qpvgeo.service.connections import Connection

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_PAGE, _FRENCH = _DOCS / "host-the-service.md", _DOCS / "fr" / "heberger-le-service.md"

pytestmark = pytest.mark.skipif(not _PAGE.is_file(), reason="the pages are not part of the installed package")


def blocks(kind, page=_PAGE):
    return re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def lines():
    return [line for block in blocks("bash") for line in block.splitlines() if line.strip()]


@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None, reason="curl or bash is not installed"
)
def test_requests_of_the_page_are_answered(server):
    assert len(lines()) > 8
    for line in lines():
        asked = line.replace("curl ", "curl --silent --show-error --fail-with-body --noproxy '*' ")
        environment = {"QPVGEO_URL": server.about["url"], "PATH": "/usr/bin:/bin:/usr/local/bin"}
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", asked], check=False, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert "sources" in done.stdout or "state" in done.stdout or "openapi" in done.stdout


def test_the_page_in_french_has_the_same_commands_and_as_many_limits():
    assert blocks(r"\w+", _FRENCH) == blocks(r"\w+")
    rows = [
        [line for line in page.read_text(encoding="utf-8").splitlines() if line[:1] == "|"] for page in (_PAGE, _FRENCH)
    ]
    assert len(rows[0]) == len(rows[1]) > 8


@pytest.mark.parametrize("page", [_PAGE, _FRENCH], ids=["en", "fr"])
def test_the_limits_of_the_page_are_those_of_the_service(page):
    text = re.sub(r"\s", " ", page.read_text(encoding="utf-8"))
    text = re.sub(r"(?<=\d)[, ](?=\d{3})", "", text)
    limits = Limits()
    held = [
        f"{Connection.head_bytes >> 10} K",
        f"{Connection.head_seconds:.0f} second",
        f"{limits.rate:.0f} ",
        limits.burst,
    ]
    held += [
        limits.points,
        limits.rows,
        f"{limits.seconds:.0f} second",
        limits.vertices,
        f"{limits.polygon_km2:.0f} km2",
    ]
    held += [f"{limits.json_bytes // 10**6} M", f"{limits.file_bytes // 10**6} M", limits.uploads, limits.waiting]
    assert [one for one in held if str(one) not in text] == []


def test_the_point_of_the_page_lies_in_a_quarter(client):
    found = client.get("/v1/locate", params={"lon": -3.5814, "lat": 45.9773}).json()
    assert found["state"] == "in"


def test_the_unit_and_the_container_start_the_command_as_it_is():
    import click

    from qpvgeo.cli import app

    command = app.commands["serve"]
    unit = re.search(r"^ExecStart=\S+/qpvgeo serve (.*)$", blocks("ini")[0], re.MULTILINE)[1].split()
    container = re.findall(r'"([^"]+)"', re.search(r"^CMD \[(.*)\]$", blocks("dockerfile")[0], re.MULTILINE)[1])
    for words in (unit, container[2:]):
        command.make_parser(click.Context(command)).parse_args(args=list(words))
