"""Facts of law: which list holds on which day, and the published totals."""

import datetime as dt

import pandas as pd
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import refused

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import UsageError
from qpvgeo.indicators.denominators import departments_of

TERRITORIES = ["hexagone", "971", "972", "973", "974", "976", "978", "987"]
REFERENCE_NAMES = {
    "France métropolitaine (hexagone)": "hexagone",
    "France entière": None,
    "France entière during 2024": None,
    "Hexagone + 5 DOM (Insee statistical scope)": None,
}
DAYS = st.dates(dt.date(2015, 1, 1), dt.date(2029, 12, 31))


@pytest.mark.parametrize(
    ("day", "total"),
    [
        ("2015-01-01", 1514),
        ("2023-06-30", 1514),
        ("2023-12-31", 1514),
        ("2024-01-01", 1580),
        ("2024-06-30", 1580),
        ("2024-12-31", 1580),
        ("2025-01-01", 1609),
        ("2025-06-30", 1609),
        ("2025-12-31", 1609),
        ("2026-01-01", 1584),
        ("2026-06-30", 1584),
        ("2029-12-31", 1584),
    ],
)
def test_number_of_qpv_depends_on_the_day(day, total):
    frame = facts.geography(day)
    assert frame.attrs["n_qpv"] == total
    assert frame["n_qpv"].sum() == total


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        ("2023-12-31", [1296, 16, 7, 32, 49, 36, 2, 76]),
        ("2024-12-31", [1362, 16, 7, 32, 49, 36, 2, 76]),
        ("2025-12-31", [1362, 19, 9, 29, 57, 42, 3, 88]),
        ("2026-01-01", [1362, 19, 9, 29, 57, 17, 3, 88]),
    ],
)
def test_number_of_qpv_depends_on_the_territory(day, counts):
    assert facts.geography(day)["n_qpv"].to_dict() == dict(zip(TERRITORIES, counts, strict=True))


def test_during_2024_the_two_geographies_stand_side_by_side():
    vintages = facts.geography("2024-06-30")["vintage"]
    assert vintages["hexagone"] == 2024
    assert set(vintages.drop("hexagone")) == {2015}


def test_before_2015_there_was_no_qpv():
    with pytest.raises(UsageError, match="There was no QPV on 2014-12-31"):
        facts.geography("2014-12-31")


def test_mayotte_is_not_known_after_its_regime_and_neither_is_the_total():
    frame = facts.geography("2030-01-01")
    assert frame.attrs["n_qpv"] is None
    assert frame.index[frame["n_qpv"].isna()].tolist() == ["976"]
    assert frame.loc["976", "note"] == "not known after 2029-12-31"


@pytest.mark.parametrize("day", ["2024-13-01", "30/06/2024", "20240630", "2024-W26-7", "", None, 2024])
def test_what_is_not_a_day_is_refused(day):
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        facts.geography(day)


@pytest.mark.parametrize(
    "day", [dt.date(2024, 6, 30), dt.datetime(2024, 6, 30, 23, 59, tzinfo=dt.UTC), pd.Timestamp("2024-06-30")]
)
def test_a_day_may_be_a_date_or_a_time(day):
    pd.testing.assert_frame_equal(facts.geography(day), facts.geography("2024-06-30"))


@given(day=DAYS)
def test_each_territory_has_one_list_on_any_day(day):
    frame = facts.geography(day)
    assert frame.index.tolist() == TERRITORIES
    assert frame.attrs["n_qpv"] in {1514, 1580, 1609, 1584}
    assert (frame["valid_from"] <= day.isoformat()).all()
    assert (frame["valid_to"].fillna("9999-12-31") >= day.isoformat()).all()


@pytest.mark.parametrize(
    ("day", "release"),
    [("2025-08-11", None), ("2025-08-12", "2025"), ("2026-01-14", "2025"), ("2026-01-15", None), ("2024-01-01", None)],
)
def test_list_of_mayotte_is_unsettled_from_the_law_to_the_release(day, release):
    found = facts.unsettled(day)
    assert {territory: row["release"] for territory, row in found.items()} == ({"976": release} if release else {})


@pytest.mark.parametrize("territory", TERRITORIES)
def test_lists_of_a_territory_follow_each_other_without_gap_or_overlap(territory):
    spans = sorted((row["valid_from"], row["valid_to"]) for row in facts.rows("lists") if row["territory"] == territory)
    ends = [dt.date.fromisoformat(end) for _, end in spans[:-1]]
    starts = [dt.date.fromisoformat(start) for start, _ in spans[1:]]
    assert starts == [end + dt.timedelta(days=1) for end in ends]
    assert spans[0][0] == "2015-01-01"


