"""QPV of a commune by what the perimeters themselves say: lists of codes, or names without codes."""

import re
from collections.abc import Iterator

import pandas as pd

from qpvgeo.codes.places import plain

__all__ = ["communes_of", "qpv_in_commune_named"]

_WITH_DEPARTMENT = re.compile(r"(?P<name>.+?)\s*\((?P<department>\d{2,3}|2[AB])\)")


def communes_of(*layers: pd.DataFrame) -> pd.DataFrame | None:
    """Communes whose codes perimeters list, with the names that they give; None where they list none.

    Examples
    --------
    >>> qpv = pd.DataFrame({"communes": [["97411"]], "lib_com": ["Saint-Denis"]}, index=["QP974026"])
    >>> communes_of(qpv)["name"].to_dict()
    {'97411': 'Saint-Denis'}
    """
    rows: dict[str, str] = {}
    for layer in layers:
        if "communes" in layer:
            names = layer["lib_com"] if "lib_com" in layer else [None] * len(layer)
            for codes, name in zip(layer["communes"], names, strict=True):
                if isinstance(codes, list):
                    alone = len(codes) == 1 and isinstance(name, str)
                    rows |= {str(code): name if alone else rows.get(str(code), str(code)) for code in codes}
    return pd.DataFrame({"name": list(rows.values())}, index=list(rows)) if rows else None


def qpv_in_commune_named(layer: pd.DataFrame, name: str) -> dict[str, set[str]]:
    """QPV whose published names of communes hold a name, by department: several are communes of one name.

    Parameters
    ----------
    layer
        Perimeters with `department`, and `commune_names` or `commune`.
    name
        Name of a commune, followed by its department in brackets where the name alone is not enough.

    Examples
    --------
    >>> qpv = pd.DataFrame(
    ...     {"department": ["93", "974"], "commune_names": [["Saint-Denis", "Stains"], ["Saint-Denis"]]},
    ...     index=["QP093001", "QP974026"],
    ... )
    >>> qpv_in_commune_named(qpv, "saint denis"), qpv_in_commune_named(qpv, "Saint-Denis (974)")
    ({'93': {'QP093001'}, '974': {'QP974026'}}, {'974': {'QP974026'}})
    """
    told = _WITH_DEPARTMENT.fullmatch(name.strip())
    wanted, within = (plain(told["name"]), told["department"]) if told else (plain(name), None)
    found: dict[str, set[str]] = {}
    for code, department, names in _told(layer):
        if wanted in {plain(one) for one in names} and within in (None, department):
            found.setdefault(department, set()).add(code)
    return found


def _told(layer: pd.DataFrame) -> Iterator[tuple[str, str, list[str]]]:
    column = next((name for name in ("commune_names", "commune") if name in layer), None)
    if column is None or "department" not in layer:
        return
    for code, department, names in zip(layer.index, layer["department"], layer[column], strict=True):
        yield str(code), str(department), [names] if isinstance(names, str) else list(names or ())
