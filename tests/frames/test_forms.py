"""Forms and provenance: what a QPV frame must hold, and what survives a file."""

import hashlib
import os

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import forms, provenance, require


def qpv_frame(*labels):
    """Canonical frame of QPV that stand side by side."""
    count = len(labels)
    columns = {column: ["x"] * count for column in forms.QPV_COLUMNS if column != "geometry"}
    shapes = [box(700_000 + 100 * k, 6_600_000, 700_100 + 100 * k, 6_600_100) for k in range(count)]
    return gpd.GeoDataFrame(columns, geometry=shapes, index=list(labels), crs=2154)


def people(**counts):
    return pd.DataFrame({"population": counts})


def test_record_of_a_file_is_its_name_hash_and_size(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"QP059001\n")
    expected = {"file": "list.csv", "sha256": hashlib.sha256(b"QP059001\n").hexdigest(), "bytes": 9}
    assert provenance.file_record(path) == expected
    assert provenance.file_record(path, member="a.shp") == expected | {"member": "a.shp"}


def test_record_of_a_file_follows_its_content(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"one")
    before = provenance.file_record(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))  # a clock too coarse to tell the two
    assert provenance.file_record(path)["sha256"] == hashlib.sha256(b"two").hexdigest() != before["sha256"]


def test_frame_of_another_origin_has_no_provenance():
    assert provenance.provenance(pd.DataFrame()) == {}


def test_stamp_writes_the_version_the_files_and_what_is_known():
    frame = provenance.stamp(pd.DataFrame({"a": [1]}), [{"file": "x.csv"}], vintage=2015)
    assert provenance.provenance(frame) == {
        "read_with": f"qpvgeo {qg.__version__}",
        "files": [{"file": "x.csv"}],
        "vintage": 2015,
    }


def test_provenance_is_a_copy():
    frame = provenance.stamp(pd.DataFrame(), vintage=2015)
    provenance.provenance(frame)["vintage"] = 2024
    assert provenance.provenance(frame)["vintage"] == 2015


@pytest.mark.parametrize("source", ["qpv_2015", "qpv_2024"])
def test_provenance_and_frame_survive_geoparquet(tmp_path, source):
    qpv = qg.read_qpv(getattr(qg.sample(), source))
    qpv.to_parquet(tmp_path / "qpv.parquet")
    back = gpd.read_parquet(tmp_path / "qpv.parquet")
    assert provenance.provenance(back) == provenance.provenance(qpv)
    assert back.crs == qpv.crs
    assert back.index.equals(qpv.index)


def test_repairs_are_still_told_after_geoparquet(tmp_path):
    qpv = qg.read_qpv(qg.sample().qpv_2015)
    qpv.to_parquet(tmp_path / "qpv.parquet")
    pd.testing.assert_frame_equal(qg.check(gpd.read_parquet(tmp_path / "qpv.parquet")), qg.check(qpv))


def test_provenance_of_a_table_survives_parquet(tmp_path):
    frame = provenance.stamp(people(QP059001=1200), [{"file": "x.csv", "bytes": 3}], notes=["a", None], fictional=False)
    frame.to_parquet(tmp_path / "people.parquet")
    assert provenance.provenance(pd.read_parquet(tmp_path / "people.parquet")) == provenance.provenance(frame)


def test_sample_is_fictional_and_any_frame_made_with_it():
    real, sample = provenance.stamp(pd.DataFrame()), provenance.stamp(pd.DataFrame(), fictional=True)
    assert provenance.is_fictional(real, None, sample)
    assert not provenance.is_fictional(real, None)
    assert not provenance.is_fictional()


def test_missing_columns_are_all_listed_with_those_there_are():
    with pytest.raises(DataError) as caught:
        require.require_columns(people(QP059001=1), ["name", "population", "region"], what="table")
    assert caught.value.message.key == "frames.columns_missing"
    assert [problem.values["column"] for problem in caught.value.problems] == ["name", "region"]
    assert caught.value.way_out == "Its columns are: population."


def test_complete_table_raises_nothing():
    assert require.require_columns(people(QP059001=1), ["population"], what="The table") is None


def test_canonical_frame_is_a_qpv_frame():
    assert forms.require_qpv(qpv_frame("QP059001", "QP059002")) is None


def test_all_that_keeps_a_frame_from_being_a_qpv_frame_is_listed():
    frame = qpv_frame("QP059001", "QP059001", "QN075033").drop(columns=["region", "name"])
    frame = frame.set_crs(None, allow_override=True)
    with pytest.raises(DataError, match="This is not a QPV frame") as caught:
        forms.require_qpv(frame)
    assert [(problem.key, *problem.values.values()) for problem in caught.value.problems] == [
        ("frames.no_column", "name"),
        ("frames.no_column", "region"),
        ("frames.not_a_qpv_code", "QN075033"),
        ("frames.several_rows", "QP059001", 2),
        ("frames.no_crs",),
    ]


@pytest.mark.parametrize("label", [None, np.nan, pd.NA])
def test_missing_label_is_listed_like_any_other_that_is_no_code(label):
    with pytest.raises(DataError, match="nan is not the code of a QPV"):
        forms.require_qpv(qpv_frame("QP059001", label))


def test_numbered_rows_are_not_codes():
    with pytest.raises(DataError, match="0 is not the code of a QPV"):
        forms.require_qpv(qpv_frame(0))


