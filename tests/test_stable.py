"""What programs may rely on: public names, and the keys of every JSON answer.

`tests/stable.json` lists both. A name or key that is new is added there; one that goes stays for two minor versions
first, with a `FutureWarning` that says where it went (see "Names that go" in CONTRIBUTING.md).
"""

import json
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

import qpvgeo
from qpvgeo.cli import app
from qpvgeo.samples import sample

LISTED = json.loads((Path(__file__).parent / "stable.json").read_text(encoding="utf-8"))
COMMANDS = {
    "datasets": ("datasets", "--sample"),
    "fetch": ("fetch", "qpv-2024", "--data", str(sample().path)),
    "doctor": ("doctor", str(sample().qpv_2015)),
    "summary": ("summary", "--sample"),
    "coverage": ("coverage", "--sample", "--by", "commune"),
    "population": ("population", "--sample"),
    "tag": ("tag", str(sample().addresses), "--sample"),
    "crosswalk": ("crosswalk", "--sample"),
    "designate": ("designate", "--sample"),
    "contrat": ("contrat", "Port-Brume", "--sample"),
    "programmes": ("programmes", "--sample"),
    "exposure": ("exposure", str(sample().floods), "--sample"),
    "ledger": ("ledger",),
    "report": ("report", "Port-Brume", "--sample", "-o", "sheet.html"),
    "map": ("map", "--sample", "--png", "map.png"),
}

TOPICS = ("codes", "designation", "distributed", "facts", "fiscal", "geographies", "indicators", "maps", "policy",
          "population", "published", "quality", "reports", "resilience", "service", "settings", "tagging")  # fmt: skip


def public_names():
    """Names of the package and of its topics."""
    topics = {f"qpvgeo.{topic}": import_module(f"qpvgeo.{topic}") for topic in TOPICS}
    return {"qpvgeo": sorted(qpvgeo.__all__)} | {name: sorted(topic.__all__) for name, topic in topics.items()}


def keys_of(answer, path=""):
    """Paths of the keys of an answer; `[]` stands for each row of a list."""
    if isinstance(answer, dict):
        return sorted(
            {found for key, value in answer.items() for found in [path + key, *keys_of(value, f"{path}{key}.")]}
        )
    if isinstance(answer, list):
        return sorted({found for row in answer for found in keys_of(row, f"{path}[].")})
    return []


def answer_of(name):
    """JSON that a command prints on the sample."""
    ended = CliRunner().invoke(app, [*COMMANDS[name], "--json"])
    assert ended.exit_code in (0, 1), ended.stderr
    return json.loads(ended.stdout)


def test_public_names_are_those_listed():
    assert public_names() == LISTED["names"]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_key_of_an_answer_goes(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = set(keys_of(answer_of(name)))
    assert [key for key in LISTED["json"][name] if key not in found] == []


def test_every_command_that_answers_in_json_is_listed():
    answering = {name for name in app.commands if "--json" in [o for p in app.commands[name].params for o in p.opts]}
    assert answering - {"serve"} == set(LISTED["json"]) == set(COMMANDS)
