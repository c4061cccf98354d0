"""Exposures side by side, and those of a place."""

import numpy as np
import pandas as pd
import pytest
from tests.builders import refused
from tests.resilience.test_exposed_people import box, grid_of, layer

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.resilience import resilience_profile

SAMPLE = qg.sample()


def grid():
    return grid_of([100, 300, 200], heat=[40.0, 30.0, 41.0], imputed=[True, False, False])


def area():
    return layer(box(0, 0, 2, 1))


FLOOD = {"layer": layer(box(0, 0, 1, 1)), "covered": "everywhere"}
HEAT = {"layer": "heat", "above": 35}


def test_the_profile_puts_exposures_side_by_side():
    found = resilience_profile(area(), grid(), {"flood": FLOOD, "heat": HEAT}, around=layer(box(0, 0, 3, 1)))
    assert found["estimate"].to_dict() == {("flood", "a"): 100, ("heat", "a"): 100, ("imputed", "a"): 100}
    assert found["share"].tolist() == [0.25] * 3
    assert found["around_share"].tolist() == [0, 1, 0]
    # over a rest in which no one is exposed there is no ratio
    assert found["ratio"].tolist() == [pd.NA, 0.25, pd.NA]
    assert found.attrs["qpvgeo"]["asked"]["heat"].key == "resilience.asked_above"


def test_a_question_named_as_the_last_one_is_not_lost():
    found = resilience_profile(area(), grid(), {"imputed": HEAT})
    assert found["estimate"].to_dict() == {("imputed", "a"): 100}
    assert found.attrs["qpvgeo"]["asked"]["imputed"].values["layer"] == "heat"


@pytest.mark.parametrize("kind", ["float64", "Float64", "boolean"])
def test_cells_of_which_it_is_not_known_whether_they_are_imputed_are_unknown(kind):
    flags = pd.array([1.0, 0.0, None], "Float64").astype(kind) if kind != "float64" else [1.0, 0.0, np.nan]
    found = resilience_profile(layer(box(0, 0, 3, 1)), grid().assign(imputed=flags), {"heat": HEAT})
    row = found.loc[("imputed", "a")]
    assert (row["estimate"], row["unknown"], row["share"]) == (100, 200, 0.25)


def test_flags_that_say_nothing_ask_nothing():
    found = resilience_profile(area(), grid().assign(imputed=None), {"heat": HEAT})
    assert found.index.get_level_values("question").unique().tolist() == ["heat"]


@pytest.mark.parametrize("questions", [None, {}, [], "heat", {"heat": "heat"}, {"heat": {"above": 3}}], ids=str)
def test_questions_that_are_none_are_refused(questions):
    refused(lambda: resilience_profile(area(), grid(), questions), "resilience.questions", UsageError)


@pytest.mark.parametrize("option", ["up", "around", "grid", "qpv", 3])
def test_options_that_there_are_not_are_refused_by_question(option):
    asked = {"heat": {**HEAT, option: 1}, "flood": FLOOD}
    error = refused(lambda: resilience_profile(area(), grid(), asked), "resilience.questions", UsageError)
    assert [(one.key, one.values["name"]) for one in error.problems] == [("resilience.options_in", "heat")]


def test_every_question_without_an_answer_is_told():
    far = {"layer": layer(box(5000, 0, 5001, 1)), "covered": "everywhere"}
    asked = {"heat": {"layer": "warmth", "above": 1}, "flood": far, "fine": FLOOD}
    error = refused(lambda: resilience_profile(area(), grid(), asked), "resilience.questions", UsageError)
    assert [one.values["name"] for one in error.problems] == ["heat", "flood"]
    refused(lambda: resilience_profile(area(), grid(), {"flood": far}), "resilience.questions", DataError)


@pytest.fixture(scope="module")
def sample():
    return qg.read_qpv(SAMPLE.qpv_2024), qg.read_grid(SAMPLE.grid_2019), qg.read_communes(SAMPLE.communes)


@pytest.mark.parametrize("place", ["Port-Brume", "99001", "port brume"])
def test_a_place_has_its_own_qpv_beside_its_own_communes(sample, place):
    qpv, cells, communes = sample
    asked = {"social housing": {"layer": "log_soc", "above": 25}}
    own = qpv[[listed == ["99001"] or "99001" in listed for listed in qpv["communes"]]]
    found = resilience_profile(qpv, cells, asked, around=communes, place=place, data=SAMPLE.path)
    assert found.loc["social housing"].index.tolist() == own.index.tolist()
    mainly = qg.resilience.exposure_beside(own, "log_soc", cells, communes, above=25)["unit"].unique()
    # QPV of other communes that reach into these are no rest
    others = qpv.drop(own.index).to_crs(communes.crs).union_all()
    around = communes.loc[list(mainly)].assign(geometry=lambda units: units.difference(others))
    alone = qg.exposure(own, "log_soc", cells, above=25, around=around)
    assert found["around_share"].iloc[0] == pytest.approx(alone.attrs["qpvgeo"]["outside"]["estimate"])


def test_the_communes_of_a_folder_are_those_around(sample):
    qpv, cells, communes = sample
    asked = {"social housing": {"layer": "log_soc", "above": 25}}
    given = resilience_profile(qpv, cells, asked, around=communes, place="Port-Brume", data=SAMPLE.path)
    found = resilience_profile(qpv, cells, asked, place="Port-Brume", data=SAMPLE.path)
    assert found["around_share"].tolist() == pytest.approx(given["around_share"].tolist())


def test_a_place_may_be_one_qpv(sample):
    qpv, cells, _ = sample
    found = resilience_profile(qpv, cells, {"social housing": {"layer": "log_soc", "above": 25}}, place="qn09904m")
    assert found.loc["social housing"].index.tolist() == ["QN09904M"]


@pytest.mark.parametrize("place", ["Nulle-Part", "", 3])
def test_places_that_there_are_not_are_refused(sample, place):
    qpv, cells, _ = sample
    asked = {"social housing": {"layer": "log_soc", "above": 25}}
    error = refused(lambda: resilience_profile(qpv, cells, asked, place=place, data=SAMPLE.path))
    assert error.key != "frames.cannot_answer"


def test_perimeters_that_do_not_say_where_they_lie_have_no_place():
    asked = {"heat": HEAT}
    found = refused(
        lambda: resilience_profile(area(), grid(), asked, place="Lille"), "frames.columns_missing", DataError
    )
    assert found.way_out.key == "codes.place_of_perimeters"
    assert resilience_profile(area().rename({"a": "A"}), grid(), asked, place="a").loc["heat"].index.tolist() == ["A"]
