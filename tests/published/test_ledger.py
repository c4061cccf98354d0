"""The ledger: verdicts, their reasons, and what a broken number does to them."""

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.published.ledger_table import LEDGER_COLUMNS, VERDICTS, ledger, missing_files, settled
from qpvgeo.published.measure_registry import MEASURES, measures


def _figures(**columns):
    return pd.DataFrame({"unit": "", "territory": "hexagone", "vintage": "2015", "year": "2018", **columns})


def _of_sample(**columns):
    return pd.DataFrame({"unit": "", "territory": "territory:99", "vintage": "2024", "year": "2020", **columns})


def _one(table, **options):
    (row,) = ledger(table, **options).itertuples()
    return row


def _ground(sample):
    return qg.read_qpv(sample.qpv_2024)


# --- verdicts, from the facts alone ---------------------------------------------------------------------------------


def test_columns_and_verdicts_are_those_announced():
    frame = ledger(_figures(value=["1296"], measure=["n_qpv"]))
    assert tuple(frame.columns) == LEDGER_COLUMNS
    assert set(frame["verdict"]) <= set(VERDICTS)


def test_a_count_is_exact_or_differs():
    frame = ledger(_figures(value=["1296", "1295"], measure="n_qpv"))
    assert frame["verdict"].tolist() == ["exact", "differs"]
    assert frame["difference"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("value", "verdict"), [("4829250", "exact"), ("4829000", "within rounding"), ("4830000", "differs")]
)
def test_the_tolerance_is_half_of_the_rounding_and_no_more(value, verdict):
    table = _figures(value=[value], unit=["persons"], measure=["population"], rounding=["1000"])
    assert _one(table).verdict == verdict


def test_a_figure_that_was_cut_is_explained_only_where_it_says_so():
    # 170,801 / 256,518 = 66.58 %: printed 66
    cut = {"value": ["66"], "unit": ["percent"], "measure": ["share"], "territory": ["department:976"]}
    assert _one(_figures(**cut)).verdict == "differs"
    row = _one(_figures(**cut, explained_by=["truncated"]))
    assert (row.verdict, row.reason.key) == ("explained", "published.truncated")


def test_nothing_is_explained_by_a_change_that_does_not_give_the_published_value():
    table = _figures(
        value=["4700000"], unit=["persons"], measure=["population"], explained_by=["year=2013 | base=2019"]
    )
    row = _one(table)
    assert (row.verdict, row.reason.key) == ("differs", "published.not_explained_by")
    assert [note.values["change"] for note in row.reason.values["tried"]] == ["year=2013", "base=2019"]


def test_another_year_is_found_without_being_stated():
    row = _one(_figures(value=["4856046"], unit=["persons"], measure=["population"], rounding=["1"]))
    assert (row.verdict, row.reason.key, row.reason.values["value"]) == (
        "explained",
        "published.explained_year",
        "2013",
    )


def test_another_scope_is_found_without_being_stated():
    row = _one(_figures(value=["1514"], measure=["n_qpv"], territory=["hexagone + 5 DOM"]))
    assert (row.verdict, row.reason.key, row.reason.values["value"]) == (
        "explained",
        "published.explained_territory",
        "France",
    )


def test_another_release_is_found_without_being_stated():
    row = _one(_figures(value=["17"], measure=["n_qpv"], territory=["Mayotte"], vintage=["2024"]))
    assert (row.verdict, row.reason.key) == ("explained", "published.explained_release")


def test_reasons_write_numbers_in_either_language():
    reason = ledger().loc["yt15-share", "reason"]
    assert reason.values["computed"].values["value"] == pytest.approx(170801 / 256518)
    assert "66.58%" in reason.say("en")
    assert "66,58\u202f%" in reason.say("fr")


def test_a_page_that_contradicts_its_own_total_is_told_with_the_computation():
    frame = ledger()
    row = frame.loc["lor15-n"]
    assert (row["verdict"], row["computed"], row["reason"].key) == ("explained", 51, "published.contradicts_itself")
    assert row["reason"].values["ours"] == "51 + 31 + 34"


def test_more_than_and_less_than_are_held_as_such():
    table = _figures(value=["4800000", "4900000"], unit="persons", measure="population", relation=[">", "more than"])
    assert ledger(table)["verdict"].tolist() == ["exact", "differs"]
    table = _figures(value=["1296", "1296", "1296"], measure="n_qpv", relation=["at least", "plus de", "<="])
    assert ledger(table)["verdict"].tolist() == ["exact", "differs", "exact"]


