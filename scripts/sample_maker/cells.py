"""The 200 m grid of incomes, in the columns of Filosofi 2017 and of 2019.

Counts are whole tenths until they are written: the published grid gives one decimal. As in the published files,
no cell of fewer than 11 households has its own values: it takes those of its natural square (the smallest square
all of whose populated parts hold 11 households), shared out by its number of people, and says so in `i_est_200`.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sample_maker.chance import between, number
from sample_maker.forms import csv_text, zipped
from sample_maker.people import UNIT, truth
from sample_maker.place import COMMUNES

__all__ = ["write_grid"]

LEAST_HOUSEHOLDS = 11
SIZES_M = (4000, 2000, 1000, 200)
GROWTH = {2017: 1.0, 2019: 1.043}  # of incomes
AGES = ("ind_0_3", "ind_4_5", "ind_6_10", "ind_11_17", "ind_18_24", "ind_25_39", "ind_40_54", "ind_55_64",
        "ind_65_79", "ind_80p", "ind_inc")  # fmt: skip
BUILT = ("log_av45", "log_45_70", "log_70_90", "log_ap90", "log_inc")
# Shares of the ages and of the periods of building, in a town quarter and in an estate.
AGE_SHARES = ((4, 3, 6, 8, 9, 19, 20, 12, 14, 5, 0), (7, 4, 9, 12, 11, 21, 17, 9, 8, 2, 0))
BUILT_SHARES = ((24, 18, 28, 29, 1), (3, 58, 30, 8, 1))
COLUMNS_2017 = (
    "Idcar_200m,I_est_200,Idcar_1km,I_est_1km,Idcar_nat,Groupe,Ind,Men_1ind,Men_5ind,Men_prop,Men_fmp,Ind_snv,Men_surf,"
    "Men_coll,Men_mais,Log_av45,Log_45_70,Log_70_90,Log_ap90,Log_inc,Log_soc,Ind_0_3,Ind_4_5,Ind_6_10,Ind_11_17,"
    "Ind_18_24,Ind_25_39,Ind_40_54,Ind_55_64,Ind_65_79,Ind_80p,Ind_inc,Men_pauv,Men,lcog_geo"
)
COLUMNS_2019 = (
    "idcar_200m,idcar_1km,idcar_nat,i_est_200,i_est_1km,lcog_geo,ind,men,men_pauv,men_1ind,men_5ind,men_prop,men_fmp,"
    "ind_snv,men_surf,men_coll,men_mais,log_av45,log_45_70,log_70_90,log_ap90,log_inc,log_soc,ind_0_3,ind_4_5,ind_6_10,"
    "ind_11_17,ind_18_24,ind_25_39,ind_40_54,ind_55_64,ind_65_79,ind_80p,ind_inc"
)

Corner = tuple[int, int]
Counts = dict[str, int]


class Cell(NamedTuple):
    """What a cell is made from: its people, the part of them in an estate, its communes."""

    corner: Corner  # northing and easting in metres
    people: float
    estate: float
    communes: str


def _cells() -> list[Cell]:
    """Gather the truth by cell; a cell that straddles communes names them all, the codes joined."""
    points = truth()
    corners, place = np.unique(np.stack([points.northing_m, points.easting_m]), axis=1, return_inverse=True)
    place = place.ravel()
    people = np.zeros(corners.shape[1], dtype=np.int64)
    estate = np.zeros_like(people)
    np.add.at(people, place, points.people)
    inside = (points.qpv_2015 >= 0) | (points.qpv_2024 >= 0)
    np.add.at(estate, place[inside], points.people[inside])
    codes: defaultdict[int, set[str]] = defaultdict(set)
    for cell, commune in zip(place.tolist(), points.commune.tolist(), strict=True):
        codes[cell].add(COMMUNES[commune].code)
    return [
        Cell((int(n), int(e)), int(total) / UNIT, int(part) / int(total), "".join(sorted(codes[rank])))
        for rank, (n, e, total, part) in enumerate(zip(*corners, people, estate, strict=True))
        if total >= UNIT
    ]


def _shared(total: int, shares: Iterable[float]) -> list[int]:
    """Share a whole number out, the largest remainders first, so that the parts make the whole."""
    parts = list(shares)
    exact = [total * part / sum(parts) for part in parts]
    result = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda rank: (result[rank] - exact[rank], rank))
    for rank in order[: total - sum(result)]:
        result[rank] += 1
    return result


def _blend(pair: tuple[tuple[int, ...], tuple[int, ...]], estate: float, *name: object) -> list[float]:
    town, tower = pair
    return [
        (a * (1 - estate) + b * estate) * between(0.75, 1.25, "share", rank, *name)
        for rank, (a, b) in enumerate(zip(town, tower, strict=True))
    ]


def _income(cell: Cell, year: int) -> float:
    """Mean living standard in euros a year: lower in the estates, higher on the north shore."""
    north = (cell.corner[0] - int(truth().northing_m.min())) / 11_000
    elsewhere = 19_500 + 5500 * north + between(-3800, 3800, "income", *cell.corner)
    tower = 13_000 + between(-1700, 1700, "estate income", *cell.corner)
    return min(max((elsewhere * (1 - cell.estate) + tower * cell.estate) * GROWTH[year], 9200.0), 39_000.0)


def _true_counts(cell: Cell, year: int) -> Counts:
    """Give the counts of a cell before secrecy, in whole people, households and dwellings."""
    name, estate = (*cell.corner, year), cell.estate
    drift = between(0.97, 1.03, "drift", *name) * (1.0 if year == 2017 else 1.008)
    people = max(1, round(cell.people * drift))
    size = between(1.95, 2.35, "size", *cell.corner) * (1 - estate) + between(2.35, 2.75, "size", *cell.corner) * estate
    homes = max(1, round(people / size))
    income = _income(cell, year)
    poverty = min(0.8, max(0.02, 0.92 - income / GROWTH[year] / 25_500 + between(-0.05, 0.05, "poverty", *name)))

    def part(name_of: str, town: float, tower: float) -> int:
        rate = (town * (1 - estate) + tower * estate) * between(0.8, 1.2, name_of, *name)
        return int(homes * min(rate, 1.0) + number("rounding", name_of, *name))

    density = min(1.0, cell.people / 160)
    alone = min(part("alone", 0.37, 0.33), homes)
    flats = min(part("flats", 0.12 + 0.6 * density, 0.95), homes)
    counts = {
        "ind": people, "men": homes, "men_pauv": min(int(homes * poverty), int(0.8 * homes)), "men_1ind": alone,
        "men_5ind": min(part("large", 0.055, 0.15), homes - alone), "men_prop": min(part("owners", 0.58, 0.13), homes),
        "men_fmp": min(part("single parents", 0.085, 0.23), homes - alone), "ind_snv": round(people * income),
        "men_surf": round(homes * (between(88, 112, "area", *name) * (1 - estate) + 66 * estate)),
        "men_coll": flats, "men_mais": homes - flats, "log_soc": min(part("social", 0.09, 0.78), homes),
    }  # fmt: skip
    counts |= zip(BUILT, _shared(homes, _blend(BUILT_SHARES, estate, "built", *cell.corner)), strict=True)
    counts |= zip(AGES, _shared(people, _blend(AGE_SHARES, estate, "age", *cell.corner)), strict=True)
    return counts


def _square(corner: Corner, size_m: int) -> Corner:
    return corner[0] // size_m * size_m, corner[1] // size_m * size_m


def _id(corner: Corner, size_m: int) -> str:
    north, east = _square(corner, size_m)
    return f"CRS3035RES{size_m}mN{north}E{east}"


def _natural(homes: dict[Corner, int]) -> dict[Corner, str]:
    """Cut squares as long as every populated part holds 11 households; give each cell its last square."""
    result: dict[Corner, str] = {}

    def cut(cells: list[Corner], level: int) -> None:
        size = SIZES_M[level]
        if level + 1 < len(SIZES_M):
            parts: defaultdict[Corner, list[Corner]] = defaultdict(list)
            for cell in cells:
                parts[_square(cell, SIZES_M[level + 1])].append(cell)
            if all(sum(homes[cell] for cell in part) >= LEAST_HOUSEHOLDS for part in parts.values()):
                for part in parts.values():
                    cut(part, level + 1)
                return
        result.update((cell, _id(cell, size)) for cell in cells)

    tops: defaultdict[Corner, list[Corner]] = defaultdict(list)
    for cell in homes:
        tops[_square(cell, SIZES_M[0])].append(cell)
    for top in tops.values():
        cut(top, 0)
    return result


def _imputed(people: int, group: Counts) -> Counts:
    """Give a hidden cell its part of its group's counts, in tenths; totals stay totals of their parts."""
    ratio = people / group["ind"]
    homes = min(max(1, round(10 * group["men"] * ratio)), 10 * LEAST_HOUSEHOLDS - 1)

    def part(name: str, most: int = homes) -> int:
        return min(round(10 * group[name] * ratio), most)

    alone = part("men_1ind")
    flats = part("men_coll")
    counts = {"ind": 10 * people, "men": homes, "men_pauv": part("men_pauv", homes * 8 // 10), "men_1ind": alone}
    counts |= {"men_5ind": part("men_5ind", homes - alone), "men_fmp": part("men_fmp", homes - alone)}
    counts |= {name: part(name) for name in ("men_prop", "log_soc")}
    counts |= {"men_coll": flats, "men_mais": homes - flats}
    counts |= {"ind_snv": round(10 * group["ind_snv"] * ratio), "men_surf": round(10 * group["men_surf"] * ratio)}
    counts |= zip(BUILT, _shared(homes, [group[name] for name in BUILT]), strict=True)
    counts |= zip(AGES, _shared(10 * people, [group[name] for name in AGES]), strict=True)
    return counts


def _published(year: int) -> list[dict[str, str]]:
    """Give the rows of the grid of a year, every column as text under its lower-case name."""
    cells = _cells()
    known = {cell.corner: _true_counts(cell, year) for cell in cells}
    natural = _natural({corner: counts["men"] for corner, counts in known.items()})
    by_km: defaultdict[Corner, int] = defaultdict(int)
    groups: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for corner, counts in known.items():
        by_km[_square(corner, 1000)] += counts["men"]
        if counts["men"] < LEAST_HOUSEHOLDS:
            for name, count in counts.items():
                groups[natural[corner]][name] += count
    ranks = {square: rank for rank, square in enumerate(sorted(set(natural.values())), start=1)}
    rows = []
    for cell in cells:
        counts, square = known[cell.corner], natural[cell.corner]
        hidden = counts["men"] < LEAST_HOUSEHOLDS
        tenths = _imputed(counts["ind"], groups[square]) if hidden else {n: 10 * c for n, c in counts.items()}
        row = {name: f"{count / 10:.1f}".removesuffix(".0") for name, count in tenths.items()}
        row |= {"idcar_200m": _id(cell.corner, 200), "idcar_1km": _id(cell.corner, 1000), "idcar_nat": square}
        row |= {
            "i_est_200": str(int(hidden)),
            "i_est_1km": str(int(by_km[_square(cell.corner, 1000)] < LEAST_HOUSEHOLDS)),
        }
        row |= {"groupe": str(ranks[square]), "lcog_geo": cell.communes}
        rows.append(row)
    return rows


def write_grid(folder: Path) -> None:
    """Write the grids of 2017 and 2019, each in its archive."""
    for year, header, member in (
        (2017, COLUMNS_2017, "Filosofi2017_carreaux_200m_met.csv"),
        (2019, COLUMNS_2019, "carreaux_200m_met.csv"),
    ):
        rows = [[row[name.lower()] for name in header.split(",")] for row in _published(year)]
        zipped(folder / f"Filosofi{year}_carreaux_200m_csv.zip", {member: csv_text(header, rows, ",")})
