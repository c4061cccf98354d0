"""The way out that the service prints for too long a question is taken on the question that raised it."""

import json

import pandas as pd
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.language import Note


def test_what_is_too_long_is_sent_in_smaller_parts_or_tagged_at_home(client, inside, tmp_path):
    points = [list(inside[:2])] * 3
    body = json.dumps(points).encode()
    refused = client.post("/v1/locate", content=body + b" " * 5_000_000)
    assert (refused.status_code, refused.json()["way_out"]) == (413, Note("service.smaller_parts").say("en"))
    parts = [client.post("/v1/locate", json=[one]).json()["rows"] for one in points]
    assert [row["state"] for rows in parts for row in rows] == ["in"] * 3
    pd.DataFrame(points, columns=["lon", "lat"]).to_csv(tmp_path / "in.csv", index=False)
    words = ["tag", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "--sample", "--json"]
    assert json.loads(CliRunner().invoke(app, words).stdout)["states"]["in"] == 3
