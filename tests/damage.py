"""Damaged files: every public form, what damage does to it, and what a reader may answer.

An answer, or one error of ours; never an exception from a library, and never fewer rows without a word.
"""

import functools
import io
import json
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import QpvgeoError
from qpvgeo.formats import vector_layers
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise
from qpvgeo.tagging.files import tag_file


class Form(NamedTuple):
    """A sound file, and the function that reads it."""

    path: Path
    read: Callable[[Path], Any]


class Verdict(NamedTuple):
    """What came of a damaged file: `answer`, `refused`, `foreign` or `shorter`."""

    kind: str
    told: str


@functools.cache
def _index() -> Any:
    return qg.PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024))


def _tags(path: Path) -> pd.DataFrame:
    out = path.with_name("tags-out.csv")
    tag_file(path, out, _index())
    return pd.read_csv(out, dtype="str")


@functools.cache
def forms() -> dict[str, Form]:
    """Every public form in a folder of its own: the files of the sample, and the same layers in other forms."""
    here, folder = qg.sample(), Path(tempfile.mkdtemp(prefix="qpvgeo-damage-"))
    qpv = qg.read_qpv(here.qpv_2024)
    plain = gpd.GeoDataFrame(
        {"code_qp": qpv.index, "lib_qp": qpv["name"].to_numpy()}, geometry=qpv.geometry.to_numpy(), crs=qpv.crs
    )
    points = pd.read_csv(here.addresses, sep=None, engine="python", nrows=60, dtype="str")
    found: dict[str, Form] = {}

    def keep(name: str, read: Callable[[Path], Any], source: Path | None = None) -> Path:
        place = folder / name
        if source is not None:
            shutil.copy(source, place)
        found[name] = Form(place, read)
        return place

    keep("qpv.zip", qg.read_qpv, here.qpv_2015)
    keep("qpv24.zip", qg.read_qpv, here.qpv_2024)
    for name in ("qpv.geojson", "qpv.gpkg", "qpv.fgb", "qpv.kml", "qpv.gml"):
        plain.to_file(keep(name, qg.read_qpv), driver="KML" if name.endswith("kml") else None)
    plain.to_parquet(keep("qpv.parquet", qg.read_qpv))
    plain.assign(geo_shape=plain.geometry.to_wkt()).drop(columns="geometry").to_csv(
        keep("qpv-wkt.csv", qg.read_qpv), sep=";", index=False
    )
    keep("people.csv", qg.read_population, here.population_2024)
    keep("people15.csv", qg.read_population, here.population_2015)
    table = pd.read_csv(here.population_2024, sep=None, engine="python", dtype="str")
    table.to_excel(keep("people.xlsx", qg.read_population), index=False)
    table.to_parquet(keep("people.parquet", qg.read_population))
    keep("grid.zip", lambda path: qg.read_grid(path, keep=()), here.grid_2019)
    with zipfile.ZipFile(here.grid_2019) as archive:
        rows = archive.read(archive.namelist()[0]).splitlines(keepends=True)[:200]
    keep("grid.csv", lambda path: qg.read_grid(path, keep=())).write_bytes(b"".join(rows))
    keep("communes.geojson", qg.read_communes, here.communes)
    keep("communes.csv", qg.read_communes, here.communes_table)
    keep("epci.csv", qg.read_epci, here.epci_table)
    keep("list.csv", qg.read_correspondence, here.correspondence)
    points.to_csv(keep("points.csv", _tags), index=False)
    points.to_parquet(keep("points.parquet", _tags))
    points.to_excel(keep("points.xlsx", _tags), index=False)
    points.to_csv(keep("points.csv.gz", _tags), index=False)
    gpd.GeoDataFrame({"id": range(len(qpv))}, geometry=qpv.representative_point().to_numpy(), crs=qpv.crs).to_file(
        keep("points.gpkg", _tags)
    )
    _index().save(keep("index.qpvidx", qg.PerimeterIndex.load))
    return found


def _span(raw: bytearray, rng: np.random.Generator, most: int = 400) -> slice:
    start = int(rng.integers(max(len(raw), 1)))
    return slice(start, start + 1 + int(rng.integers(most)))


_TOKENS = (
    b'"', b";", b",", b"\n", b"\r", b"\0", b"\xff", b"NaN", b"Infinity", b"1e309", b"-1", b"999999999999999999999",
    b"null", b"[[", b"{", b"}", b"=1+1", b"\xef\xbb\xbf", b"\xe9", b"'", b"<!ENTITY a 'b'>", b"\\", b"0x", b"\t",
)  # fmt: skip


