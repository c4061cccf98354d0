"""Made-up grids and units of the tests of designation."""

import geopandas as gpd
import pandas as pd
import shapely

import qpvgeo as qg

NORTH, EAST = 2_000_000, 4_000_000


def cell_id(north, east):
    """Id of a cell so many cells north and east of the corner."""
    return f"CRS3035RES200mN{NORTH + 200 * north}E{EAST + 200 * east}"


def grid_of(rows, **columns):
    """Grid of rows of (north, east, people, living standard in euros, poor households of twenty), in cells."""
    people = [float(row[2]) for row in rows]
    frame = pd.DataFrame(
        {
            "population": people,
            "households": [20.0] * len(rows),
            "poor_households": [float(row[4]) for row in rows],
            "living_standard_sum_eur": [row[2] * (row[3] or 0) for row in rows],
            "imputed": [False] * len(rows),
            "communes": [["01001"]] * len(rows),
        }
        | columns,
        index=pd.Index([cell_id(row[0], row[1]) for row in rows], name="cell_id", dtype="str"),
    )
    frame.attrs["qpvgeo"] = {"files": [], "epsg": 3035}
    return frame


def units_of(median=20_000, population=50_000, **more):
    """One unit of one commune."""
    return pd.DataFrame({"unit": ["U"], "population": [population], "median": [median]} | more, index=["01001"])


def medians_of(rows, units=None, **columns):
    """Eligible cells by a column of medians: rows of (north, east, people, median in euros); threshold 12,000."""
    grid = grid_of([(*row, 0) for row in rows], **({"med": [row[3] for row in rows]} | columns))
    return qg.eligible_cells(grid, units_of() if units is None else units, national_median=20_000, income="med")


def box(west, south, east, north):
    """Rectangle in cells from the corner."""
    return shapely.box(EAST + 200 * west, NORTH + 200 * south, EAST + 200 * east, NORTH + 200 * north)


def qpv_of(*boxes):
    """Perimeters made of rectangles, as the reader gives them."""
    codes = [f"QN0010{number}M" for number in range(1, len(boxes) + 1)]
    return gpd.GeoDataFrame(
        {"name": codes, "vintage": 2024, "release": "", "territory": "hexagone", "department": "01", "region": "84",
         "communes": [["01001"]] * len(boxes)},
        geometry=[box(w, s, e, n) for w, s, e, n in boxes], index=pd.Index(codes, name="qpv_code"), crs=3035,
    )  # fmt: skip


# 600 + 500 people side by side are poor, 850 alone are, 500 are a little too rich, the others are rich; the mean of the
# unit is (1,950 x 11,000 + 500 x 12,400 + 1,550 x w) / 4,000 = 20,000 with w = 33,774.19...
RICH = (4_000 * 20_000 - 1_950 * 11_000 - 500 * 12_400) / 1_550
ROWS = [
    (0, 0, 600, 11_000, 10),
    (0, 1, 500, 11_000, 9),
    (5, 5, 850, 11_000, 8),
    (0, 2, 500, 12_400, 5),
    (9, 9, 1_550, RICH, 0),
]
