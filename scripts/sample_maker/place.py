"""The island: twelve communes that tile it exactly, their names, codes and two intercommunalities."""

from itertools import pairwise
from typing import NamedTuple

from sample_maker.plane import Point, Ring, Shape, at, wandering

__all__ = ["COMMUNES", "DEPARTMENT", "EPCI", "REGION", "Commune", "border", "commune_shape"]

DEPARTMENT = ("99", "Grand-Large")
REGION = ("99", "Hautes-Eaux")
EPCI = {
    "299900019": ("CA de la Baie des Brumes", "CA", "Communauté d'agglomération de la Baie des Brumes"),
    "299900027": ("CC des Hautes Lames", "CC", "Communauté de communes des Hautes Lames"),
}

# Metres from the middle of the island. Capitals stand on the coast, small letters inland.
NODES = {
    "A": (-7100, -900), "B": (-5700, 3400), "C": (-1900, 5100), "D": (2100, 5000), "E": (5600, 3200),
    "F": (7100, -300), "G": (5200, -3500), "H": (1800, -4700), "I": (-1900, -4500), "J": (-5200, -3700),
    "a": (-3900, -700), "b": (-3300, 1800), "c": (-1200, 2800), "d": (1500, 2900), "e": (3500, 1700),
    "f": (4100, -500), "g": (3100, -2000), "h": (1800, -2200), "i": (-1900, -2300), "j": (-3300, -1900),
    "m": (100, 2700), "p": (-1800, -300), "q": (200, 600), "r": (1900, -400),
}  # fmt: skip

# Bays and capes between two capitals, in the order of travel.
COAST = {
    "HI": [(1250, -4450), (700, -4350), (350, -4150), (-250, -4200), (-550, -4500), (-1300, -4750)],
    "AJ": [(-6700, -1500), (-7300, -2100), (-7600, -2700), (-6700, -2900)],
    "AB": [(-6700, 600), (-7000, 1700), (-6500, 2500)],
    "BC": [(-4700, 4500), (-3700, 4300)],
    "CD": [(-1300, 5500), (-300, 5200), (400, 4700), (1300, 4900)],
    "DE": [(3000, 5600), (4700, 5300), (5000, 4200)],
    "EF": [(6600, 2700), (6100, 1700), (6900, 900)],
    "FG": [(6700, -1300), (7200, -2200), (5900, -2700)],
    "GH": [(4300, -4400), (3300, -4300), (2500, -5000)],
    "JI": [(-4300, -4600), (-3300, -4400)],
}


class Commune(NamedTuple):
    """A commune: code, name, postcode, intercommunality, limit as nodes, and its town centre in metres."""

    code: str
    name: str
    postcode: str
    epci: str
    nodes: str
    centre: tuple[float, float]
    peak: float  # inhabitants per km2 at the centre
    spread_m: float


CITY, LAMES = EPCI
COMMUNES = [
    Commune("99001", "Port-Brume", "99000", CITY, "pqrhHIi", (0, -2300), 7400, 1650),
    Commune("99002", "Saint-Aubin-du-Large", "99100", CITY, "pijabcmq", (-2100, 800), 3700, 1000),
    Commune("99003", "Hautvent", "99110", CITY, "qmdefghr", (2500, 400), 3600, 1000),
    Commune("99004", "Les Embruns", "99120", CITY, "hgGH", (3100, -3100), 2100, 850),
    Commune("99005", "L'Anse-aux-Goélands", "99130", CITY, "ijJI", (-3200, -3100), 1900, 800),
    Commune("99006", "Pointe-Grise", "99140", CITY, "jaAJ", (-5200, -1900), 1300, 750),
    Commune("99007", "Sainte-Vigie", "99150", CITY, "aAB" + "b", (-5200, 1200), 1700, 800),
    Commune("99008", "Le Ressac", "99200", LAMES, "bBCc", (-3500, 3400), 1200, 750),
    Commune("99009", "Roche-Marée", "99210", LAMES, "cCDdm", (-100, 3900), 1500, 800),
    Commune("99010", "Beauphare", "99220", LAMES, "dDEe", (3300, 3500), 1200, 750),
    Commune("99011", "Val-d'Écume", "99230", LAMES, "eEFf", (5200, 1000), 1900, 850),
    Commune("99012", "Saint-Gildas-les-Dunes", "99240", LAMES, "fFGg", (4900, -1700), 1200, 750),
]


def node(name: str) -> Point:
    """Give a corner of the commune limits."""
    return at(*NODES[name])


def border(start: str, end: str) -> Ring:
    """Draw the limit between two corners, the end left out: the coast is more broken than the land."""
    if not (start.isupper() and end.isupper()):
        return wandering(node(start), node(end), 0.11)
    stops = [node(start), *(at(*stop) for stop in COAST[start + end]), node(end)]
    return [point for pair in pairwise(stops) for point in wandering(*pair, 0.16)]


def commune_shape(commune: Commune) -> Shape:
    """Draw a commune."""
    names = commune.nodes
    ring = [point for pair in zip(names, names[1:] + names[0], strict=True) for point in border(*pair)]
    return [[ring]]
