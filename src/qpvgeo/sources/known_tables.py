"""What the readers take: the headers of tables they look for, the layers that hold QPV.

Readers, recognition of files and `qpvgeo doctor` ask here, so that they never disagree.
"""

import os
import re
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import pandas as pd

from qpvgeo.errors import DataError
from qpvgeo.formats import vector_layers
from qpvgeo.formats.limits import content_of
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.text_tables import as_text, existing_path, normalise, table_of
from qpvgeo.language import Note
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.long_tables import LONG, widened
from qpvgeo.sources.population_columns import population_columns
from qpvgeo.sources.published_names import COMMUNE_CODE, QPV_CODE, column_of, named

__all__ = [
    "CORRESPONDENCE_2015",
    "CORRESPONDENCE_2024",
    "EPCI_CODE",
    "EXPECT",
    "TableKind",
    "called",
    "commune_column_of",
    "head_of",
    "is_cell_column",
    "kind_of",
    "qpv_column_of",
    "read_known",
]

_HEAD = 200

TableKind = Literal[
    "correspondence",
    "population",
    "population by commune",
    "list",
    "addresses",
    "grid",
    "commune events",
    "ept",
    "epci",
    "communes table",
    "communes population",
]

CORRESPONDENCE_2024 = re.compile(r"(?:code_)?(?:qp|qpv|codeqpv|code)_?2024|code_qp24|qp24")
CORRESPONDENCE_2015 = re.compile(r"(?:code_)?(?:qp|qpv|codeqpv|code)_?(?:2015|15)(?:_(\d+)|_correspondants?)?")
"""Names, in their bare form, of the columns of the official correspondence."""

EPCI_CODE = (
    *("code", "epci", "ept", "siren_epci", "code_epci", "siren", "code_siren", "n_siren", "numero_siren"),
    *("siren_groupement", "siren_de_l_epci", "code_siren_epci", "code_epci_siren", "id_epci"),
)

EXPECT: Mapping[str, tuple[frozenset[str], ...]] = {
    "qpv": (LONG, *(frozenset({name}) for name in QPV_CODE)),
    "events": (frozenset({"mod", "com_av", "com_ap"}),),
    "epci": (frozenset({"epci", "libepci", "nature_epci"}), frozenset({"ept", "libept", "nb_com"})),
    "commune": (
        LONG,
        frozenset({"com", "pmun"}),
        frozenset({"codcom", "pmun"}),
        *(frozenset({name}) for name in COMMUNE_CODE),
    ),
}
"""Sets of column names, of which a header holds one, by what the rows are."""


