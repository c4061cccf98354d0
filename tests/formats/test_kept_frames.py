"""A frame that was written comes back the same, or is not written."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from pandas.testing import assert_frame_equal

from qpvgeo.formats import kept_frames
from qpvgeo.frames.provenance import stamp
from qpvgeo.language import Note

ESRI = pyproj.CRS.from_user_input(2154).to_wkt("WKT1_ESRI")


def table(**columns):
    index = pd.Index(["QP001001", "QP001002", "QP001003"], name="qpv_code", dtype="str")
    return pd.DataFrame(columns, index=index)


PLAIN = {
    "texts": table(a=pd.array(["x", None, "é"], dtype="str"), b=pd.array(["x", pd.NA, ""], dtype="string")),
    "numbers": table(
        a=pd.array([1, None, 3], dtype="Int64"), b=[1.5, np.nan, -0.0], c=np.array([1, 2, 3], dtype="int32")
    ),
    "truths": table(a=[True, False, True], b=pd.array([True, None, False], dtype="boolean")),
    "lists": table(a=pd.Series([["01001", "01002"], None, []], ["QP001001", "QP001002", "QP001003"], dtype="object")),
    "objects": table(a=pd.Series(["x", None, "y"], ["QP001001", "QP001002", "QP001003"], dtype="object")),
    "categories": table(a=pd.Categorical(["low", "high", "low"], categories=["low", "mid", "high"], ordered=True)),
    "levels": table(a=[1, 2, 3]).set_index(pd.Index(["1", "2", "3"], name="commune"), append=True),
    "rows in order": pd.DataFrame({"a": [1, 2]}),
    "nothing": table(a=[1, 2, 3]).head(0),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_table_comes_back_the_same(tmp_path, name):
    kept_frames.write(PLAIN[name], tmp_path / "a")
    assert_frame_equal(kept_frames.read(tmp_path / "a"), PLAIN[name], check_exact=True, check_flags=True)


def outlines(crs=2154, shapes=None):
    shapes = shapes or [shapely.box(0, 0, 1.1, 1 / 3), None, shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])]
    return gpd.GeoDataFrame(table(name=["a", "b", "c"], vintage=[2015, 2015, 2015]), geometry=shapes, crs=crs)


@pytest.mark.parametrize("crs", [2154, 4326, 4470, ESRI, None])
def test_outlines_come_back_the_same(tmp_path, crs):
    frame = outlines(crs)
    kept_frames.write(frame, tmp_path / "a")
    back = kept_frames.read(tmp_path / "a")
    assert_geodataframe_equal(back, frame)
    assert (back.crs and back.crs.to_wkt()) == (frame.crs and frame.crs.to_wkt())
    assert shapely.to_wkb(back.geometry.iloc[0]) == shapely.to_wkb(frame.geometry.iloc[0])


def test_heights_and_empty_shapes_come_back(tmp_path):
    frame = outlines(shapes=[shapely.from_wkt("POLYGON Z ((0 0 5, 1 0 6, 1 1 7, 0 0 5))"), None, shapely.Polygon()])
    kept_frames.write(frame, tmp_path / "a")
    back = kept_frames.read(tmp_path / "a")
    assert [shape and shape.wkt for shape in back.geometry] == [shape and shape.wkt for shape in frame.geometry]


def test_a_geometry_of_another_name_comes_back(tmp_path):
    frame = outlines().rename_geometry("contour")
    kept_frames.write(frame, tmp_path / "a")
    assert kept_frames.read(tmp_path / "a").geometry.name == "contour"


def test_attributes_come_back_with_their_notes(tmp_path):
    frame = outlines()
    inner = Note("frames.no_crs")
    notes = [
        Note("frames.several_rows", label="QP001001", count=2),
        Note("language.and_also", first=inner, then="text"),
    ]
    said = {"repairs": [{"code": "a", "difference_m2": 0.1}], "apart": (1, 2), "years": np.int64(3), "none": None}
    stamp(frame, [{"file": "a.shp", "regions": ["32"]}], notes=notes, fictional=False, **said)
    frame.attrs["table"] = {"member": "b.csv"}
    kept_frames.write(frame, tmp_path / "a")
    back = kept_frames.read(tmp_path / "a").attrs
    assert back == frame.attrs
    assert type(back["qpvgeo"]) is type(frame.attrs["qpvgeo"])
    assert [(note.key, note.say("fr")) for note in back["qpvgeo"]["notes"]] == [(n.key, n.say("fr")) for n in notes]
    assert back["qpvgeo"]["notes"][1].values["first"].key == "frames.no_crs"
    assert back["qpvgeo"]["apart"] == (1, 2)


def test_a_name_of_a_file_that_is_not_text_comes_back(tmp_path):
    frame = table(a=[1, 2, 3])
    stamp(frame, [{"file": "p\udce9rim.geojson"}])
    kept_frames.write(frame, tmp_path / "a")
    assert kept_frames.read(tmp_path / "a").attrs == frame.attrs


@pytest.mark.parametrize(
    "frame",
    [
        table(a=[{1}, {2}, {3}]),
        table(a=[1, "x", None]),
        table(a=pd.Series([["a"], ["b"], "c"], ["QP001001", "QP001002", "QP001003"], dtype="object")),
        table(a=pd.Series([None, np.nan, "c"], ["QP001001", "QP001002", "QP001003"], dtype="object")),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        outlines().assign(other=lambda frame: frame.geometry.buffer(1)),
    ],
    ids=["sets", "mixed", "lists and text", "two ways to be missing", "two columns of a name", "two geometries"],
)
def test_what_would_not_come_back_the_same_is_not_written(tmp_path, frame):
    with pytest.raises(kept_frames.Unkept):
        kept_frames.write(frame, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_attributes_that_json_does_not_know_are_not_written(tmp_path):
    frame = table(a=[1, 2, 3])
    frame.attrs["when"] = {1: object()}
    with pytest.raises(kept_frames.Unkept):
        kept_frames.write(frame, tmp_path / "a")


def test_any_program_reads_it_as_geoparquet(tmp_path):
    frame = outlines()
    kept_frames.write(frame, tmp_path / "a.parquet")
    other = gpd.read_parquet(tmp_path / "a.parquet")
    assert other.crs == frame.crs
    assert other.geometry.geom_equals(frame.geometry).tolist() == [True, False, True]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 not a table PAR1"])
def test_a_damaged_file_is_not_read(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(kept_frames.Unkept):
        kept_frames.read(tmp_path / "a")


def test_the_file_of_another_program_is_not_read(tmp_path):
    table(a=[1, 2, 3]).to_parquet(tmp_path / "a")
    with pytest.raises(kept_frames.Unkept):
        kept_frames.read(tmp_path / "a")
