"""Outlines that repair lost: a point there is unknown, never out."""

import warnings

import geopandas as gpd
import pytest
import shapely
from tests.builders import layer, square

import qpvgeo as qg
from qpvgeo.frames import provenance
from qpvgeo.geometry import validity

X, Y = 700_000, 6_600_000
BOW_TIE = shapely.Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
OTHER = square(X + 5_000, Y)


def states(qpv, *points):
    found = qg.tag_points(gpd.GeoSeries(gpd.points_from_xy(*zip(*points, strict=True)), crs=2154), qpv, bands=(300,))
    return list(zip(found["state"], found["reason"].astype(object).where(found["reason"].notna(), None), strict=True))


LOST = ("unknown", "outline lost in repair")
PLACES = [(X + 50, Y + 90), (X + 2_000, Y), (X + 5_050, Y + 50)]


@pytest.fixture
def no_method(monkeypatch):
    monkeypatch.setattr(validity, "_METHODS", ())


@pytest.mark.usefixtures("no_method")
@pytest.mark.parametrize("repaired", [False, True], ids=["by the index", "when it was read"])
def test_point_near_a_lost_outline_is_unknown_and_others_are_out(repaired):
    qpv = layer({"a": BOW_TIE, "b": OTHER})
    qpv = qg.repair(qpv)[0] if repaired else qpv
    with pytest.warns(UserWarning, match="no outline"):
        assert states(qpv, *PLACES) == [LOST, ("out", None), ("in", None)]


@pytest.mark.usefixtures("no_method")
def test_index_kept_in_a_file_remembers_what_was_lost(tmp_path):
    with pytest.warns(UserWarning, match="no outline"):
        qg.PerimeterIndex(layer({"a": BOW_TIE, "b": OTHER})).save(tmp_path / "a.index")
    index = qg.PerimeterIndex.load(tmp_path / "a.index")
    assert states(index, *PLACES) == [LOST, ("out", None), ("in", None)]


@pytest.mark.usefixtures("no_method")
def test_point_in_another_perimeter_stays_in():
    with pytest.warns(UserWarning, match="no outline"):
        assert states(layer({"a": BOW_TIE, "b": square(X + 40, Y + 40, 20)}), (X + 50, Y + 50)) == [("in", None)]


@pytest.mark.usefixtures("no_method")
def test_what_was_lost_goes_through_geoparquet_and_leaves_with_its_row(tmp_path):
    shapes = [BOW_TIE, OTHER]
    frame = gpd.GeoDataFrame({"code_qp": ["QP001001", "QP001002"]}, geometry=shapes, crs=2154)
    frame.to_file(tmp_path / "qpv.gpkg")
    qpv = qg.read_qpv(tmp_path / "qpv.gpkg")
    assert [one["code"] for one in provenance.provenance(qpv)["outline_lost"]] == ["QP001001"]
    assert "geometry.read_lost" in [note.values["note"].key for note in provenance.provenance(qpv)["notes"]]
    qpv.to_parquet(tmp_path / "qpv.parquet")
    again = qg.read_qpv(tmp_path / "qpv.parquet")
    assert [one["code"] for one in provenance.provenance(again)["outline_lost"]] == ["QP001001"]
    found = qg.check(again).set_index("kind").loc["no outline"]
    assert "lost in repair" in found["problem"]
    with warnings.catch_warnings(action="ignore"):
        assert states(again, *PLACES)[0] == LOST
        assert states(again.loc[["QP001002"]], *PLACES)[0] == ("out", None)