def read_known(
    path: str | os.PathLike[str],
    expect: Sequence[Collection[str]],
    columns: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """Read a table under the header that holds known names, else under its first wide line when it holds codes.

    Raises
    ------
    DataError
        No line holds known names and no column codes, or the table is damaged.
    """
    named = [set(columns)] if columns else []
    file = existing_path(path)
    content = content_of(file)
    try:
        return table_of(content, file.name, sheet=sheet, expect=[*named, *expect])
    except DataError as error:
        if named or error.key != "formats.no_line_of_names":
            raise
        try:
            text = table_of(content, file.name, sheet=sheet)
        except DataError:
            raise error from None
        if not published.qpv_columns(text) and _commune_codes(text) is None:
            raise error from None
        return text


def kind_of(text: pd.DataFrame, name: str) -> TableKind | None:
    """What a table holds, by the columns that its reader looks for; None when no reader takes it.

    Parameters
    ----------
    text
        The table, or its first rows, as text.
    name
        Name of the file: it alone tells some populations by commune from those of whole QPV.

    Examples
    --------
    >>> kind_of(pd.DataFrame({"codeQPV": ["QN05901N"], "popMuniQPV": ["1200"]}), "x.csv")
    'population'
    """
    text = widened(text)
    names = set(map(normalise, text.columns))
    of_qpv = bool(published.qpv_columns(text))
    return next(
        (kind for kind, needs_qpv, fits in _KINDS if (of_qpv or not needs_qpv) and fits(text, names, name)), None
    )


def _is_correspondence(_text: pd.DataFrame, names: set[str], _name: str) -> bool:
    return any(map(CORRESPONDENCE_2024.fullmatch, names)) and any(map(CORRESPONDENCE_2015.fullmatch, names))


def _is_epci(text: pd.DataFrame, names: set[str], _name: str) -> bool:
    told = names & {"nature_epci", "nature", "nature_juridique", "nb_communes", "nb_com", "modefinancement"}
    return bool(told) and _commune_codes(text) is None and published.of_kind(text, EPCI_CODE, "siren") is not None


def _commune_codes(text: pd.DataFrame) -> pd.Series | None:
    """Codes of the communes where the table has any: a column of departments and one of numbers may hold none."""
    given = published.commune_codes(published.communes_alone(text))
    return given if given is not None and given.notna().any() else None


def _is_communes(text: pd.DataFrame, names: set[str], _name: str) -> bool:
    said = published.type_column(text) or published.epci_column(text) or {"dep", "com", "nccenr"} <= names
    return bool(said) and _commune_codes(text) is not None


def _has_people(text: pd.DataFrame) -> bool:
    return bool(population_columns(text))


_KINDS: tuple[tuple[TableKind, bool, Callable[[pd.DataFrame, set[str], str], bool]], ...] = (
    ("correspondence", False, _is_correspondence),
    ("population by commune", True, lambda text, _, name: "communale" in normalise(name) and _has_people(text)),
    ("population", True, lambda text, _names, _name: _has_people(text)),
    ("list", True, lambda _text, _names, _name: True),
    ("addresses", False, lambda _text, names, _name: names >= {"code_insee", "nom_voie", "lon", "lat"}),
    ("grid", False, lambda _text, names, _name: any(map(is_cell_column, names))),
    ("commune events", False, lambda _text, names, _name: names >= {"mod", "com_av", "com_ap"}),
    ("ept", False, lambda _text, names, _name: "ept" in names and bool(names & {"codgeo", "libept"})),
    ("epci", False, _is_epci),
    ("communes table", False, _is_communes),
    ("communes population", False, lambda text, _names, _name: _has_people(text) and _commune_codes(text) is not None),
)
"""Kinds of tables, whether they have a column of QPV, and the test of each, the narrower first."""


def is_cell_column(name: str) -> bool:
    """Tell whether a column holds the identifiers of cells of the Insee lattice, by its name."""
    plain = normalise(name)
    return plain.startswith(("idcar_", "idinspire")) or plain in {"cell_id", "grd_id"}


def head_of(layer: vector_layers.Layer) -> pd.DataFrame:
    """First attributes of a layer as text; none where they cannot be read, which reading the layer will explain.

    Raises
    ------
    DataError
        The file cannot be opened, so that nothing is known of it.
    """
    return _head(layer, vector_layers.state_of(layer.path)).copy(deep=False)


@lru_cache(maxsize=64)
def _head(layer: vector_layers.Layer, _state: object) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return as_text(vector_layers.attributes(layer, rows=_HEAD))
    except Exception as error:
        # GDAL and Arrow raise dozens of classes on damaged files
        if getattr(error, "key", "") == "formats.open_elsewhere":
            raise
        with foreign(layer.label):
            layer.path.open("rb").close()
        return pd.DataFrame()


def commune_column_of(layer: vector_layers.Layer) -> str | None:
    """Column of the codes of communes in a layer that has a row for each, and not one of QPV or of cells."""
    if not named(layer.fields, COMMUNE_CODE) or any(map(is_cell_column, layer.fields)):
        return None
    head = head_of(layer)
    column = published.of_kind(head, COMMUNE_CODE, "commune")
    if column is None or published.qpv_columns(head):
        return None
    return column if head[column].is_unique else None


def qpv_column_of(layer: vector_layers.Layer, columns: Mapping[str, str] | None = None) -> str | None:
    """Column of the codes of QPV in a layer: named by the caller, else known by its name and values.

    A column with the name and other values is given too, so that reading says what is wrong with them; none where
    several columns hold codes that differ.
    """
    by_caller = next((name for name, canonical in (columns or {}).items() if canonical == "qpv_code"), None)
    if by_caller in layer.fields:
        return by_caller
    if not layer.fields:
        return None
    held = published.qpv_columns(head_of(layer))
    if len(held) > 1:
        return None
    return held[0] if held else column_of(layer.fields, "qpv_code")


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
