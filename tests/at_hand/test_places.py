"""Rows of a place keep the files, the repairs and the notes of the reader that concern them, and no others."""

import geopandas as gpd
import pytest
from shapely import box

from qpvgeo.at_hand.places import of_rows
from qpvgeo.frames import provenance
from qpvgeo.language import Note

NORTH, ISLAND, BARE = "QN05901M", "QN97401M", "QN05902M"


@pytest.fixture
def layer():
    """Two QPV of the Nord, one of them without outline, and one of La Réunion, of two files."""
    qpv = gpd.GeoDataFrame(
        {
            "name": ["A", "B", "C"],
            "territory": ["hexagone", "hexagone", "974"],
            "department": ["59", "59", "974"],
        },
        geometry=[box(0, 0, 1, 1), None, box(55, -21, 56, -20)],
        index=[NORTH, BARE, ISLAND],
        crs=4326,
    )
    return provenance.stamp(
        qpv,
        [{"file": "nord.shp", "regions": ["32"]}, {"file": "reunion.shp", "regions": ["04"]}, {"file": "people.csv"}],
        repairs=[{"code": NORTH}, {"code": ISLAND}],
        notes=[
            Note("read.of_file", file="nord.shp", note=Note("read.no_outline", count=1, codes=[BARE])),
            Note("read.no_outline", count=2, codes=[BARE, ISLAND]),
            Note("read.of_file", file="reunion.shp", note="of the island"),
            Note("read.given_whole", commune="C", count=3),
            Note("read.cog_years", years=[2018, 2024], year=2024),
        ],
    )


def about(layer, *codes):
    return provenance.provenance(of_rows(layer, layer.index.isin(codes)))


@pytest.mark.parametrize(
    ("code", "files"),
    [(NORTH, ["nord.shp", "people.csv"]), (ISLAND, ["reunion.shp", "people.csv"])],
    ids=["north", "island"],
)
def test_files_that_hold_none_of_the_rows_are_not_their_source(layer, code, files):
    assert [file["file"] for file in about(layer, code)["files"]] == files


def test_repairs_are_those_of_the_rows(layer):
    assert about(layer, NORTH)["repairs"] == [{"code": NORTH}]


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        (NORTH, ["read.cog_years"]),
        (BARE, ["read.of_file", "read.no_outline", "read.cog_years"]),
        (ISLAND, ["read.no_outline", "read.of_file", "read.given_whole", "read.cog_years"]),
    ],
    ids=["north", "without outline", "island"],
)
def test_notes_are_those_that_concern_the_rows(layer, code, keys):
    assert [note.key for note in about(layer, code)["notes"]] == keys


def test_a_note_on_several_codes_counts_those_of_the_rows(layer):
    note = about(layer, ISLAND)["notes"][0]
    assert (note.values["count"], note.values["codes"]) == (1, [ISLAND])


def test_the_whole_layer_keeps_all_and_is_not_changed(layer):
    before = provenance.provenance(layer)
    assert about(layer, NORTH, BARE, ISLAND) == before
    about(layer, NORTH)
    assert provenance.provenance(layer) == before
