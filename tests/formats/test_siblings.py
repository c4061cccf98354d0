"""Files of one name in a folder, listed once as long as the folder does not change."""

import os
from pathlib import Path

from qpvgeo.formats.siblings import siblings


def test_folders_of_one_relative_name_are_not_taken_for_another(tmp_path, monkeypatch):
    found = []
    for one, names in (("one", ["q.shp", "q.dbf"]), ("two", ["q.dbf"])):
        folder = tmp_path / one / "data"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
        os.utime(folder, (1_000_000, 1_000_000))
        monkeypatch.chdir(tmp_path / one)
        found.append([path.name for path in siblings(Path("data", "q.dbf"))])
    assert found == [["q.dbf", "q.shp"], ["q.dbf"]]
