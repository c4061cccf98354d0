"""What may be given in the place of a good argument, and what comes of it: the table of misuses."""

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from tests import sound_calls

from qpvgeo.errors import QpvgeoError


class Outcome(NamedTuple):
    """What came of a call: `answer`, `refused`, or `foreign` with the error."""

    kind: str
    value: Any


THINGS: dict[str, Any] = {
    "None": None,
    "a number": 3,
    "a negative number": -1.0,
    "infinity": float("inf"),
    "not a number": float("nan"),
    "NA": pd.NA,
    "True": True,
    "a word": "quartier",
    "no text": "",
    "bytes": b"QP059001",
    "a null byte": "a\0b",
    "a path": Path("nowhere.gpkg"),
    "a day": dt.date(2024, 6, 30),
    "a list": ["QP059001"],
    "an empty list": [],
    "a list of None": [None],
    "a mapping": {"a": 1},
    "an object": object(),
    "a function": len,
    "a class": int,
    "an array": np.array([1.0, 2.0]),
    "an array of two dimensions": np.zeros((2, 2)),
    "a shape": shapely.box(0, 0, 1, 1),
    "a series": pd.Series([1.0, np.inf]),
    "an empty series": pd.Series(dtype=float),
    "a series of words": pd.Series(["a", None]),
    "an index": pd.Index(["a"]),
    "an empty frame": pd.DataFrame(),
    "a frame": pd.DataFrame({"a": [1, 2]}),
    "a frame of two levels": pd.DataFrame(
        {("a", "b"): [1]}, index=pd.MultiIndex.from_tuples([("x", 1)], names=["qpv_code", "n"])
    ),
    "an empty layer": gpd.GeoDataFrame({"name": []}, geometry=[], crs=2154),
    "a layer without geometry": gpd.GeoDataFrame({"a": [1]}),
    "a layer abroad": gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], index=["a"], crs=27700),
    "a series of shapes": gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=4326),
}
"""What may be given for any argument."""


def _numeric(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]


def _with(value: Any, put: Any) -> Callable[[Any, np.random.Generator], Any]:
    """Put a value into the first row of a numeric column."""

    def change(frame: Any, rng: np.random.Generator) -> Any:
        if isinstance(frame, pd.Series):
            if not len(frame) or not pd.api.types.is_numeric_dtype(frame):
                return frame
            frame = frame.astype(object if put == "object" else float)
            frame.iloc[0] = value
            return frame
        names = _numeric(frame)
        if not names or not len(frame):
            return frame
        name = names[rng.integers(len(names))]
        column = frame[name].astype(object if put == "object" else float)
        column.iloc[0] = value
        return frame.assign(**{name: column})

    return change


def _any_column(change: Callable[[pd.DataFrame, str], Any]) -> Callable[[Any, np.random.Generator], Any]:
    def changed(frame: Any, rng: np.random.Generator) -> Any:
        if isinstance(frame, pd.Series):
            return frame
        names = [name for name in frame.columns if name != "geometry"]
        return change(frame, names[rng.integers(len(names))]) if names else frame

    return changed


def _geometry(shape: Any) -> Callable[[Any, np.random.Generator], Any]:
    def changed(frame: Any, _: np.random.Generator) -> Any:
        if isinstance(frame, gpd.GeoDataFrame) and len(frame):
            shapes = frame.geometry.to_numpy().copy()
            shapes[0] = shape(shapes[0]) if callable(shape) else shape
            return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
        return frame

    return changed


def _layer(change: Callable[[gpd.GeoDataFrame], Any]) -> Callable[[Any, np.random.Generator], Any]:
    return lambda frame, _: change(frame) if isinstance(frame, gpd.GeoDataFrame) else frame


def _index(make: Callable[[pd.Index], Any]) -> Callable[[Any, np.random.Generator], Any]:
    def changed(frame: Any, _: np.random.Generator) -> Any:
        return frame.set_axis(make(frame.index), axis="index") if len(frame) else frame

    return changed


def _arrow(frame: Any) -> Any:
    if isinstance(frame, gpd.GeoSeries):
        return frame
    if isinstance(frame, gpd.GeoDataFrame):
        plain = pd.DataFrame(frame.drop(columns=frame.geometry.name)).convert_dtypes(dtype_backend="pyarrow")
        return gpd.GeoDataFrame(plain, geometry=frame.geometry, crs=frame.crs).__finalize__(frame)
    return frame.convert_dtypes(dtype_backend="pyarrow").__finalize__(frame)