def test_signature_and_effect_of_a_decree_are_two_dates():
    decrees = facts.table("decrees").set_index("id")
    assert decrees.loc["2023-1314", ["signed_on", "in_force_on"]].tolist() == ["2023-12-28", "2024-01-01"]
    assert decrees.loc["2024-1212", ["signed_on", "in_force_on"]].tolist() == ["2024-12-27", "2025-01-01"]
    assert decrees.loc["2014-1750", ["signed_on", "in_force_on"]].tolist() == ["2014-12-30", "2015-01-01"]


def test_geography_gives_both_dates_of_the_decree():
    hexagone = facts.geography("2024-06-30").loc["hexagone"]
    assert hexagone[["decree", "signed_on", "in_force_on"]].tolist() == ["2023-1314", "2023-12-28", "2024-01-01"]


def test_disputed_day_of_the_journal_is_stored_as_disputed():
    decree = facts.table("decrees").set_index("id").loc["2023-1314"]
    assert pd.isna(decree["journal_on"])
    assert decree["journal_disputed"] == "2023-12-29 or 2023-12-30"


def test_day_that_is_not_established_stays_missing():
    decrees = facts.table("decrees").set_index("id")
    assert decrees.loc[["loi-2025-797", "2015-1138"], "in_force_on"].isna().all()


def test_a_decree_names_the_days_that_are_not_established():
    for row in facts.rows("decrees"):
        assert row["open"] == "; ".join(day for day in ("in_force_on", "journal_on") if not row[day]), row["id"]


@pytest.mark.parametrize(
    ("decree", "field", "day"),
    [
        ("2014-767", "in_force_on", "2014-07-06"),
        ("2014-1575", "in_force_on", "2015-01-01"),
        ("2024-1211", "journal_on", "2024-12-28"),
        ("2024-1212", "journal_on", "2024-12-28"),
        ("loi-2014-173", "journal_on", "2014-02-22"),
    ],
)
def test_days_that_a_second_source_gives(decree, field, day):
    assert facts.table("decrees").set_index("id").loc[decree, field] == day


def test_what_is_not_settled_stands_in_a_column_of_its_own():
    lists = facts.table("lists")
    assert lists.loc[lists["open"].notna(), ["territory", "vintage", "n_qpv"]].to_numpy().tolist() == [
        ["hexagone", 2015, 1296],
        ["974", 2015, 49],
        ["976", 2024, 42],
        ["976", 2024, 17],
    ]
    breaks = facts.table("breaks")
    assert breaks.loc[breaks["open"].notna(), ["indicator", "first_year"]].to_numpy().tolist() == [["income", 2022]]
    rules = facts.table("fiscal_rules").set_index("id")["open"]
    assert {key for key in rules.index if pd.notna(rules[key]) and rules[key].startswith("filed_from")} == {
        "in-qpv-2020",
        "near-qpv-2020",
        "npnru-2020",
    }


def test_shares_of_the_hexagone_are_those_that_insee_printed():
    shares = facts.table("headlines").set_index("id")["value"]
    assert shares[["qpv-2015-share-2018-hexagone", "qpv-2024-share"]].tolist() == ["0.074", "0.081"]


def test_every_decree_of_a_list_is_in_the_table_of_decrees():
    assert {row["decree"] for row in facts.rows("lists")} <= {row["id"] for row in facts.rows("decrees")}


@pytest.mark.parametrize("name", facts.TABLES)
def test_every_row_has_a_source(name):
    assert [row for row in facts.rows(name) if not row["source"].strip()] == []


@pytest.mark.parametrize("name", facts.TABLES)
def test_every_row_has_as_many_cells_as_the_header(name):
    widths = {len(row) for row in facts.rows(name)}
    assert len(widths) == 1
    assert not any(None in row or None in row.values() for row in facts.rows(name))


@pytest.mark.parametrize("name", ["decrees", "departments", "epts", "headlines", "regions", "territories"])
def test_identifiers_are_unique(name):
    held = [next(iter(row.values())) for row in facts.rows(name)]
    assert len(held) == len(set(held))


def test_unknown_table_lists_the_tables():
    with pytest.raises(UsageError, match="decrees, departments, designation_methods"):
        facts.table("communes")


def test_table_keeps_codes_as_text_and_counts_as_integers():
    frame = facts.table("populations")
    assert frame["department"].iloc[0] == "01"
    assert frame["population"].dtype == "Int64"


