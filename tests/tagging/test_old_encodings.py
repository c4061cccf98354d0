"""Texts of old encodings come out of `tag` as they were meant, in UTF-8, and a note says how they were read."""

import codecs

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app

TEXT = (
    "numéro;équipement;lon;lat;code_insee\r\n"
    "1;École élémentaire Hélène-Boucher;3,005;50,605;01004\r\n"
    "2;Crèche des Hêtres;3,2;50,9;2A004\r\n"
)
NAMES = ["École élémentaire Hélène-Boucher", "Crèche des Hêtres"]
WRITTEN = {
    "utf-8": (TEXT.encode(), None),
    "utf-8 with mark": (codecs.BOM_UTF8 + TEXT.encode(), None),
    "cp1252": (TEXT.encode("cp1252"), "tagging.old_lines"),
    "cp850": (TEXT.encode("cp850"), "formats.written_anew"),
    "mac_roman": (TEXT.encode("mac_roman"), "formats.written_anew"),
    "mac_roman, lines of Macs": (TEXT.replace("\r\n", "\r").encode("mac_roman"), "formats.written_anew"),
    "utf-16 le": (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "formats.written_anew"),
    "utf-16 be": (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "formats.written_anew"),
}
pytestmark = pytest.mark.filterwarnings("ignore:.*perimeters of")


@pytest.fixture
def folder(tmp_path):
    frame = gpd.GeoDataFrame({"code_qp": ["QN05901M"]}, geometry=[shapely.box(3, 50.6, 3.01, 50.61)], crs=4326)
    (tmp_path / "data").mkdir()
    frame.to_file(tmp_path / "data" / "qpv.geojson")
    return tmp_path


@pytest.mark.parametrize("name", WRITTEN)
def test_names_and_codes_are_intact_in_csv(folder, name):
    (folder / "a.csv").write_bytes(WRITTEN[name][0])
    done = CliRunner().invoke(
        app, ["tag", str(folder / "a.csv"), "--data", str(folder / "data"), "-o", str(folder / "b.csv")]
    )
    assert done.exit_code == 0, done.output
    table = pd.read_csv(folder / "b.csv", sep=None, engine="python", dtype=str, encoding="utf-8-sig")
    assert list(table.columns[:2]) == ["numéro", "équipement"]
    assert table["équipement"].tolist() == NAMES
    assert table["code_insee"].tolist() == ["01004", "2A004"]
    assert table["qpv_code"].iloc[0] == "QN05901M"


@pytest.mark.parametrize("name", WRITTEN)
def test_names_are_intact_in_parquet_and_the_encoding_is_said(folder, name):
    content, key = WRITTEN[name]
    (folder / "a.csv").write_bytes(content)
    found = qg.tag_file(folder / "a.csv", folder / "b.parquet", qg.read_qpv(folder / "data" / "qpv.geojson"))
    assert pd.read_parquet(folder / "b.parquet")["équipement"].tolist() == NAMES
    said = [
        note.key for note in found["notes"] if getattr(note, "key", "") in ("tagging.old_lines", "formats.written_anew")
    ]
    assert said == ([] if key is None else [key])
