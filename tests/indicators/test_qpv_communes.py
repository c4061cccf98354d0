"""Links of QPV and communes: the list decides, geometry shares out, nobody is lost."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from tests.indicators.linked_communes import ASTRIDE, SIDE_BY_SIDE, box, communes_frame, qpv_frame

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.errors import DataError, UsageError
from qpvgeo.indicators.qpv_communes import LINK_COLUMNS, MIN_AREA_M2, MIN_SHARE, join_communes
from qpvgeo.samples import sample

GRAND_PARIS = "200054781"


def people(parts):
    """Published people by QPV (`{code: n}`) or by QPV and commune (`{(code, commune): n}`)."""
    index = pd.Index(parts) if not isinstance(next(iter(parts)), tuple) else pd.MultiIndex.from_tuples(parts)
    return pd.DataFrame({"population": pd.array(list(parts.values()), dtype="Int64")}, index=index)


def shares(links):
    return {
        (row.qpv_code, row.commune): (round(row.population_share, 6), row.basis)
        for row in links.itertuples(index=False)
    }


@pytest.fixture(scope="module")
def qpv():
    return qg.read_qpv(sample().qpv_2024)


@pytest.fixture(scope="module")
def communes():
    return qg.read_communes(sample().communes, table=sample().communes_table)


@pytest.fixture(scope="module")
def by_qpv():
    return qg.read_population(sample().population_2024)


@pytest.fixture(scope="module")
def by_commune():
    return qg.read_population(sample().population_2024_communes, level="qpv_commune")


@pytest.fixture(scope="module")
def real_communes(real_data):
    folder = real_data / "admin"
    return qg.read_communes(sorted(folder.glob("communes_*.parquet")), table=folder / "cog2024_communes.csv")


@pytest.fixture(scope="module")
def real_qpv(real_data):
    return qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson")


@pytest.fixture(scope="module")
def real_links(real_data, real_qpv, real_communes):
    population = qg.read_population(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv")
    return join_communes(real_qpv, real_communes, population=population)


def test_qpv_in_one_commune_counts_whole_there():
    links = join_communes(
        qpv_frame({"QN05901N": (box(100, 100, 300, 300), ["59001"])}),
        communes_frame(SIDE_BY_SIDE),
        population=people({"QN05901N": 1500}),
    )
    (row,) = links.to_dict("records")
    assert (row["commune"], row["population"], row["population_share"]) == ("59001", 1500, 1)
    assert (row["area_m2"], row["area_share"], row["basis"]) == (pytest.approx(40_000), 1, "published")
    assert (row["epci"], row["department"], row["region"]) == ("200093201", "59", "32")
    assert links.columns.tolist() == list(LINK_COLUMNS)


def test_qpv_in_two_communes_is_shared_by_area_and_says_so():
    links = join_communes(
        qpv_frame({"QN05901N": (ASTRIDE, ["59001", "59002"])}),
        communes_frame(SIDE_BY_SIDE),
        population=people({"QN05901N": 1000}),
    )
    assert shares(links) == {("QN05901N", "59001"): (0.7, "area"), ("QN05901N", "59002"): (0.3, "area")}
    assert links["area_m2"].tolist() == pytest.approx([70_000, 30_000])
    assert links["population"].tolist() == pytest.approx([700, 300])


def test_published_parts_are_used_in_place_of_the_area():
    links = join_communes(
        qpv_frame({"QN05901N": (ASTRIDE, ["59001", "59002"])}),
        communes_frame(SIDE_BY_SIDE),
        population=people({("QN05901N", "59001"): 100, ("QN05901N", "59002"): 900}),
    )
    assert shares(links) == {("QN05901N", "59001"): (0.1, "published"), ("QN05901N", "59002"): (0.9, "published")}
    assert links["population"].tolist() == pytest.approx([100, 900])
    assert links["area_share"].tolist() == pytest.approx([0.7, 0.3])


def test_a_secret_part_leaves_the_people_unknown_not_smaller():
    links = join_communes(
        qpv_frame({"QN05901N": (ASTRIDE, ["59001", "59002"])}),
        communes_frame(SIDE_BY_SIDE),
        population=people({("QN05901N", "59001"): 100, ("QN05901N", "59002"): pd.NA}),
    )
    assert links["population"].isna().all()
    assert links["basis"].tolist() == ["area", "area"]


def test_published_parts_need_no_outlines():
    links = join_communes(
        qpv_frame({"QN05901N": (ASTRIDE, ["59001", "59002"])}),
        pd.DataFrame(communes_frame(SIDE_BY_SIDE).drop(columns="geometry")),
        population=people({("QN05901N", "59001"): 100, ("QN05901N", "59002"): 900}),
    )
    assert links["population"].tolist() == pytest.approx([100, 900])
    assert links["area_m2"].isna().all()


def test_two_communes_and_nothing_to_share_by_is_an_error_that_lists_them():
    table = pd.DataFrame(communes_frame(SIDE_BY_SIDE).drop(columns="geometry"))
    rows = {"QN05901N": (ASTRIDE, ["59001", "59002"]), "QN05902N": (box(0, 0, 100, 100), ["59001"])}
    with pytest.raises(DataError, match="1 QPV lie in several communes") as error:
        join_communes(qpv_frame(rows), table)
    assert [problem.values for problem in error.value.problems] == [
        {"qpv_code": "QN05901N", "communes": ["59001", "59002"]}
    ]


def test_a_table_of_communes_is_enough_where_each_qpv_has_one():
    links = join_communes(
        qpv_frame({"QN05901N": (box(0, 0, 100, 100), ["59001"])}),
        pd.DataFrame(communes_frame(SIDE_BY_SIDE).drop(columns="geometry")),
    )
    assert links.loc[0, ["commune", "area_m2", "area_share"]].tolist() == ["59001", pytest.approx(10_000), 1]


def test_a_commune_of_the_list_that_was_not_given_holds_what_the_others_do_not_cover():
    qpv = qpv_frame({"QN05901N": (box(900, 0, 1100, 500), ["59001", "59002"])})
    links = join_communes(qpv, communes_frame({"59001": SIDE_BY_SIDE["59001"]}))
    assert shares(links) == {("QN05901N", "59001"): (0.5, "area"), ("QN05901N", "59002"): (0.5, "area")}
    assert links["area_m2"].tolist() == pytest.approx([50_000, 50_000])


def test_communes_of_one_region_do_not_stop_on_the_qpv_of_others():
    qpv = qpv_frame(
        {
            "QN05901N": (box(0, 0, 100, 100), ["59001"]),
            "QN05902N": (box(5000, 0, 5100, 100), ["59003", "59004"]),
            "QN05903N": (box(900, 0, 1100, 500), ["59001", "59003", "59004"]),
        }
    )
    links = join_communes(qpv, communes_frame({"59001": SIDE_BY_SIDE["59001"]}))
    given = links.set_index("qpv_code")
    assert given.loc["QN05901N", "commune"] == "59001"
    assert pd.isna(given.loc["QN05902N", "commune"])
    assert given.loc["QN05902N", "population_share"] == 1
    assert given.loc["QN05903N", "population_share"].tolist() == pytest.approx([0.5, 0.5])
    assert given.loc["QN05903N", "commune"].isna().tolist() == [False, True]
    assert "indicators.in_no_commune" in [note.key for note in links.attrs["qpvgeo"]["notes"]]


@pytest.mark.parametrize("over", [1, 9.9])
def test_a_sliver_over_the_limit_is_no_membership(over):
    # 1000 m2 and 1 % are both needed: 100 m of front over a limit by less than 10 m is less than 1000 m2
    links = join_communes(qpv_frame({"QN05901N": (box(700, 0, 1000 + over, 100), None)}), communes_frame(SIDE_BY_SIDE))
    assert links["commune"].tolist() == ["59001"]
    assert links["population_share"].tolist() == [1]
    assert links["basis"].tolist() == ["area"]


def test_a_large_qpv_needs_its_hundredth_over_the_limit_too():
    over = 5
    assert over * 1000 > MIN_AREA_M2
    assert over * 1000 < MIN_SHARE * 1_000_000
    links = join_communes(
        qpv_frame({"QN05901N": (box(over, 0, 1000 + over, 1000), None)}), communes_frame(SIDE_BY_SIDE)
    )
    assert links["commune"].tolist() == ["59001"]


def test_tolerances_are_the_callers():
    given_qpv = qpv_frame({"QN05901N": (box(700, 0, 1005, 100), None)})
    links = join_communes(given_qpv, communes_frame(SIDE_BY_SIDE), min_area_m2=100, min_share=0.001)
    assert links["commune"].tolist() == ["59001", "59002"]


def test_a_qpv_smaller_than_the_tolerance_is_still_somewhere():
    links = join_communes(qpv_frame({"QN05901N": (box(980, 0, 1005, 20), None)}), communes_frame(SIDE_BY_SIDE))
    assert links["commune"].tolist() == ["59001"]


def test_published_list_decides_against_the_geometry():
    only_first = qpv_frame({"QN05901N": (ASTRIDE, ["59001"])})
    listed = join_communes(only_first, communes_frame(SIDE_BY_SIDE))
    by_area = join_communes(only_first, communes_frame(SIDE_BY_SIDE), basis="area")
    assert shares(listed) == {("QN05901N", "59001"): (1, "published")}
    assert shares(by_area) == {("QN05901N", "59001"): (0.7, "area"), ("QN05901N", "59002"): (0.3, "area")}


def test_without_communes_each_qpv_has_one_link_to_none():
    rows = {"QN05901N": (ASTRIDE, ["59001", "59002"]), "QN05902N": (None, None)}
    links = join_communes(qpv_frame(rows), None, population=people({"QN05901N": 1200, "QN05902N": 800}))
    assert links["qpv_code"].tolist() == ["QN05901N", "QN05902N"]
    assert links["commune"].isna().all()
    assert links["population"].tolist() == [1200, 800]


def test_a_basis_that_does_not_exist():
    with pytest.raises(UsageError, match="There is no basis"):
        join_communes(qpv_frame({"QN05901N": (ASTRIDE, None)}), communes_frame(SIDE_BY_SIDE), basis="grid")


def test_a_qpv_in_no_commune_keeps_its_people():
    links = join_communes(
        qpv_frame({"QN05901N": (box(5000, 0, 5100, 100), None), "QN05902N": (box(0, 0, 100, 100), None)}),
        communes_frame(SIDE_BY_SIDE),
        population=people({"QN05901N": 1200, "QN05902N": 800}),
    )
    assert links["commune"].isna().tolist() == [True, False]
    assert links["population"].tolist() == [1200, 800]
    assert links["epci"].isna().tolist() == [True, False]


def test_a_missing_outline_goes_by_the_list():
    rows = {"QN05901N": (None, ["59002"]), "QN05902N": (None, None)}
    links = join_communes(
        qpv_frame(rows), communes_frame(SIDE_BY_SIDE), population=people({"QN05901N": 1200, "QN05902N": 800})
    )
    assert links["commune"].fillna("none").tolist() == ["59002", "none"]
    assert links["population"].tolist() == [1200, 800]
    assert links["area_m2"].isna().all()


def test_people_that_are_not_known_stay_missing():
    rows = {"QN05901N": (box(0, 0, 100, 100), ["59001"]), "QN05902N": (box(0, 0, 100, 100), ["59001"])}
    links = join_communes(qpv_frame(rows), communes_frame(SIDE_BY_SIDE), population=people({"QN05902N": 800}))
    assert links["population"].isna().tolist() == [True, False]


def test_people_of_the_other_geography_are_refused():
    with pytest.raises(DataError, match="holds none of these QPV"):
        join_communes(
            qpv_frame({"QN05901N": (ASTRIDE, ["59001"])}),
            communes_frame(SIDE_BY_SIDE),
            population=people({"QP059001": 800}),
        )


def test_arrondissements_are_folded_where_the_communes_are_whole():
    marseille = communes_frame({"13055": box(0, 0, 2000, 1000)})
    qpv = qpv_frame({"QN01301N": (ASTRIDE, ["13201", "13202"])})
    parts = people({("QN01301N", "13201"): 600, ("QN01301N", "13202"): 400})
    links = join_communes(qpv, marseille, population=parts)
    assert shares(links) == {("QN01301N", "13055"): (1, "published")}
    assert links["population"].tolist() == [1000]


def test_arrondissements_are_kept_where_the_communes_have_them():
    marseille = communes_frame({"13201": SIDE_BY_SIDE["59001"], "13202": SIDE_BY_SIDE["59002"]})
    qpv = qpv_frame({"QN01301N": (ASTRIDE, ["13055"]), "QN01302N": (box(0, 0, 100, 100), ["13055"])})
    links = join_communes(qpv, marseille)
    assert shares(links) == {
        ("QN01301N", "13201"): (0.7, "area"),
        ("QN01301N", "13202"): (0.3, "area"),
        ("QN01302N", "13201"): (1, "published"),
    }


def test_ept_comes_from_the_perimeters_in_the_grand_paris_alone():
    codes_of_communes = {"93001": SIDE_BY_SIDE["59001"], "75056": SIDE_BY_SIDE["59002"]}
    communes = communes_frame(codes_of_communes, epci=GRAND_PARIS)
    rows = {"QN09301N": (box(0, 0, 100, 100), ["93001"]), "QN07501N": (box(1500, 0, 1600, 100), ["75056"])}
    links = join_communes(qpv_frame(rows, siren_epci=["200057867", "217500016"]), communes)
    assert links["ept"].fillna("none").tolist() == ["200057867", "none"]


def test_ept_of_one_qpv_tells_that_of_its_commune():
    communes = communes_frame(SIDE_BY_SIDE, epci=GRAND_PARIS)
    rows = {f"QN05901{letter}": (box(0, 0, 100, 100), ["59001"]) for letter in "NM"}
    links = join_communes(qpv_frame(rows, siren_epci=["200057867", None]), communes)
    assert links["ept"].tolist() == ["200057867", "200057867"]


def test_two_ept_for_one_commune_tell_nothing():
    communes = communes_frame(SIDE_BY_SIDE, epci=GRAND_PARIS)
    rows = {f"QN05901{letter}": (box(0, 0, 100, 100), ["59001"]) for letter in "NM"}
    links = join_communes(qpv_frame(rows, siren_epci=["200057867", "200057875"]), communes)
    assert links["ept"].isna().all()


def test_ept_of_the_table_of_communes_comes_first():
    communes = communes_frame(SIDE_BY_SIDE, epci=GRAND_PARIS, ept="200057966")
    rows = {"QN05901N": (box(0, 0, 100, 100), ["59001"])}
    assert join_communes(qpv_frame(rows, siren_epci="200057867"), communes)["ept"].tolist() == ["200057966"]


def test_shares_of_each_qpv_add_up_to_one(qpv, communes, by_qpv, by_commune):
    for population in (None, by_qpv, by_commune):
        for basis in ("published", "area"):
            links = join_communes(qpv, communes, population=population, basis=basis)
            assert links.groupby("qpv_code")["population_share"].sum().tolist() == pytest.approx([1] * len(qpv))


def test_people_add_up_to_the_total(qpv, communes, by_qpv, by_commune):
    total = by_qpv["population"].sum()
    for population in (by_qpv, by_commune):
        assert join_communes(qpv, communes, population=population)["population"].sum() == pytest.approx(total)


def test_parts_of_the_sample_are_the_published_ones(qpv, communes, by_commune):
    links = join_communes(qpv, communes, population=by_commune).set_index(["qpv_code", "commune"])
    assert links["population"].to_dict() == pytest.approx(by_commune["population"].to_dict())
    assert set(links["basis"]) == {"published"}


def test_areas_agree_with_a_plain_overlay(qpv, communes):
    links = join_communes(qpv, communes, basis="area").set_index(["qpv_code", "commune"])["area_m2"]
    pieces = gpd.overlay(
        qpv[["geometry"]].reset_index().to_crs(2154), communes[["geometry"]].reset_index().to_crs(2154)
    )
    twin = pieces.assign(area=pieces.area).groupby(["qpv_code", "code"])["area"].sum().reindex(links.index)
    assert links.tolist() == pytest.approx(twin.tolist(), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_order_of_rows_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    rows = {f"QN0590{rank}N": (box(*at, *(at + size)), None) for rank, (at, size) in enumerate(boxes(rng))}
    qpv, communes = qpv_frame(rows), communes_frame(SIDE_BY_SIDE)
    straight = join_communes(qpv, communes).sort_values(["qpv_code", "commune"], ignore_index=True)
    turned = join_communes(qpv[::-1], communes[::-1]).sort_values(["qpv_code", "commune"], ignore_index=True)
    assert_frame_equal(straight, turned)


def boxes(rng):
    return [(rng.uniform(0, 1500, 2) * [1, 0.3], rng.uniform(50, 400, 2)) for _ in range(5)]


def test_rows_come_in_the_order_of_the_qpv(qpv, communes):
    turned = qpv.iloc[::-1]
    assert join_communes(turned, communes)["qpv_code"].drop_duplicates().tolist() == turned.index.tolist()


def test_links_carry_where_they_come_from(qpv, communes, by_qpv):
    links = join_communes(qpv, communes, population=by_qpv)
    about = links.attrs["qpvgeo"]
    assert {record["file"] for record in about["files"]} >= {"qpv-2024-geojson.zip", "pop_QPV24.csv"}
    assert (about["vintage"], about["reference_year"], about["fictional"]) == (2024, 2020, True)


def test_a_frame_that_is_not_of_qpv_is_refused(communes):
    with pytest.raises(DataError, match="not a QPV frame"):
        join_communes(communes, communes)


@pytest.mark.real
def test_real_links_of_2024_follow_the_published_list(real_links, real_qpv):
    listed = sum(len(codes) for codes in real_qpv["communes"] if codes)
    assert len(real_links) == listed == 1801
    assert real_links["commune"].notna().all()
    assert real_links["commune"].nunique() == 833


@pytest.mark.real
def test_real_shares_and_people_of_2024_add_up(real_links):
    assert np.allclose(real_links.groupby("qpv_code")["population_share"].sum(), 1)
    assert real_links["population"].sum() == pytest.approx(5_931_940)


@pytest.mark.real
def test_real_ept_are_those_of_the_grand_paris_and_paris_has_none(real_links):
    ept = real_links["ept"].dropna()
    assert set(ept) <= set(facts.names("epts"))
    assert 10 <= ept.nunique() <= 11
    assert real_links.loc[real_links["commune"] == "75056", "ept"].isna().all()
    assert set(real_links.loc[ept.index, "epci"]) == {GRAND_PARIS}
    assert set(real_links.loc[ept.index, "department"]) <= {"91", "92", "93", "94", "95"}


@pytest.mark.real
def test_real_geometry_agrees_with_the_list_as_far_as_generalised_outlines_go(real_qpv, real_communes, real_links):
    by_area = join_communes(real_qpv, real_communes, basis="area")
    pairs, listed = ({*zip(links["qpv_code"], links["commune"], strict=True)} for links in (by_area, real_links))
    drawn = set(real_qpv.index[real_qpv.geometry.notna()])
    assert len({pair for pair in pairs - listed if pair[0] in drawn}) <= 85
    assert len({pair for pair in listed - pairs if pair[0] in drawn}) <= 12
