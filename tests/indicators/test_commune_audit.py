"""The published list of communes against the outlines, by hand."""

import pytest
from tests.indicators.linked_communes import ASTRIDE, SIDE_BY_SIDE, box, communes_frame, qpv_frame

import qpvgeo as qg
from qpvgeo.indicators.commune_audit import audit_communes
from qpvgeo.samples import sample


@pytest.fixture(scope="module")
def qpv():
    return qg.read_qpv(sample().qpv_2024)


@pytest.fixture(scope="module")
def communes():
    return qg.read_communes(sample().communes, table=sample().communes_table)


def test_audit_names_each_disagreement_largest_first():
    rows = {
        "QN05901N": (ASTRIDE, ["59001"]),
        "QN05902N": (box(700, 0, 1001, 100), ["59001", "59002"]),
        "QN05903N": (box(0, 0, 100, 100), ["59002"]),
        "QN05904N": (box(0, 0, 100, 100), ["59001"]),
        "QN05905N": (box(0, 0, 100, 100), None),
        "QN05906N": (None, ["59001"]),
    }
    found = audit_communes(qpv_frame(rows), communes_frame(SIDE_BY_SIDE))
    assert list(found[["qpv_code", "commune", "finding"]].itertuples(index=False, name=None)) == [
        ("QN05901N", "59002", "not listed"),
        ("QN05903N", "59001", "not listed"),
        ("QN05902N", "59002", "listed, only a sliver"),
        ("QN05903N", "59002", "listed, not touched"),
    ]
    assert found["area_m2"].tolist() == pytest.approx([30_000, 10_000, 100, 0])


def test_audit_of_the_sample_finds_nothing(qpv, communes):
    assert audit_communes(qpv, communes).empty
