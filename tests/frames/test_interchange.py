"""Frames of other libraries: polars, DuckDB and pyarrow come in without Python objects, and Arrow goes out."""

import json
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.frames.interchange import by_code, frame_of, returned, speaks_arrow, table_of
from qpvgeo.frames.provenance import stamp

PEOPLE = pd.DataFrame({"people": [2113.0, None, 12.5], "code": ["75056", "13055", None], "kind": ["a", "b", "a"]})


def forms(frame):
    """One table as each library holds it."""
    return {
        "pyarrow": pa.Table.from_pandas(frame, preserve_index=False),
        "polars": pl.from_pandas(frame),
        "duckdb": duckdb.from_df(frame),
    }


@pytest.mark.parametrize("library", ["pyarrow", "polars", "duckdb"])
def test_tables_of_every_library_are_the_frame_they_were_made_from(library):
    given = forms(PEOPLE)[library]
    assert speaks_arrow(given)
    found = frame_of(table_of(given))
    pd.testing.assert_frame_equal(found, PEOPLE)
    assert not [kind for kind in found.dtypes if isinstance(kind, np.dtype) and kind.kind == "O"]


def test_frames_of_pandas_series_and_pairs_of_arrays_are_not_taken_for_foreign_ones():
    assert not any(map(speaks_arrow, (PEOPLE, PEOPLE["people"], ([1.0], [2.0]), "file.csv", None, pl.DataFrame)))


def test_decimals_dictionaries_and_views_become_what_pandas_holds():
    table = pa.table(
        {
            "x": pa.array([Decimal("1.25"), None], pa.decimal128(5, 2)),
            "of": pa.array(["a", None]).dictionary_encode(),
            "code": pa.array(["75056", None], pa.string_view()),
        }
    )
    found = frame_of(table)
    assert found["x"].tolist()[0] == 1.25
    assert [str(kind) for kind in found.dtypes] == ["float64", "str", "str"]


def test_codes_are_the_first_column_of_text():
    assert by_code(pl.from_pandas(PEOPLE)).index.name == "code"
    assert by_code(PEOPLE) is PEOPLE


@pytest.mark.parametrize("table", [pa.table({"x": [1.0]}), pa.table([["a"], ["b"]], names=["code", "code"])])
def test_table_without_codes_is_refused(table):
    refused(lambda: by_code(table), "frames.no_codes", UsageError)


def test_single_column_is_no_table():
    refused(lambda: table_of(pl.Series([1.0])), "frames.not_a_table", UsageError)


def test_table_that_is_returned_has_the_labels_first_and_the_provenance_in_its_metadata():
    frame = stamp(PEOPLE.set_index("code"), vintage=2024, notes=["one"])
    table = returned(frame, "pyarrow")
    assert table.column_names == ["code", "people", "kind"]
    assert json.loads(table.schema.metadata[b"qpvgeo"])["notes"] == ["one"]
    assert returned(frame, "pandas") is frame


def test_a_name_of_a_file_that_is_not_text_is_in_the_metadata():
    frame = pd.DataFrame({"n": [1]}, index=pd.Index(["QN00101M"], name="qpv_code"))
    stamp(frame, [{"file": "p\udce9rim.geojson"}])
    table = returned(frame, "pyarrow")
    assert json.loads(table.schema.metadata[b"qpvgeo"])["files"][0]["file"] == "p\udce9rim.geojson"


@pytest.mark.parametrize("returns", ["polars", None, 1])
def test_form_that_is_none_is_refused(returns):
    sample = qg.sample()
    qpv = qg.read_qpv(sample.qpv_2024)
    refused(lambda: qg.tag_points(([0.0], [0.0]), qpv, crs=4326, returns=returns), "frames.no_such_form", UsageError)


@pytest.mark.parametrize("library", ["pyarrow", "polars", "duckdb"])
def test_counts_of_every_library_are_converted_alike(library):
    sample = qg.sample()
    old, new = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    walk = qg.crosswalk(old, new, qg.read_grid(sample.grid_2019))
    people = qg.read_population(sample.population_2015)[["population"]].astype(float)
    expected = qg.convert(people, walk)
    given = forms(people.reset_index())[library]
    pd.testing.assert_frame_equal(qg.convert(given, walk), expected)
    table = qg.convert(given, walk, returns="pyarrow")
    assert table["qpv_code"].to_pylist() == expected.index.tolist()
    assert np.array_equal(table["population"].to_numpy(), expected["population"].to_numpy(dtype=float), equal_nan=True)


@pytest.mark.parametrize("library", ["pyarrow", "polars", "duckdb"])
def test_tables_of_communes_of_every_library_are_moved_alike(library):
    events = pd.DataFrame(
        [("2019-01-01", "32", "99008", "99001"), ("2019-01-01", "32", "99001", "99001")],
        columns=["date", "event", "code_before", "code_after"],
    ).assign(type_before="COM", type_after="COM", name_before="Le Ressac", name_after="Port-Brume")
    homes = pd.DataFrame({"commune": ["99001", "99008", "99002"], "homes": [300.0, 100.0, 50.0]})
    options = {"events": events, "communes": {}}
    expected = qg.geographies.move_communes(homes.set_index("commune"), 2018, 2024, **options)
    given = forms(homes)[library]
    pd.testing.assert_frame_equal(qg.geographies.move_communes(given, 2018, 2024, **options), expected)
    table = qg.geographies.move_communes(given, 2018, 2024, returns="pyarrow", **options)
    assert table.to_pydict()["code"] == ["99001", "99002"]
    assert table.to_pydict()["homes"] == [400.0, 50.0]
