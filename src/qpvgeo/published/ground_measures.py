"""Measures of the ground, of the grid and of the law: areas, cells, crosswalk classes, thresholds, programmes."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import territories
from qpvgeo.designation.thresholds import income_threshold, rules_of
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.geographies import crosswalk_classes
from qpvgeo.geometry import insee_lattice
from qpvgeo.geometry.cell_cover import Cover, cover
from qpvgeo.geometry.projection import areas_m2, reproject
from qpvgeo.language import Note
from qpvgeo.policy import programme_members, programmes
from qpvgeo.published.measure_registry import Asked, measure, number_argument
from qpvgeo.published.people_measures import selected_codes
from qpvgeo.published.scopes import require_level

__all__ = ["touched_cells"]

_CELL_M = 200
_INSIDE = 1 - 1e-9


# --- areas and outlines -------------------------------------------------------------------------------------------


def _areas(asked: Asked) -> pd.Series:
    """Area of each QPV of the place, m2 in its legal projection; `rings=published` takes what repair changed back."""
    qpv = asked.material.perimeters(asked.figure.vintage)
    own = qpv.loc[qpv.index.isin(selected_codes(asked))]
    found = pd.Series(areas_m2(own.geometry.to_numpy(), own.crs), index=own.index)
    if asked.figure.argument("rings") == "published":
        log = qpv.attrs["qpvgeo"].get("repairs", [])
        found = found - pd.Series({one["code"]: one["difference_m2"] for one in log}).reindex(found.index).fillna(0.0)
    return found


@measure("m2", "rings")
def area(asked: Asked) -> float:
    """Area of the QPV of a place, in the legal projection of each territory; each must have an outline."""
    found = _areas(asked)
    if found.isna().any():
        raise MissingDataError(Note("published.without_outline", count=int(found.isna().sum())))
    return float(found.sum())


@measure("m2", "rings", "q")
def quantile_area(asked: Asked) -> float:
    """Quantile of the area of a QPV (`q`, 0.5 by default)."""
    return float(_areas(asked).quantile(number_argument(asked, "q", 0.5)))


@measure("persons by km2")
def density(asked: Asked) -> float:
    """People by square kilometre of the QPV of a place."""
    from qpvgeo.published.people_measures import population  # noqa: PLC0415

    return population(asked) / (area(asked) / 1e6)


@measure("outlines", "finding")
def n_findings(asked: Asked) -> float:
    """Findings of a kind that `qpvgeo.check` reports on the outlines as published (`finding`, `invalid` by default)."""
    table = asked.material.findings(asked.figure.vintage)
    kind = asked.figure.argument("finding") or "invalid"
    own = table[(table["kind"] == kind) & table["code"].isin(selected_codes(asked))]
    return float(len(own))


# --- the grid ------------------------------------------------------------------------------------------------------


def touched_cells(asked: Asked) -> tuple[Cover, npt.NDArray[np.float64]]:
    """Cells of 200 m that the QPV of a place touch, and the area of each QPV in the projection of the grid."""
    require_level(asked.scope, "departments")
    zones = {territories.of_department(code) for code in asked.scope.codes}
    if len(zones) != 1:
        raise MissingDataError(Note("published.one_grid", place=asked.scope.name))
    epsg = territories.territories()[zones.pop() or ""].grid_epsg
    if epsg is None:
        raise MissingDataError(Note("published.no_grid", place=asked.scope.name))
    qpv = asked.material.perimeters(asked.figure.vintage)
    codes = selected_codes(asked)

    def covered() -> Cover:
        return cover(qpv.geometry.loc[qpv.index.isin(codes)], insee_lattice.Lattice(epsg, _CELL_M), sound=True)

    found: Cover = asked.material.once(f"cover {asked.figure.vintage} {asked.scope.codes}", covered)
    return found, found.size_m2


@measure("cells", "count")
def cells_touched(asked: Asked) -> float:
    """Pairs of a QPV of the place and a cell of 200 m that it touches; each cell once with `count=once`."""
    found, _ = touched_cells(asked)
    return float(_number(asked, found))


def _number(asked: Asked, found: Cover) -> int:
    once = asked.figure.argument("count") == "once"
    pairs = pd.DataFrame({"north": found.cells.north, "east": found.cells.east})
    return len(pairs.drop_duplicates() if once else pairs)


@measure("share", "count")
def cells_inside_share(asked: Asked) -> float:
    """Of these, the share in which the cell lies wholly in the QPV."""
    found, _ = touched_cells(asked)
    return float((found.share >= _INSIDE).sum()) / _number(asked, found)


@measure("share")
def boundary_area_share(asked: Asked) -> float:
    """Share of the area of the QPV that lies in cells which are not wholly in one QPV."""
    found, size = touched_cells(asked)
    inside = float((found.share >= _INSIDE).sum()) * _CELL_M**2
    return 1 - inside / float(size.sum())


@measure("ratio", "count")
def touched_area_ratio(asked: Asked) -> float:
    """Area of the cells touched, over the area of the QPV."""
    found, size = touched_cells(asked)
    return _number(asked, found) * _CELL_M**2 / float(size.sum())


@measure("cells", "q")
def quantile_cells(asked: Asked) -> float:
    """Quantile of the number of cells that a QPV touches (`q`, 0.5 by default)."""
    found, _ = touched_cells(asked)
    return float(pd.Series(found.area).value_counts().quantile(number_argument(asked, "q", 0.5)))


@measure("QPV")
def n_without_cell_centre(asked: Asked) -> float:
    """QPV with an outline in which the centre of no cell lies."""
    found, _ = touched_cells(asked)
    qpv = asked.material.perimeters(asked.figure.vintage)
    own = qpv.geometry[qpv.index.isin(selected_codes(asked))]
    shapes = reproject(own.to_numpy(), own.crs, found.cells.lattice.epsg)
    shapely.prepare(shapes)
    centres = insee_lattice.centroids(found.cells)
    inside = shapely.intersects_xy(shapes[found.area], centres[:, 0], centres[:, 1])
    return float(len(np.unique(found.area)) - len(np.unique(found.area[inside])))


# --- crosswalk, law, programmes -----------------------------------------------------------------------------------


@measure("QPV", "change", "side")
def crosswalk_count(asked: Asked) -> float:
    """QPV of a class of the crosswalk (`change`: kept, dropped, new, ...) on its `side` from or to."""
    classes: pd.DataFrame = asked.material.once("classes", lambda: crosswalk_classes(asked.material.crosswalk()))
    kind, side = asked.figure.argument("change") or "kept", asked.figure.argument("side") or "to"
    own = classes[(classes["change"] == kind) & (classes["side"] == side)]
    figure = asked.figure.changed(f"vintage={2015 if side == 'from' else 2024}")
    return float(own.index.isin(selected_codes(Asked(figure, asked.scope, asked.material))).sum())


@measure("EUR", "national", "local", "people", "regime", "rounded")
def threshold(asked: Asked) -> float:
    """Threshold of income below which a quartier can be designated; its reference value with `rounded=no`."""
    regime = asked.figure.argument("regime") or "2014"
    national, local, people = (
        Fraction(str(number_argument(asked, name, default)))
        for name, default in (("national", None), ("local", None), ("people", 100_000.0))
    )
    if asked.figure.argument("rounded") == "no":
        return float(rules_of(regime).share * national)
    found = income_threshold(national, local, people, regime=regime)
    if pd.isna(found):
        raise DataError(Note("published.no_threshold"))
    return float(found)


@measure("members", "programme")
def programme_count(asked: Asked) -> float:
    """Members of a programme: those of the list that is held, by place; else the published number."""
    name = str(asked.figure.argument("programme"))
    known = programmes()
    if name not in known.index:
        raise UsageError(Note("published.bad_argument", measure="programme_count", argument="programme", value=name))
    if known.loc[name, "list_held"] != "yes":
        raise MissingDataError(Note("published.list_not_held", programme=str(known.loc[name, "title"])))
    members = programme_members(name)
    if asked.scope.national != "France":
        require_level(asked.scope, "departments")
        from qpvgeo.codes import official  # noqa: PLC0415

        if not members["unit"].eq("qpv_2015").all():
            raise MissingDataError(Note("published.not_at_level", place=asked.scope.name, level="departments"))
        department = official.classify_qpv(members["code"])["department"]
        members = members[department.isin(asked.scope.codes).to_numpy()]
    return float(members["name"].nunique())


@measure("persons", "programme")
def programme_people(asked: Asked) -> float:
    """People of the QPV of 2015 that a programme reaches, by its list."""
    members = programme_members(str(asked.figure.argument("programme")))
    people = asked.material.people(2015, asked.figure.year)["population"].reindex(members["code"])
    if people.isna().any():
        raise MissingDataError(Note("published.without_people", count=int(people.isna().sum())))
    return float(people.sum())


@measure("communes", "programme")
def programme_communes(asked: Asked) -> float:
    """Communes in which the QPV of 2015 lie that a programme reaches."""
    members = programme_members(str(asked.figure.argument("programme")))
    links = asked.material.links(2015)
    return float(links[links["qpv_code"].isin(members["code"])]["commune"].nunique())
