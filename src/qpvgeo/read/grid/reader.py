"""The income grid of Insee, in every vintage and form it was published in, as one frame.

Cells of 200 m, of 1 km or of the natural level, for the hexagone, Martinique and La Réunion: there is no grid for
Guadeloupe, Guyane and Mayotte. The values are those of persons in fiscal households: neither the homeless nor
communities, students counted with their parents. Under 11 households Insee imputes the values of a cell and says so.

Source: Insee, RFL 2010 and Filosofi 2015, 2017, 2019 and 2021, gridded data (insee.fr/fr/statistiques/7655515).
"""

import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.text_tables import normalise
from qpvgeo.frames.provenance import stamp
from qpvgeo.frames.require import columns_told
from qpvgeo.geometry.insee_lattice import squares
from qpvgeo.language import Note
from qpvgeo.read.grid import arrow_columns, rectangles_2010
from qpvgeo.read.grid.cell_ids import Ids, checked_index, chooser, identify
from qpvgeo.read.grid.eurostat import missing_marks, people_like
from qpvgeo.read.grid.names import Plan, kind_of, require_names
from qpvgeo.read.grid.outlines_check import drawn_otherwise
from qpvgeo.read.grid.selection import Selection, Where, parse_where
from qpvgeo.read.grid.table_forms import HEAD_ROWS, Table
from qpvgeo.read.grid.tables import Opened, Source, open_grid, paths_of
from qpvgeo.read.grid.values import (
    COMMUNES,
    commune_lists,
    communes,
    flags,
    groups,
    is_text,
    numbers,
    texts,
    without_sums,
)
from qpvgeo.read.grid.vintage import VINTAGES, vintage_of
from qpvgeo.sources import file_memory

__all__ = ["GRID_COLUMNS", "VINTAGES", "read_grid"]

GRID_COLUMNS = ("population", "households", "poor_households", "living_standard_sum_eur", "imputed", "communes")
"""Canonical columns of the grid, in order; the index is `cell_id`."""

_WORKERS = 3
_CODE_LIKE = re.compile(r"(?:code?|insee|reg|dep|uu|siren|com|cog|epci|qp|liste|list|id|num).*")
_COUNTS = ("population", "households", "poor_households")


