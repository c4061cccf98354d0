"""What the readers take: the headers of tables they look for, the layers that hold QPV.

Readers, recognition of files and `qpvgeo doctor` ask here, so that they never disagree.
"""

import os
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from qpvgeo.errors import DataError
from qpvgeo.formats import vector_layers
from qpvgeo.formats.text_tables import as_text, existing_path, read_table
from qpvgeo.language import Note
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import COMMUNE_CODE, QPV_CODE, column_of

__all__ = ["EXPECT", "called", "qpv_column_of", "read_known"]

_HEAD = 200

EXPECT: Mapping[str, tuple[frozenset[str], ...]] = {
    "qpv": tuple(frozenset({name}) for name in QPV_CODE),
    "commune": (
        frozenset({"com", "pmun"}),
        frozenset({"codcom", "pmun"}),
        *(frozenset({name}) for name in COMMUNE_CODE),
    ),
}
"""Sets of column names, of which a header holds one, by what the rows are."""


def read_known(
    path: str | os.PathLike[str], expect: Sequence[Collection[str]], columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read a table under the header that holds known names, else under its first wide line when it holds codes of QPV.

    Raises
    ------
    DataError
        No line holds known names and no column codes, or the table is damaged.
    """
    named = [set(columns)] if columns else []
    try:
        return read_table(existing_path(path), expect=[*named, *expect])
    except DataError as error:
        if named:
            raise
        try:
            text = read_table(path)
        except DataError:
            raise error from None
        if published.qpv_column(text) is None:
            raise error from None
        return text


def qpv_column_of(layer: vector_layers.Layer, columns: Mapping[str, str] | None = None) -> str | None:
    """Column of the codes of QPV in a layer: named by the caller, else known by its name and values.

    A column with the name and other values is given too, so that reading says what is wrong with them.
    """
    by_caller = next((name for name, canonical in (columns or {}).items() if canonical == "qpv_code"), None)
    if by_caller in layer.fields:
        return by_caller
    if not layer.fields:
        return None
    head = as_text(vector_layers.attributes(layer, rows=_HEAD))
    return published.qpv_column(head) or column_of(layer.fields, "qpv_code")


def called(held: Sequence[vector_layers.Layer], name: str) -> list[vector_layers.Layer]:
    """Layers that have a name: that of the layer, of the member of an archive, or of the file.

    Raises
    ------
    DataError
        There is none: lists those that are there.
    """
    found = [layer for layer in held if name in {layer.name, layer.member, layer.path.name, layer.path.stem}]
    if not found:
        raise DataError(
            Note("read.no_layer", layer=name),
            way_out=Note("read.layers_are", layers=[layer.name or layer.label for layer in held]),
        )
    return found