def _plain_nullable(frame: Any) -> Any:
    """Nullable types for the columns that pandas knows how to convert: not for Arrow lists."""
    if isinstance(frame, pd.Series):
        return frame.convert_dtypes()
    kept = {name: frame[name] for name in frame.columns if "list" not in str(frame[name].dtype)}
    return frame.assign(**{name: column.convert_dtypes() for name, column in kept.items()})


def _nullable(frame: Any) -> Any:
    if isinstance(frame, gpd.GeoSeries):
        return frame
    if isinstance(frame, gpd.GeoDataFrame):
        plain = _plain_nullable(pd.DataFrame(frame.drop(columns=frame.geometry.name)))
        return gpd.GeoDataFrame(plain, geometry=frame.geometry, crs=frame.crs).__finalize__(frame)
    return _plain_nullable(frame).__finalize__(frame)


SAME: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "nullable types": lambda frame, _: _nullable(frame),
    "Arrow types": lambda frame, _: _arrow(frame),
    "other name of the geometry": _layer(lambda layer: layer.rename_geometry("contour")),
    "a second geometry": _layer(lambda layer: layer.assign(centre=layer.representative_point())),
    "object types": lambda frame, _: frame if isinstance(frame, gpd.GeoSeries) else _objects(frame),
    "Arrow labels": lambda frame, _: _text_index(frame, "string[pyarrow]"),
    "categorical labels": _index(
        lambda index: index if isinstance(index, pd.MultiIndex) else pd.CategoricalIndex(index)
    ),
    "columns in another order": lambda frame, _: frame if isinstance(frame, pd.Series) else frame[list(frame)[::-1]],
    "another projection": _layer(lambda layer: layer.to_crs(3857)),
}
"""Other ways to write the same frame: refused, or the same figures."""

CHANGES: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "stacked twice": lambda frame, _: pd.concat([frame, frame]),
    "a row twice": lambda frame, _: pd.concat([frame, frame.iloc[:1]]),
    "no rows": lambda frame, _: frame.iloc[:0],
    "no columns": lambda frame, _: frame if isinstance(frame, pd.Series) else pd.DataFrame(index=frame.index),
    "one label for all": _index(lambda index: pd.Index([index[0]] * len(index), name=index.name)),
    "a missing label": _index(lambda index: pd.Index([None, *index[1:]], name=index.name)),
    "two levels": _index(lambda index: pd.MultiIndex.from_arrays([index, range(len(index))])),
    "numbered": lambda frame, _: frame.reset_index(drop=True),
    "labels in a column": lambda frame, _: frame.reset_index(),
    "labels of days": _index(lambda index: pd.date_range("2020-01-01", periods=len(index))),
    "labels of tuples": _index(lambda index: pd.Index([("a", n) for n in range(len(index))], tupleize_cols=False)),
    "labels of several kinds": _index(lambda index: pd.Index([3, *index[1:]], dtype=object)),
    "labels of nobody": _index(lambda index: pd.Index([f"X{n}" for n in range(len(index))])),
    "infinite": _with(np.inf, "float"),
    "negative": _with(-5.0, "float"),
    "missing": _with(np.nan, "float"),
    "NA among objects": _with(pd.NA, "object"),
    "text among numbers": _with("many", "object"),
    "a list among numbers": _with([1], "object"),
    "a column dropped": _any_column(lambda frame, name: frame.drop(columns=name)),
    "a column twice": _any_column(lambda frame, name: pd.concat([frame, frame[[name]]], axis="columns")),
    "a column of nothing": _any_column(lambda frame, name: frame.assign(**{str(name): None})),
    "a column of words": _any_column(lambda frame, name: frame.assign(**{str(name): "many"})),
    "a column of days": _any_column(lambda frame, name: frame.assign(**{str(name): pd.Timestamp("2020-01-01")})),
    "a column of lists": _any_column(lambda frame, name: frame.assign(**{str(name): [[1]] * len(frame)})),
    "a column of truths": _any_column(lambda frame, name: frame.assign(**{str(name): True})),
    "a column of categories": _any_column(
        lambda frame, name: frame.assign(**{str(name): pd.Categorical(["a"] * len(frame))})
    ),
    "names of numbers": lambda frame, _: (
        frame if isinstance(frame, pd.Series) else frame.rename(columns={frame.columns[0]: 3})
    ),
    "columns of two levels": lambda frame, _: (
        frame
        if isinstance(frame, pd.Series)
        else pd.DataFrame(frame).set_axis(pd.MultiIndex.from_product([["a"], frame.columns]), axis="columns")
    ),
    "without provenance": lambda frame, _: _bare(frame),
    "provenance of another kind": lambda frame, _: _told(frame),
    "no CRS": _layer(lambda layer: layer.set_crs(None, allow_override=True)),
    "degrees over metres": _layer(lambda layer: layer.to_crs(2154).set_crs(4326, allow_override=True)),
    "metres over degrees": _layer(lambda layer: layer.to_crs(4326).set_crs(2154, allow_override=True)),
    "CRS of overseas": _layer(lambda layer: layer.set_crs(2975, allow_override=True)),
    "plain": _layer(pd.DataFrame),
    "geometry not active": _layer(
        lambda layer: gpd.GeoDataFrame(pd.DataFrame(layer).rename(columns={"geometry": "g"}))
    ),
    "one outline missing": _geometry(None),
    "one outline empty": _geometry(shapely.Polygon()),
    "one outline a point": _geometry(lambda shape: shape.representative_point()),
    "one outline a line": _geometry(lambda shape: shapely.LineString(shape.centroid.buffer(9).exterior.coords[:2])),
    "one outline infinite": _geometry(shapely.from_wkt("POLYGON ((0 0, 0 inf, 1 1, 0 0))")),
    "one outline on its side": _geometry(lambda shape: shapely.transform(shape, lambda xy: xy[:, ::-1])),
    "outlines of another place": _layer(lambda layer: layer.set_geometry(layer.translate(50, 50))),
}
"""What may become of a frame on its way."""