@judged
def read_grid(
    source: Source,
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    keep: Iterable[str] | None = None,
    where: Where | None = None,
    data: str | os.PathLike[str] | None = None,
    geometry: bool = False,
) -> pd.DataFrame:
    """Read the income grid of Insee, or a population grid of Eurostat.

    Parameters
    ----------
    source
        A path, a key of `qpvgeo.datasets()` (`"filosofi-200m-2019"`), a folder, or several of them. CSV (also
        compressed by gzip), Parquet, GeoPackage, shapefile and the like, dbf, MIF, or a zip or 7z of them (also the
        zip that holds a 7z). The grid of 2010 comes as two tables, cells and rectangles: give the folder, the zip or
        both files; the rectangles are also found beside the cells.
    layer
        Layer of the file, or member of the archive or folder, where several hold cells.
    columns
        `{"name in the file": "canonical name"}` for a file that someone renamed. Canonical names are `cell_id`,
        `population`, `households`, `poor_households`, `living_standard_sum_eur`, `imputed`, `communes`, and, for files
        that give means and rates instead of sums, `living_standard_mean_eur` and `poverty_rate` (0 to 1). A published
        name (`ind_0_3`) stands for itself.
    keep
        Other columns to read, by their published or lower-case names: None reads all of them, `[]` none. The fewer,
        the faster.
    where
        Which cells: a territory (`"hexagone"`, `"972"`, `"974"`), codes of departments or communes (one or several;
        a cell of several communes is in each), `(west, south, east, north)` in degrees or, when the numbers are beyond
        180, in metres of the projection of the ids, or a GeoDataFrame of polygons such as QPV: every cell that shares
        ground with one of them. A box in degrees may take cells that lie beside it, by less than a cell.
    data
        Folder searched for a key, before the others (see `qpvgeo.datasets`).
    geometry
        Return a GeoDataFrame with the square of each cell, in the projection of the ids.

    Returns
    -------
    pandas.DataFrame
        Without outlines unless `geometry`, indexed by `cell_id` (text, unique, in the order of the file): cells of
        200 m, else of 1 km, else of the natural level, whichever the rows are.

        - `population`: persons in fiscal households (float).
        - `households`, `poor_households`: fiscal households, and those under 60 % of the national median living
          standard (float).
        - `living_standard_sum_eur`: sum over the persons of winsorised living standards, in euros a year (float). Over
          `population` it is a winsorised mean; no median can be computed from it.
        - `imputed`: whether Insee imputed the values for secrecy (boolean).
        - `communes`: list of commune codes, as an Arrow list (`frame["communes"].list.len()`, `.explode()`, or plain
          lists one by one). pandas cannot read it back from Parquet; `read_grid` can.
        - `poor_population`: only when the file gives rates and no households, see Notes.
        - every other published column under its lower-case name. `men_*` are households and `ind_*` persons, but
          `men_surf` (m2 of dwellings); `log_*` are dwellings; `i_est_1km` is boolean, `groupe` a whole number.

        A value is missing where the file has none, never 0 in its place; a whole column is missing where the file does
        not have it, and the notes say so. `attrs` holds `epsg` and `resolution_m` (None for the natural level) of the
        ids and `vintage` (year of the data; None where neither names nor columns tell: 2019 and 2021 have the same
        columns). `attrs["qpvgeo"]` repeats them with the files and their SHA-256, the `territory`, `poverty_basis`
        (`households`, or `population` when `poor_population` stands in their place; None where poverty is not counted),
        what `where` chose, whether the data are `fictional`, and `notes` on what was renamed, made, cut or not there.

    Raises
    ------
    MissingDataError
        The file, or the data of the key, is not there.
    DataError
        No table or several tables of cells; no column of people; ids that are not ids, that disagree with the
        projection or the size of the file, or that appear twice; values that are not numbers, negative or infinite
        people; areas that lie nowhere in France: each is listed.
    UsageError
        `source`, `columns`, `keep` or `where` cannot be understood.
    ArchiveError
        The archive is damaged or hostile.

    Notes
    -----
    Places come from the ids, never from the outlines of the file, which third parties cut or turn; a note tells when
    outlines are not the squares of their ids (of more than 20,000 rows, the first 500 are looked at), and `check_grid`
    lists all of them. With a filter, only the rows that may be asked for are read, and only their ids are checked.

    A mean becomes a sum with the people as weights, a rate one with the households as weights. Without households the
    people are the weights: `poor_population` is the rate times the people, `households` and `poor_households` are
    missing, and a rate of several cells is `poor_population` over `population`.

    The European grids (`GRD_ID`, mostly 1 km; ids in full or short, `1kmN2689E4337`) count all residents (`T`,
    `TOT_P`, ...) and no incomes; -9999 is missing. Of several years of people, say which: `columns={"TOT_P_2021":
    "population"}`.

    In 2010 all but the people is shared from rectangles and the concepts are those of fiscal income: see
    `qpvgeo.read.grid.rectangles_2010`, which also gives the bands of age. In 2015 a cell has one commune, that of most
    of its households.

    Source: Insee, dictionary of the gridded data; Licence Ouverte.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> grid = read_grid(qg.sample().grid_2019, keep=["men_surf"])
    >>> grid.iloc[0].to_dict()
    {'population': 19.0, 'households': 8.8, 'poor_households': 0.8, 'living_standard_sum_eur': 398822.9,
     'imputed': True, 'communes': ['99004'], 'men_surf': 819.2}
    >>> grid.attrs["epsg"], grid.attrs["resolution_m"], grid.attrs["vintage"]
    (3035, 200, 2019)
    >>> len(grid), len(read_grid(qg.sample().grid_2019, where="99004"))
    (1996, 157)
    >>> len(read_grid(qg.sample().grid_2019, where=qg.read_qpv(qg.sample().qpv_2024)))
    158
    """
    require_names(columns)
    if isinstance(keep, str):
        raise UsageError(Note("grid.keep_one_name", name=repr(keep)), way_out=Note("grid.keep_list", name=repr(keep)))
    if keep is not None and (not isinstance(keep, Iterable) or not all(isinstance(name, str) for name in keep)):
        raise UsageError(Note("grid.keep_no_names"), way_out=Note("grid.keep_list", name="'ind_0_3'"))
    selection = parse_where(where)
    kept = None if keep is None else list(keep)
    places = selection.places() if selection else ()
    paths = paths_of(source, data)
    with (
        tempfile.TemporaryDirectory(prefix="qpvgeo-", ignore_cleanup_errors=True) as scratch,
        ThreadPoolExecutor(_WORKERS) as beside,
    ):
        opened = open_grid(paths, Path(scratch), layer=layer, columns=columns, keep=kept, places=places)
        tables = [opened.table, *([opened.rectangles] if opened.rectangles else [])]
        # hashing a large file takes as long as reading it
        records = [beside.submit(file_memory.record, table.path, member=table.member) for table in tables]
        with foreign(opened.table.label):
            frame, ids, notes = _read(opened, selection, kept, beside)
        vintage, doubt = vintage_of(opened, source)
        about = {"epsg": ids.epsg, "resolution_m": ids.size, "vintage": vintage}
        frame.attrs.update(about)
        about |= _about(frame, opened)
        told = {"kind": "grid", "vintage": vintage}
        if not about["fictional"]:
            told["producer"] = "Eurostat" if opened.plan.id_name == "grd_id" else "Insee"
        if geometry:
            frame = _drawn(frame, ids)
        return stamp(
            frame,
            [record.result() | told for record in records],
            **about,
            where=selection.describe() if selection else None,
            notes=[*notes, *doubt],
        )


