"""Files that keep an index: what is no sound one is refused, what cannot be written says why."""

import io
import json
import os
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qpvgeo.errors import DataError, MissingDataError, OutputError
from qpvgeo.tagging import index_file
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points_in_qpv import tag_points

X, Y = 700_000.0, 6_600_000.0


@pytest.fixture
def index():
    square = shapely.box(X, Y, X + 300, Y + 300)
    return PerimeterIndex(gpd.GeoSeries([square], index=["A"], crs=2154), reach_m=400)


@pytest.fixture
def saved(index, tmp_path):
    index.save(tmp_path / "qpv.index")
    return tmp_path / "qpv.index"


def rewritten(path, **changes):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays["about"].tobytes()) | changes
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as out:
        np.savez(out, **arrays)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-500]), "not an index of perimeters"),
        (lambda path: path.write_text("code;name\n"), "not an index of perimeters"),
        (lambda path: path.write_bytes(b""), "not an index of perimeters"),
        (lambda path: rewritten(path, version=99), "form 99"),
        (lambda path: rewritten(path, format="another"), "not an index of perimeters"),
        (lambda path: rewritten(path, content="0"), "damaged"),
    ],
    ids=["cut short", "a table", "empty", "of a later form", "of another program", "altered"],
)
def test_file_that_is_no_sound_index_is_refused(saved, damage, words):
    damage(saved)
    with pytest.raises(DataError, match=words):
        PerimeterIndex.load(saved)


def test_index_of_which_bytes_were_changed_is_refused_or_answers_as_before(index, saved):
    whole = saved.read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as packed:
        heads = [at for one in packed.infolist() for at in range(one.header_offset, one.header_offset + 180)]
        heads += range(packed.start_dir, len(whole))
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(500):
        changed = bytearray(whole)
        for at in rng.choice(heads, rng.integers(1, 4)):
            changed[min(at, len(whole) - 1)] = rng.integers(256)
        saved.write_bytes(changed)
        try:
            assert PerimeterIndex.load(saved).digest == index.digest
        except DataError:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize(("at", "byte"), [(10, 99), (10, 8), (10, 14), (8, 1), (8, 64), (6, 77)])
def test_index_whose_parts_claim_to_be_packed_otherwise_is_refused(saved, at, byte):
    changed = bytearray(saved.read_bytes())
    changed[changed.index(b"PK\x01\x02") + at] = byte
    saved.write_bytes(changed)
    with pytest.raises(DataError, match="not an index of perimeters"):
        PerimeterIndex.load(saved)


def test_index_that_claims_to_be_greater_than_memory_is_refused(saved):
    claim, much = b"'shape': (1024,), }" + b" " * 12, b"'shape': (200000000000000,), }"
    saved.write_bytes(saved.read_bytes().replace(claim, much.ljust(len(claim)), 1))
    with pytest.raises(DataError, match="more memory than there is"):
        PerimeterIndex.load(saved)


def test_index_that_is_not_there_says_so(tmp_path):
    with pytest.raises(MissingDataError):
        PerimeterIndex.load(tmp_path / "none.index")


@pytest.mark.parametrize("content", [b"code;name\n", b"\x80\x04K\x01.", b"PK\x03\x04"], ids=["table", "pickle", "zip"])
def test_what_is_no_index_is_refused_without_the_words_of_numpy(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.csv is not an index of perimeters") as error:
        PerimeterIndex.load(tmp_path / "a.csv")
    assert "pickle" not in str(error.value)


def test_array_of_numpy_is_no_index(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match="not an index of perimeters"):
        PerimeterIndex.load(tmp_path / "a.npy")


def test_folder_is_no_index(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        PerimeterIndex.load(tmp_path)


def test_index_cannot_be_saved_to_a_folder_that_is_not_there(index, tmp_path):
    path = tmp_path / "none" / "qpv.index"
    with pytest.raises(OutputError) as error:
        index.save(path)
    assert str(error.value) == f"Cannot write {path}: there is no folder {path.parent}."
    assert error.value.exit_code == 2


def test_index_cannot_be_saved_over_a_folder(index, tmp_path):
    (tmp_path / "qpv.index").mkdir()
    with pytest.raises(OutputError, match="Cannot write"):
        index.save(tmp_path / "qpv.index")
    assert [path.name for path in tmp_path.iterdir()] == ["qpv.index"]


def test_index_cannot_be_saved_in_a_file(index, tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(OutputError, match=r"there is no folder|Not a directory"):
        index.save(tmp_path / "a" / "qpv.index")


def test_failure_to_save_leaves_the_old_index_whole_and_nothing_beside(index, saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        index.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["qpv.index"]


def crafted(path, out, rng):
    """An index with one part altered and a hash that agrees."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays.pop("about").tobytes())
    name = str(rng.choice([*arrays, "layers", "about"]))
    if name == "about":
        key = str(rng.choice([key for key in about if key not in ("format", "version", "layers", "content")]))
        about[key] = [None, 1e9, "x", [1], {"a": 1}][rng.integers(5)]
    elif name == "layers":
        part = about["layers"][0]
        key = str(rng.choice(list(part)))
        part[key] = [None, 1e9, "x", [1], {"a": 1}, []][rng.integers(6)]
    elif rng.random() < 0.2:
        del arrays[name]
    elif rng.random() < 0.3 or not arrays[name].size:
        arrays[name] = [np.zeros(0, np.int32), np.zeros((2, 2)), np.array(["a"])][rng.integers(3)]
    else:
        array = arrays[name].copy()
        flat = array.reshape(-1)
        with np.errstate(all="ignore"):
            flat[rng.integers(len(flat))] = (
                [0, -1, -7, 99, 2**31 - 1][rng.integers(5)] % 256
                if array.dtype == np.uint8
                else [0, -1, -7, 99, 2**31 - 1][rng.integers(5)]
            )
        arrays[name] = array
    about["content"] = index_file._content(about["layers"], arrays)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with out.open("wb") as stream:
        np.savez(stream, **arrays)


def test_crafted_indexes_whose_hash_agrees_are_refused_or_answer(saved, tmp_path):
    rng = np.random.default_rng(19)
    x, y = rng.uniform(X - 600, X + 900, 200), rng.uniform(Y - 600, Y + 900, 200)
    refused = 0
    for _ in range(400):
        crafted(saved, tmp_path / "crafted.index", rng)
        try:
            made = PerimeterIndex.load(tmp_path / "crafted.index")
        except DataError:
            refused += 1
            continue
        tag_points((x, y), made, crs=2154, bands=(100,))
        assert len(made.notes) < 10
    assert refused > 200


def test_index_of_the_first_release_is_refused_with_the_call_that_builds_it_again(saved):
    rewritten(saved, version=4)
    with pytest.raises(DataError) as error:
        PerimeterIndex.load(saved)
    assert error.value.key == "tagging.index_version"
    assert "save(path)" in str(error.value)