def test_missing_year_of_a_census_stays_missing():
    frame = facts.table("qpv_populations")
    assert frame.loc[frame["territory"] == "978", "census_year"].isna().all()


@pytest.mark.parametrize(
    ("year", "france", "hexagone"),
    [(2013, 65_777_356, 63_697_865), (2019, 67_244_921, 65_096_768), (2020, 67_418_672, 65_269_154)],
)
def test_population_of_the_departments_adds_up_to_the_published_total(year, france, hexagone):
    people = facts.census_populations(year)
    assert sum(count for count, _ in people.values()) == france
    assert sum(count for department, (count, _) in people.items() if not department.startswith("97")) == hexagone
    assert len(people) == 101


@pytest.mark.parametrize(("year", "census"), [(2013, 2012), (2019, 2017), (2020, 2017)])
def test_mayotte_has_its_own_censuses(year, census):
    assert {department: held for department, (_, held) in facts.census_populations(year).items() if held != year} == {
        "976": census
    }


def test_year_that_the_facts_do_not_hold_is_refused_with_those_they_do():
    error = refused(lambda: facts.census_populations(2018), "facts.no_populations", UsageError)
    assert error.way_out.values["years"] == ["2013", "2019", "2020"]


def test_regions_of_2018_add_up_to_the_published_totals():
    people = facts.region_populations(2018)
    overseas = {"01", "02", "03", "04"}
    assert sum(count for code, (count, _) in people.items() if code not in {*overseas, "06"}) == 64_844_037
    assert sum(people[code][0] for code in overseas) == 66_732_538 - 64_844_037
    assert set(people) == set(facts.names("regions"))


@pytest.mark.parametrize(("vintage", "total"), [(2015, 1296), (2024, 1362)])
def test_counts_by_department_add_up_to_the_list(vintage, total):
    counts = facts.department_counts(vintage)
    assert sum(counts.values()) == total
    assert len(counts) == 96
    assert [code for code, count in counts.items() if not count] == (["48"] if vintage == 2015 else [])


def test_unions_are_made_of_departments_and_former_regions_cover_what_was_merged():
    departments = set(facts.names("departments"))
    former = [row["departments"].split() for row in facts.rows("unions") if row["kind"] == "former region"]
    assert all(set(row["departments"].split()) <= departments for row in facts.rows("unions"))
    assert len(former) == 16
    assert len({code for parts in former for code in parts}) == sum(map(len, former)) == 65


@pytest.mark.parametrize(
    ("vintage", "year", "n_qpv", "people"),
    [(2015, 2013, 1514, 5_435_060), (2015, 2018, 1514, 5_441_002), (2024, 2020, 1518, 5_931_940)],
)
def test_published_people_in_qpv_add_up(vintage, year, n_qpv, people):
    held = facts.qpv_populations(vintage)[year]
    assert sum(count for count, _, _ in held.values()) == n_qpv
    assert sum(population for _, population, _ in held.values()) == people


@pytest.mark.parametrize(("vintage", "year", "people"), [(2015, 2013, 5_353_790), (2015, 2018, 5_360_753)])
def test_scope_of_the_1436_qpv_is_the_hexagone_and_five_departments(vintage, year, people):
    held = {place: row for place, row in facts.qpv_populations(vintage)[year].items() if place not in {"978", "987"}}
    assert sum(count for count, _, _ in held.values()) == 1436
    assert sum(population for _, population, _ in held.values()) == people


@pytest.mark.parametrize(
    ("vintage", "year", "denominator", "share"),
    [(2015, 2013, 2013, 0.0762), (2015, 2018, 2019, 0.0742), (2024, 2020, 2020, 0.0813)],
)
def test_share_in_the_hexagone_is_the_published_one(vintage, year, denominator, share):
    inside = facts.qpv_populations(vintage)[year]["hexagone"][1]
    people = sum(n for code, (n, _) in facts.census_populations(denominator).items() if not code.startswith("97"))
    assert round(inside / people, 4) == share


def test_counts_expected_of_mayotte_in_2024_are_two():
    assert facts.expected_counts(2024)["976"] == {17, 42}


def test_counts_expected_of_2015_are_those_of_1514():
    assert sum(next(iter(counts)) for counts in facts.expected_counts(2015).values()) == 1514


