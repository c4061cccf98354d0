"""What the files of a folder are, by their published name or by what stands in them.

A folder of files that someone downloaded by hand just works: a file is known by the name that the catalogue gives it,
else by its columns and its first code. Only headers are read.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from qpvgeo import facts, settings
from qpvgeo.codes.official import Kind as CodeKind
from qpvgeo.codes.official import clean
from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.formats import text_tables, vector_layers
from qpvgeo.language import Note
from qpvgeo.sources import catalog, file_memory, file_sets, folders
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.file_content import (
    Found,
    Kind,
    codes_columns,
    unnamed_figures,
)
from qpvgeo.sources.folder_search import closed_in, files_in, identify, looked_at, of_kind, scan, search
from qpvgeo.sources.published_names import COMMUNE_CODE

__all__ = [
    "PERIMETER_KEYS",
    "communes_at_hand",
    "damaged",
    "files_in",
    "find",
    "find_named",
    "identify",
    "is_whole",
    "left_aside",
    "of_kind",
    "paths",
    "resolve",
    "scan",
    "unnamed_people",
]

_SHOWN = 60
PERIMETER_KEYS = {"qpv-2015": 2015, "qpv-2024": 2024}
"""Keys of the catalogue that stand for perimeters, which may come in several files, and their geography."""


def resolve(source: str | os.PathLike[str], data: str | os.PathLike[str] | None = None) -> list[Path]:
    """Files behind a path or a key of the catalogue.

    Parameters
    ----------
    source
        A path, or a key such as `qpv-2024`. A key is looked for on disk only; `qpvgeo.fetch` downloads.
    data
        Folder searched first.

    Returns
    -------
    list of pathlib.Path
        The path itself; for a key, the files that hold it: perimeters may come in several.

    Raises
    ------
    MissingDataError
        No local file is what the key names.
    UsageError
        The source is neither a file nor a key.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> resolve("qpv-2024", qg.sample().path)[0].name
    'qpv-2024-geojson.zip'
    """
    path = settings.home_expanded(source)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return [path]
    dataset = catalog.get(str(source))
    if dataset.key in PERIMETER_KEYS:
        return find("perimeters", PERIMETER_KEYS[dataset.key], data)
    at_hand = catalog.locate(dataset, data)
    if at_hand is None:
        raise MissingDataError(
            Note("sources.not_here", key=dataset.key, title=dataset.title),
            way_out=Note("sources.fetch_it", key=dataset.key, places=str(catalog.folder_of(dataset)))
            if dataset.filename is None
            else Note("sources.fetch_or_put", key=dataset.key, file=dataset.filename, places=_places(data)),
        )
    return [at_hand]


def paths(
    source: Any,  # noqa: ANN401 - judged here
    data: str | os.PathLike[str] | None = None,
    *,
    like: str = "qpv-{}",
) -> list[Path]:
    """Files behind a path, a key of the catalogue, or several of them, as every reader takes them.

    `like` is the form of the keys that the reader takes, for one who gives a year.

    Raises
    ------
    UsageError
        The source is something else, such as a year or a frame, or nothing.
    MissingDataError
        Nothing on disk is what a key names.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> [path.name for path in paths(["a.shp", qg.sample().qpv_2024])]
    ['a.shp', 'qpv-2024-geojson.zip']
    """
    if isinstance(source, str | os.PathLike):
        return resolve(source, data)
    several = isinstance(source, Iterable) and not isinstance(source, pd.DataFrame | pd.Series | bytes | Mapping)
    listed = list(source) if several else [source]
    for one in listed:
        if not isinstance(one, str | os.PathLike):
            key = like.format(one) if like.format(one) in catalog.CATALOG else ""
            raise UsageError(
                Note("sources.not_a_source", kind=type(one).__name__, value=" ".join(str(one).split())[:_SHOWN]),
                way_out=Note("sources.did_you_mean", key=key) if key else Note("sources.give_a_path"),
            )
    if not listed:
        raise UsageError(Note("sources.nothing_given"), way_out=Note("sources.give_a_path"))
    return [path for one in listed for path in resolve(one, data)]


def find(kind: Kind, vintage: int | None = None, data: str | os.PathLike[str] | None = None) -> list[Path]:
    """Local files of a kind and geography, the best first.

    Perimeters and communes come as the files that hold them all together: the published ones when they are there,
    else the file with the most of them and those that add others to it.

    Raises
    ------
    MissingDataError
        There is none: says where it was looked for and how to get it.
    """
    for place in folders.data_dirs(data):
        # the first folder that has it decides: files of two folders are never mixed
        found = search(place, kind, vintage)[1]
        if found:
            break
    else:
        raise MissingDataError(
            Note("sources.no_file_of_geography", kind=kind, vintage=vintage)
            if vintage
            else Note("sources.no_file_of", kind=kind),
            problems=[*left_aside(data), *_undecided(kind, vintage, data)],
            way_out=_way_out(kind, vintage, data),
        )
    if kind in ("perimeters", "communes"):
        return _together(found, "qpv" if kind == "perimeters" else "commune")
    order = ("name", "content", "choice")
    return [one.path for one in sorted(found, key=lambda one: (order.index(one.basis), one.path.suffix != ".csv"))]


def find_named(
    kind: Literal["perimeters", "population"],
    columns: Mapping[str, str],
    vintage: int,
    data: str | os.PathLike[str] | None = None,
) -> list[Path]:
    """Local files that have the column which the caller says holds the codes of QPV; none where none is named.

    Such a file may hold other codes beside them, so that nothing in it says which are those of its rows. A table of
    populations is found by the column that the caller says holds the people, too, beside one of codes.
    """
    codes = [name for name, meaning in columns.items() if meaning == "qpv_code"]
    people = [name for name, meaning in columns.items() if meaning == "population"] if kind == "population" else []
    for place in folders.data_dirs(data) if codes or people else []:
        found = []
        for path in files_in(place):
            with suppress(Exception):  # whatever a library says of a damaged file, the others are looked at
                held = codes_columns(path, kind)
                of_codes = codes or (held if set(people) & set(held) else [])
                found += [path] if any(vintage in held.get(name, ()) for name in of_codes) else []
        if found:
            return found
    return []


def _undecided(kind: Kind, vintage: int | None, data: str | os.PathLike[str] | None) -> list[Note]:
    """Files of outlines with several columns of codes of QPV, of which the caller has to name one."""
    found = []
    places = folders.data_dirs(data) if kind == "perimeters" else []
    for path in [path for place in places for path in files_in(place)]:
        with suppress(Exception):  # whatever a library says of a damaged file, the others are looked at
            held = [
                name for name, years in codes_columns(path, "perimeters").items() if years and vintage in {None, *years}
            ]
            if held and not any(one.kind == kind for one in looked_at(path)[0]):
                found.append(Note("sources.name_its_codes", file=path.name, columns=held, example=held[0]))
    return found


def unnamed_people(vintage: int, data: str | os.PathLike[str] | None = None) -> list[Note]:
    """Tables of figures on the QPV of a geography in which no column is known to hold people, each as a note."""
    found = []
    tables = [one for one in scan(data) if one.kind in ("list", "correspondence") and one.vintage in (None, vintage)]
    for one in tables:
        columns = unnamed_figures(one.path)
        if columns and one.kind == "correspondence":
            codes = [name for name, years in codes_columns(one.path, "population").items() if vintage in years]
            found += (
                [Note("sources.name_its_codes", file=one.path.name, columns=codes, example=codes[0])] if codes else []
            )
            continue
        found += (
            [Note("sources.name_its_people", file=one.path.name, columns=columns, example=columns[0])]
            if columns
            else []
        )
    return found


def communes_at_hand(data: str | os.PathLike[str] | None = None, *, year: int = 2024) -> tuple[list[Path], list[Path]]:
    """Outlines of communes, and tables of communes with the one nearest to a year first.

    Raises
    ------
    MissingDataError
        No outlines of communes are available locally.
    """
    nearest = sorted(of_kind("communes table", data), key=lambda one: (abs((one.vintage or 0) - year), one.path.name))
    return find("communes", None, data), [one.path for one in nearest]


def _way_out(kind: Kind, vintage: int | None, data: str | os.PathLike[str] | None) -> Note:
    """The one command that gets a kind of file, where there is one."""
    keys = file_sets.of_kind(kind, vintage)
    if not keys:
        return Note("sources.put_or_fetch", places=_places(data))
    what = "main" if any(keys[0] in line for line in file_sets.MAIN) else "grid" if kind == "grid" else keys[0]
    return Note("sources.put_or_fetch_set", what=what, places=_places(data))


def _places(data: str | os.PathLike[str] | None) -> str:
    return ", ".join(map(str, dict.fromkeys([*folders.data_dirs(data), settings.cache_dir()])))


def is_whole(found: Found) -> bool:
    """Whether a file holds all that its kind is about: perimeters, as many features as a list of their geography.

    Examples
    --------
    >>> is_whole(Found(Path("quartiers.gpkg"), "perimeters", 2015, features=287))
    False
    """
    if found.kind != "perimeters" or found.vintage is None:
        return True
    return found.features >= sum(map(min, facts.expected_counts(found.vintage).values()))


def damaged(
    data: str | os.PathLike[str] | None = None, kind: Kind | None = None, vintage: int | None = None
) -> list[str]:
    """Names of the files and folders of the folders searched that cannot be opened, and are left aside.

    `qpvgeo doctor` says why. With `kind` and `vintage`, those among the files that `find` looked at for it.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> damaged(qg.sample().path)
    []
    """
    paths: list[Path] = []
    for place in folders.data_dirs(data):
        asked, found = search(place, kind, vintage) if kind else (files_in(place), [])
        paths += [*closed_in(place), *(path for path in asked if looked_at(path)[1])]
        if found:
            break
    names = [f"{path.name}/" if os.path.isdir(path) else path.name for path in paths]  # noqa: PTH112
    return [name.encode("utf-8", "backslashreplace").decode() for name in names]


def left_aside(
    data: str | os.PathLike[str] | None = None, kind: Kind | None = None, vintage: int | None = None
) -> list[Note]:
    """The damaged files of the folders searched as a note, and what of `QPVGEO_DATA` cannot be searched."""
    names = damaged(data, kind, vintage)
    aside = [Note("sources.left_aside", count=len(names), files=names)] if names else []
    return [*aside, *folders.unsearched(data)]


def _together(found: list[Found], kind: CodeKind) -> list[Path]:
    """Files of outlines that hold the most codes together, without a clip taking the place of the whole."""
    official = _of_one_release([one for one in found if one.basis == "name"])
    if official:
        # an archive holds what its unpacked members do
        packed = [one for one in official if one.path.suffix.lower() == ".zip"]
        return list(dict.fromkeys(one.path for one in (packed[:1] or official)))
    paths: list[Path] = []
    seen: set[str] = set()
    for one in sorted(found, key=lambda one: (-one.features, one.path.name)):
        held = _codes_in(one.path, kind)
        if not held <= seen:
            paths.append(one.path)
            seen |= held
    return paths


def _of_one_release(found: list[Found]) -> list[Found]:
    """Published files of the release that the populations refer to, where another is there too."""
    referred = {key for line in file_sets.MAIN for key in line[:1]}
    of_it = [one for one in found if (known := catalog.of_file(one.path.name)) is not None and known.key in referred]
    several = {(known.vintage, known.release) for one in found if (known := catalog.of_file(one.path.name)) is not None}
    return of_it if of_it and len(several) > 1 else found


def _codes_in(path: Path, kind: CodeKind) -> set[str]:
    """Codes of the outlines of a file; a layer in which they repeat is one of something else, such as a grid."""
    known = file_memory.recall(f"codes of {kind}", path)
    if known is not None:
        return set(known.split())
    held: set[str] = set()
    for layer in vector_layers.layers(path):
        frame = text_tables.as_text(vector_layers.attributes(layer))
        column = published.qpv_column(frame) if kind == "qpv" else published.of_kind(frame, COMMUNE_CODE, kind)
        if column and frame[column].is_unique:
            held |= set(clean(frame[column], kind).codes.dropna().tolist())
    file_memory.remember(f"codes of {kind}", path, " ".join(sorted(held)))
    return held
