"""Settings: what the environment says, where files are looked for, in which order."""

import os

import pytest

from qpvgeo import settings
from qpvgeo.errors import UsageError
from qpvgeo.sources import folders


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Current folder outside of any checkout."""
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def folder(parent, name):
    path = parent / name
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("value", "forbidden"),
    [
        ("1", True),
        ("true", True),
        ("YES", True),
        ("x", True),
        ("", False),
        ("0", False),
        ("False", False),
        (" no ", False),
    ],
)
def test_any_value_but_a_no_forbids_the_network(monkeypatch, value, forbidden):
    monkeypatch.setenv("QPVGEO_OFFLINE", value)
    assert settings.offline() is forbidden


def test_network_is_allowed_when_nothing_is_said():
    assert settings.offline() is False


def test_environment_is_read_at_each_call(monkeypatch):
    before = settings.offline()
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    assert (before, settings.offline()) == (False, True)


def test_cache_is_where_the_variable_says_and_is_not_created(monkeypatch, tmp_path):
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "here"))
    assert settings.cache_dir() == tmp_path / "here"
    assert not (tmp_path / "here").exists()


def test_home_is_understood_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("QPVGEO_CACHE", "~/qpv")
    assert settings.cache_dir() == tmp_path / "qpv"


def test_cache_is_the_users_one_when_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("QPVGEO_CACHE", " ")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert settings.cache_dir().name == "qpvgeo"
    assert not settings.cache_dir().exists()


def test_folders_are_searched_in_order(monkeypatch, tmp_path, elsewhere):
    first, second = folder(tmp_path, "first"), folder(tmp_path, "second")
    raw = folder(elsewhere, "data/raw")
    cache = folder(tmp_path, "cache")
    (elsewhere / "pyproject.toml").touch()
    monkeypatch.setenv("QPVGEO_DATA", os.pathsep.join([str(first), "", f" {second} "]))
    assert folders.data_dirs() == [first, second, raw, cache]


def test_folder_of_the_call_takes_the_place_of_the_variable(monkeypatch, tmp_path, elsewhere):  # noqa: ARG001
    first, second = folder(tmp_path, "first"), folder(tmp_path, "second")
    monkeypatch.setenv("QPVGEO_DATA", str(first))
    assert folders.data_dirs(second) == [second]


@pytest.mark.usefixtures("elsewhere")
def test_folders_that_do_not_exist_are_left_out(monkeypatch, tmp_path):
    monkeypatch.setenv("QPVGEO_DATA", str(tmp_path / "nowhere"))
    assert folders.data_dirs() == []


@pytest.mark.usefixtures("elsewhere")
def test_folder_named_twice_is_searched_once(monkeypatch, tmp_path):
    first = folder(tmp_path, "first")
    monkeypatch.setenv("QPVGEO_DATA", os.pathsep.join([str(first), str(first)]))
    monkeypatch.setenv("QPVGEO_CACHE", str(first))
    assert folders.data_dirs() == [first]


def test_checkout_above_the_current_folder_is_found(monkeypatch, elsewhere):
    raw = folder(elsewhere, "data/raw")
    (elsewhere / "pyproject.toml").touch()
    monkeypatch.chdir(folder(elsewhere, "notebooks/deep"))
    assert folders.data_dirs() == [raw]


def test_only_the_nearest_checkout_is_searched(monkeypatch, elsewhere):
    folder(elsewhere, "data/raw")
    (elsewhere / "pyproject.toml").touch()
    inner = folder(elsewhere, "inner")
    (inner / "pyproject.toml").touch()
    monkeypatch.chdir(inner)
    assert folders.data_dirs() == []


def test_data_folder_outside_of_a_checkout_is_not_searched(elsewhere):
    folder(elsewhere, "data/raw")
    assert folders.data_dirs() == []


def test_folder_of_the_call_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        folders.data_dirs(tmp_path / "nowhere")


def test_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "list.csv").touch()
    with pytest.raises(UsageError, match=r"list\.csv is not a folder"):
        folders.data_dirs(tmp_path / "list.csv")


def test_the_home_of_a_user_that_is_not_known_is_a_folder_that_does_not_exist(monkeypatch):
    with pytest.raises(UsageError, match="is not a folder"):
        folders.data_dirs("~nobody-of-that-name")
    monkeypatch.setenv("QPVGEO_CACHE", "~nobody-of-that-name/x")
    assert settings.cache_dir().name == "x"


@pytest.mark.parametrize(("asked", "threads"), [("3", 3), (" 1 ", 1)])
def test_threads_of_the_environment(monkeypatch, asked, threads):
    monkeypatch.setenv("QPVGEO_THREADS", asked)
    assert settings.current_threads() == threads


@pytest.mark.parametrize("asked", ["", "0", "-2", "many", "1.5"])
def test_threads_of_the_environment_that_are_no_number_count_for_nothing(monkeypatch, asked):
    monkeypatch.delenv("QPVGEO_THREADS", raising=False)
    by_default = settings.current_threads()
    assert 1 <= by_default <= 4
    monkeypatch.setenv("QPVGEO_THREADS", asked)
    assert settings.current_threads() == by_default


def test_threads_set_come_before_the_environment(monkeypatch):
    monkeypatch.setenv("QPVGEO_THREADS", "3")
    monkeypatch.setattr(settings, "threads", 2)
    assert settings.current_threads() == 2


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "2"])
def test_threads_that_are_no_number_are_refused(monkeypatch, given):
    monkeypatch.setattr(settings, "threads", given)
    with pytest.raises(ValueError, match="whole number from 1 on"):
        settings.current_threads()