def test_digits_lost_in_a_column_of_decimals_are_told():
    frame = ledger(_figures(value=[7.4, 7.0], unit="percent", measure="share"))
    assert frame["verdict"].tolist() == ["within rounding", "within rounding"]
    assert [getattr(reason, "key", "") for reason in frame["reason"]] == ["", "published.digits_lost"]


# --- without data ---------------------------------------------------------------------------------------------------


def test_without_data_nothing_differs_and_the_rest_says_which_file_it_needs():
    frame = ledger()
    counts = settled(frame)
    assert counts["differs"] == 0
    assert counts["exact"] + counts["within rounding"] >= 140
    wanted = frame[frame["verdict"] == "needs DATA"]
    assert wanted["computed"].isna().all()
    assert {reason.key for reason in wanted["reason"]} >= {"published.needs"}
    assert "qpv-2015" in {note.values.get("key") for note in missing_files(frame)}
    known = set(qg.datasets().index)
    assert {note.values["key"] for note in missing_files(frame) if "key" in note.values} <= known


def test_files_that_hold_a_part_of_a_place_are_no_ground_for_a_verdict():
    table = _figures(value=["1"], unit=["persons"], measure=["max_people"])
    assert _one(table, data=qg.sample().path).verdict == "needs DATA"


def test_unknown_measures_are_refused_together_with_the_known_ones():
    error = refused(
        lambda: ledger(_figures(value=["1", "2"], measure=["beauty", "truth"])), "published.bad_measures", UsageError
    )
    assert len(error.problems) == 2


def test_a_place_that_the_files_do_not_know_does_not_stop_the_others():
    table = _figures(value=["1", "1296"], measure="n_qpv", territory=["Atlantide", "hexagone"])
    frame = ledger(table, data=qg.sample().path)
    assert frame["verdict"].tolist() == ["needs DATA", "exact"]
    assert frame["reason"].iloc[0].key == "published.place_not_known"


def test_arguments_that_do_not_exist_are_refused_together():
    table = _figures(value=["1", "2"], measure="programme_count", arguments=["programme=a", "programme=b"])
    error = refused(lambda: ledger(table), "published.bad_places", UsageError)
    assert {problem.values["row"] for problem in error.problems} == {"1", "2"}


# --- measures, worked out on the sample ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample_ledger():
    """Every measure of the sample at once, by id."""
    sample = qg.sample()
    qpv, people = qg.read_qpv(sample.qpv_2024), qg.read_population(sample.population_2024)["population"]
    own = people.reindex(qpv.index).astype(float)
    expected = {
        "n_qpv": len(qpv),
        "population": own.sum(),
        "mean_people": own.mean(),
        "quantile_people": own.quantile(0.9),
        "max_people": own.max(),
        "min_people": own.min(),
        "n_above_people": (own > 1500).sum(),
        "n_below_people": (own < 1500).sum(),
        "population_above": own[own > 1500].sum(),
        "population_above_share": own[own > 1500].sum() / own.sum(),
        "n_above_share": (own > 1500).mean(),
        "population_of_largest": own.nlargest(3).sum(),
        "mean_indicator": (young := qg.read_population(sample.population_2024)["partpop15_24"]).mean(),
        "n_by_indicator": (young > young.median()).sum(),
        "area": qpv.to_crs(2154).area.sum(),
        "quantile_area": qpv.to_crs(2154).area.median(),
        "density": own.sum() / (qpv.to_crs(2154).area.sum() / 1e6),
    }
    arguments = {
        "quantile_people": "q=0.9",
        "n_above_people": "people=1500",
        "n_below_people": "people=1500",
        "population_above": "people=1500",
        "population_above_share": "people=1500",
        "n_above_share": "people=1500",
        "population_of_largest": "n=3",
        "mean_indicator": "column=partpop15_24",
        "n_by_indicator": f"column=partpop15_24; above={young.median()}",
    }
    table = _of_sample(
        id=list(expected),
        measure=list(expected),
        value=[f"{value:.6f}" for value in expected.values()],
        arguments=[arguments.get(name, "") for name in expected],
    )
    return ledger(table, data=sample.path), expected


def test_measures_of_people_and_ground_are_plain_pandas_on_the_frames(sample_ledger):
    frame, expected = sample_ledger
    for name, value in expected.items():
        assert frame.loc[name, "computed"] == pytest.approx(float(value), rel=1e-6), name


