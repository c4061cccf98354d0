"""Contrats de ville: the rule by hand, tables on the sample, every EPCI of France on published files."""

import pandas as pd
import pytest
from tests.builders import refused
from tests.policy.test_programmes import notes, qpv_of

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.policy import contrat_de_ville, people_in_and_out
from qpvgeo.policy.entries_and_exits import CHANGE_COLUMNS
from qpvgeo.policy.epts import ept_of
from qpvgeo.policy.published_rates import published_rates

GRAND_PARIS = "200054781"


def links_of(*rows):
    columns = ["qpv_code", "commune", "epci", "ept", "population", "population_share", "basis"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def town():
    """Two QPV of one EPCI, one of them half in a commune of another, and one in a commune without any."""
    qpv = qpv_of([["01001"], ["01001", "01002"], ["01003"]])
    communes = pd.DataFrame(
        {
            "name": ["A", "B", "C", "D"],
            "epci": ["200000001", "200000002", None, "200000001"],
            "ept": None,
            "population": [1_000, 500, 400, 3_000],
        },
        index=["01001", "01002", "01003", "01004"],
    )
    links = links_of(
        ("QN00101M", "01001", "200000001", None, 100.0, 1.0, "published"),
        ("QN00102M", "01001", "200000001", None, 60.0, 0.6, "area"),
        ("QN00102M", "01002", "200000002", None, 40.0, 0.4, "area"),
        ("QN00103M", "01003", None, None, 50.0, 1.0, "published"),
    )
    return qpv, links, communes


def test_an_intercommunality_has_the_contract_and_a_commune_without_one_has_its_own(town):
    qpv, links, communes = town
    found = contrat_de_ville(None, qpv, links, communes=communes)
    assert found.totals[["level", "n_qpv", "qpv_population", "population"]].to_numpy().tolist() == [
        ["commune", 1, 50, 400],
        ["epci", 2, 160, 4_000],
        ["epci", 1, 40, 500],
    ]
    # 160 / 4,000 = 0.04: the commune without a QPV counts in the whole
    assert found.totals.loc["200000001", "share"] == pytest.approx(0.04)
    assert found.totals["qpv_population"].sum() == links["population"].sum()


def test_a_qpv_has_its_share_of_its_communes_and_of_the_contract(town):
    qpv, links, communes = town
    rows = contrat_de_ville("200000001", qpv, links, communes=communes).by_qpv.set_index("qpv_code")
    assert rows["share_of_communes"].tolist() == pytest.approx([0.1, 0.06])
    assert rows["share_of_contract"].tolist() == pytest.approx([0.025, 0.015])
    assert rows["basis"].tolist() == ["published", "area"]
    assert rows.loc["QN00102M", "population_share"] == pytest.approx(0.6)


def test_communes_have_their_own_table(town):
    qpv, links, communes = town
    rows = contrat_de_ville("B", qpv, links, communes=communes).by_commune
    assert rows[["commune", "n_qpv", "qpv_population", "share"]].to_numpy().tolist() == [["01002", 1, 40.0, 0.08]]


def test_a_commune_without_a_qpv_has_the_contract_of_its_intercommunality(town):
    qpv, links, communes = town
    assert contrat_de_ville("D", qpv, links, communes=communes).totals.index.tolist() == ["200000001"]


def test_the_grand_paris_is_contracted_by_ept_and_paris_on_its_own():
    qpv = qpv_of([["93008"], ["75056"]])
    communes = pd.DataFrame(
        {"name": ["Bobigny", "Paris"], "epci": GRAND_PARIS, "ept": None, "population": [50_000, 2_000_000]},
        index=["93008", "75056"],
    )
    links = links_of(
        ("QN00101M", "93008", GRAND_PARIS, None, 10.0, 1.0, "published"),
        ("QN00102M", "75056", GRAND_PARIS, None, 20.0, 1.0, "published"),
    )
    totals = contrat_de_ville(None, qpv, links, communes=communes).totals
    assert totals["level"].to_dict() == {"200057875": "ept", "75056": "commune"}
    assert totals.loc["75056", "name"] == "Paris"
    assert ept_of(communes)["93008"] == "200057875"


def test_people_that_are_not_published_leave_the_total_missing(town):
    qpv, links, communes = town
    found = contrat_de_ville("200000001", qpv, links.assign(population=[None, 60, 40, 50]), communes=communes)
    assert found.totals["qpv_population"].isna().all()
    assert found.totals["n_without_population"].tolist() == [1]
    assert found.totals["note"].iloc[0].key == "policy.without_people"


def test_incomes_programmes_and_indicators_are_those_given(town):
    qpv, links, communes = town
    income = pd.DataFrame(
        {"code_qp": ["QN00101M", "QN00102M"], "DISP_MED_A21": ["14 000", "ns"], "DISP_TP60_A21": [40, 50]}
    )
    programmes = pd.DataFrame({"qpv_code": ["QN00101M"] * 2, "programme": ["npnru", "cites-educatives"]})
    jobs = pd.DataFrame({"jobs": [1.0, 2.0], "word": ["a", "b"]}, index=["QN00101M", "QN00103M"])
    found = contrat_de_ville(
        "200000001",
        qpv,
        links,
        communes=communes,
        income=income,
        programmes=programmes,
        indicators={"employment": jobs},
    )
    rows = found.by_qpv.set_index("qpv_code")
    assert rows["income_eur"].isna().tolist() == [False, True]
    assert rows["poverty_rate"].tolist() == [0.4, 0.5]
    assert rows.loc["QN00101M", "programmes"] == "cites-educatives, npnru"
    assert found.indicators.iloc[:, :4].to_numpy().tolist() == [["employment", "QN00101M", "jobs", 1.0]]


def test_a_programme_of_another_contract_is_none_of_a_qpv_that_reaches_into_it(town):
    qpv, links, communes = town
    programmes = pd.DataFrame(
        {
            "qpv_code": ["QN00102M", "QN00102M", "QN00102M"],
            "programme": ["quartiers-productifs", "cites-educatives", "npnru"],
            "code": ["200000002", "01001", "QN00102M"],
            "basis": ["epci", "commune", "code"],
        }
    )
    rows = contrat_de_ville(None, qpv, links, communes=communes, programmes=programmes).by_qpv
    told = rows.set_index(["qpv_code", "contract"])["programmes"]
    assert told["QN00102M", "200000001"] == "cites-educatives, npnru"
    assert told["QN00102M", "200000002"] == "npnru, quartiers-productifs"


OTHERS = {
    "links": ("links", None),
    "income": ("income", pd.DataFrame({"code_qp": ["QP001001"], "poverty_rate": [0.4]})),
    "programmes": ("programmes", pd.DataFrame({"qpv_code": ["QP001001"], "programme": ["npnru"]})),
    "changes": (
        "changes",
        pd.DataFrame([[None] * len(CHANGE_COLUMNS)], index=["QP001001"], columns=list(CHANGE_COLUMNS)),
    ),
    "indicators": ("indicators: jobs", {"jobs": pd.DataFrame({"jobs": [1.0]}, index=["QP001001"])}),
}


@pytest.mark.parametrize("table", OTHERS)
@pytest.mark.parametrize("place", [None, "200000001"])
def test_a_table_of_the_other_geography_is_refused(town, table, place):
    qpv, links, communes = town
    name, other = OTHERS[table]
    given = {} if table == "links" else {table: other}
    if table == "links":
        links = links.assign(qpv_code=links["qpv_code"].str.replace("QN0010", "QP00100").str[:-1])
    error = refused(
        lambda: contrat_de_ville(place, qpv, links, communes=communes, **given), "frames.geographies_differ", DataError
    )
    assert [note.values["name"] for note in error.problems] == ["qpv", name]


def test_tables_of_both_geographies_serve_either(town):
    qpv, links, communes = town
    income = pd.DataFrame({"code_qp": ["QP001001", "QN00101M"], "poverty_rate": [0.4, 0.3]})
    found = contrat_de_ville(None, qpv, links, communes=communes, income=income)
    assert found.by_qpv.set_index("qpv_code")["poverty_rate"].dropna().to_dict() == {"QN00101M": 0.3}
    mixed = pd.concat([links, links.iloc[:1].assign(qpv_code="QP001001")])
    refused(lambda: contrat_de_ville(None, qpv, mixed, communes=communes), "frames.geographies_differ", DataError)


def test_qpv_that_the_links_do_not_have_and_the_other_way_round_are_counted(town):
    qpv, links, communes = town
    fewer = contrat_de_ville(None, qpv.iloc[:2], links, communes=communes)
    assert notes(fewer.totals)["policy.links_without_qpv"] == 1
    lost = contrat_de_ville(None, qpv, links.iloc[:1], communes=communes)
    assert notes(lost.totals)["policy.qpv_without_link"] == 2


def test_figures_that_are_missing_are_counted(town):
    qpv, links, communes = town
    assert "policy.no_income_given" in notes(contrat_de_ville(None, qpv, links, communes=communes).totals)
    income = pd.DataFrame({"code_qp": ["QN00101M"], "poverty_rate": [0.3]})
    found = contrat_de_ville("200000001", qpv, links, communes=communes, income=income)
    told = [note.values for note in found.totals.attrs["qpvgeo"]["notes"] if note.key == "policy.figures_missing"]
    assert [(one["what"], one["count"], one["total"]) for one in told] == [
        ("median income", 2, 2),
        ("poverty rate", 1, 2),
    ]


def test_the_years_of_both_sides_are_told(town):
    qpv, links, communes = town
    links.attrs["qpvgeo"] = {"reference_year": 2020, "census_years": {"hexagone": 2020}}
    communes.attrs["qpvgeo"] = {"population_year": 2013}
    found = contrat_de_ville("200000001", qpv, links, communes=communes)
    assert found.totals[["qpv_population_year", "population_year"]].to_numpy().tolist() == [[2020, 2013]]
    assert "indicators.years_of_sides" in notes(found.totals)
    communes.attrs["qpvgeo"] = {"population_year": 2020}
    same = contrat_de_ville("200000001", qpv, links, communes=communes)
    assert "indicators.years_of_sides" not in notes(same.totals)


def test_indicators_come_as_read_or_as_tables_with_their_codes(town):
    qpv, links, communes = town
    read = pd.DataFrame(
        {
            "qpv_code": ["QN00101M", "QN00101M"],
            "theme": "income",
            "indicator": ["disp_med", "disp_tp60"],
            "value": [14_000.0, None],
            "unit": ["EUR", "%"],
            "year": 2021,
            "flag": [None, "secret"],
        }
    )
    rows = contrat_de_ville("200000001", qpv, links, communes=communes, indicators=read).indicators
    assert rows["flag"].fillna("").tolist() == ["", "secret"]
    assert rows[["theme", "indicator", "unit", "year"]].iloc[0].tolist() == ["income", "disp_med", "EUR", 2021]
    table = pd.DataFrame({"CODE_QP": ["qn00102m", "Total"], "year": [2022, 2022], "jobs": [7, 9]})
    rows = contrat_de_ville("200000001", qpv, links, communes=communes, indicators={"jobs": table}).indicators
    assert rows[["theme", "qpv_code", "indicator", "value", "year"]].to_numpy().tolist() == [
        ["jobs", "QN00102M", "jobs", 7.0, 2022]
    ]
    none = pd.DataFrame({"jobs": [1]}, index=["Lille"])
    refused(
        lambda: contrat_de_ville(None, qpv, links, communes=communes, indicators={"jobs": none}),
        "policy.no_indicators",
        DataError,
    )


def test_the_latest_year_with_a_figure_is_taken():
    from qpvgeo.policy.published_rates import published_rates

    table = pd.DataFrame({"code_qp": ["QP001001"] * 3, "year": [2021, 2019, 2020], "income_eur": [None, 1, 2]})
    assert published_rates(table)["income_eur"].tolist() == [2]


def test_a_place_without_a_qpv_and_other_things_are_refused(town):
    qpv, links, communes = town
    alone = communes.assign(epci=["200000001", "200000002", None, "200000009"])
    refused(lambda: contrat_de_ville("D", qpv, links, communes=alone), "policy.no_contract", DataError)
    refused(lambda: contrat_de_ville("nowhere", qpv, links, communes=communes), "codes.unknown_place", UsageError)
    refused(lambda: contrat_de_ville(None, qpv, links.drop(columns="ept"), communes=communes), None, DataError)
    refused(lambda: contrat_de_ville(None, qpv, links, communes=3))
    refused(
        lambda: contrat_de_ville(None, qpv, links, communes=communes, income=pd.DataFrame({"a": ["b"]})),
        "policy.no_rates",
        DataError,
    )
    refused(
        lambda: contrat_de_ville(None, qpv, links, communes=communes, indicators={"jobs": 3}),
        "policy.indicators_frame",
        UsageError,
    )


@pytest.fixture(scope="module")
def france(real_data):
    admin = real_data / "admin"
    outlines = [admin / "communes_2024_100m_sauf_44_75_76.parquet", admin / "communes_2018_regions_44_75_76.parquet"]
    communes = qg.read_communes(outlines, table=admin / "cog2024_communes.csv")
    qpv = {
        2015: qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp"),
        2024: qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson"),
    }
    people = {
        2015: qg.read_population(real_data / "qpv2015" / "pop_qp_2013.csv"),
        2024: qg.read_population(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv"),
    }
    links = {year: qg.join_communes(qpv[year], communes, population=people[year]) for year in qpv}
    return communes, qpv, people, links, qg.read_epci(admin / "cog2024_epci.csv")


@pytest.mark.parametrize(("year", "hexagone"), [(2015, 335), (2024, 333)])
def test_every_epci_of_france_in_one_call(france, year, hexagone):
    communes, qpv, people, links, epci = france
    income = people[2024] if year == 2024 else None
    found = contrat_de_ville(None, qpv[year], links[year], communes=communes, epci=epci, income=income)
    # 333 contracts in the hexagone are those published for 2024-2030
    assert int((found.totals["territory"] == "hexagone").sum()) == hexagone
    assert found.by_qpv["population"].sum() == pytest.approx(people[year]["population"].sum())
    assert set(found.by_qpv["qpv_code"]) == set(qpv[year].index)


@pytest.mark.parametrize(("year", "quarters", "inside"), [(2015, 9, 22_224), (2024, 11, 29_239)])
def test_maubeuge_val_de_sambre_in_both_geographies(france, year, quarters, inside):
    communes, qpv, people, links, epci = france
    moved = people_in_and_out(qpv[2015], qpv[2024], population_2015=people[2015], population_2024=people[2024])
    found = contrat_de_ville(
        "Maubeuge Val de Sambre", qpv[year], links[year], communes=communes, epci=epci, changes=moved
    )
    assert found.totals[["n_qpv", "qpv_population"]].to_numpy().tolist() == [[quarters, inside]]
    rows = found.by_qpv
    assert (rows["gained_low"] <= rows["gained"]).all()
    assert (rows["gained"] <= rows["gained_high"]).all()
    # Aulnoye-Aymeries is a new quarter of 2024: all of its people are gained
    if year == 2024:
        new = rows.set_index("qpv_code").loc["QN05993N"]
        assert new[["gained_low", "gained", "gained_high"]].tolist() == [2_242] * 3


def test_people_gained_and_lost_name_the_tables_of_people_that_they_rest_on():
    sample = qg.sample()
    before, now = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    tables = [qg.read_population(one) for one in (sample.population_2015, sample.population_2024)]
    moved = people_in_and_out(before, now, population_2015=tables[0], population_2024=tables[1])
    named = {file["file"] for file in qg.provenance(moved)["files"]}
    assert {file["file"] for table in tables for file in qg.provenance(table)["files"]} <= named


def test_ground_that_one_geography_holds_alone_is_counted_on_the_cells():
    sample = qg.sample()
    before, now = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    grid = qg.read_grid(sample.grid_2019)
    moved = people_in_and_out(before, now, grid=grid)
    # a QPV that is new has all of its people gained: those that the grid counts in it
    whole = qg.estimate_population(now.loc[["QN09907N"]], grid)
    assert moved.loc["QN09907N", "gained"] == pytest.approx(whole["estimate"].iloc[0])
    assert moved.loc["QN09902I", ["gained", "lost"]].tolist() == [0, 0]
    # what is lost is counted once, whichever side it is read from
    of_before = moved.loc[before.index, "lost"].sum()
    dropped = moved.loc[before.index][moved.loc[before.index, "change"] == "dropped"]
    assert moved.loc[now.index, "lost"].sum() + dropped["lost"].sum() == pytest.approx(of_before)
    for name in ("gained", "lost"):
        assert (moved[f"{name}_low"] <= moved[name] + 1e-9).all()
        assert (moved[name] <= moved[f"{name}_high"] + 1e-9).all()


def test_outlines_that_were_only_simplified_are_kept(france):
    _, qpv, _, _, _ = france
    found = people_in_and_out(qpv[2015], qpv[2024])
    unchanged = found[found.index.str.startswith("QN") & found.index.str.endswith("I")]
    # of 341 codes that say so 338 have an outline; the layer of 2024 is simplified, by 12 m in the middle case
    assert (len(unchanged), int((unchanged["change"] == "kept").sum())) == (341, 314)
    assert "geographies.shift" in notes(found)
    exact = people_in_and_out(qpv[2015], qpv[2024], tolerance_m=1)
    assert int((exact["change"] == "kept").sum()) == 0
    assert "geographies.shift_beyond_tolerance" in notes(exact)


def test_without_people_nothing_is_said_of_them():
    sample = qg.sample()
    before, now = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    moved = people_in_and_out(before, now)
    assert moved.loc["QN09907N", ["gained_low", "gained", "basis"]].isna().all()
    assert moved.loc["QN09902I", "gained"] == 0
    refused(lambda: people_in_and_out(now, before), "policy.not_of_year", UsageError)


def test_people_published_for_a_whole_epci_go_before_the_sum_of_its_communes(town):
    qpv, links, communes = town
    epci = pd.DataFrame({"name": ["One", "Two"], "population": [4_100, None]}, index=["200000001", "200000002"])
    totals = contrat_de_ville(None, qpv, links, communes=communes, epci=epci).totals
    assert totals.loc["200000001", ["population", "population_basis"]].tolist() == [4_100, "published"]
    assert totals.loc["200000001", "share"] == pytest.approx(160 / 4_100)
    assert totals.loc["200000002", ["population", "population_basis"]].tolist() == [500, "communes"]


@pytest.mark.parametrize("table", ["links", "communes"])
def test_people_that_are_no_numbers_are_refused(town, table):
    qpv, links, communes = town
    frames = {"links": links, "communes": communes}
    frames[table] = frames[table].assign(population=-1)
    refused(
        lambda: contrat_de_ville(None, qpv, frames["links"], communes=frames["communes"]),
        "frames.not_people",
        DataError,
    )


def test_links_stacked_twice_are_refused(town):
    qpv, links, communes = town
    twice = pd.concat([links, links])
    refused(lambda: contrat_de_ville(None, qpv, twice, communes=communes), "indicators.repeated_links", DataError)


def test_communes_on_repeated_labels_are_refused(town):
    qpv, links, communes = town
    twice = pd.concat([communes, communes])
    refused(lambda: contrat_de_ville(None, qpv, links, communes=twice), "frames.labels_repeated", DataError)


def test_a_share_of_nobody_is_missing(town):
    qpv, links, communes = town
    found = contrat_de_ville(None, qpv, links, communes=communes.assign(population=0))
    assert found.totals["share"].isna().all()
    assert found.by_commune["share"].isna().all()
    assert found.by_qpv[["share_of_communes", "share_of_contract"]].isna().all(axis=None)


@pytest.mark.parametrize("column", [{"DISP_MED_A21": [-5]}, {"DISP_TP60_A21": [450]}], ids=["income", "rate"])
def test_impossible_incomes_and_rates_are_refused(column):
    table = pd.DataFrame({"codeQPV": ["QP001001"], **column})
    refused(lambda: published_rates(table), "policy.not_rates", DataError)


def test_codes_under_a_name_that_says_nothing_are_known_by_their_values():
    table = pd.DataFrame({"CODGEO": ["QP001001"], "DISP_MED_A21": ["13780"]})
    assert published_rates(table)["income_eur"].to_dict() == {"QP001001": 13780}
