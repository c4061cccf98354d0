"""Ids of the rows of a grid file: of which lattice they are, whether they agree, and which of them are asked for."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from qpvgeo.codes import territories
from qpvgeo.errors import DataError
from qpvgeo.geometry.insee_lattice import Cells, Lattice, format_ids, parse_ids, parse_mixed, remember
from qpvgeo.language import Note
from qpvgeo.read.grid.arrow_columns import Kept, Prefilter
from qpvgeo.read.grid.names import CELL_SIZES, Plan
from qpvgeo.read.grid.selection import Selection
from qpvgeo.read.grid.table_forms import Table
from qpvgeo.read.grid.values import commune_lists

__all__ = ["Ids", "checked_index", "chooser", "identify"]

Integers = npt.NDArray[np.int64]

_ID = re.compile(r"CRS(\d+)RES(\d+)mN(\d+)E(\d+)")
_SHORT = re.compile(r"(\d+)(km|m)(?:N\d+E\d+|E\d+N\d+)")
_SHOWN = 5
_EUROPEAN = 3035


@dataclass(frozen=True, slots=True)
class Ids:
    """What the ids of a file are.

    Attributes
    ----------
    epsg
        Projection; None for a file without rows.
    size
        Side of the cells in metres; None for the natural level, where sizes differ.
    padded
        Whether the numbers have leading zeros, which the ids of other files do not.
    where
        What messages call the column.
    short
        Size that begins the short ids of European grids (`1km` in `1kmN2689E4337`); empty for full ids.
    """

    epsg: int | None
    size: int | None
    padded: bool
    where: str
    short: str = ""

    @property
    def lattice(self) -> Lattice | None:
        """The lattice of all the cells; None for the natural level or for no rows."""
        return Lattice(self.epsg, self.size) if self.epsg and self.size else None

    def full(self, texts: Any) -> Any:  # noqa: ANN401 - an Arrow column
        """Ids written in full: a short one leaves out the projection, and as many zeros as its size has."""
        if not self.short:
            return texts
        zeros = "0" * (len(str(self.size)) - len(str(self.size).rstrip("0")))
        head = f"CRS{self.epsg}RES{self.size}mN"
        full = texts.cast(pa.large_string())
        for pattern, order in ((r"N(\d+)E(\d+)", (1, 2)), (r"E(\d+)N(\d+)", (2, 1))):
            made = rf"{head}\{order[0]}{zeros}E\{order[1]}{zeros}"
            full = pc.replace_substring_regex(full, rf"^{self.short}{pattern}$", made)
        return full

    def cells(self, texts: Any) -> list[tuple[Cells, Any]]:  # noqa: ANN401 - an Arrow column
        """Cells by lattice, with their positions: one lattice unless the file is of the natural level.

        Raises
        ------
        DataError
            Ids that are none, or of another projection or size than the file: lists them.
        """
        texts = self.full(texts)
        try:
            if self.lattice:
                return [(parse_ids(texts, self.lattice), slice(None))]
            mixed = parse_mixed(texts)
        except DataError as error:
            raise DataError(
                Note("grid.bad_ids", where=self.where, count=len(error.problems))
                if self.lattice is None
                else Note(
                    "grid.ids_of_another_lattice",
                    where=self.where,
                    count=len(error.problems),
                    epsg=self.epsg,
                    size=self.size,
                ),
                problems=error.problems,
                way_out=error.way_out,
            ) from None
        foreign = mixed.index[mixed["epsg"] != self.epsg] if self.epsg else mixed.index[:0]
        if len(foreign):
            listed = pa.chunked_array([texts]) if isinstance(texts, pa.Array) else texts
            raise DataError(
                Note("grid.other_projection", where=self.where, count=len(foreign), epsg=self.epsg),
                problems=[
                    Note("grid.position", position=int(row), text=str(listed[int(row)].as_py())) for row in foreign
                ],
                way_out=Note("grid.read_apart"),
            )
        return [
            (
                Cells(Lattice(int(epsg), int(size)), part["north"].to_numpy(), part["east"].to_numpy()),
                part.index.to_numpy(),
            )
            for (epsg, size), part in mixed.groupby(["epsg", "size"])
        ]


def identify(table: Table, plan: Plan, first: pa.ChunkedArray) -> Ids:
    """Lattice of a file: the size that the name of its column states, the projection that most of its first ids have.

    Parameters
    ----------
    table, plan
        The file.
    first
        Ids of its first rows.

    Raises
    ------
    DataError
        None of the first is an id, or their projection is that of another territory than the file declares.
    """
    where = f"{table.label}, {plan.cell_id}"
    stated = CELL_SIZES[plan.id_name]
    given = [str(text) for text in first.to_pylist()]
    if not given:
        return Ids(None, stated, padded=False, where=where)
    matches = [match for match in map(_ID.fullmatch, given) if match]
    short = Counter(match.group(1, 2) for match in map(_SHORT.fullmatch, given) if match)
    if not matches and short:
        ((number, unit), _), *_ = short.most_common(1)
        side = int(number) * (1000 if unit == "km" else 1)
        found = Ids(_EUROPEAN, side, padded=True, where=where, short=f"{number}{unit}")
        _require_declared(table, found, given)
        return found
    if not matches:
        raise DataError(
            Note("grid.no_cell_id", where=where),
            problems=[Note("grid.position", position=row, text=str(text)) for row, text in enumerate(given[:_SHOWN])],
            way_out=Note("grid.id_forms"),
        )
    ((epsg, size), _), *_ = Counter(match.group(1, 2) for match in matches).most_common(1)
    padded = any(match[3].startswith("0") or match[4].startswith("0") for match in matches)
    of_file = None if plan.id_name == "idcar_nat" else stated or int(size)
    found = Ids(int(epsg), of_file, padded=padded, where=where)
    _require_declared(table, found, given)
    return found


def _require_declared(table: Table, ids: Ids, given: Sequence[str]) -> None:
    """Raise when the file declares the projection of the grid of another territory."""
    declared = table.crs.to_epsg() if table.crs is not None else None
    there, here = territories.of_grid(declared), territories.of_grid(ids.epsg)
    if there and here and there != here:
        raise DataError(
            Note("grid.declared_otherwise", where=ids.where, epsg=ids.epsg, declared=declared),
            problems=[Note("grid.position", position=row, text=str(text)) for row, text in enumerate(given)],
            way_out=Note("grid.correct_one_of_two"),
        )


def checked_index(ids: Ids, texts: pa.ChunkedArray) -> pd.Index:
    """Index of a frame, once every id is one of the file and no cell stands twice.

    Raises
    ------
    DataError
        Lists the ids that are wrong, or those that stand on several rows.
    """
    cells = ids.cells(texts)
    _require_unique(cells, texts, ids.where)
    if ids.padded and len(cells) == 1:
        # in the form that the ids have since 2015, so that years can be joined
        index = format_ids(cells[0][0])
    else:
        index = pd.Index(ids.full(texts).cast(pa.large_string()).to_pandas(), dtype="str", name="cell_id")
    if len(cells) == 1:
        remember(index, cells[0][0])
    return index


def _require_unique(cells: Sequence[tuple[Cells, Any]], texts: pa.ChunkedArray, where: str) -> None:
    twice: list[int] = []
    for found, rows in cells:
        keys = (found.north << 32) + found.east
        # files are sorted, and then a look at neighbours is enough
        if len(keys) < 2 or (keys[1:] > keys[:-1]).all():
            continue
        positions = np.arange(len(keys)) if isinstance(rows, slice) else rows
        twice += positions[pd.Series(keys).duplicated(keep=False).to_numpy()].tolist()
    if twice:
        counts = pd.Series([texts[row].as_py() for row in sorted(twice)]).value_counts(sort=False)
        raise DataError(
            Note("grid.cells_repeated", where=where, count=len(counts)),
            problems=[Note("grid.rows_of", cell=str(text), count=int(count)) for text, count in counts.items()],
            way_out=Note("grid.keep_one_row"),
        )


def chooser(table: Table, plan: Plan, ids: Ids, selection: Selection | None) -> tuple[Kept | None, Prefilter | None]:
    """How to choose the rows asked for: exactly, and what the form may skip rows by; None for all of them.

    Raises
    ------
    DataError
        The communes decide, and the file does not give them.
    """
    if selection is None or territories.of_grid(ids.epsg) in selection.territories:
        return None, None
    column = plan.canonical.get("communes")
    if selection.needs_communes and column is None:
        raise DataError(Note("grid.no_communes", file=table.label), way_out=Note("grid.choose_by_place"))

    def kept(batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        cells = ids.cells(batch[plan.cell_id]) if selection.needs_ids else ()
        communes = commune_lists(batch[column], str(column), []).combine_chunks() if selection.needs_communes else None
        return selection.mask(batch.num_rows, cells, communes)

    kind = table.types[plan.cell_id]
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if selection.needs_ids:
        between = selection.northings(ids.lattice) if ids.lattice and plain and not ids.padded else None
        return kept, Prefilter(plan.cell_id, between=between) if between else None
    if selection.needs_communes and not _holds_lists(table, str(column)):
        wanted = {*selection.departments, *selection.communes}
        # a code may have lost its zero in the file
        return kept, Prefilter(str(column), containing=tuple(sorted(code.lstrip("0") for code in wanted)))
    return kept, None


def _holds_lists(table: Table, column: str) -> bool:
    return bool(pa.types.is_nested(table.types[column]))
