"""Amenities of the BPE: files of our own making in its columns."""

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.read.amenities import AMENITY_COLUMNS, read_amenities

ROWS = {
    "AN": ["2025"] * 4,
    "NOMRS": ["École", "Médecin", "Poste", "Stade"],
    "DEPCOM": ["1053", "2A004", "93010", None],
    "TYPEQU": ["C107", "D265", "a206", "F113"],
    "LONGITUDE": [5.22, 8.73, 2.48, None],
    "LATITUDE": [46.2, 41.92, 48.9, None],
    "QP2015": ["QP001001", "CSZ", "HZ", None],
    "QP2024": ["QN00101M", None, "QN09312I", None],
}


@pytest.fixture(params=["csv", "parquet"])
def bpe(request, tmp_path):
    frame, path = pd.DataFrame(ROWS), tmp_path / f"bpe.{request.param}"
    frame.to_csv(path, sep=";", index=False) if request.param == "csv" else frame.to_parquet(path)
    return path


def test_each_amenity_has_its_type_its_commune_its_place_and_its_qpv(bpe):
    frame = read_amenities(bpe)
    assert list(frame.columns) == [*AMENITY_COLUMNS, "qpv_2015", "qpv_2024"]
    assert frame["type"].tolist() == ["C107", "D265", "A206", "F113"]
    assert frame["commune"].fillna("").tolist() == ["01053", "2A004", "93010", ""]
    assert frame["longitude"].fillna(0).tolist() == [5.22, 8.73, 2.48, 0]
    assert frame["qpv_2015"].fillna("").tolist() == ["QP001001", "", "", ""]
    assert frame["qpv_2024"].fillna("").tolist() == ["QN00101M", "", "QN09312I", ""]
    assert frame.attrs["qpvgeo"]["files"][0]["file"] == bpe.name


@pytest.mark.parametrize(("types", "kept"), [(["C107"], ["C107"]), (["d", "A2"], ["D265", "A206"])])
def test_types_are_chosen_by_their_beginning(bpe, types, kept):
    assert read_amenities(bpe, types=types)["type"].tolist() == kept


def test_points_are_tagged_as_they_are(bpe):
    tags = qg.tag_points(read_amenities(bpe), qg.read_qpv(qg.sample().qpv_2024))
    assert len(tags) == 4


def test_names_of_ones_own(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("genre;commune\nC107;59350\n", encoding="utf-8")
    assert read_amenities(path, columns={"genre": "type"})["type"].tolist() == ["C107"]
    refused(lambda: read_amenities(path), "read.no_amenities", DataError)
    refused(lambda: read_amenities(path, columns={"none": "type"}), None, DataError)


def test_what_is_not_there_is_refused(bpe, tmp_path):
    error = refused(lambda: read_amenities(bpe, types=["C1", "Z9"]), "read.no_amenity_of_type", DataError)
    assert list(error.problems) == ["Z9"]
    refused(lambda: read_amenities(tmp_path / "none.csv"), None, MissingDataError)
