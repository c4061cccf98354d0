"""Coverage of each territory: sums that hold at every level, shares as published, known zeros and unknowns apart."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from tests.builders import refused

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.indicators.by_territory import COVERAGE_COLUMNS, coverage
from qpvgeo.indicators.denominators import departments_of
from qpvgeo.indicators.qpv_communes import LINK_COLUMNS
from qpvgeo.language import parts
from qpvgeo.samples import sample

LEVELS = ("commune", "epci", "ept", "department", "region", "territory")
REGION = {row["code"]: row["region"] for row in facts.rows("departments")}
GRAND_PARIS = "200054781"


def links_of(rows, *, reference_year=2020, census=2020, **more):
    """Links worked out by hand: `(QPV, commune, people, share of the QPV)`."""
    frame = pd.DataFrame(rows, columns=["qpv_code", "commune", "population", "area_share"])
    department = frame["commune"].map(qg.codes.of_commune, na_action="ignore")
    frame = frame.assign(
        epci="200093201",
        ept=pd.Series(pd.NA, frame.index, dtype="str"),
        department=department,
        region=department.map(REGION),
        area_m2=frame["area_share"] * 100_000,
        qpv_area_m2=100_000.0,
        population_share=frame["area_share"],
        basis="published",
    ).assign(**more)
    places = {"hexagone": census, "987": None, "974": census, "971": census}
    return provenance.stamp(frame[list(LINK_COLUMNS)], reference_year=reference_year, census_years=places, vintage=2024)


# the QPV of 2015 that crosses the limit of two departments, with its 73 inhabitants of the Nord
CROSSING = [("QP062040", "62321", 1597.0, 0.9), ("QP062040", "59452", 73.0, 0.1), ("QP059001", "59350", 1000.0, 1.0)]

SPLIT = [
    ("QN05901N", "59350", 700.0, 0.6),
    ("QN05901N", "59009", 300.0, 0.4),
    ("QN05902N", "59350", 500.0, 1.0),
    ("QN06201N", "62041", 200.0, 1.0),
]


@pytest.fixture(scope="module")
def sample_links():
    communes = qg.read_communes(sample().communes, table=sample().communes_table)
    people = qg.read_population(sample().population_2024_communes, level="qpv_commune")
    return qg.join_communes(qg.read_qpv(sample().qpv_2024), communes, population=people)


@pytest.fixture(scope="module")
def real_communes(real_data):
    folder = real_data / "admin"
    return qg.read_communes(sorted(folder.glob("communes_*.parquet")), table=folder / "cog2024_communes.csv")


@pytest.fixture(scope="module")
def real_links(real_data, real_communes):
    old = qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp")
    new = qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson")
    people = {
        2015: qg.read_population(real_data / "qpv2015" / "pop_qp_2013.csv"),
        2024: qg.read_population(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv"),
    }
    return {
        2015: qg.join_communes(old, real_communes, population=people[2015]),
        2024: qg.join_communes(new, real_communes, population=people[2024]),
    }


def test_by_commune_worked_out_by_hand():
    units = pd.DataFrame({"name": ["Lille", "Faches"], "population": [10_000, 3_000]}, index=["59350", "59009"])
    found = coverage(links_of(SPLIT), by="commune", units=units)
    assert found.index.tolist() == ["59009", "59350", "62041"]
    assert found.columns.tolist() == list(COVERAGE_COLUMNS)
    assert found["n_qpv"].tolist() == [1, 2, 1]
    assert found["qpv_population"].tolist() == [300, 1200, 200]
    assert found["share"].fillna(-1).tolist() == [0.1, 0.12, -1]
    assert found["qpv_area_km2"].tolist() == pytest.approx([0.04, 0.16, 0.1])
    assert found.loc["62041", "note"]


def test_a_qpv_counts_in_each_commune_but_its_people_once():
    found = coverage(links_of(SPLIT), by="commune")
    assert found["n_qpv"].sum() == 4
    assert found["qpv_population"].sum() == 1700
    assert coverage(links_of(SPLIT), by="epci")["n_qpv"].tolist() == [3]


def test_an_extract_gives_no_share_of_its_departments():
    found = coverage(links_of(SPLIT), by="department")
    assert found["share"].isna().all()
    assert parts(found.loc["59", "note"])[0].key == "indicators.part_of_list"


def test_by_department_worked_out_by_hand():
    found = coverage(links_of(SPLIT), by="department", denominators=2020)
    assert found.loc["59", ["name", "n_qpv", "qpv_population"]].tolist() == ["Nord", 2, 1500]
    assert found.loc["59", "share"] == 1500 / 2_607_746
    assert found.loc["59", "population_year"] == 2020


def test_attribution_by_code_and_by_commune_differ_by_the_people_over_the_limit():
    links = links_of(CROSSING, reference_year=2018, census=2018)
    by_code = coverage(links, by="department")
    by_commune = coverage(links, by="department", attribution="commune")
    assert by_code["qpv_population"].to_dict() == {"59": 1000, "62": 1670}
    assert by_commune["qpv_population"].to_dict() == {"59": 1073, "62": 1597}
    assert by_code["n_qpv"].to_dict() == {"59": 1, "62": 1}
    assert by_commune["n_qpv"].to_dict() == {"59": 2, "62": 1}
    assert by_commune["qpv_area_km2"].to_dict() == pytest.approx({"59": 0.11, "62": 0.09})


def test_attribution_by_code_stops_at_the_department():
    refused(lambda: coverage(links_of(SPLIT), by="commune", attribution="code"), "indicators.attribution", UsageError)


@pytest.mark.parametrize("arguments", [{"by": "canton"}, {"by": "department", "attribution": "epci"}])
def test_what_does_not_exist_is_an_error_of_the_call(arguments):
    with pytest.raises(UsageError):
        coverage(links_of(SPLIT), **arguments)


def test_a_frame_that_is_not_of_links_is_refused():
    refused(lambda: coverage(pd.DataFrame({"qpv_code": ["QN05901N"]})), kind=DataError)


def test_unknown_people_are_missing_never_zero():
    rows = [("QN98701N", "98735", None, 1.0), ("QN05901N", "59350", None, 1.0), ("QN05902N", "59350", 500.0, 1.0)]
    found = coverage(links_of(rows), by="department")
    assert pd.isna(found.loc["987", "qpv_population"])
    assert found.loc["59", ["n_qpv", "n_with_population", "qpv_population"]].tolist() == [2, 1, 500]
    assert found["share"].isna().all()
    assert "no population for 1 QPV" in found.loc["59", "note"]


def test_census_that_is_not_stated_is_a_caveat_of_a_share_that_was_asked_for():
    found = coverage(links_of(SPLIT, census=None), by="department", denominators={"59": 15_000, "62": 2_000})
    assert found["share"].tolist() == [0.1, 0.1]
    assert [note.key for note in parts(found.loc["59", "note"])] == [
        "indicators.part_of_list",
        "indicators.census_not_stated_here",
    ]


def test_census_that_is_not_stated_gives_no_share_of_its_own_accord():
    rows = [(f"QN9720{rank}N", "97209", 100.0, 1.0) for rank in range(1, 10)]
    links = links_of(rows, census=None)
    found = coverage(links, by="department").loc["972"]
    notes = parts(found["note"])
    assert pd.isna(found["share"])
    assert [note.key for note in notes] == ["indicators.census_not_stated_here", "indicators.would_be"]
    assert notes[1].values["share"] == coverage(links, by="department", denominators=2020).loc["972", "share"]


def test_an_extract_has_no_known_zero():
    assert coverage(links_of(SPLIT), by="department").index.tolist() == ["59", "62"]


def test_region_93_is_not_department_93():
    links = links_of([("QN09301N", "93001", 1000.0, 1.0), ("QN01301N", "13001", 10.0, 1.0)])
    regions, departments = coverage(links, by="region"), coverage(links, by="department")
    assert regions.loc["93", ["qpv_population", "population"]].tolist() == [10, 5_098_666]
    assert departments.loc["93", ["qpv_population", "population"]].tolist() == [1000, 1_655_422]
    by_department = {code: people for code, (people, _) in facts.census_populations(2020).items()}
    assert coverage(links, by="region", denominators=by_department).loc["93", "population"] == 5_098_666


def test_people_who_are_placed_nowhere_stand_in_a_last_row():
    found = coverage(links_of([*SPLIT, ("QN05909N", None, 50.0, 1.0)]), by="commune")
    assert pd.isna(found.index[-1])
    assert found.iloc[-1][["n_qpv", "qpv_population"]].tolist() == [1, 50]
    assert found.iloc[-1]["note"] == "placed in no unit"
    assert found["qpv_population"].sum() == 1750


def test_ept_in_the_grand_paris_paris_by_itself_and_epci_elsewhere():
    rows = [("QN09301N", "93001", 10.0, 1.0), ("QN07501N", "75056", 20.0, 1.0), ("QN05901N", "59350", 40.0, 1.0)]
    links = links_of(rows, epci=[GRAND_PARIS, GRAND_PARIS, "200093201"], ept=["200057867", None, None])
    found = coverage(links, by="ept")
    assert found["qpv_population"].to_dict() == {"200057867": 10, "200093201": 40, "75056": 20}
    assert found.loc["200057867", "name"] == facts.names("epts")["200057867"]
    assert found.loc["75056", "name"] == "Paris"
    assert coverage(links, by="epci")["qpv_population"].to_dict() == {GRAND_PARIS: 30, "200093201": 40}


def test_area_share_needs_outlines_of_the_units():
    square = shapely.box(700_000, 7_050_000, 701_000, 7_051_000)
    units = gpd.GeoDataFrame({"name": ["Lille"]}, geometry=[square], index=["59350"], crs=2154)
    found = coverage(links_of(SPLIT), by="commune", units=units)
    assert found.loc["59350", "area_share"] == pytest.approx(0.16, rel=0.01)
    assert found.loc[["59009", "62041"], "area_share"].isna().all()
    assert coverage(links_of(SPLIT), by="commune")["area_share"].isna().all()


def test_population_of_the_units_comes_before_the_facts_and_that_of_the_call_before_both():
    units = pd.DataFrame({"population": [3_000]}, index=["59"])
    assert coverage(links_of(SPLIT), by="department", units=units).loc["59", "share"] == 0.5
    assert coverage(links_of(SPLIT), by="department", units=units, denominators={"59": 1500}).loc["59", "share"] == 1


def test_repeated_rows_of_units_are_no_denominators():
    units = pd.DataFrame({"population": [10, 20]}, index=["59350", "59350"])
    assert pd.isna(coverage(links_of(SPLIT), by="commune", units=units).loc["59350", "population"])


@pytest.mark.parametrize("by", LEVELS)
def test_people_of_the_sample_add_up_at_every_level(sample_links, by):
    found = coverage(sample_links, by=by)
    assert found["qpv_population"].sum() == pytest.approx(sample_links["population"].sum())
    if by in ("department", "region", "territory"):
        assert found["n_qpv"].sum() == 16


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(SPLIT))))
def test_order_of_links_changes_nothing(order):
    links = links_of(SPLIT)
    for by in ("commune", "department", "region"):
        assert_frame_equal(coverage(links.iloc[list(order)], by=by), coverage(links, by=by))


def test_by_commune_agrees_with_a_plain_loop(sample_links):
    twin = {}
    for link in sample_links.to_dict("records"):
        codes, people = twin.get(link["commune"], (set(), 0.0))
        twin[link["commune"]] = (codes | {link["qpv_code"]}, people + link["population"])
    found = coverage(sample_links, by="commune")
    assert found["n_qpv"].to_dict() == {code: len(codes) for code, (codes, _) in twin.items()}
    assert found["qpv_population"].to_dict() == pytest.approx({code: people for code, (_, people) in twin.items()})


def test_coverage_carries_where_it_comes_from(sample_links):
    about = coverage(sample_links, by="epci").attrs["qpvgeo"]
    assert (about["by"], about["attribution"], about["vintage"], about["fictional"]) == ("epci", "commune", 2024, True)
    assert {record["file"] for record in about["files"]} >= {"qpv-2024-geojson.zip"}


def table(reference, name, key):
    return pd.read_csv(reference / name, dtype={key: str}).set_index(key)


def assert_agrees(found, published, columns):
    """Same units, counts and people to the unit, shares within a hundredth of a point, missing where missing."""
    count, people, share = columns
    assert set(published.index) <= set(found.index)
    ours = found.loc[published.index]
    assert ours["n_qpv"].tolist() == published[count].tolist()
    assert ours["qpv_population"].fillna(-1).tolist() == published[people].fillna(-1).tolist()
    given_share = published[share].notna()
    apart = (ours.loc[given_share, "share"] * 100 - published.loc[given_share, share]).abs()
    assert apart.max() < 0.01
    return ours[~given_share]


COLUMNS_2024 = ("n_qpv_2025_release", "qpv_pop", "share_pct")
COLUMNS_2015 = ("n_qpv", "qpv_pop_2013", "share_2013_pct")


@pytest.mark.real
@pytest.mark.parametrize(("by", "key"), [("department", "dep_code"), ("region", "reg_code")])
def test_real_coverage_of_2024_agrees_with_the_reference(real_links, reference, by, key):
    published = table(reference, f"qpv2024_by_{by}.csv", key)
    without = assert_agrees(coverage(real_links[2024], by=by), published, COLUMNS_2024)
    assert len(without) == 7
    assert without["share"].isna().all()
    assert without["note"].ne("").all()


@pytest.mark.real
@pytest.mark.parametrize(("by", "key", "mayotte"), [("department", "dep_code", "976"), ("region", "reg_code", "06")])
def test_real_coverage_of_2015_agrees_with_the_reference(real_links, reference, by, key, mayotte):
    published = table(reference, f"qpv2015_by_{by}.csv", key)
    without = assert_agrees(coverage(real_links[2015], by=by), published, COLUMNS_2015)
    # the table of communes behind the reference leaves Mayotte out; its own census of 2012 is among the facts
    assert without.index[without["share"].notna()].tolist() == [mayotte]
    assert without.loc[mayotte, ["qpv_population", "population", "population_year"]].tolist() == [
        143_581,
        212_600,
        2012,
    ]


@pytest.mark.real
@pytest.mark.parametrize("vintage", [2015, 2024])
@pytest.mark.parametrize("by", LEVELS)
def test_real_people_add_up_at_every_level(real_links, vintage, by):
    found = coverage(real_links[vintage], by=by)
    assert found["qpv_population"].sum() == pytest.approx({2015: 5_435_060, 2024: 5_931_940}[vintage])
    if by in ("department", "region", "territory"):
        assert found["n_qpv"].sum() == {2015: 1514, 2024: 1609}[vintage]


@pytest.mark.real
def test_real_lozere_is_a_known_zero_in_2015(real_links):
    found = coverage(real_links[2015], by="department")
    assert found.loc["48", ["name", "n_qpv", "qpv_population", "share"]].tolist() == ["Lozère", 0, 0, 0]
    assert found.index[found["n_qpv"] == 0].tolist() == ["48"]
    assert set(departments_of("hexagone", "territory")) <= set(found.index)


@pytest.mark.real
def test_real_polynesie_is_unknown_not_zero_in_2024(real_links):
    for by in ("department", "region", "territory"):
        row = coverage(real_links[2024], by=by).loc["987"]
        assert (row["n_qpv"], row["n_with_population"]) == (88, 0)
        assert row[["qpv_population", "share"]].isna().all()


@pytest.mark.real
def test_real_qpv_that_crosses_two_departments(real_links):
    links = real_links[2015]
    crossing = links[links["qpv_code"] == "QP062040"].set_index("department")
    assert sorted(crossing.index) == ["59", "62"]
    over = crossing.loc["59", "population"]
    # by area: more than the 73 counted by Insee, since people do not live evenly over it
    assert 73 < over < 200
    alone = links[links["qpv_code"].str.startswith(("QP059", "QP062"))]
    by_code = coverage(alone, by="department")["qpv_population"]
    by_commune = coverage(alone, by="department", attribution="commune")["qpv_population"]
    assert by_code.sum() == pytest.approx(by_commune.sum())
    assert by_commune["59"] - by_code["59"] == pytest.approx(over)
    assert by_code["62"] - by_commune["62"] == pytest.approx(over)


@pytest.mark.real
def test_real_ept_are_told_apart_and_paris_stands_alone(real_links):
    found = coverage(real_links[2024], by="ept")
    assert len(found.index.intersection(list(facts.names("epts")))) == 10
    assert found.loc["75056", "name"] == "Paris"
    left = real_links[2024].loc[lambda links: (links["epci"] == GRAND_PARIS) & links["ept"].isna(), "commune"]
    # their only QPV straddles two EPT, so the perimeters do not tell which is theirs
    assert set(left) - {"75056"} == {"93001", "93027", "94019"}
    assert GRAND_PARIS not in found.index
    assert found.loc["EPT?", "n_qpv"] == 2
    assert "table of EPT" in found.loc["EPT?", "note"]
    assert "may be short" in found.loc["200057867", "note"]


@pytest.mark.real
def test_real_shares_by_commune_use_the_people_of_the_communes(real_links, real_communes):
    found = coverage(real_links[2024], by="commune", units=real_communes)
    assert found.loc["34172", ["n_qpv", "qpv_population"]].tolist() == [10, 55_451]
    assert found.loc["34172", "population"] == real_communes.loc["34172", "population"]
    assert found.loc["34172", "share"] == 55_451 / real_communes.loc["34172", "population"]


def keys(note):
    return [one.key for one in parts(note)]


def test_a_qpv_that_lies_in_no_commune_given_has_that_reason_and_its_whole_area():
    square = shapely.box(700_000, 7_050_000, 701_000, 7_051_000)
    far = shapely.box(650_000, 6_860_000, 651_000, 6_861_000)
    qpv = qpv_of({"QN05901N": square, "QN05902N": far, "QN05903N": None})
    communes = communes_of({"59350": square})
    links = qg.join_communes(qpv, communes)
    assert [(note.key, note.values["count"]) for note in links.attrs["qpvgeo"]["notes"]] == [
        ("indicators.in_no_commune", 1),
        ("indicators.without_commune", 1),
    ]
    found = coverage(links, by="commune")
    nowhere = found.iloc[-1]
    assert nowhere["qpv_area_km2"] == pytest.approx(1.0, rel=0.01)
    assert keys(nowhere["note"]) == ["indicators.placed_in_no_unit", "indicators.area_without"]


def qpv_of(shapes):
    """QPV frame of a few shapes, metres of Lambert-93."""
    frame = gpd.GeoDataFrame(
        {"name": "", "vintage": 2024, "release": None, "territory": "hexagone", "department": "59", "region": "32"},
        index=pd.Index(list(shapes), name="qpv_code"),
        geometry=list(shapes.values()),
        crs=2154,
    )
    return frame.assign(communes=[None] * len(shapes))


def communes_of(shapes, **columns):
    given = {"name": list(shapes), "epci": "200093201", "ept": None, "department": "59", "region": "32"} | columns
    return gpd.GeoDataFrame(given, index=list(shapes), geometry=list(shapes.values()), crs=2154)


def test_a_whole_region_gives_its_share_without_denominators():
    codes = [f"QN{'02A' if code == '2A' else '02B'}0{rank}N" for code, count in CORSICA for rank in range(1, count + 1)]
    links = links_of([(code, "2A004" if "02A" in code else "2B033", 100.0, 1.0) for code in codes])
    found = coverage(links, by="region")
    assert found.loc["94", "share"] == len(codes) * 100 / found.loc["94", "population"]
    assert pd.isna(coverage(links.iloc[1:], by="region").loc["94", "share"])


CORSICA = [(code, count) for code, count in facts.department_counts(2024).items() if code in ("2A", "2B")]


def test_repeated_links_are_refused_with_their_rows():
    links = links_of(SPLIT)
    error = refused(lambda: coverage(pd.concat([links, links])), "indicators.repeated_links", DataError)
    assert len(error.problems) == 4
    assert error.problems[0].values["qpv_code"] == "QN05901N"
    # the way out works
    again = pd.concat([links, links]).drop_duplicates(["qpv_code", "commune"])
    assert_frame_equal(coverage(again), coverage(links))


@pytest.mark.parametrize("wrong", [-1.0, float("inf")])
def test_people_that_are_no_numbers_of_people_are_refused(wrong):
    links = links_of(SPLIT)
    links.loc[1, "population"] = wrong
    error = refused(lambda: coverage(links), "frames.not_people", DataError)
    assert [problem.values["label"] for problem in error.problems] == ["1"]


def test_statistics_of_the_qpv_of_a_unit_are_of_whole_qpv():
    found = coverage(links_of(SPLIT), by="commune", stats=("mean", "min", "max", "median", 0.25, 1000))
    assert found.loc["59350", ["qpv_mean", "qpv_min", "qpv_max", "qpv_median"]].tolist() == [750, 500, 1000, 750]
    assert found.loc["59350", ["qpv_q25", "n_qpv_from_1000"]].tolist() == [625, 1]
    assert found.loc["59009", ["qpv_min", "n_qpv_from_1000"]].tolist() == [1000, 1]


@pytest.mark.parametrize("wrong", ["mode", 0.0, -1, True, float("nan")])
def test_a_statistic_that_does_not_exist_is_refused(wrong):
    refused(lambda: coverage(links_of(SPLIT), stats=(wrong,)), "indicators.no_stat", UsageError)


def test_rows_are_sorted_and_cut_by_population():
    units = pd.DataFrame({"population": [10_000, 3_000]}, index=["59350", "59009"])
    found = coverage(links_of(SPLIT), units=units, sort="-share")
    assert found.index.tolist() == ["59350", "59009", "62041"]
    large = coverage(links_of(SPLIT), units=units, min_population=5_000)
    assert large.index.tolist() == ["59350"]
    assert large.attrs["qpvgeo"]["notes"][0].values == {"count": 1}
    refused(lambda: coverage(links_of(SPLIT), sort="area"), "indicators.no_column", UsageError)
    refused(lambda: coverage(links_of(SPLIT), min_population="many"), "indicators.no_threshold", UsageError)


@pytest.mark.parametrize(
    ("place", "by", "expected"),
    [
        ("59", "commune", ["59009", "59350"]),
        ("pas de calais", "commune", ["62041"]),
        ("Nord-Pas-de-Calais", "commune", ["59009", "59350", "62041"]),
        ("Hauts de France", "department", ["59", "62"]),
        ("Picardie", "commune", []),
        ("59350", "commune", ["59350"]),
        ("Lille", "commune", ["59350"]),
        ("200093201", "commune", ["59009", "59350", "62041"]),
    ],
)
def test_units_of_a_place(place, by, expected):
    units = pd.DataFrame({"name": ["Lille", "Faches"]}, index=["59350", "59009"]) if by == "commune" else None
    assert coverage(links_of(SPLIT), by=by, place=place, units=units).index.tolist() == expected


@pytest.mark.real
def test_real_cayenne_has_13_qpv_of_2015_by_the_published_names(real_links):
    cayenne = real_links[2015][real_links[2015]["commune"] == "97302"]
    assert len(cayenne) == 13
    assert cayenne["population"].min() == 1_055
    assert "QP973026" not in set(cayenne["qpv_code"])
    found = coverage(real_links[2015], by="commune", stats=("min",)).loc["97302"]
    assert found[["n_qpv", "qpv_min"]].tolist() == [13, 1_055]


@pytest.mark.real
def test_real_overseas_shares_are_given_where_denominators_are(real_links):
    found = coverage(real_links[2024], by="territory", denominators=2020)
    assert round(found.loc["974", "share"], 4) == 0.2120
    assert keys(found.loc["974", "note"]) == ["indicators.census_not_stated_here"]


@pytest.mark.parametrize(("other", "estimated"), [("200093201", 0.0), ("200018083", 700 / 1_200)], ids=["in", "out"])
def test_a_qpv_within_one_epci_is_not_shared_out_between_epci(other, estimated):
    links = links_of(SPLIT).assign(basis=["area", "area", "published", "published"])
    links["epci"] = ["200093201" if commune == "59350" else other for commune in links["commune"]]
    found = coverage(links, by="epci").loc["200093201"]
    assert found["estimated_share"] == pytest.approx(estimated)


def test_estimated_share_is_of_the_people_in_qpv_and_not_of_the_unit():
    links = links_of(SPLIT).assign(basis=["area", "area", "published", "published"])
    found = coverage(links, by="commune").loc["59350"]
    assert found["qpv_population"] == 1_200
    assert found["estimated_share"] == pytest.approx(700 / 1_200)
