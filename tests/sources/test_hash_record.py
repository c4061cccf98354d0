"""Record of downloads: entries of files whatever their names are."""

import pytest

from qpvgeo.sources import hash_record


@pytest.mark.parametrize("name", ["périm.csv", "p\udce9rim.csv"])
def test_an_entry_comes_back_whatever_the_name_of_its_file(name):
    entry = hash_record.entry(name, "00", 1)
    hash_record.record("a key", entry)
    assert hash_record.read() == {"a key": entry}
