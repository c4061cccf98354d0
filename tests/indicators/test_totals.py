"""Numbers of QPV, people and shares: figures that were published, and none where one is not known."""

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
from qpvgeo.codes.places import find_area
from qpvgeo.errors import DataError, UsageError
from qpvgeo.indicators.denominators import DOM
from qpvgeo.indicators.published_totals import published_summary
from qpvgeo.indicators.totals import OVERSEAS_SCOPE, SUMMARY_COLUMNS, TOTAL, headline, summary
from qpvgeo.language import parts
from qpvgeo.samples import sample

COUNTS_2015 = {"hexagone": 1296, "971": 16, "972": 7, "973": 32, "974": 49, "976": 36, "978": 2, "987": 76}
COUNTS_2024 = {"hexagone": 1362, "971": 19, "972": 9, "973": 29, "974": 57, "976": 42, "978": 3, "987": 88}


def department_of(place):
    return "059" if place == "hexagone" else place


def whole_list(counts, vintage):
    """Codes of a whole list, with made-up numbers: what the counts ask for and no more."""
    codes = []
    for place, count in counts.items():
        many = [f"{department:03d}" for department in range(1, 20)] if place == "hexagone" else [place]
        for rank in range(count):
            department, number = many[rank % len(many)], rank // len(many)
            letter = "NMIC"[number % 3]
            tail = f"{number:03d}" if vintage == 2015 else f"{number // 3:02d}{letter}"
            codes.append(f"Q{'P' if vintage == 2015 else 'N'}{department}{tail}")
    return pd.Index(codes, name="qpv_code")


def table(people, year=2020, census=2020):
    """Population table: `{code: people}`."""
    frame = pd.DataFrame({"population": pd.array(list(people.values()), dtype="Int64")}, index=pd.Index(people))
    return frame.assign(
        reference_year=pd.array([year] * len(people), dtype="Int64"),
        census_year=pd.array([census] * len(people), dtype="Int64"),
    )


def frame_of(codes):
    return pd.DataFrame(index=pd.Index(codes, name="qpv_code"))


@pytest.fixture(scope="module")
def real_2015(real_data):
    return qg.read_population(real_data / "qpv2015" / "pop_qp_2013.csv")


