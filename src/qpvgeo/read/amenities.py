"""Amenities of the *base permanente des équipements* (BPE): what they are, in which commune, where, in which QPV.

Only the columns needed are read: the file of the country has millions of rows.
Source: Insee, BPE (https://www.insee.fr/fr/statistiques/8217525), columns `TYPEQU`, `DEPCOM`, `LONGITUDE`, `LATITUDE`.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from qpvgeo.codes import official
from qpvgeo.errors import DataError, judged
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.text_tables import as_text, existing_path, normalise, notes_of, read_table
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.read.indicators import refuse_other_columns
from qpvgeo.sources import file_memory, recognise
from qpvgeo.sources import published_columns as published

__all__ = ["AMENITY_COLUMNS", "read_amenities"]

AMENITY_COLUMNS = ("type", "commune", "longitude", "latitude")

_NAMES = {
    "type": ("typequ", "type", "facility_type"),
    "commune": ("depcom", "codgeo", "code_commune", "commune", "com"),
    "longitude": ("longitude", "lon"),
    "latitude": ("latitude", "lat"),
}


@judged
def read_amenities(
    source: str | os.PathLike[str],
    *,
    types: Iterable[str] | None = None,
    columns: Mapping[str, str] | None = None,
    data: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    r"""Read the amenities of the BPE, one row each.

    Parameters
    ----------
    source
        Parquet, CSV or a zip with one CSV, or the key `amenities-2025`, looked for on disk.
    types
        Codes of types, or their beginnings, to keep: `["D2", "C107"]`; all by default.
    columns
        `{"name in the file": "type" | "commune" | "longitude" | "latitude"}` for names that are not known here.
    data
        Folder searched for a key, before the others.

    Returns
    -------
    pandas.DataFrame
        In the order of the file: `type` (code in Insee's list), `commune` (missing without a code), `longitude` and
        `latitude` (degrees, WGS 84; missing where the amenity is not located), and `qpv_2015`, `qpv_2024` where the
        file says which QPV each lies in (missing outside). `qpvgeo.tag_points` takes it as it is.

    Raises
    ------
    DataError
        There is no column of types, or a type asked for is that of no amenity.
    MissingDataError
        There is no such file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "bpe.csv")
    >>> _ = path.write_text("DEPCOM;TYPEQU;LONGITUDE;LATITUDE\n59350;D201;3.06;50.63\n59350;B101;;\n", "utf-8")
    >>> read_amenities(path, types=["D2"]).to_dict("records")
    [{'type': 'D201', 'commune': '59350', 'longitude': 3.06, 'latitude': 50.63}]
    """
    path = existing_path(recognise.paths(source, data)[0])
    unused = set(columns or {})
    text, member, notes = _table(path)
    text = published.rename_columns(text, columns or {}, where=path.name, unused=unused)
    refuse_other_columns(unused)
    found = {name: next((one for one in text if normalise(one) in known), None) for name, known in _NAMES.items()}
    if found["type"] is None:
        raise DataError(
            Note("read.no_amenities", file=path.name),
            way_out=Note("read.name_the_column", canonical="type", columns=list(map(str, text.columns))),
        )
    frame = pd.DataFrame({"type": text[found["type"]].str.upper()})
    frame["commune"] = _codes(text, found["commune"], "commune")
    for axis in ("longitude", "latitude"):
        cells = text[found[axis]].str.replace(",", ".") if found[axis] is not None else pd.Series(None, text.index)
        frame[axis] = pd.to_numeric(cells, errors="coerce").astype("Float64")
    for column in (name for name in text if normalise(name).startswith("qp")):
        codes = _codes(text, column, "qpv")
        vintage = next((official.vintage_of(code) for code in codes.dropna()), None)
        if vintage is not None:
            frame[f"qpv_{vintage}"] = codes
    if types is not None:
        frame = _of_types(frame, list(types), path)
    return provenance.stamp(
        frame.reset_index(drop=True),
        [{**file_memory.record(path, member=member), "kind": "amenities"}],
        notes=notes,
        fictional=published.is_sample(frame["commune"].dropna().unique()),
    )


def _table(path: Path) -> tuple[pd.DataFrame, str | None, list[str]]:
    """Columns of the file that are read, as text; the member of an archive; notes."""
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic != b"PAR1":
        text = read_table(path)
        return text, text.attrs["table"].get("member"), [*notes_of(text)]
    known = {name for names in _NAMES.values() for name in names}
    with foreign(path.name):
        names = pq.read_schema(path).names
        wanted = [name for name in names if normalise(name) in known or normalise(name).startswith("qp")]
        return as_text(pq.read_table(path, columns=wanted or names).to_pandas()), None, []


def _codes(text: pd.DataFrame, column: str | None, kind: Any) -> pd.Series:  # noqa: ANN401 - a kind of code
    """Codes of a column, each text cleaned once; missing where it is none."""
    if column is None:
        return pd.Series(pd.NA, index=text.index, dtype="str")
    told = pd.Series(text[column].dropna().unique(), dtype="str")
    known = dict(zip(told, official.clean(told, kind).codes, strict=True))
    return text[column].map(known, na_action="ignore").astype("str")


def _of_types(frame: pd.DataFrame, types: list[str], path: Path) -> pd.DataFrame:
    starts = [one.strip().upper() for one in types]
    held = frame["type"].dropna().unique()
    absent = [one for one in starts if not any(code.startswith(one) for code in held)]
    if absent:
        raise DataError(Note("read.no_amenity_of_type", file=path.name), problems=absent)
    return frame[frame["type"].fillna("").str.startswith(tuple(starts))]