def _flip(raw: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(len(raw), size=1 + int(rng.integers(8))):
        raw[at] ^= 1 << int(rng.integers(8))


def _noise(raw: bytearray, rng: np.random.Generator) -> None:
    here = _span(raw, rng)
    raw[here] = rng.bytes(len(raw[here]))


def _zeros(raw: bytearray, rng: np.random.Generator) -> None:
    here = _span(raw, rng)
    raw[here] = bytes(len(raw[here]))


def _cut(raw: bytearray, rng: np.random.Generator) -> None:
    del raw[int(rng.integers(len(raw))) :]


def _lose(raw: bytearray, rng: np.random.Generator) -> None:
    del raw[_span(raw, rng)]


def _repeat(raw: bytearray, rng: np.random.Generator) -> None:
    here = _span(raw, rng)
    raw[here.start : here.start] = bytes(raw[here]) * (1 + int(rng.integers(3)))


def _token(raw: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(len(raw), size=1 + int(rng.integers(3))):
        raw[int(at) : int(at) + int(rng.integers(2))] = _TOKENS[int(rng.integers(len(_TOKENS)))]


def _digit(raw: bytearray, rng: np.random.Generator) -> None:
    places = [at for at, byte in enumerate(raw[:200_000]) if 48 <= byte <= 57]
    if places:
        at = places[int(rng.integers(len(places)))]
        raw[at : at + 1] = (b"9" * int(rng.integers(1, 400)), b"-", b".", b"e99", b"x")[int(rng.integers(5))]


def _head(raw: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(min(len(raw), 64), size=2):
        raw[int(at)] = int(rng.integers(256))


def _tail(raw: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(min(len(raw), 128), size=2):
        raw[len(raw) - 1 - int(at)] = int(rng.integers(256))


def _ends(raw: bytearray, rng: np.random.Generator) -> None:
    raw[:] = bytes(raw).replace(b"\n", (b"\r", b"\r\n", b"\n\n", b"")[int(rng.integers(4))])


def _deep(raw: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(len(raw)))
    raw[at:at] = (b"[", b"{", b"<a>", b"((")[int(rng.integers(4))] * 20_000


DAMAGES = (_flip, _noise, _zeros, _cut, _lose, _repeat, _token, _token, _digit, _head, _tail, _ends, _deep)


def damaged(raw: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one to three damages; of an archive sometimes those of a member, packed again."""
    if raw[:2] == b"PK" and rng.random() < 0.6:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        names = [name for name, content in members.items() if content]
        name = names[int(rng.integers(len(names)))]
        members[name] = damaged(members[name], rng) if members[name][:2] != b"PK" else members[name]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for one, content in members.items():
                archive.writestr(one, content)
        return packed.getvalue()
    changed = bytearray(raw)
    for _ in range(1 + int(rng.integers(3))):
        if changed:
            DAMAGES[int(rng.integers(len(DAMAGES)))](changed, rng)
    return bytes(changed)


def case(seed: int) -> tuple[str, bytes]:
    """Form and content of a damaged file, by its number."""
    rng = np.random.default_rng(seed)
    names = list(forms())
    name = names[seed % len(names)]
    return name, damaged(forms()[name].path.read_bytes(), rng)


@functools.cache
def _sound(name: str) -> tuple[int, tuple[str, ...]]:
    """Rows and notes of the sound file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = forms()[name].read(forms()[name].path)
    return _size(answer), _notes(answer)


def _size(answer: Any) -> int:
    return len(answer) if hasattr(answer, "__len__") else -1


def _notes(answer: Any) -> tuple[str, ...]:
    return tuple(getattr(answer, "attrs", {}).get("qpvgeo", {}).get("notes", ()))


def held(name: str, raw: bytes) -> int | None:
    """Rows that the content of a text still holds; None where that is not known without a reader."""
    if name.endswith(".csv"):
        # a return alone is damage inside of a row, not the end of one
        told = b'"' in raw or b"\r" in raw.replace(b"\r\n", b"\n")
        return None if told else len([line for line in raw.split(b"\n") if line.strip(b" ;,\t\0\r")]) - 1
    if name.endswith(".geojson"):
        try:
            return len(json.loads(raw)["features"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
    return _sound(name)[0] if not name.endswith((".kml", ".gml", ".xlsx", ".zip", ".gz")) else None


def judge(name: str, raw: bytes, folder: Path, *, command: bool = False) -> Verdict:
    """Read a damaged file in every way, and say what came of it."""
    place = folder / forms()[name].path.name
    place.write_bytes(raw)
    vector_layers._layers_of.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in (_doctored, _recognised, *((_commanded,) if command else ())):
            try:
                call(place)
            except QpvgeoError as error:
                if not (error.say("en") and error.say("fr")):
                    return Verdict("foreign", repr(error))
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                return Verdict("foreign", f"{call.__name__}: {error!r}")
        try:
            answer = forms()[name].read(place)
        except QpvgeoError as error:
            return Verdict("refused", error.say("fr"))
        except Exception as error:  # noqa: BLE001
            return Verdict("foreign", f"read: {error!r}")
    rows, notes = _sound(name)
    least = held(name, raw)
    if rows >= 0 and least is not None and _size(answer) < min(least, rows) and not set(_notes(answer)) - set(notes):
        return Verdict("shorter", f"{_size(answer)} rows of {min(least, rows)}")
    return Verdict("answer", str(_size(answer)))


def _doctored(path: Path) -> None:
    examine(path)


def _recognised(path: Path) -> None:
    list(recognise.identify(path))


def _commanded(path: Path) -> None:
    for words in (["doctor", str(path)], ["tag", str(path), "--sample"], ["population", str(path), "--sample"]):
        done = CliRunner().invoke(app, words)
        if done.exception is not None and not isinstance(done.exception, QpvgeoError | SystemExit):
            raise done.exception