def _objects(frame: Any) -> Any:
    if isinstance(frame, pd.Series):
        return frame.astype(object)
    return frame.astype({name: object for name in frame.columns if name != getattr(frame, "_geometry_column_name", "")})


def _text_index(frame: Any, kind: str) -> Any:
    if isinstance(frame.index, pd.MultiIndex) or not len(frame) or not isinstance(frame.index[0], str):
        return frame
    return frame.set_axis(frame.index.astype(kind), axis="index")


def _bare(frame: Any) -> Any:
    bare = frame.copy()
    bare.attrs = {}
    return bare


def _told(frame: Any) -> Any:
    told = frame.copy()
    told.attrs = {"qpvgeo": 3, "units": "m"}
    return told


def misuses(name: str) -> Iterator[tuple[str, str]]:
    """Every misuse of a function: the argument, and what becomes of it."""
    _, arguments = (sound_calls.calls() | sound_calls.others())[name]
    for argument, good in arguments.items():
        for thing in THINGS:
            yield argument, thing
        if isinstance(good, pd.DataFrame | pd.Series):
            for change in (*SAME, *CHANGES):
                yield argument, change


def misused(good: Any, misuse: str, seed: int) -> Any:
    """An argument as the misuse has it."""
    if misuse in THINGS:
        return THINGS[misuse]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (SAME | CHANGES)[misuse](good, np.random.default_rng(seed))


def outcome(function: Callable[..., Any], arguments: dict[str, Any]) -> Outcome:
    """Call a function: its answer, the error of ours in both languages, or what came from elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Outcome("answer", function(**arguments))
        except QpvgeoError as error:
            return Outcome("refused", error) if error.say("en") and error.say("fr") else Outcome("foreign", error)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            return Outcome("foreign", error)


def numbers(answer: Any) -> np.ndarray:
    """Figures of an answer, in an order of their own."""
    if isinstance(answer, tuple) and answer and isinstance(answer[0], pd.DataFrame):
        answer = answer[0]
    if isinstance(answer, pd.Series):
        answer = answer.to_frame()
    if not isinstance(answer, pd.DataFrame):
        return np.array([])
    plain = pd.DataFrame(answer)
    columns = [plain[name] for name in sorted(map(str, plain.columns)) if name in plain and plain[name].ndim == 1]
    kept = [pd.to_numeric(one, errors="coerce").astype(float) for one in columns if pd.api.types.is_numeric_dtype(one)]
    return np.sort(np.concatenate([one.to_numpy(float) for one in kept])) if kept else np.array([])
