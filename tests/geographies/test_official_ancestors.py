"""Disagreements of the official list and the ground: each one drawn by hand, none on the sample."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.geographies.official_ancestors import PROBLEMS, audit_correspondence

X, Y = 700_000.0, 6_600_000.0


def square(x, width=400):
    return shapely.box(X + x, Y, X + x + width, Y + 400)


def layer(**shapes):
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=2154)


def listed(*rows):
    frame = pd.DataFrame(list(rows), columns=["qpv_2024", "status", "qpv_2015"])
    return frame.astype("str")


def audited(correspondence, before, after, **options):
    found = audit_correspondence(correspondence, qg.crosswalk(before, after, **options))
    columns = ["qpv_2015", "qpv_2024", "problem"]
    return found[columns].astype(object).where(found[columns].notna(), None).to_numpy().tolist()


def test_list_that_the_ground_confirms_has_no_problem():
    before, after = layer(QP001001=square(0)), layer(QN00101M=square(0, 500), QN00102N=square(5_000))
    rows = listed(("QN00101M", "Modifié", "QP001001"), ("QN00102N", "Nouveau", None))
    assert audited(rows, before, after) == []


CASES = {
    "no ground": (
        listed(("QN00101M", "", "QP001001"), ("QN00101M", "", "QP001002")),
        layer(QP001001=square(0), QP001002=square(9_000)),
        layer(QN00101M=square(0, 500)),
        [["QP001002", "QN00101M", PROBLEMS[0]]],
    ),
    "little ground": (
        listed(("QN00101M", "", "QP001001"), ("QN00101M", "", "QP001002")),
        layer(QP001001=square(0), QP001002=square(490)),
        layer(QN00101M=square(0, 500)),
        [["QP001002", "QN00101M", PROBLEMS[1]]],
    ),
    "not listed": (
        listed(("QN00101M", "", "QP001001")),
        layer(QP001001=square(0), QP001002=square(400)),
        layer(QN00101M=square(0, 800)),
        [["QP001002", "QN00101M", PROBLEMS[2]]],
    ),
    "listed without a perimeter": (
        listed(("QN00101M", "", "QP001001"), ("QN00102M", "", "QP001009")),
        layer(QP001001=square(0)),
        layer(QN00101M=square(0, 500)),
        [[None, "QN00102M", PROBLEMS[3]], ["QP001009", None, PROBLEMS[3]]],
    ),
    "perimeter that is not listed": (
        listed(("QN00101M", "", "QP001001")),
        layer(QP001001=square(0)),
        layer(QN00101M=square(0, 500), QN00102N=square(9_000)),
        [[None, "QN00102N", PROBLEMS[4]]],
    ),
    "called new": (
        listed(("QN00101N", "", "QP001001")),
        layer(QP001001=square(0)),
        layer(QN00101N=square(0, 500)),
        [[None, "QN00101N", PROBLEMS[5]]],
    ),
    "called unchanged": (
        listed(("QN00101I", "", "QP001001")),
        layer(QP001001=square(0)),
        layer(QN00101I=square(0, 500)),
        [[None, "QN00101I", PROBLEMS[6]]],
    ),
    "called modified, and kept": (
        listed(("QN00101M", "", "QP001001")),
        layer(QP001001=square(0)),
        layer(QN00101M=square(0)),
        [[None, "QN00101M", PROBLEMS[7]]],
    ),
    "called modified, and new": (
        listed(("QN00101M", "", None)),
        layer(QP001001=square(5_000)),
        layer(QN00101M=square(0)),
        [[None, "QN00101M", PROBLEMS[8]]],
    ),
    "letter and status": (
        listed(("QN00101I", "Modifié", "QP001001")),
        layer(QP001001=square(0)),
        layer(QN00101I=square(0)),
        [[None, "QN00101I", PROBLEMS[9]]],
    ),
}


@pytest.mark.parametrize(("rows", "before", "after", "expected"), CASES.values(), ids=CASES)
def test_disagreement_is_a_row(rows, before, after, expected):
    assert audited(rows, before, after) == expected


def test_change_within_the_tolerance_is_no_disagreement():
    rows = listed(("QN00101I", "Inchangé", "QP001001"))
    layers = layer(QP001001=square(0)), layer(QN00101I=square(0, 420))
    assert audited(rows, *layers, tolerance_m=20) == []
    assert audited(rows, *layers, tolerance_m=19) != []


def test_shares_of_the_ground_stand_beside():
    rows = listed(("QN00101M", "", "QP001001"))
    before, after = layer(QP001001=square(0), QP001002=square(400)), layer(QN00101M=square(0, 800))
    found = audit_correspondence(rows, qg.crosswalk(before, after))
    assert found[["change", "area_m2", "from_share", "to_share"]].to_numpy().tolist() == [["merged", 160_000, 1.0, 0.5]]


def test_codes_of_departments_without_a_perimeter_are_left_aside():
    rows = listed(("QN00101M", "", "QP001001"), ("QN97401M", "", "QP974001"))
    assert audited(rows, layer(QP001001=square(0)), layer(QN00101M=square(0, 500))) == []


def test_an_extract_is_audited_by_its_own_codes_alone():
    before, after = layer(QP001001=square(0)), layer(QN00101M=square(0, 500))
    rows = listed(
        ("QN00101M", "Nouveau", "QP001001"), ("QN00102M", "Modifié", "QP001002"), ("QN00103N", "Nouveau", None)
    )
    crosswalk = qg.crosswalk(before, after)
    assert PROBLEMS[3] in set(audit_correspondence(rows, crosswalk)["problem"])
    found = audit_correspondence(rows, crosswalk, extract=True)
    assert found[["qpv_2024", "problem"]].to_numpy().tolist() == [["QN00101M", PROBLEMS[9]]]


def test_frame_that_is_no_correspondence_is_refused():
    crosswalk = qg.crosswalk(layer(a=square(0)), layer(b=square(0)))
    with pytest.raises(DataError) as caught:
        audit_correspondence(pd.DataFrame({"qpv_2024": []}), crosswalk)
    assert (caught.value.key, len(caught.value.problems)) == ("frames.columns_missing", 2)


def test_tampered_sample_is_found_out():
    sample = qg.sample()
    walk = qg.crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    rows = qg.read_correspondence(sample.correspondence)
    wrong = rows.replace({"qpv_2015": {"QP099005": "QP099013"}})
    assert audit_correspondence(wrong, walk)["problem"].tolist() == [PROBLEMS[0], PROBLEMS[2]]
