"""Tables moved to the communes of another year, by hand and against a slow twin."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.geographies.communes.histories import NOUVELLE, PEOPLE, RESTORED, etalab, events, frame

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.communes.passage import commune_passage, move_communes


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Away from any checkout, whose data would be found."""
    monkeypatch.chdir(tmp_path)


# --- tables moved


def moved(values, first, last, happened, **options):
    return move_communes(values, first, last, events=happened, **({"communes": {}} | options))


def test_counts_add_up_and_what_rests_on_a_split_is_marked():
    people = pd.DataFrame({"homes": {"01001": 40, "01003": 7}, "cars": {"01001": 8, "01003": 2}})
    values = moved(people, 2020, 2024, RESTORED, population=PEOPLE)
    assert values[["homes", "cars", "estimated"]].to_numpy().tolist() == [
        [30.0, 6.0, True],
        [10.0, 2.0, True],
        [7.0, 2.0, False],
    ]
    assert values.index.tolist() == ["01001", "01002", "01003"]
    assert values["covered_share"].tolist() == [1.0] * 3


def test_counts_of_a_split_without_people_are_missing_not_halves():
    values = moved(pd.Series({"01001": 40, "01003": 7}, name="homes"), 2020, 2024, RESTORED)
    assert values["homes"].tolist() == [pd.NA, pd.NA, 7.0]
    assert not values["estimated"].any()


def test_known_part_of_a_split_is_kept_beside_parts_of_unknown_share():
    happened = events(
        "2019-01-01 20 COM 01001 Ambre > COM 01001 Ambre",
        "2019-01-01 20 COM 01001 Ambre > COM 01002 Bois",
        "2020-01-01 20 COM 01002 Bois > COM 01002 Bois",
        "2020-01-01 20 COM 01002 Bois > COM 01004 Dune",
    )
    tables = {2019: frame({"01001": 300, "01002": 100})}
    values = moved(pd.Series({"01001": 40}, name="homes"), 2018, 2024, happened, communes=tables)
    assert values["homes"].tolist() == [30.0, pd.NA, pd.NA]


def test_rates_are_weighted_by_what_they_are_of():
    rates = pd.Series({"01001": 0.2, "01002": 0.6}, name="rate")
    values = moved(rates, 2018, 2024, NOUVELLE, kind="rate", denominators=pd.Series({"01001": 30, "01002": 10}))
    assert values["rate"].tolist() == pytest.approx([0.3])
    with pytest.raises(UsageError, match="denominators"):
        moved(rates, 2018, 2024, NOUVELLE, kind="rate")


def test_category_is_that_of_most_people_and_missing_where_they_are_not_known():
    classes = pd.Series({"01001": "rural", "01002": "urban", "01003": "rural"}, name="class")
    people = {2018: frame({"01001": 10, "01002": 30, "01003": 5})}
    known = moved(classes, 2018, 2024, NOUVELLE, kind="category", communes=people)
    assert known["class"].tolist() == ["urban", "rural"]
    unknown = moved(classes, 2018, 2024, NOUVELLE, kind="category")
    assert unknown["class"].fillna("").tolist() == ["", "rural"]
    weighed = moved(classes, 2018, 2024, NOUVELLE, kind="category", denominators=pd.Series({"01001": 3, "01002": 1}))
    assert weighed["class"].tolist() == ["rural", "rural"]


def test_commune_whose_neighbour_is_not_in_the_table_is_missing():
    values = moved(pd.Series({"01001": 40}, name="homes"), 2018, 2024, NOUVELLE)
    assert values["homes"].tolist() == [pd.NA]
    note = values.attrs["qpvgeo"]["notes"][-1]
    assert (note.key, note.values["codes"]) == ("geographies.not_in_table", ["01002"])


def test_what_goes_nowhere_is_listed():
    left = events("2020-07-15 30 COM 97123 B > -")
    values = moved(pd.Series({"97123": 9, "97101": 1}, name="x"), 2020, 2021, left)
    left = qg.geographies.unplaced(values)
    assert values["x"].to_dict() == {"97101": 1.0}
    assert left.to_numpy().tolist() == [["97123", "x", 9.0, 1.0]]


