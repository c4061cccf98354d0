"""The zones of the sample, added up by hand: cells of the file below the threshold that touch each other.

Threshold: 0.6 x (0.7 x 20,500 + 0.3 x 17,000) = 11,670, rounded up to 11,700 euros. All 1,996 cells of the grid hold
123,997 people and 2,566,261,709.50 euros, a mean of 20,696.16; scaled to the median of 17,000, a cell is below 11,700
when its sum is below 11,700 x 20,696.16 / 17,000 = 14,243.83 euros a person.
"""

import csv
import io
import zipfile
from decimal import Decimal

import pytest

import qpvgeo as qg

LIMIT = Decimal(11_700) * Decimal("2566261709.5") / 123_997 / 17_000

# people of the cells of each group, in the order of the file: south to north, west to east
ZONES = {1: 338 + 307 + 295 + 366, 2: 167 + 389 + 282 + 220}
NEAR = [215 + 368 + 358, 193 + 371 + 379, 401 + 295 + 235, 297 + 366 + 272]
CELLS_OF = {
    1: [("2634200", "3271200"), ("2634200", "3271400"), ("2634200", "3271600"), ("2634400", "3271400")],
    2: [("2636200", "3270600"), ("2636200", "3270800"), ("2636200", "3271000"), ("2636400", "3271000")],
}


@pytest.fixture(scope="module")
def rows():
    """People and euros a person of each cell, as the file prints them."""
    path = qg.sample().grid_2019
    with zipfile.ZipFile(path) as bundle:
        text = bundle.read(bundle.namelist()[0]).decode()
    table = csv.DictReader(io.StringIO(text))
    return {row["idcar_200m"]: (Decimal(row["ind"]), Decimal(row["ind_snv"]) / Decimal(row["ind"])) for row in table}


@pytest.fixture(scope="module")
def found():
    grid = qg.read_grid(qg.sample().grid_2019)
    units = qg.designation.single_unit(grid, population=124_000, median=17_000)
    return qg.candidate_zones(qg.eligible_cells(grid, units, national_median=20_500))


def ids_of(cells):
    return [f"CRS3035RES200mN{north}E{east}" for north, east in cells]


def test_the_sums_are_those_of_the_file(rows):
    assert len(rows) == 1_996
    assert sum(people for people, _ in rows.values()) == 123_997
    assert round(LIMIT, 2) == Decimal("14243.83")
    for zone, cells in CELLS_OF.items():
        assert sum(rows[cell][0] for cell in ids_of(cells)) == ZONES[zone]
        assert all(rows[cell][1] < LIMIT for cell in ids_of(cells))


def test_two_zones_pass(found):
    assert ZONES == {1: 1_306, 2: 1_058}
    assert found.zones["population"].to_dict() == ZONES
    for zone, cells in CELLS_OF.items():
        assert found.cells.index[found.cells["zone"] == zone].tolist() == ids_of(cells)


def test_four_zones_are_short_of_people(found):
    near = found.near_misses[found.near_misses["kind"] == "people"]
    assert NEAR == [941, 943, 931, 935]
    assert near["population"].tolist() == NEAR
    assert near["short_by"].tolist() == [1_000 - 941, 1_000 - 943, 1_000 - 931, 1_000 - 935]


def test_twenty_cells_are_a_little_too_rich_and_twelve_eligible_ones_nearly(rows, found):
    kinds = found.near_misses.groupby("kind")["cell_id"].agg(set)
    above = {cell for cell, (_, euros) in rows.items() if LIMIT <= euros < LIMIT * Decimal("1.05")}
    below = {cell for cell, (_, euros) in rows.items() if LIMIT * Decimal("0.95") <= euros < LIMIT}
    assert (len(above), len(below)) == (20, 12)
    assert kinds["income"] == above
    assert kinds["narrow cell"] == below


def test_a_neighbourhood_passes_on_income_and_not_on_people(found):
    judged = qg.designation.judge_perimeters(qg.read_qpv(qg.sample().qpv_2024), found.cells).verdicts.loc["QN09906M"]
    assert judged["income_eur"] < 11_700
    assert [note.key for note in judged["reasons"]] == ["designation.too_few_people"]
