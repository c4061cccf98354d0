"""The passage between two geographies: which perimeters share ground, people or addresses, and by how much.

The geography of 2024 took the place of that of 2015, and every series broke. The crosswalk keeps all of both: a row for
each pair that shares something, and a row for each part that nothing on the other side covers, so that the shares of a
perimeter always add up to one. Nothing is dropped on the way, and the two sides are treated alike.

Outlines may be simplified, or drawn anew at another precision: ground that is nowhere wider than `tolerance_m` is not
a change.

Source: décrets 2014-1750, 2014-1751 (2015) and 2023-1314, 2024-1212 (2024); the official list of ancestors has no
weights, and is audited against the geometry by `qpvgeo.geographies.audit_correspondence`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.geographies.slivers import Uncovered, related, uncovered, wide
from qpvgeo.geometry.overlap_table import overlap
from qpvgeo.geometry.projection import DEGREES, reproject, to_metric
from qpvgeo.geometry.validity import polygonal
from qpvgeo.population.estimation import estimate_population
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points import tag_points

__all__ = ["crosswalk"]

_SIDES = ("from", "to")
_COLUMNS = ("code_from", "code_to")

_ROUNDING = 1e-12

Floats = npt.NDArray[np.float64]
Weights: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | pd.DataFrame | Sequence[pd.DataFrame] | pd.Series | None


def crosswalk(
    qpv_2015: gpd.GeoDataFrame | gpd.GeoSeries,
    qpv_2024: gpd.GeoDataFrame | gpd.GeoSeries,
    weights: Weights = None,
    *,
    tolerance_m: float = 1.0,
) -> pd.DataFrame:
    """Give what each perimeter of one geography shares with each of another.

    Parameters
    ----------
    qpv_2015, qpv_2024
        Valid perimeters with a CRS, indexed by unique labels, which become text. Rows without an outline share nothing
        and are listed in `attrs["qpvgeo"]["without_outline"]`.
    weights
        What to count in the shared parts beside ground: a grid of incomes (`qpvgeo.read_grid`: people and households,
        by area within a cell), or a list of grids, one for each territory; points, with a CRS (addresses, dwellings;
        counted once each, or by their column `weight`); or people by label of `qpv_2015`, published, which are shared
        out by area. None: ground alone.
    tolerance_m
        How far the outlines may be from where they should, metres; 30 to 40 for the simplified files of 2024 that
        circulate. Ground that is nowhere wider is not a change: a pair that shares no more than that is no pair, its
        ground is uncovered; unless it is more than 5 % of a perimeter that is nowhere wider itself.

    Returns
    -------
    pandas.DataFrame
        A row per pair, in the order of `qpv_2015` then `qpv_2024`, then the parts of `qpv_2015` that nothing covers
        (`code_to` missing), then those of `qpv_2024` (`code_from` missing); uncovered area that is nowhere wider than
        the tolerance is no part unless points lie in it, and the shares of its perimeter add up to one without it:

        - `code_from`, `code_to`: labels.
        - `area_m2`: area shared, in the legal projection of the territory.
        - `from_share`, `to_share`: over the area of the one and of the other, 0 to 1; each adds up to one for a label.
        - `lost`, `gained`: whether some of `code_from` beyond `code_to`, and some of `code_to` beyond `code_from`, is
          wider than `tolerance_m`; missing for uncovered parts.
        - with weights, `population` and `households` (grid), `points` (points) or `population` (published), each with
          its `..._from_share` and `..._to_share`, missing where a perimeter holds none of it. A perimeter in which the
          grid has no cell at all has people that are missing, not 0; `attrs["qpvgeo"]["without_weight"]` lists them.
          Published people of the first geography say nothing of who lives beyond it: what it leaves uncovered of
          `code_to` is missing there, and so are the shares in `code_to`.

    Raises
    ------
    DataError
        Labels repeat, outlines are invalid, a CRS is missing: everything is listed.
    UsageError
        The tolerance is no distance, or the weights are none of the forms.

    Notes
    -----
    Perimeters of one geography that overlap (by 73 m2 at most in 2015, some hundreds in simplified files of 2024) hold
    more of one of the other than there is: its pairs then divide what they cover together.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> walk = crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    >>> walk.loc[walk["code_from"] == "QP099003", ["code_to", "from_share"]].dropna().round(3).to_numpy().tolist()
    [['QN09903M', 0.449], ['QN09904M', 0.551]]
    >>> bool((abs(walk.groupby("code_from")["from_share"].sum() - 1) < 1e-9).all())
    True
    """
    if not (isinstance(tolerance_m, int | float) and np.isfinite(tolerance_m) and tolerance_m >= 0):
        raise UsageError(f"tolerance_m={tolerance_m!r} is no distance in metres.")
    qpv_2015, qpv_2024 = (_labelled(layer) for layer in (qpv_2015, qpv_2024))
    sides = [_measured(layer, name) for layer, name in ((qpv_2015, "first"), (qpv_2024, "second"))]
    one, other = (layer[side["drawn"]] for layer, side in zip((qpv_2015, qpv_2024), sides, strict=True))
    pairs = overlap(one, other).rename(columns={"left": "code_from", "right": "code_to"})[
        ["code_from", "code_to", "area_m2"]
    ]
    if tolerance_m > 0:
        pairs = pairs[related(pairs, sides, tolerance_m)].reset_index(drop=True)
    changes = {"lost": wide(pairs, sides, tolerance_m, "lost"), "gained": wide(pairs, sides, tolerance_m, "gained")}
    left = uncovered(pairs, sides, changes, tolerance_m)
    counted = {"area_m2": _area(pairs, sides, left), **_counted(pairs, one, other, left, weights)}
    frame = _with_uncovered(pairs, counted, [part.closed for part in left])
    for name, totals in counted.items():
        prefix = "" if name == "area_m2" else f"{name}_"
        for side, total in zip(_SIDES, totals.whole, strict=True):
            frame[f"{prefix}{side}_share"] = _share(frame, f"code_{side}", name, total)
    for name, changed in changes.items():
        frame[name] = pd.Series(changed, dtype="boolean").reindex(frame.index)
    first = ["code_from", "code_to", "area_m2", "from_share", "to_share", "lost", "gained"]
    frame = frame[[*first, *(name for name in frame.columns if name not in first)]]
    people = counted["population"].whole if "population" in counted else []
    about = {
        "tolerance_m": float(tolerance_m),
        "without_outline": [str(code) for side in sides for code in side["drawn"].index[~side["drawn"]]],
        "without_weight": [str(code) for total in people for code in total.index[total.isna()]],
    }
    return _stamped(frame, [qpv_2015, qpv_2024], weights, about)


def _labelled(layer: Any) -> Any:  # noqa: ANN401
    """A layer whose labels are text: codes of a table may be numbers."""
    if not isinstance(layer, gpd.GeoDataFrame | gpd.GeoSeries):
        raise UsageError(
            f"Perimeters cannot be a {type(layer).__name__}.", way_out="Read them first: qpvgeo.read_qpv(path)."
        )
    text = layer.index.astype("str")
    return layer if layer.index.equals(text) else layer.set_axis(text, axis="index")


def _measured(layer: Any, name: str) -> dict[str, pd.Series]:  # noqa: ANN401
    """Outline in the legal projection and area of each perimeter, and which of them are drawn."""
    repeated = layer.index[layer.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"Labels stand several times in the {name} geography.",
            problems=map(str, repeated),
            way_out="Give each perimeter one row.",
        )
    shapes = layer.geometry
    drawn = ~(shapes.isna() | shapes.is_empty)
    metric, _ = to_metric(shapes[drawn].to_numpy(), layer.crs, what=f"perimeters of the {name} geography")
    index = layer.index[drawn.to_numpy()]
    return {
        "drawn": drawn,
        "outline": pd.Series(metric, index=index, dtype=object),
        "area": pd.Series(shapely.area(metric), index=index),
    }


class _Counted(NamedTuple):
    """What is counted: in the pairs, in all of each perimeter of either side, and in what is uncovered of it."""

    pairs: Floats
    whole: list[pd.Series]
    left: list[pd.Series]


def _with_uncovered(pairs: pd.DataFrame, counted: Mapping[str, _Counted], closed: list[pd.Series]) -> pd.DataFrame:
    """Pairs, then what of each side they leave uncovered; ground that is nowhere wide is left out, unless it counts."""
    parts = [pairs.assign(**{name: totals.pairs for name, totals in counted.items()})]
    for position, (side, other) in enumerate((("code_from", "code_to"), ("code_to", "code_from"))):
        left = pd.DataFrame({name: totals.left[position] for name, totals in counted.items()})
        told = ~closed[position].reindex(left.index)
        if "points" in counted:
            told |= left["points"] > 0
        rows = left[told].rename_axis(side).reset_index()
        rows[other] = pd.array([pd.NA] * len(rows), dtype="str")
        parts.append(rows)
    frame = pd.concat([part for part in parts if len(part)] or [parts[0]], ignore_index=True)
    return frame.astype({"code_from": "str", "code_to": "str"})


def _share(frame: pd.DataFrame, side: str, name: str, whole: pd.Series) -> Floats:
    """Share of each row in its perimeter of one side; missing where there is nothing, or not all is known.

    Pairs add up to more than there is where perimeters of the other side overlap: they divide what is covered.
    """
    given = frame[name].to_numpy(dtype=float)
    pair = (frame["code_from"].notna() & frame["code_to"].notna()).to_numpy()
    of = frame[side]
    held, left = (pd.Series(np.where(kept, given, 0.0)).groupby(of.to_numpy()).sum() for kept in (pair, ~pair))
    total, covered, beyond = (part.reindex(of).to_numpy(dtype=float) for part in (whole, held, left))
    # a perimeter of which nothing is left over is divided between its pairs, to the last bit
    total = np.where((beyond == 0) & (covered > 0), covered, total)
    overlapped = pair & (covered + beyond > total * (1 + _ROUNDING))
    divided = np.divide(total - beyond, covered, out=np.ones(len(of)), where=overlapped)
    found: Floats = np.divide(given * divided, total, out=np.full(len(of), np.nan), where=total > 0)
    found = np.clip(found, 0.0, 1.0)
    # a row that is not known leaves the others without a share
    vague = frame[name].isna().groupby(of).any().reindex(of).to_numpy(dtype=bool, na_value=True)
    found[vague] = np.nan
    return found


def _area(pairs: pd.DataFrame, sides: list[dict[str, pd.Series]], left: list[Uncovered]) -> _Counted:
    whole = [side["area"] for side in sides]
    shared = pairs["area_m2"].to_numpy()
    return _Counted(
        shared,
        whole,
        [
            _remaining(pairs[side], shared, total, part.shape.area)
            for side, total, part in zip(_COLUMNS, whole, left, strict=True)
        ],
    )


def _remaining(own: pd.Series, held: Floats, total: pd.Series, apart: pd.Series | None = None) -> pd.Series:
    """What pairs leave of each perimeter of a side; where others overlap on it, what was counted apart."""
    sums = pd.Series(held).groupby(own.to_numpy()).sum().reindex(total.index, fill_value=0.0)
    left = (total - sums).clip(lower=0.0)
    return left if apart is None else apart.reindex(total.index).fillna(left)


def _counted(
    pairs: pd.DataFrame,
    one: Any,  # noqa: ANN401
    other: Any,  # noqa: ANN401
    left: list[Uncovered],
    weights: Any,  # noqa: ANN401
) -> dict[str, _Counted]:
    """What is counted beside ground."""
    if weights is None:
        return {}
    if isinstance(weights, gpd.GeoDataFrame | gpd.GeoSeries):
        return _points(pairs, one, other, weights)
    if isinstance(weights, pd.Series):
        return _published(pairs, one, other, left, weights)
    if grids := _grids_of(weights):
        return _grid(pairs, one, other, left, grids)
    raise UsageError(
        f"Weights cannot be a {type(weights).__name__}.",
        way_out="Give a grid of qpvgeo.read_grid(), points as a GeoDataFrame, or people by label as a Series.",
    )


def _grids_of(weights: Any) -> list[pd.DataFrame]:  # noqa: ANN401
    """Grids among the forms of weights; none where they are something else."""
    grids = [weights] if isinstance(weights, pd.DataFrame) else weights if isinstance(weights, list | tuple) else []
    grid = all(isinstance(one, pd.DataFrame) and {"population", "households"} <= set(one.columns) for one in grids)
    return list(grids) if grid and not isinstance(weights, gpd.GeoDataFrame) else []


def _estimated(areas: Any, grids: Sequence[pd.DataFrame]) -> pd.DataFrame:  # noqa: ANN401
    """People and households of areas, by the first grid that has cells there; missing where none has."""
    first, *others = (estimate_population(areas, grid)[["estimate", "households"]] for grid in grids)
    for other in others:
        first = first.fillna(other)
    return first


def _grid(
    pairs: pd.DataFrame,
    one: Any,  # noqa: ANN401
    other: Any,  # noqa: ANN401
    left: list[Uncovered],
    grids: Sequence[pd.DataFrame],
) -> dict[str, _Counted]:
    pieces = _pieces(pairs, one, other)
    metric = [_apart(layer, part) for layer, part in zip((one, other), left, strict=True)]
    shared, *sides = (_estimated(layer, grids) for layer in (pieces, one, other))
    apart = [_estimated(shapes, grids) if len(shapes) else None for shapes in metric]
    found = {}
    for name, column in (("population", "estimate"), ("households", "households")):
        whole = [frame[column] for frame in sides]
        # no cell at all is not nobody: the grid may end before
        blank = [total.reindex(pairs[side]).isna() for side, total in zip(_COLUMNS, whole, strict=True)]
        held = shared[column].fillna(0.0).mask(np.logical_and(*(part.to_numpy() for part in blank))).to_numpy()
        beyond = [
            _remaining(pairs[side], held, total, None if frame is None else frame[column].fillna(0.0))
            for side, total, frame in zip(_COLUMNS, whole, apart, strict=True)
        ]
        found[name] = _Counted(held, whole, beyond)
    return found


def _apart(layer: Any, left: Uncovered) -> gpd.GeoSeries:  # noqa: ANN401
    """Ground that is uncovered of perimeters on which others overlap."""
    shapes = left.shape.dropna()
    _, place = to_metric(layer.geometry[shapes.index].to_numpy(), layer.crs)
    degrees = [
        reproject([shape], territories.get(code).epsg, DEGREES)[0] for shape, code in zip(shapes, place, strict=True)
    ]
    return gpd.GeoSeries(degrees, index=shapes.index, crs=DEGREES)


def _pieces(pairs: pd.DataFrame, one: Any, other: Any) -> gpd.GeoSeries:  # noqa: ANN401
    """Ground that each pair shares, in the projection of the first geography."""
    left = one.geometry.to_numpy()[one.index.get_indexer(pairs["code_from"])]
    right = reproject(other.geometry.to_numpy(), other.crs, one.crs)[other.index.get_indexer(pairs["code_to"])]
    return gpd.GeoSeries(polygonal(shapely.intersection(left, right)), crs=one.crs)


def _points(pairs: pd.DataFrame, one: Any, other: Any, points: Any) -> dict[str, _Counted]:  # noqa: ANN401
    held = [
        tag_points(points, PerimeterIndex(layer.geometry, reach_m=0.0), bands=())["qpv_code"].astype("str").to_numpy()
        for layer in (one, other)
    ]
    weight = np.ones(len(points))
    if isinstance(points, gpd.GeoDataFrame) and "weight" in points.columns:
        weight = pd.to_numeric(points["weight"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
        if len(wrong):
            raise DataError(
                f"{len(wrong)} points have no usable weight.",
                problems=[f"{points.index[row]}: {points['weight'].iloc[row]!r}" for row in wrong],
                way_out="A weight is a number of homes: 0 or more.",
            )
    table = pd.DataFrame({"code_from": held[0], "code_to": held[1], "points": weight})
    both = table.groupby(["code_from", "code_to"])["points"].sum()
    shared = both.reindex(pd.MultiIndex.from_frame(pairs[["code_from", "code_to"]]), fill_value=0.0).to_numpy()
    whole = [
        table.groupby(side)["points"].sum().reindex(layer.index, fill_value=0.0)
        for side, layer in (("code_from", one), ("code_to", other))
    ]
    left = [_remaining(pairs[side], shared, total) for side, total in zip(_COLUMNS, whole, strict=True)]
    return {"points": _Counted(shared, whole, left)}


def _published(
    pairs: pd.DataFrame,
    one: Any,  # noqa: ANN401
    other: Any,  # noqa: ANN401
    left: list[Uncovered],
    people: pd.Series,
) -> dict[str, _Counted]:
    given = _people(people, one.index)
    metric, _ = to_metric(one.geometry.to_numpy(), one.crs)
    density = given / pd.Series(shapely.area(metric), index=one.index)
    shared = pairs["area_m2"].to_numpy() * density.reindex(pairs["code_from"]).to_numpy()
    # ground that is too narrow to be a part has people too, who go with the rest
    held = pd.Series(shared).groupby(pairs["code_from"].to_numpy()).sum().reindex(one.index)
    scale = (given / held).where(left[0].closed & (held > 0), 1.0)
    shared = shared * scale.reindex(pairs["code_from"]).to_numpy()
    of_to = pd.Series(shared).groupby(pairs["code_to"].to_numpy()).sum().reindex(other.index, fill_value=0.0)
    remaining = _remaining(pairs["code_from"], shared, given, left[0].shape.area * density)
    # who lives beyond the first geography is not told by it
    beyond = pd.Series(np.nan, index=other.index)
    return {"population": _Counted(shared, [given, of_to], [remaining, beyond])}


def _people(people: pd.Series, labels: pd.Index) -> pd.Series:
    """Published people of each perimeter."""
    named = people.set_axis(people.index.astype("str"))
    repeated = named.index[named.index.duplicated()].unique()
    problems = [f"{label} stands several times" for label in repeated]
    numbers = pd.to_numeric(named, errors="coerce").astype(float)[~named.index.duplicated()].reindex(labels)
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    asked = named[~named.index.duplicated()].reindex(labels)
    problems += [f"{label}: {'none' if pd.isna(value) else repr(value)}" for label, value in asked[wrong].items()]
    if problems:
        raise DataError(
            f"{len(problems)} perimeters have no population.",
            problems=problems,
            way_out="Give people for each label of the first geography, or leave these perimeters out.",
        )
    return numbers


def _stamped(frame: pd.DataFrame, layers: list[Any], weights: Any, about: dict[str, Any]) -> pd.DataFrame:  # noqa: ANN401
    grids = _grids_of(weights)
    points = isinstance(weights, gpd.GeoDataFrame | gpd.GeoSeries)
    basis = None if weights is None else "points" if points else "grid, by area" if grids else "published, by area"
    counted = [] if weights is None else grids or [weights]
    return provenance.stamp(
        frame,
        [record for layer in [*layers, *counted] for record in provenance.provenance(layer).get("files", [])],
        weights=basis,
        fictional=provenance.is_fictional(*layers),
        **about,
    )
