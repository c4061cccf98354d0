"""Coverage by programme: rows worked out by hand, and the QPV that a programme reaches as a filter."""

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError

CODES = ["QN00101M", "QN00102M", "QN00103M"]


def matches_of(*rows, **about):
    found = pd.DataFrame(rows, columns=["qpv_code", "programme", "member", "code", "basis", "share"])
    found["share"] = found["share"].astype("Float64")
    found.attrs["qpvgeo"] = about
    return found


@pytest.fixture
def links():
    """Three QPV of 100, 100 and 50 people; the second lies in two communes."""
    rows = [
        (CODES[0], "01001", "200000001", 100.0, 1.0, 1.0, 2e6, "published"),
        (CODES[1], "01001", "200000001", 60.0, 0.6, 0.5, 1e6, "published"),
        (CODES[1], "01002", "200000002", 40.0, 0.4, 0.5, 1e6, "published"),
        (CODES[2], "01002", "200000002", 50.0, 1.0, 1.0, 3e6, "published"),
    ]
    columns = ["qpv_code", "commune", "epci", "population", "population_share", "area_share", "area_m2", "basis"]
    return pd.DataFrame(rows, columns=columns).assign(ept=None, department="01", region="84")


@pytest.fixture
def matches():
    return matches_of(
        (CODES[0], "npnru", "x", "x", "code", 1.0),
        (CODES[1], "npnru", "y", "y", "crosswalk", 0.25),
        (CODES[1], "ours", "z", "z", "code", 1.0),
        as_of={"npnru": "2025-01"},
        unplaced={"npnru": ["QP001009"]},
    )


def test_a_row_per_programme_with_people_covered_and_reached(links, matches):
    found = qg.coverage(links, by="programme", programmes=matches)
    assert found.index.tolist() == ["npnru", "ours"]
    # 100 + 100 x 0.25 of 100 + 100; of 250 people in QPV
    npnru = found.loc["npnru"]
    assert npnru[["n_qpv", "n_whole", "n_with_population"]].tolist() == [2, 1, 2]
    assert npnru[["population_covered", "qpv_population", "population", "share"]].tolist() == [125, 200, 250, 0.8]
    assert npnru["qpv_area_km2"] == pytest.approx(4)
    assert found.loc["ours", ["n_qpv", "population_covered", "qpv_population"]].tolist() == [1, 100, 100]
    assert found["name"].tolist() == ["Nouveau programme national de renouvellement urbain (NPNRU)", "ours"]


def test_the_note_says_what_a_row_rests_on(links, matches):
    note = qg.coverage(links, by="programme", programmes=matches).loc["npnru", "note"]
    keys = [one.key for one in qg.language.notes.parts(note)]
    assert keys == ["indicators.list_of", "indicators.carried", "indicators.unplaced_members"]


def test_a_share_that_is_not_known_leaves_the_people_covered_missing(links):
    matches = matches_of((CODES[1], "p", "x", "01001", "commune", None), (CODES[0], "p", "y", "y", "code", 1.0))
    row = qg.coverage(links, by="programme", programmes=matches).loc["p"]
    assert pd.isna(row["population_covered"])
    assert row["qpv_population"] == 200
    assert [one.key for one in qg.language.notes.parts(row["note"])] == [
        "indicators.of_territories",
        "indicators.share_unknown",
    ]


def test_people_that_are_not_known_leave_the_share_missing(links, matches):
    links.loc[0, "population"] = None
    found = qg.coverage(links, by="programme", programmes=matches)
    assert found["share"].isna().tolist() == [True, False]
    assert pd.isna(found.loc["npnru", "population_covered"])
    # of the 150 people that are known
    assert found.loc["ours", "share"] == pytest.approx(100 / 150)
    assert "indicators.share_of_known" in {one.key for one in qg.language.notes.parts(found.loc["ours", "note"])}


@pytest.mark.parametrize(
    ("place", "row"), [("Ain", [2, 200, 250]), ("01002", [1, 40, 90]), ("200000001", [2, 160, 160])]
)
def test_a_place_has_the_parts_that_lie_in_it(links, matches, place, row):
    found = qg.coverage(links, by="programme", programmes=matches, place=place)
    assert found.loc["npnru", ["n_qpv", "qpv_population", "population"]].tolist() == row


def test_sizes_and_order_are_those_of_any_level(links, matches):
    found = qg.coverage(links, by="programme", programmes=matches, stats=["mean", 100], sort="-n_qpv")
    assert found[["qpv_mean", "n_qpv_from_100"]].to_numpy().tolist() == [[100, 2], [100, 1]]
    assert found.index[0] == "npnru"


def test_at_another_level_only_the_qpv_reached_count(links, matches):
    ours = matches[matches["programme"] == "ours"]
    found = qg.coverage(links, by="epci", programmes=ours)
    assert found[["n_qpv", "qpv_population"]].to_numpy().tolist() == [[1, 60], [1, 40]]


def test_without_matches_or_with_those_of_the_other_geography_it_is_refused(links, matches):
    refused(lambda: qg.coverage(links, by="programme"), None, UsageError)
    refused(lambda: qg.coverage(links, by="programme", programmes=links), None, DataError)
    other = matches.assign(qpv_code=["QP001001"] * 3)
    refused(lambda: qg.coverage(links, by="programme", programmes=other), "frames.geographies_differ", DataError)
    refused(lambda: qg.coverage(links, by="epci", programmes=other), "frames.geographies_differ", DataError)


def test_no_match_is_no_row(links):
    assert qg.coverage(links, by="programme", programmes=matches_of()).empty