@pytest.fixture(scope="module")
def real_2024(real_data):
    return qg.read_population(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv")


@pytest.fixture(scope="module")
def perimeters_2024(real_data):
    return qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson")


def test_people_of_two_departments_worked_out_by_hand():
    people = table({"QN05901N": 1000, "QN05902N": 2000, "QN06201N": 500})
    figures = summary(people, by="department", denominators=2020)
    assert figures.loc["59", ["name", "n_qpv", "population"]].tolist() == ["Nord", 2, 3000]
    assert figures.loc["59", "share"] == 3000 / 2_607_746
    assert figures.loc["62", "population"] == 500
    assert figures.loc[TOTAL, ["n_qpv", "population"]].tolist() == [3, 3500]
    assert figures.columns[: len(SUMMARY_COLUMNS)].tolist() == list(SUMMARY_COLUMNS)


def test_an_extract_gives_no_share_of_its_territory():
    figures = summary(table({"QN05901N": 1000, "QN05902N": 2000}))
    assert figures["share"].isna().all()
    assert figures.loc["hexagone", "note"].key == "indicators.part_of_list"
    assert figures.loc["hexagone", "note"].values == {"count": 2, "expected": 1362, "place": "France hexagonale"}
    assert figures.loc["hexagone", "population"] == 3000


def test_an_extract_gives_no_share_of_its_departments_either():
    figures = summary(table({"QN05901N": 1000, "QN05902N": 2000}), by="department")
    assert pd.isna(figures.loc["59", "share"])
    assert figures.loc["59", "note"].values == {"count": 2, "expected": 94, "place": "Nord"}


def test_no_share_where_a_qpv_has_no_people():
    figures = summary(frame_of(["QN05901N", "QN05902N"]), population=table({"QN05901N": 1000}), by="department")
    assert figures.loc["59", ["n_qpv", "n_with_population", "population"]].tolist() == [2, 1, 1000]
    assert pd.isna(figures.loc["59", "share"])
    assert "no population for 1 QPV" in figures.loc["59", "note"]


def test_a_table_of_one_row_states_its_census_too():
    figures = summary(table({"QN05901N": 1000}), by="department", denominators=2020)
    assert figures.loc["59", ["population_year", "share"]].tolist() == [2020, 1000 / 2_607_746]


def test_no_share_where_the_census_is_not_stated_but_the_note_says_what_it_would_be():
    people = table(dict.fromkeys(whole_list({"972": 9}, 2024), 1000), census=None)
    figures = summary(people)
    note = figures.loc["972", "note"]
    assert pd.isna(figures.loc["972", "share"])
    assert pd.isna(figures.loc["972", "population_year"])
    assert (note.key, note.values["year"]) == ("indicators.census_not_stated_would_be", 2020)
    asked = summary(people, denominators=2020)
    assert asked.loc["972", "share"] == note.values["share"]
    assert asked.loc["972", "note"].key == "indicators.census_not_stated"


def test_an_explicit_year_is_obeyed_with_what_the_share_rests_on():
    figures = summary(table({"QN05901N": 260_775}, census=None), by="department", denominators=2020)
    assert figures.loc["59", "share"] == 260_775 / 2_607_746
    assert [note.key for note in parts(figures.loc["59", "note"])] == [
        "indicators.part_of_list",
        "indicators.census_not_stated",
    ]
    # the total is over the same people
    assert figures.loc[TOTAL, "denominator"] == 2_607_746


def test_a_region_that_is_whole_has_its_share_and_so_has_the_total():
    counts = facts.department_counts(2015)
    codes = [f"QP0{code}{rank:03d}" for code in ("2A", "2B") for rank in range(1, counts[code] + 1)]
    people = table(dict.fromkeys(codes, 100), year=2013, census=2013)
    figures = summary(people, by="region")
    assert figures.index.tolist() == ["94", TOTAL]
    corsica = sum(facts.census_populations(2013)[code][0] for code in ("2A", "2B"))
    assert figures["share"].tolist() == [len(codes) * 100 / corsica] * 2
    assert summary(people.iloc[1:], by="region")["share"].isna().all()


def test_populations_may_be_given_by_position():
    people = table({"QN05901N": 1000})
    assert_frame_equal(
        summary(frame_of(["QN05901N"]), people, by="department"),
        summary(frame_of(["QN05901N"]), population=people, by="department"),
    )


@pytest.mark.parametrize(
    ("place", "codes"),
    [
        ("Nord-Pas-de-Calais", ["59", "62"]),
        ("ocean indien", ["974"]),
        ("Hauts-de-France", ["59", "62", "80"]),
        ("974", ["974"]),
    ],
)
def test_summary_of_a_place(place, codes):
    people = table(dict.fromkeys(["QN05901N", "QN06201N", "QN08001N", "QN97401N"], 1000))
    figures = summary(people, by="department", place=place)
    assert figures.index[:-1].tolist() == codes
    assert figures.loc[TOTAL, "n_qpv"] == len(codes)


@pytest.mark.parametrize(
    ("place", "departments"),
    [("Nord-Pas-de-Calais", ["59", "62"]), ("Hauts-de-France", ["02", "59", "60", "62", "80"]), ("62", ["62"])],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("by", ["territory", "region"])
def test_the_share_of_a_place_is_over_the_people_of_the_place(place, departments, by):
    people = table(dict.fromkeys(["QN05901N", "QN06201N", "QN97401N"], 1000))
    figures = summary(people, place=place, by=by, denominators=2020)
    held = facts.census_populations(2020)
    below = sum(held[code][0] for code in departments)
    assert figures["denominator"].tolist() == [below, below]
    assert figures["share"].tolist() == pytest.approx([1000 * int(figures["n_qpv"].iloc[0]) / below] * 2)
    assert set(figures["name"]) == {find_area(place).name}


def test_a_place_of_several_territories_keeps_their_rows():
    people = table(dict.fromkeys(["QN97401N", "QN97601N"], 1000))
    figures = summary(people, place="Océan Indien", denominators=2020)
    assert figures["name"].tolist() == ["La Réunion", "Mayotte", "Océan Indien"]


def test_a_place_without_qpv_or_below_the_department_is_refused():
    people = table({"QN05901N": 1000})
    refused(lambda: summary(people, place="Bretagne"), "indicators.no_qpv_in_place", UsageError)
    refused(lambda: summary(people, place="75118"), "indicators.place_below_department", UsageError)


@pytest.mark.parametrize("wrong", [-5, float("inf"), "1200", True])
def test_what_is_no_number_of_people_is_refused_with_its_row(wrong):
    people = pd.Series({"QN05901N": 1000, "QN05902N": wrong}, dtype="object")
    error = refused(lambda: summary(frame_of(["QN05901N", "QN05902N"]), people), "frames.not_people", DataError)
    assert [problem.values["label"] for problem in error.problems] == ["QN05902N"]


def test_notes_are_few_and_counted():
    people = table(dict.fromkeys(whole_list({"hexagone": 1362}, 2024), 100))
    notes = summary(people.iloc[1:], by="department").attrs["qpvgeo"]["notes"]
    assert [(note.key, note.values["count"]) for note in notes] == [("indicators.in_rows", 20)]


def test_unknown_people_are_missing_never_zero():
    figures = summary(frame_of(["QN05901N", "QN98701N"]), population=table({"QN05901N": 1000}))
    assert pd.isna(figures.loc["987", "population"])
    assert (figures.loc["987", "n_qpv"], figures.loc["987", "n_with_population"]) == (1, 0)


def test_without_populations_only_numbers_and_areas_are_given():
    qpv = gpd.GeoDataFrame(index=["QN05901N"], geometry=[shapely.box(0, 0, 2000, 1000)], crs=2154)
    qpv = qpv.set_geometry(qpv.translate(700_000, 7_050_000))
    figures = summary(qpv)
    assert figures.loc["hexagone", "n_qpv"] == 1
    assert figures.loc["hexagone", "qpv_area_km2"] == pytest.approx(2)
    assert figures[["population", "share"]].isna().all(axis=None)


def test_area_is_missing_without_outlines():
    assert summary(table({"QN05901N": 1000}))["qpv_area_km2"].isna().all()


def test_parts_by_commune_are_summed():
    parts = table({"QN05901N": 0, "QN05902N": 0}).iloc[[0, 0, 1]].assign(population=[300, 700, 50])
    parts.index = pd.MultiIndex.from_tuples([("QN05901N", "59001"), ("QN05901N", "59002"), ("QN05902N", "59001")])
    figures = summary(frame_of(["QN05901N", "QN05902N"]), population=parts, by="department")
    assert figures.loc["59", "population"] == 1050


def test_a_secret_part_makes_the_people_of_its_qpv_unknown_not_smaller():
    parts = table({"QN05901N": 0}).iloc[[0, 0]].assign(population=pd.array([300, pd.NA], dtype="Int64"))
    parts.index = pd.MultiIndex.from_tuples([("QN05901N", "59001"), ("QN05901N", "59002")])
    figures = summary(frame_of(["QN05901N"]), population=parts, by="department")
    assert pd.isna(figures.loc["59", "population"])


def test_a_table_of_the_other_geography_is_refused():
    with pytest.raises(DataError, match="holds none of these QPV") as error:
        summary(frame_of(["QN05901N"]), population=table({"QP059001": 1000}))
    assert {"QP059001", "QN05901N", "2015", "2024"} <= set(str(error.value).replace(",", " ").replace(".", " ").split())
    assert "2024 geography" in error.value.way_out


def test_a_table_of_another_territory_is_refused_without_a_word_on_geographies():
    with pytest.raises(DataError, match="holds none of these QPV") as error:
        summary(frame_of(["QN05901N"]), population=table({"QN97401N": 1000}))
    assert "geography" not in str(error.value)


def test_an_index_of_something_else_is_refused_with_every_reason():
    codes = ["QN05901N", "QN05901N", "QP059001", "59350"]
    with pytest.raises(DataError, match="not indexed by QPV codes") as error:
        summary(frame_of(codes))
    assert len(error.value.problems) == 3


def test_an_empty_frame_is_refused():
    with pytest.raises(DataError, match="holds no QPV"):
        summary(frame_of([]))


def test_a_level_that_does_not_exist():
    refused(lambda: summary(table({"QN05901N": 1000}), by="epci"), "indicators.no_level", UsageError)


def test_denominators_of_the_caller_have_no_year():
    figures = summary(table({"QN05901N": 1000}), by="department", denominators={"59": 4000})
    assert figures.loc["59", "share"] == 0.25
    assert pd.isna(figures.loc["59", "denominator_year"])


def test_region_93_is_not_department_93():
    people = table({"QN09301N": 1000, "QN01301N": 10})
    regions, departments = summary(people, by="region"), summary(people, by="department")
    assert (regions.loc["93", "population"], departments.loc["93", "population"]) == (10, 1000)
    assert regions.loc["93", "denominator"] == 5_098_666
    assert departments.loc["93", "denominator"] == 1_655_422
    by_department = {code: count for code, (count, _) in facts.census_populations(2020).items()}
    given_people = summary(people, by="region", denominators=by_department)
    assert given_people.loc["93", "denominator"] == 5_098_666


@pytest.mark.parametrize(("vintage", "counts"), [(2015, COUNTS_2015), (2024, COUNTS_2024)])
def test_whole_list_gives_both_scopes_and_the_share_of_the_hexagone(vintage, counts):
    codes = whole_list(counts, vintage)
    figures = summary(table(dict.fromkeys(codes, 100), year=2020))
    assert figures["n_qpv"].to_dict() == {
        **counts,
        OVERSEAS_SCOPE: sum(counts[place] for place in ("hexagone", *DOM)),
        TOTAL: sum(counts.values()),
    }
    assert figures.loc["hexagone", "share"] == counts["hexagone"] * 100 / 65_269_154
    assert pd.isna(figures.loc[TOTAL, "share"])


def test_mayotte_counts_whole_in_either_of_its_lists():
    for number in (42, 17):
        people = table(dict.fromkeys(whole_list({"976": number}, 2024), 100))
        assert summary(people).loc["976", "share"] == number * 100 / 256_518
    assert pd.isna(summary(table(dict.fromkeys(whole_list({"976": 30}, 2024), 100))).loc["976", "share"])


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(12)), st.lists(st.integers(1, 10_000), min_size=12, max_size=12))
def test_order_of_rows_changes_nothing_and_people_add_up(order, counts):
    codes = [f"QN{department}0{rank}N" for department in ("059", "062", "974") for rank in range(1, 5)]
    people = table(dict(zip(codes, counts, strict=True)))
    for by in ("territory", "department", "region"):
        figures = summary(people, by=by)
        assert_frame_equal(figures, summary(people.iloc[list(order)], by=by))
        units = figures.drop(index=[TOTAL])
        assert units["population"].sum() == sum(counts) == figures.loc[TOTAL, "population"]
        assert units["n_qpv"].sum() == len(codes)