def _read(
    opened: Opened, selection: Selection | None, keep: Sequence[str] | None, beside: ThreadPoolExecutor
) -> tuple[pd.DataFrame, Ids, list[str]]:
    table, plan = opened.table, opened.plan
    _require_people(opened)
    names = plan.names if opened.rectangles is None else list(dict.fromkeys([*plan.names, _column(table, "idk")]))
    types = _types(table, plan, names)
    if selection is None:
        read = arrow_columns.read(table, names, types)
        ids = identify(table, plan, read[plan.cell_id].slice(0, HEAD_ROWS))
    else:
        ids = identify(table, plan, arrow_columns.first_rows(table, plan.cell_id))
        read = _chosen(table, plan, ids, selection, types)
        if not read.num_rows and ids.epsg:
            selection.require_place(ids.epsg)
    index = beside.submit(checked_index, ids, read[plan.cell_id])
    told = beside.submit(_told, opened, ids)
    notes: list[str] = [
        Note("grid.read_as", name=name, meant=meant) for name, meant in plan.given.items() if name != meant
    ]
    if opened.others:
        notes.append(Note("grid.other_tables", names=[other.label for other in opened.others]))
    if selection is not None and not read.num_rows:
        notes.append(Note("grid.no_cell_chosen"))
    found, problems = _values(read, opened, notes, beside)
    if problems:
        raise DataError(
            Note("grid.unreadable_values", file=table.label, count=len(problems)),
            problems=problems,
            way_out=Note("grid.correct_or_leave_out"),
        )
    if opened.rectangles is not None and keep is not None:
        found = _kept(found, keep, opened)
    frame = _canonical(found, index.result(), notes)
    return frame, ids, [*notes, *told.result()]


