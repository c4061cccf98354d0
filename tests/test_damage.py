"""Damaged files of every public form: an answer or one error of ours, never fewer rows without a word.

A few cases, drawn with a seed; `make fuzz` tries as many as one has time for. Cases that once failed have a name.
"""

import pytest
from tests import damage

GROUPS, TRIED = 4, 10


@pytest.mark.parametrize("group", range(GROUPS))
def test_damage_is_told(tmp_path, group):
    for seed in range(group * TRIED, (group + 1) * TRIED):
        name, raw = damage.case(seed)
        found = damage.judge(name, raw, tmp_path)
        assert found.kind in ("answer", "refused"), (seed, name, found.told)


def test_every_sound_file_is_read(tmp_path):
    for name, form in damage.forms().items():
        assert damage.judge(name, form.path.read_bytes(), tmp_path).kind == "answer", name


def test_a_cell_of_megabytes_is_no_name(tmp_path):
    """A hundred thousand brackets in a cell took half a minute: each way to see the table looked at every letter."""
    form = damage.forms()["communes.csv"]
    raw = form.path.read_bytes().replace(b"Port-Brume", b"[" * 200_000, 1)
    assert damage.judge("communes.csv", raw, tmp_path).kind in ("answer", "refused")


def test_a_commune_of_a_damaged_type_is_told(tmp_path):
    """Its row was left out without a word."""
    raw = damage.forms()["communes.csv"].path.read_bytes().replace(b"commune-actuelle", b"commune-a", 1)
    assert damage.judge("communes.csv", raw, tmp_path).kind == "answer"