def test_figures_carry_where_they_come_from():
    qpv, people = qg.read_qpv(sample().qpv_2024), qg.read_population(sample().population_2024)
    about = summary(qpv, population=people).attrs["qpvgeo"]
    assert [record["file"] for record in about["files"]] == ["qpv-2024-geojson.zip", "pop_QPV24.csv"]
    assert (about["basis"], about["vintage"], about["reference_year"], about["fictional"]) == (
        "computed",
        2024,
        2020,
        True,
    )


def test_sample_adds_up_to_its_table():
    people = qg.read_population(sample().population_2024)
    figures = summary(qg.read_qpv(sample().qpv_2024), population=people)
    assert figures.loc[TOTAL, "population"] == people["population"].sum()
    assert figures.loc[TOTAL, "n_qpv"] == 16


def test_published_figures_of_2015():
    figures = published_summary(2015)
    assert figures["n_qpv"].to_dict() == {**COUNTS_2015, OVERSEAS_SCOPE: 1436, TOTAL: 1514}
    assert figures.loc[OVERSEAS_SCOPE, "population"] == 5_360_753
    assert round(figures.loc[OVERSEAS_SCOPE, "share"], 4) == 0.0800
    assert figures.loc["hexagone", "population"] == 4_829_250
    assert round(figures.loc["hexagone", "share"], 4) == 0.0745
    assert round(figures.loc["973", "share"], 2) == 0.45
    assert round(figures.loc["974", "share"], 2) == 0.19
    assert round(figures.loc["976", "share"], 2) == 0.67
    assert figures.attrs["qpvgeo"]["basis"] == "published"