def _drawn(frame: pd.DataFrame, ids: Ids) -> gpd.GeoDataFrame:
    """Grid with the squares of its cells."""
    shapes = np.empty(len(frame), dtype=object)
    for cells, rows in ids.cells(pa.array(frame.index.array)) if len(frame) else ():
        shapes[rows] = shapely.box(*squares(cells).T)
    drawn = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index, crs=ids.epsg))
    drawn.attrs = frame.attrs
    return drawn


def _chosen(table: Table, plan: Plan, ids: Ids, selection: Selection, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Columns of the rows asked for."""
    kept, prefilter = chooser(table, plan, ids, selection)
    try:
        return arrow_columns.read(table, list(types), types, kept, prefilter)
    except DataError:
        # rows come in batches: the whole column tells every wrong id, by its position in the file
        checked_index(ids, arrow_columns.read(table, [plan.cell_id], {plan.cell_id: pa.string()})[plan.cell_id])
        raise


def _require_people(opened: Opened) -> None:
    if "population" not in opened.plan.canonical:
        raise DataError(
            Note("grid.no_people", file=opened.table.label),
            problems=[Note("grid.column", name=name) for name in opened.table.names],
            way_out=Note("grid.name_people", name=next(iter(people_like(opened.table.names)), "name in the file")),
        )


def _column(table: Table, bare: str) -> str:
    return next(name for name in table.names if normalise(name) == bare)


def _types(table: Table, plan: Plan, names: Sequence[str]) -> dict[str, pa.DataType]:
    """How to read the columns of a CSV file: codes keep their zeros, the rest is numbers where it looks like them."""
    kinds = {name: plan.kind(name) if name in plan.names else "id" for name in names}
    return {
        name: pa.float64()
        if kind in ("number", "flag", "group") or (kind == "other" and _looks_numeric(table, name))
        else pa.string()
        for name, kind in kinds.items()
    }


def _looks_numeric(table: Table, name: str) -> bool:
    """Whether the first rows of a column of unknown meaning are numbers: codes with leading zeros are none."""
    if table.form != "csv":
        kind = table.types[name]
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
    if _CODE_LIKE.fullmatch(normalise(name)):
        return False
    given = pd.Series(table.sample[name].to_pylist(), dtype="str").str.strip().replace("", np.nan).dropna()
    is_number = given.str.fullmatch(r"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?") & ~given.str.match(r"-?0\d")
    return bool(len(given) and is_number.all())


def _values(
    read: pa.Table, opened: Opened, notes: list[str], beside: ThreadPoolExecutor
) -> tuple[dict[str, Any], list[str]]:
    """Every column as pandas holds it, by its canonical or lower-case name, and the cells that cannot be read."""
    table, plan = opened.table, opened.plan
    named = {**plan.canonical, **plan.others}
    # Arrow and numpy let go of the interpreter, so that columns are converted on every core
    typed = beside.map(lambda item: _typed(read[item[1]], kind_of(item[0]), item[1], table), named.items())
    found, problems = {}, []
    for name, (values, odd) in zip(named, typed, strict=True):
        found[name] = values
        problems += odd
    if opened.rectangles is not None:
        idk = read[_column(table, "idk")]
        shared = rectangles_2010.share_rectangles(opened.rectangles, idk, found["population"], problems, notes)
        found |= {"households" if name == "men" else name: values for name, values in shared.items()}
        notes += rectangles_2010.NOTES
    found = without_sums(found, plan.canonical, problems, notes)
    if plan.id_name == "grd_id":
        notes += missing_marks(found, plan.canonical["population"])
    for name in _COUNTS:
        if name in found:
            rows = np.flatnonzero((found[name] < 0) | np.isinf(found[name]))
            problems += [
                Note(
                    "grid.impossible", name=plan.canonical.get(name, name), row=int(row), value=f"{found[name][row]:g}"
                )
                for row in rows
            ]
    return found, problems


def _typed(column: pa.ChunkedArray, kind: str, name: str, table: Table) -> tuple[Any, list[str]]:
    """A column as pandas holds it, and the cells of it that cannot be read."""
    problems: list[str] = []
    if kind == "other":
        is_number = _looks_numeric(table, name) and not is_text(column.type)
        kind = "number" if is_number else "text" if is_text(column.type) else "as it is"
    make = {
        "number": numbers,
        "flag": flags,
        "group": groups,
        "communes": communes,
    }.get(kind)
    if make is not None:
        return make(column, name, problems), problems
    return column.to_pandas() if kind == "as it is" else texts(column), problems


def _kept(found: Mapping[str, Any], keep: Sequence[str], opened: Opened) -> dict[str, Any]:
    """Columns to keep of those that come from the cells and the rectangles of 2010."""
    wanted = {normalise(name) for name in keep}
    tables = [opened.table, *([opened.rectangles] if opened.rectangles else [])]
    there = {*found, *(normalise(name) for table in tables for name in table.names)}
    if absent := sorted(wanted - there):
        raise DataError(Note("grid.keep_absent"), problems=map(repr, absent), way_out=columns_told(found))
    return {name: values for name, values in found.items() if name in GRID_COLUMNS or name in wanted}


def _canonical(found: Mapping[str, Any], index: pd.Index, notes: list[str]) -> pd.DataFrame:
    """Frame with every canonical column, missing where the file has none, then the others."""
    absent = {
        "imputed": pd.arrays.BooleanArray(np.zeros(len(index), bool), np.ones(len(index), bool)),
        "communes": pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.nulls(len(index), COMMUNES)])),
    }
    missing = [name for name in GRID_COLUMNS if name not in found]
    if missing:
        notes.append(Note("grid.not_in_the_file", names=missing))
    columns = {
        name: found[name] if name in found else absent.get(name, np.full(len(index), np.nan)) for name in GRID_COLUMNS
    }
    after = ["poor_population", *found] if "poor_population" in found else list(found)
    columns |= {name: found[name] for name in after if name not in columns}
    # the index goes on last: a Series would be aligned with it
    return pd.DataFrame(columns, copy=False).set_axis(index, axis="index")


def _told(opened: Opened, ids: Ids) -> list[str]:
    """Notes that the communes and the outlines of a file call for."""
    one = normalise(opened.plan.canonical.get("communes", "")) == "depcom"
    drawn = drawn_otherwise(opened.table, opened.plan.cell_id, ids)
    notes: list[str] = [Note("grid.one_commune")] if one else []
    return [*notes, *([drawn] if drawn else [])]


def _about(frame: pd.DataFrame, opened: Opened) -> dict[str, Any]:
    """Territory, what poverty is counted in, and whether the data are those of the sample."""
    fictional = _is_fictional(frame, opened)
    epsg = frame.attrs["epsg"]
    return {
        "territory": territories.SAMPLE if fictional else territories.of_grid(epsg),
        "poverty_basis": _poverty_basis(frame, opened.plan),
        "fictional": fictional,
    }


def _is_fictional(frame: pd.DataFrame, opened: Opened) -> bool:
    """Whether all the communes, of the first rows and of those read, are those of the sample."""
    column = opened.plan.canonical.get("communes")
    if column is None:
        return False
    if len(frame):
        lists = pa.array(frame["communes"].array)
        return _of_sample(lists.slice(0, HEAD_ROWS)) and _of_sample(lists)
    # nothing was chosen: the file still is what it is
    lists = commune_lists(arrow_columns.first_rows(opened.table, column), column, [])
    return len(lists) > 0 and _of_sample(lists)


def _of_sample(lists: pa.ChunkedArray) -> bool:
    given = pc.drop_null(pc.list_flatten(lists))
    return bool(pc.all(pc.starts_with(given, territories.SAMPLE), min_count=0).as_py())


def _poverty_basis(frame: pd.DataFrame, plan: Plan) -> str | None:
    """What poverty is counted in: households, persons when the file gives a rate and no households, or None."""
    if "poor_population" in frame:
        return "population"
    counted = "households" in plan.canonical and {"poor_households", "poverty_rate"} & set(plan.canonical)
    return "households" if counted else None