def test_codes_of_another_year_are_refused_with_what_is_known_of_them():
    table = pd.Series(1, index=["01001", "01002", "75101", "1003", "01003"], name="x")
    with pytest.raises(DataError) as caught:
        moved(table, 2020, 2024, pd.concat([NOUVELLE, RESTORED]))
    assert caught.value.problems == (
        "01002 is that of a commune until the eve of 2019-01-01 and is that of a commune from 2021-06-01",
        "75101 is an arrondissement: sum them up under 75056",
        "1003 is not how a code is written: 01003 is",
    )
    with pytest.raises(DataError, match="All of them were communes in 2018: give that year as from_year"):
        moved(table.drop(["75101", "1003"]), 2019, 2020, NOUVELLE)


def test_arrondissements_alone_are_folded_where_the_table_is_read(tmp_path):
    with pytest.raises(DataError) as caught:
        moved(pd.Series(1, index=["75101", "01001"], name="x"), 2020, 2024, NOUVELLE)
    assert caught.value.way_out.key == "geographies.fold_arrondissements"
    parts = "".join(f"751{number:02};Paris {number};1\n" for number in range(1, 21))
    path = tmp_path / "P20_POP.csv"
    path.write_text(f"CODGEO;LIBGEO;P20_POP\n01001;A;1\n{parts}")
    people = qg.read_population(path, level="commune", arrondissements="fold")["population"]
    assert moved(people, 2020, 2024, NOUVELLE)["population"].to_dict() == {"01001": 1, "75056": 20}


def test_codes_are_looked_for_in_the_tables_of_other_years(tmp_path):
    early = etalab(tmp_path, 2018, "01001 Ambre COM  9", "01002 Bois COMD 01001 ")
    late = etalab(tmp_path, 2024, "01001 Ambre COM  6", "01002 Bois COM  3", "01009 Pre COM  3")
    with pytest.raises(DataError) as caught:
        move_communes(pd.Series({"01001": 1, "01002": 1, "01009": 1}), 2018, 2024, communes={2018: early, 2024: late})
    assert caught.value.problems == (
        "01002 is a déléguée or associée of 01001 in the table of 2018 and is in the table of 2024",
        "01009 is not in the table of 2018 and is in the table of 2024",
    )
    assert caught.value.way_out == "All of them were communes in 2024: give that year as from_year."


def test_name_that_the_answer_needs_is_refused():
    with pytest.raises(UsageError, match="Column estimated"):
        moved(pd.DataFrame({"estimated": [1]}, index=["01001"]), 2018, 2024, NOUVELLE)


CODES = [f"01{number:03d}" for number in range(1, 9)]


@st.composite
def histories(draw):
    """Mergers in random order, year after year."""
    alive, lines = list(CODES), []
    for year in draw(st.lists(st.integers(2010, 2023), min_size=1, max_size=4, unique=True).map(sorted)):
        group = draw(st.lists(st.sampled_from(alive), min_size=2, max_size=4, unique=True))
        seat = draw(st.sampled_from(group))
        lines += [f"{year}-01-01 32 COM {code} n{code} > COM {seat} n{seat}" for code in group]
        alive = [code for code in alive if code not in group or code == seat]
        if len(alive) < 2:
            break
    return events(*lines)


@settings(deadline=None, max_examples=40)
@given(histories(), st.lists(st.integers(0, 10_000), min_size=len(CODES), max_size=len(CODES)))
def test_totals_are_kept_through_mergers_and_back(happened, numbers):
    values = pd.Series(numbers, index=CODES, name="x")
    there = moved(values, 2009, 2024, happened)
    assert there["x"].sum() == values.sum()
    people = pd.Series(range(1, len(CODES) + 1), index=CODES)
    back = moved(there["x"], 2024, 2009, happened, population=people)
    assert set(back.index) == set(CODES)
    assert back["x"].sum() == pytest.approx(values.sum())


@settings(deadline=None, max_examples=40)
@given(histories())
def test_people_moved_there_and_back_by_people_are_what_they_were(happened):
    people = pd.Series(range(1, len(CODES) + 1), index=CODES, name="x")
    there = moved(people, 2009, 2024, happened)
    back = moved(there["x"], 2024, 2009, happened, population=people)
    assert back["x"].to_dict() == pytest.approx(people.to_dict())