@pytest.mark.parametrize(
    ("measure", "arguments", "territory", "value"),
    [
        ("n_qpv", "", "commune:99001", "8"),
        ("n_qpv", "suffix=N", "territory:99", "4"),
        ("n_qpv", "without=QN09901M", "territory:99", "15"),
        ("n_multi_commune", "", "territory:99", "1"),
        ("n_units_with", "by=commune", "territory:99", "7"),
        ("n_communes", "", "territory:99", "7"),
        ("n_units_with", "by=ept", "territory:99", "2"),
        ("qpv_share", "of=territory:99", "commune:99001", "0.5"),
    ],
)
def test_counts_of_the_sample(measure, arguments, territory, value):
    sample = qg.sample()
    row = _one(
        _of_sample(value=[value], measure=[measure], arguments=[arguments], territory=[territory]), data=sample.path
    )
    assert row.verdict == "exact", row


def test_thresholds_and_programmes_need_no_file():
    frame = ledger(
        pd.DataFrame(
            {
                "value": ["11200", "11250", "448", "333"],
                "measure": ["threshold", "threshold", "programme_count", "programme_count"],
                "arguments": [
                    "national=18750; local=18000; people=60000",
                    "national=18750; local=0; rounded=no",
                    "programme=npnru",
                    "programme=contrats-de-ville",
                ],
            }
        )
    )
    assert frame["verdict"].tolist() == ["exact", "exact", "exact", "needs DATA"]


def test_every_measure_is_worded_in_both_languages():
    table = measures()
    assert len(table) >= 30
    for name in table.index:
        assert MEASURES[name].title("en") != MEASURES[name].title("fr")


def test_a_broken_number_in_the_code_path_differs(monkeypatch, sample_ledger):
    from qpvgeo.indicators import totals

    _, expected = sample_ledger
    table = _of_sample(
        value=[f"{expected['population']:.0f}"], unit=["persons"], measure=["population"], rounding=["1"]
    )
    assert _one(table, data=qg.sample().path).verdict == "exact"
    sound = totals._figures
    monkeypatch.setattr(
        totals, "_figures", lambda *args, **more: {**(row := sound(*args, **more)), "population": row["population"] + 1}
    )
    assert _one(table, data=qg.sample().path).verdict == "differs"


# --- the published files ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_ledger(real_data):
    """Ledger of all figures on the published files, computed once."""
    return ledger(data=real_data)


def test_nine_in_ten_of_the_figures_whose_data_are_there_agree(real_ledger):
    counts = settled(real_ledger)
    there = len(real_ledger) - counts["needs DATA"]
    assert len(real_ledger) >= 250
    assert there >= 250
    assert counts["exact"] + counts["within rounding"] >= 0.9 * there


def test_what_differs_on_the_published_files_is_what_the_page_analyses(real_ledger):
    differs = set(real_ledger.index[real_ledger["verdict"] == "differs"])
    assert differs == {"fm24-communes", "mel15-share", "prov24-share", "pdl24-2dep", "hdf24-same"}


def test_what_is_explained_was_computed(real_ledger):
    explained = real_ledger[real_ledger["verdict"] == "explained"]
    assert {reason.key for reason in explained["reason"]} <= {
        "published.truncated",
        "published.contradicts_itself",
        "published.agree_together",
        *(f"published.explained_{name}" for name in ("year", "base", "release", "territory", "vintage", "argument")),
    }
    assert explained.loc["bzh15-com", "reason"].values["found"] == "13"
    assert explained.loc["fd15-communes", "computed"] == 800


# --- the page ----------------------------------------------------------------------------------------------------


def _page():
    """The script that writes the page, and the page."""
    import importlib.util
    from pathlib import Path

    checkout = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location("make_ledger", checkout / "scripts" / "make_ledger.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script, (checkout / "docs" / "ledger.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_script_writes_without_data():
    script, page = _page()
    assert script.part_of(page, "without") == script.without_data(ledger()).strip()
    assert script.part_of(page, "measures") == script.measures().strip()


def test_the_page_is_what_the_script_writes_on_the_published_files(real_ledger):
    script, page = _page()
    assert script.part_of(page, "files") == script.on_files(real_ledger).strip()


def test_the_page_analyses_every_figure_that_differs(real_ledger):
    _, page = _page()
    analysed = page.partition("## What differs")[2]
    assert [one for one in real_ledger.index[real_ledger["verdict"] == "differs"] if f"`{one}`" not in analysed] == []