def test_published_figures_of_2015_by_the_census_of_2013():
    figures = published_summary(2015, year=2013)
    assert figures.loc[TOTAL, "population"] == 5_435_060
    assert round(figures.loc["hexagone", "share"], 4) == 0.0762
    assert round(figures.loc[OVERSEAS_SCOPE, "share"], 4) == 0.0814


def test_published_figures_of_2024():
    figures = published_summary(2024)
    assert figures["n_qpv"].to_dict() == {**COUNTS_2024, OVERSEAS_SCOPE: 1518, TOTAL: 1609}
    assert figures.loc["hexagone", "population"] == 5_307_455
    assert round(figures.loc["hexagone", "share"], 4) == 0.0813
    assert pd.isna(figures.loc[OVERSEAS_SCOPE, "share"])
    assert pd.isna(figures.loc["987", "population"])


@pytest.mark.parametrize("arguments", [{"vintage": 2020}, {"vintage": 2024, "year": 2018}])
def test_what_was_not_published_is_an_error_of_the_call(arguments):
    with pytest.raises(UsageError):
        published_summary(**arguments)


@pytest.mark.parametrize(
    ("vintage", "year", "expected"),
    [
        (2015, 2018, (1514, 5_441_002, OVERSEAS_SCOPE, 5_360_753, 66_989_056, 2018, 0.0800)),
        (2015, 2013, (1514, 5_435_060, OVERSEAS_SCOPE, 5_353_790, 65_777_356, 2013, 0.0814)),
        (2024, 2020, (1609, 5_931_940, "hexagone", 5_307_455, 65_269_154, 2020, 0.0813)),
    ],
)
def test_headline_is_the_widest_scope_that_has_a_share(vintage, year, expected):
    lead = headline(published_summary(vintage, year=year))
    keys = ["n_qpv", "population", "share_scope", "share_population", "denominator", "denominator_year"]
    assert (*(lead[key] for key in keys), round(lead["share"], 4)) == expected
    assert lead["population_year"] == year


