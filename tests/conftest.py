"""Fixtures shared by the tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

_CHECKOUT = Path(__file__).resolve().parent.parent

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")


def _data_folder() -> Path:
    given = os.environ.get("QPVGEO_TEST_DATA", "").strip()
    return Path(given) if given else _CHECKOUT / "data" / "raw"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """No test reads or writes the user's cache, nor what the environment points to; nothing that is read is kept."""
    for name in ("QPVGEO_DATA", "QPVGEO_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("QPVGEO_PROCESSED", "0")


@pytest.fixture(scope="session")
def real_data():
    """Folder of the published files; skips where they are missing, fails when QPVGEO_REQUIRE_DATA is set."""
    folder = _data_folder()
    if (folder / "qpv2015").is_dir():
        return folder
    reason = f"the published files are not in {folder} (set QPVGEO_TEST_DATA)"
    if os.environ.get("QPVGEO_REQUIRE_DATA", "") not in {"", "0"}:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def reference(real_data):
    """Folder of the reference tables that stands beside the published files."""
    folder = real_data.parent / "reference"
    if folder.is_dir():
        return folder
    reason = f"the reference tables are not in {folder}"
    if os.environ.get("QPVGEO_REQUIRE_DATA", "") not in {"", "0"}:
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_collection_modifyitems(items):
    """Mark property tests as slow and tests of published files as real, so that `make quick` leaves them out."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.slow)
        if {"real_data", "reference"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real)