@settings(deadline=None, max_examples=40)
@given(histories(), st.integers(2009, 2024), st.integers(2009, 2024))
def test_passage_between_any_two_years_shares_each_commune_out_whole(happened, first, last):
    people = pd.Series(1, index=CODES)
    passage = commune_passage(first, last, events=happened, communes={}, population=people)
    assert passage["share"].notna().all()
    assert passage.groupby("code_from")["share"].sum().to_numpy() == pytest.approx(
        np.ones(passage["code_from"].nunique())
    )
    back = commune_passage(last, first, events=happened, communes={}, population=people)
    pairs = {tuple(pair) for pair in passage[["code_from", "code_to"]].to_numpy()}
    assert {tuple(pair) for pair in back[["code_to", "code_from"]].to_numpy()} == pairs


# --- a slow twin: communes as sets of cells with one inhabitant each, whose history is drawn by lot


def drawn_history(seed):
    """Lines of events of 2010 to 2022, and the cells of each commune on 1 January of each year."""
    random = np.random.default_rng(seed)
    cells = iter(np.array_split(random.permutation(40), 6))
    now = {code: frozenset(next(cells).tolist()) for code in CODES[:6]}
    former, lines, states, new = {}, [], {2010: dict(now)}, iter(f"01{number:03d}" for number in range(100, 200))
    for year in range(2010, 2022):
        line = f"{year}-06-01 {{}} COM {{}} x > COM {{}} x"
        back = [(z, b) for b, was in former.items() for z, held in now.items() if b not in now and was < held]
        kinds = ["merge", "merge", "merge", "part", "code", "dissolve"] + ["restore"] * 4 * bool(back)
        kind = str(random.choice(kinds if len(now) > 3 else ["part", "code"]))
        codes = [str(code) for code in random.permutation(sorted(now))]
        if kind == "merge":
            group = codes[: random.integers(2, 4)]
            former |= {code: now[code] for code in group}
            lines += [line.format(32, code, group[0]) for code in group]
            now[group[0]] = frozenset().union(*(now.pop(code) for code in group))
        elif kind == "restore":
            whole, code = back[random.integers(len(back))]
            lines += [line.format(21, whole, whole), line.format(21, whole, code)]
            now[code] = former.pop(code)
            now[whole] -= now[code]
        elif kind == "part" and len(now[codes[0]]) > 1:
            code, own = next(new), sorted(now[codes[0]])
            lines += [line.format(20, codes[0], codes[0]), line.format(20, codes[0], code)]
            now[code] = frozenset(own[: random.integers(1, len(own))])
            now[codes[0]] -= now[code]
        elif kind == "code":
            code = next(new)
            lines.append(line.format(50, codes[0], code))
            now[code] = now.pop(codes[0])
        elif kind == "dissolve" and len(now[codes[0]]) > 1:
            gone, one, other = codes[:3]
            lines += [line.format(30, gone, one), line.format(30, gone, other)]
            lines += [line.format(30, one, one), line.format(30, other, other)]
            own = sorted(now.pop(gone))
            now[one] |= frozenset(own[:1])
            now[other] |= frozenset(own[1:])
        states[year + 1] = dict(now)
    return events(*lines), states


@settings(deadline=None, max_examples=120)
@given(
    seed=st.integers(0, 2**32), first=st.integers(2010, 2022), last=st.integers(2010, 2022), every_year=st.booleans()
)
@example(seed=7134, first=2010, last=2018, every_year=False)  # it took a part of another, and came back without
def test_known_shares_are_those_of_the_cells(seed, first, last, every_year):
    happened, states = drawn_history(seed)
    people = {year: {code: len(cells) for code, cells in state.items()} for year, state in states.items()}
    tables = {year: frame(people[year]) for year in (people if every_year else [first, last])}
    passage = commune_passage(first, last, events=happened, communes=tables)
    truth = {
        (before, after): len(cells & others) / len(cells)
        for before, cells in states[first].items()
        for after, others in states[last].items()
        if cells & others
    }
    found = {(one, other): share for one, other, share in passage[["code_from", "code_to", "share"]].to_numpy()}
    assert truth.keys() <= found.keys()
    known = {pair: share for pair, share in found.items() if not np.isnan(share)}
    assert known == pytest.approx({pair: truth.get(pair, 0.0) for pair in known})
    certain = passage[passage["basis"] == "certain"]
    assert set(certain["code_from"]) >= {
        code
        for code, cells in states[first].items()
        if states[last].get(code) == cells and code not in happened.to_numpy()
    }