def test_headline_of_an_extract_has_no_share():
    lead = headline(summary(table({"QN05901N": 1000})))
    assert (lead["n_qpv"], lead["population"]) == (1, 1000)
    assert {lead[key] for key in ("share", "share_scope", "denominator", "share_population")} == {None}


def of_published_summary(row):
    """Figure of `published_summary` that a headline is about; None when it needs the perimeters."""
    scope = {"hexagone": "hexagone", "France": TOTAL}.get(row["scope"], OVERSEAS_SCOPE)
    figures = published_summary(int(row["vintage"]), year=2013 if row["year"] == "2013" else None).loc[scope]
    columns = {"number of QPV": "n_qpv", "population in QPV": "population", "share of the population": "share"}
    if row["indicator"] == "mean population of a QPV":
        return figures["population"] / figures["n_qpv"]
    return figures[columns[row["indicator"]]] if row["indicator"] in columns else None


HEADLINES = [row for row in facts.rows("headlines") if of_published_summary(row) is not None]


@pytest.mark.parametrize("row", HEADLINES, ids=lambda row: row["id"])
def test_headline_that_was_printed_is_ours_rounded(row):
    value = row["value"]
    last = len(value.partition(".")[2]) if "." in value else len(value.rstrip("0")) - len(value)
    tolerance = 10.0**-last / 2 if row["rounded"] == "1" else 0
    assert abs(of_published_summary(row) - float(value)) <= tolerance


def test_only_one_headline_needs_the_perimeters():
    assert len(HEADLINES) == len(facts.rows("headlines")) - 1


@pytest.mark.real
def test_real_people_of_2013(real_2015):
    figures = summary(real_2015)
    assert figures["n_qpv"].to_dict() == {**COUNTS_2015, OVERSEAS_SCOPE: 1436, TOTAL: 1514}
    assert figures.loc[TOTAL, "population"] == 5_435_060
    assert figures.loc["hexagone", ["population", "denominator"]].tolist() == [4_856_046, 63_697_865]
    assert round(figures.loc["hexagone", "share"], 4) == 0.0762
    assert figures.loc[OVERSEAS_SCOPE, ["population", "denominator"]].tolist() == [5_353_790, 65_777_356]
    assert round(figures.loc[OVERSEAS_SCOPE, "share"], 4) == 0.0814
    assert figures.loc["976", ["population_year", "denominator_year"]].tolist() == [2012, 2012]


