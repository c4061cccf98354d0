"""The SHA-256 of a provenance is that of the whole file, whoever has opened it before and read some of it."""

import copy
import hashlib

import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.frames.provenance import amended, file_state, hashed, shared, stamp


def test_file_that_was_opened_and_read_in_part_is_hashed_from_its_start(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"head and tail")
    with path.open("rb") as stream:
        stream.seek(9)
        found = hashed(path, file_state(stream.fileno()), stream)
    assert found == hashlib.sha256(b"head and tail").hexdigest()


@pytest.mark.parametrize(("name", "read"), [("qpv_2024", qg.read_qpv), ("population_2024", qg.read_population)])
def test_files_of_the_sample_are_told_by_the_hash_of_their_bytes(name, read, tmp_path, monkeypatch):
    monkeypatch.setenv("QPVGEO_PROCESSED", "0")
    source = getattr(qg.sample(), name)
    copy = tmp_path / source.name  # of a path that nothing has hashed yet
    copy.write_bytes(source.read_bytes())
    (record,) = qg.provenance(read(copy))["files"]
    assert record["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()


def test_entries_written_later_leave_the_copies_of_a_frame_alone():
    frame = stamp(pd.DataFrame({"a": [1, 2]}), notes=["first"], vintage=2024)
    part = frame[frame["a"] > 1]
    assert part.attrs["qpvgeo"] is frame.attrs["qpvgeo"]
    assert amended(part, notes=["second"], year=2018) is part
    assert qg.provenance(part) == qg.provenance(frame) | {"notes": ["second"], "year": 2018}
    assert qg.provenance(frame)["notes"] == ["first"]


def test_attributes_that_copies_share_are_plain_mappings():
    about = shared({"notes": ["a"]})
    assert copy.deepcopy(about) is about
    assert about == {"notes": ["a"]}
    assert repr(about) == "{'notes': ['a']}"