def test_bounds_of_the_departments_lie_in_those_of_the_hexagone():
    held = {
        row["code"]: [float(row[side]) for side in ("west", "south", "east", "north")]
        for row in facts.rows("departments")
        if row["west"]
    }
    box = territories.get("hexagone").bounds
    assert set(held) == set(departments_of("hexagone", "territory"))
    assert all(box[0] <= w < e <= box[2] and box[1] <= s < n <= box[3] for w, s, e, n in held.values())
    # Bondy, Marseille, Ajaccio
    for code, x, y in (("93", 2.48, 48.90), ("13", 5.37, 43.30), ("2A", 8.74, 41.92)):
        west, south, east, north = held[code]
        assert west <= x <= east
        assert south <= y <= north


def test_regions_of_the_departments_are_regions():
    assert {row["region"] for row in facts.rows("departments") if row["region"]} <= set(facts.names("regions"))


def test_geography_has_18_regions_and_101_departments():
    assert len(facts.names("regions")) == 18
    assert len([row for row in facts.rows("departments") if row["region"]]) == 101


def test_errata_name_qpv_and_communes():
    for row in facts.rows("errata"):
        of_commune = row["field"] == "commune_code"
        assert official.vintage_of(row["code"]) == (None if of_commune else 2024)
        department = official.of_commune(row["code"]) if of_commune else official.of_qpv(row["code"])
        assert official.of_commune(row["corrected"]) == department


@pytest.mark.parametrize("row", facts.rows("territories"), ids=lambda row: row["code"])
def test_every_projection_of_a_territory_exists_and_is_in_metres(row):
    for epsg in (row["metric_epsg"], row["grid_epsg"]):
        if epsg:
            crs = pyproj.CRS.from_epsg(int(epsg))
            assert [axis.unit_name for axis in crs.axis_info] == ["metre", "metre"]


def test_facts_cannot_be_changed():
    with pytest.raises(TypeError):
        facts.rows("regions")[0]["name"] = "elsewhere"
    with pytest.raises(TypeError):
        facts.names("regions")["32"] = "elsewhere"


@pytest.mark.real
def test_lists_agree_with_the_reference_table(reference):
    table = pd.read_csv(reference / "counts_by_vintage.csv", dtype={"n_qpv": int})
    name = table["territory"].str.extract(r"\((\d{3})\)")[0].fillna(table["territory"].map(REFERENCE_NAMES))
    by_territory = table[name.notna()].assign(code=name, valid_to=table["valid_to"].fillna(""))
    expected = {tuple(row) for row in by_territory[["valid_from", "valid_to", "code", "n_qpv"]].to_numpy()}
    held = {(row["valid_from"], row["valid_to"], row["territory"], int(row["n_qpv"])) for row in facts.rows("lists")}
    assert len(expected) == 17
    assert held == expected


@pytest.mark.real
@pytest.mark.parametrize("territory", ["France entière", "France entière during 2024"])
def test_totals_agree_with_the_reference_table(reference, territory):
    table = pd.read_csv(reference / "counts_by_vintage.csv")
    rows = table[table["territory"] == territory]
    held = [facts.geography(day).attrs["n_qpv"] for day in rows["valid_from"]]
    assert held == rows["n_qpv"].tolist()


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "column", "year"),
    [
        ("qpv2015_by_department", "dep_pmun_2013", 2013),
        ("qpv2015_by_department", "dep_pmun_2019", 2019),
        ("qpv2024_by_department", "dep_pmun_2020", 2020),
    ],
)
def test_populations_agree_with_the_reference_denominators(reference, file, column, year):
    table = pd.read_csv(reference / f"{file}.csv", dtype={"dep_code": str}).set_index("dep_code")[column].dropna()
    held = {code: count for code, (count, _) in facts.census_populations(year).items()}
    assert {code: held[code] for code in table.index} == table.astype(int).to_dict()
    assert len(table) >= 96


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "column", "vintage", "year"),
    [
        ("qpv2015_by_department", "qpv_pop_2013", 2015, 2013),
        ("qpv2015_by_department", "qpv_pop_2018", 2015, 2018),
        ("qpv2024_by_department", "qpv_pop", 2024, 2020),
    ],
)
def test_people_in_qpv_agree_with_the_reference_sums(reference, file, column, vintage, year):
    table = pd.read_csv(reference / f"{file}.csv", dtype={"dep_code": str}).dropna(subset=[column])
    place = table["dep_code"].where(table["dep_code"].str.len() == 3, "hexagone")
    held = {territory: people for territory, (_, people, _) in facts.qpv_populations(vintage)[year].items()}
    assert table[column].groupby(place).sum().astype(int).to_dict() == held