@pytest.mark.real
@pytest.mark.parametrize(("year", "people", "share"), [(2013, 5_353_790, 0.0814), (2018, 5_360_753, 0.0800)])
def test_real_list_of_2015_by_year(reference, year, people, share):
    figures = summary(qg.read_population(reference / "qpv2015_list.csv", year=year))
    assert figures.loc[OVERSEAS_SCOPE, ["n_qpv", "population"]].tolist() == [1436, people]
    assert round(figures.loc[OVERSEAS_SCOPE, "share"], 4) == share


@pytest.mark.real
def test_real_rows_of_2024_that_repeat_the_whole_are_not_summed(perimeters_2024, real_2024):
    figures = summary(perimeters_2024, population=real_2024)
    assert figures["n_qpv"].to_dict() == {**COUNTS_2024, OVERSEAS_SCOPE: 1518, TOTAL: 1609}
    assert figures.loc["hexagone", "population"] == 5_307_455
    assert round(figures.loc["hexagone", "share"], 4) == 0.0813
    assert figures.loc[OVERSEAS_SCOPE, "population"] == 5_931_940
    assert figures.loc[TOTAL, "population"] != 7_834_468


@pytest.mark.real
def test_real_people_that_insee_does_not_give_are_missing_not_zero(perimeters_2024, real_2024):
    figures = summary(perimeters_2024, population=real_2024)
    assert figures.loc[["978", "987"], "population"].isna().all()
    assert figures.loc[["978", "987"], "n_with_population"].tolist() == [0, 0]
    assert figures.loc[[*DOM, OVERSEAS_SCOPE, TOTAL], "share"].isna().all()


@pytest.mark.real
def test_real_extract_of_lille_gives_no_share_of_the_hexagone(real_data, real_2015):
    lille = qg.read_qpv(real_data / "filosofi" / "filosofi2017_200m_lille.gpkg")
    figures = summary(lille, population=real_2015)
    assert figures["share"].isna().all()
    assert figures.loc["hexagone", "note"].values["count"] == 26


@pytest.mark.real
def test_real_table_of_2015_over_perimeters_of_2024_is_refused(perimeters_2024, real_2015):
    refused(lambda: summary(perimeters_2024, population=real_2015), "frames.other_geography", DataError)


@pytest.mark.real
@pytest.mark.parametrize("by", ["territory", "department", "region"])
def test_real_figures_add_up_at_every_level(perimeters_2024, real_2024, by):
    figures = summary(perimeters_2024, population=real_2024, by=by)
    units = figures.drop(index=[TOTAL, OVERSEAS_SCOPE])
    for column in ("n_qpv", "n_with_population", "population"):
        assert units[column].sum() == figures.loc[TOTAL, column]
    assert units["qpv_area_km2"].sum() == pytest.approx(figures.loc[TOTAL, "qpv_area_km2"], abs=1e-4)


@pytest.mark.real
def test_real_figures_agree_with_the_published_ones(real_2015, real_2024):
    for computed, published in (
        (summary(real_2015), published_summary(2015, year=2013)),
        (summary(real_2024), published_summary(2024)),
    ):
        shared = [place for place in computed.index if place != TOTAL]
        columns = ["n_qpv", "population", "share"]
        pd.testing.assert_frame_equal(computed.loc[shared, columns], published.loc[shared, columns])


@pytest.mark.real
def test_real_region_alone_has_the_share_of_the_whole_list(real_2015):
    occitanie = real_2015[[facts.region_of(qg.codes.of_qpv(code)) == "76" for code in real_2015.index]]
    figures = summary(occitanie, by="region")
    assert figures.index.tolist() == ["76", TOTAL]
    assert [round(share, 4) for share in figures["share"]] == [0.0630, 0.0630]
    assert [round(share, 4) for share in summary(occitanie, by="region", denominators=2013)["share"]] == [0.0630] * 2


@pytest.mark.real
def test_real_overseas_shares_are_given_where_denominators_are(perimeters_2024, real_2024):
    figures = summary(perimeters_2024, real_2024, denominators=2020)
    assert round(figures.loc["974", "share"], 4) == 0.2120
    assert round(figures.loc[OVERSEAS_SCOPE, "share"], 4) == 0.0880
