"""One call for the frames of a geography."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.frames.provenance import is_fictional

HAUTVENT = ["QN09911M", "QN09912I"]


@pytest.fixture(scope="module")
def island():
    return qg.load(2024, sample=True)


def test_the_frames_are_those_of_the_readers(island):
    files = qg.sample()
    assert_frame_equal(pd.DataFrame(island.qpv), pd.DataFrame(qg.read_qpv(files.qpv_2024)))
    assert_frame_equal(island.population, qg.read_population(files.population_2024))
    parts = qg.read_population(files.population_2024_communes, level="qpv_commune")
    assert_frame_equal(island.links, qg.join_communes(island.qpv, island.communes, population=parts))
    assert island.communes["population"].sum() == qg.read_communes(files.communes_table)["population"].sum()
    assert island.epci.index.tolist() == qg.read_epci(files.epci_table).index.tolist()
    assert is_fictional(island.qpv)


def test_people_of_the_links_are_those_of_the_qpv(island):
    of_links = island.links.groupby("qpv_code")["population"].sum()
    assert of_links.sort_index().tolist() == island.population["population"].sort_index().tolist()


@pytest.mark.parametrize("vintage", [2015, "2015"])
def test_a_vintage_is_a_number_or_its_digits(vintage):
    assert qg.load(vintage, sample=True).qpv["vintage"].unique().tolist() == [2015]


def test_a_commune_keeps_what_lies_there(island):
    part = qg.load(2024, "Hautvent", sample=True)
    assert part.qpv.index.tolist() == HAUTVENT
    assert part.population.index.tolist() == HAUTVENT
    assert part.communes.index.tolist() == ["99003"]
    assert part.epci.index.tolist() == [island.communes.loc["99003", "epci"]]
    assert set(part.links["qpv_code"]) == set(HAUTVENT)
    assert part.links.groupby("qpv_code")["population_share"].sum().round(9).tolist() == [1.0, 1.0]
    assert part.place == "Hautvent (99003)"


def test_a_qpv_keeps_its_communes(island):
    part = qg.load(2024, "qn09911m", sample=True)
    assert part.qpv.index.tolist() == ["QN09911M"]
    assert part.communes.index.tolist() == sorted(
        island.links.loc[island.links["qpv_code"] == "QN09911M", "commune"].unique()
    )


def test_an_epci_has_all_its_communes(island):
    part = qg.load(2024, "299900027", sample=True)
    assert part.epci.index.tolist() == ["299900027"]
    assert part.communes.index.tolist() == island.communes.index[island.communes["epci"] == "299900027"].tolist()


def test_a_department_is_everything_in_it(island):
    part = qg.load(2024, "99", sample=True)
    assert len(part.qpv) == len(island.qpv)
    assert len(part.communes) == len(island.communes)


def test_what_no_file_gives_is_none(tmp_path):
    (tmp_path / "q.zip").write_bytes(qg.sample().qpv_2024.read_bytes())
    alone = qg.load(2024, data=tmp_path)
    assert (alone.population, alone.communes, alone.epci) == (None, None, None)
    assert alone.links["commune"].isna().all()
    assert len(alone.links) == len(alone.qpv)
    assert repr(alone).count("not available") == 3


def test_the_frames_are_said_in_the_language_of_the_settings(island, monkeypatch):
    monkeypatch.setattr(qg.settings, "language", "fr")
    assert repr(island).splitlines()[:2] == ["Géographie 2024", "  qpv        16 lignes"]


def test_the_object_does_not_change(island):
    with pytest.raises(AttributeError):
        island.qpv = None


def test_misuse_is_refused(tmp_path):
    refused(lambda: qg.load(2020), "read.no_vintage", UsageError)
    refused(lambda: qg.load("2024 "), "read.no_vintage", UsageError)
    refused(lambda: qg.load(2024, data=tmp_path, sample=True), "at_hand.sample_or_data", UsageError)
    refused(lambda: qg.load(2024, "Nowhere", sample=True), "codes.unknown_place", UsageError)
    refused(lambda: qg.load(2024, data=tmp_path / "none"), "sources.not_a_folder", UsageError)


def test_a_place_without_qpv_is_refused(island):
    bare = next(code for code in island.communes.index if not (island.links["commune"] == code).any())
    refused(lambda: qg.load(2024, bare, sample=True), "cli.no_qpv_in_place", DataError)


def test_nothing_here_names_the_one_command(tmp_path):
    with pytest.raises(MissingDataError) as raised:
        qg.load(2024, data=tmp_path)
    assert raised.value.way_out.key == "sources.put_or_fetch_set"
    assert raised.value.way_out.values["what"] == "main"


def test_the_folder_of_the_environment_is_searched(monkeypatch):
    monkeypatch.setenv("QPVGEO_DATA", str(qg.sample().path))
    assert len(qg.load(2024).qpv) == 16


@pytest.mark.real
def test_real_files_of_lille(real_data):
    lille = qg.load(2024, "59350", data=real_data)
    assert lille.communes.index.tolist() == ["59350"]
    assert lille.epci.index.tolist() == ["200093201"]
    assert lille.qpv["communes"].map(lambda codes: "59350" in codes).all()
    assert lille.links["population"].notna().all()
    assert lille.population.index.tolist() == lille.qpv.index.tolist()