def test_table_without_outlines_is_no_qpv_frame():
    with pytest.raises(DataError, match="no column geometry"):
        forms.require_qpv(pd.DataFrame(qpv_frame("QP059001").drop(columns="geometry")))


def test_population_is_aligned_on_the_index_and_missing_where_the_table_is_silent():
    got = forms.align_population(pd.Index(["QP059002", "QP059003", "QP059001"]), people(QP059001=10, QP059002=20))
    expected = pd.Series([20, pd.NA, 10], index=["QP059002", "QP059003", "QP059001"], dtype="Float64")
    pd.testing.assert_series_equal(got, expected, check_names=False)


def test_population_by_qpv_and_commune_is_summed():
    index = pd.MultiIndex.from_tuples([("QP059001", "59350"), ("QP059001", "59009"), ("QP059002", "59350")])
    table = pd.DataFrame({"population": [100, 50, 30]}, index=index)
    assert forms.align_population(pd.Index(["QP059002", "QP059001"]), table).tolist() == [30, 150]


def test_qpv_with_a_secret_part_has_no_known_population():
    index = pd.MultiIndex.from_tuples([("QP059001", "59350"), ("QP059001", "59009"), ("QP059002", "59350")])
    table = pd.DataFrame({"population": [100, pd.NA, 30]}, index=index)
    got = forms.align_population(pd.Index(["QP059001", "QP059002"]), table)
    assert got.isna().tolist() == [True, False]


def test_without_a_table_every_population_is_missing():
    got = forms.align_population(pd.Index(["QP059001"]), None)
    assert got.isna().all()
    assert got.dtype == "Float64"


@pytest.mark.parametrize(
    ("frame", "table", "mine", "other"),
    [("QP059001", "QN05901M", 2015, 2024), ("QN05901M", "QP059001", 2024, 2015)],
)
def test_table_of_the_other_geography_is_refused_with_both_named(frame, table, mine, other):
    error = refused(
        lambda: forms.align_population(pd.Index([frame]), people(**{table: 10})), "frames.other_geography", DataError
    )
    assert error.message.values == {"table": table, "qpv": frame, "here": mine, "there": other}
    assert error.way_out.values == {"here": mine}


def test_table_of_other_qpv_of_the_same_geography_does_not_send_to_the_crosswalk():
    with pytest.raises(DataError, match="holds none of these QPV") as caught:
        forms.align_population(pd.Index(["QP059001"]), people(QP062001=10))
    assert "crosswalk" not in str(caught.value)


def test_table_without_populations_is_refused():
    with pytest.raises(DataError, match="no column population"):
        forms.align_population(pd.Index(["QP059001"]), pd.DataFrame(index=["QP059001"]))


@pytest.mark.parametrize(
    ("years", "expected"), [([2018, 2018], 2018), ([2018, pd.NA], 2018), ([2013, 2018], None), ([pd.NA, pd.NA], None)]
)
def test_reference_year_is_known_when_the_table_has_one(years, expected):
    assert forms.reference_year(pd.DataFrame({"reference_year": pd.array(years, dtype="Int64")})) == expected


def test_table_without_a_year_has_none():
    assert forms.reference_year(people(QP059001=1)) is None
    assert forms.reference_year(None) is None
    assert forms.census_years(None) == {}


def test_census_year_of_a_territory_is_unknown_as_soon_as_one_row_does_not_state_it():
    table = pd.DataFrame(
        {"census_year": pd.array([2018, 2018, 2017, pd.NA, 2018], dtype="Int64")},
        index=["QP059001", "QP02A001", "QP976001", "QP978001", "QP978002"],
    )
    assert forms.census_years(table) == {"hexagone": 2018, "976": 2017, "978": None}


@pytest.mark.real
def test_published_perimeters_keep_hash_and_repairs_through_geoparquet(real_data, tmp_path):
    source = real_data / "qpv2015" / "shp" / "QP_METROPOLE_LB93.shp"
    qpv = qg.read_qpv(source)
    qpv.to_parquet(tmp_path / "qpv.parquet")
    about = provenance.provenance(gpd.read_parquet(tmp_path / "qpv.parquet"))
    assert about["files"][0]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert len(about["repairs"]) == 25
    assert about == provenance.provenance(qpv)


@pytest.mark.parametrize("wrong", [-1, float("-inf"), "12", True])
def test_rows_that_hold_no_number_of_people_are_named(wrong):
    table = pd.Series([3, wrong, None], index=["a", "b", "c"], dtype="object")
    error = refused(lambda: forms.people_of(table), "frames.not_people", DataError)
    assert [problem.values["label"] for problem in error.problems] == ["b"]


@pytest.mark.parametrize("dtype", ["Int64", "float64", "Float64", "object", "int32"])
def test_people_are_read_whatever_the_type_of_numbers(dtype):
    values = [3, 0] if dtype == "int32" else [3, 0, None]
    assert forms.people_of(pd.Series(values, dtype=dtype)).fillna(-1).tolist() == [3, 0, -1][: len(values)]


@pytest.mark.parametrize("wrong", [None, "people.csv", 3, [1, 2]])
def test_what_is_no_table_of_people_is_refused(wrong):
    refused(lambda: forms.people_of(wrong), "frames.no_populations", UsageError)
