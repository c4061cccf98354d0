"""The neighbourhoods of 2015 and of 2024, drawn by hand, and what became of each.

An outline is a list of corners in metres in the neighbourhood's own frame, whose axes follow its streets;
`plane.jogged` adds the detail of the parcels. A side drawn with the same two corners in both years has the same
bytes in both years, which is what makes "kept" exact.
"""

from itertools import pairwise
from typing import NamedTuple

from sample_maker.place import border
from sample_maker.plane import Point, Ring, Shape, jogged, moved

__all__ = ["FRAMES", "NPNRU", "QPV_2015", "QPV_2024", "Quarter"]

Corners = list[tuple[int, int]]
Frame = tuple[float, float, float, float]

STRAIGHT, TILT, STEEP, SLANT = (1.0, 0.0), (0.96, 0.28), (0.8, 0.6), (12 / 13, 5 / 13)


class Quarter(NamedTuple):
    """A neighbourhood of one year: code, name, communes it is published under, ancestors (2024), shape."""

    code: str
    name: str
    communes: tuple[str, ...]
    parents: tuple[str, ...]
    shape: Shape


# Frame of each neighbourhood: middle in metres, then the cosine and sine of its streets.
FRAMES: dict[str, Frame] = {
    "misaine": (-1000, -1150, *TILT), "hunier": (950, -850, 0.8, -0.6), "bossoirs": (-1150, -3150, *SLANT),
    "vents": (350, -3550, *STRAIGHT), "drisse": (850, -2350, 0.96, -0.28), "cabestan": (-1850, -1250, *TILT),
    "haubans": (-1250, 1500, *STEEP), "vigie": (-2750, -150, 12 / 13, -5 / 13), "perroquet": (2250, 450, *TILT),
    "galhauban": (3050, -3050, 0.8, -0.6), "cormoran": (5350, 950, *SLANT), "balise": (-150, 3850, *TILT),
    "bassin": (-150, -1950, *STRAIGHT), "sextant": (-2550, 1350, 0.96, -0.28), "amarres": (-5250, 1250, *STEEP),
    "goelands": (-3150, -3050, *SLANT), "mole": (3820, 340, *STRAIGHT),
}  # fmt: skip

# Whoever moves a corner must keep the corners shared by the two years, and by neighbours, equal.
MISAINE = [(-230, -190), (-90, -210), (-80, -170), (60, -180), (70, -230), (240, -220), (250, -60), (210, -50),
           (220, 110), (120, 120), (110, 210), (-60, 220), (-70, 180), (-210, 190), (-260, 60), (-220, 40)]  # fmt: skip
MISAINE_PARK = [(-40, -60), (-50, 30), (10, 60), (80, 30), (60, -70)]
HUNIER = [(-260, -150), (-20, -170), (-10, -130), (180, -140), (200, 20), (260, 40), (240, 180), (60, 190),
          (50, 150), (-120, 160), (-130, 90), (-270, 80)]  # fmt: skip
HUNIER_GROWN = [(-260, -150), (-20, -170), (-10, -130), (180, -140), (200, 20), (260, 40), (430, 50), (420, 230),
                (200, 330), (60, 320), (60, 190), (50, 150), (-120, 160), (-130, 90), (-270, 80)]  # fmt: skip
BOSSOIRS_WEST = [(-40, 250), (-50, 210), (-280, 220), (-300, 90), (-370, 70), (-360, -230), (-150, -260),
                 (-140, -220), (-20, -230)]  # fmt: skip
BOSSOIRS_EAST = [(-20, -230), (100, -240), (120, -290), (350, -270), (370, -80), (330, -70), (340, 140),
                 (200, 150), (190, 240), (-40, 250)]  # fmt: skip
BOSSOIRS_STREET = [(-30, 20)]
VENTS = [(-250, -160), (-60, -180), (60, -190), (240, -150), (250, 10), (210, 20), (200, 170), (40, 190),
         (-10, 170), (-200, 180), (-210, 60), (-260, 50)]  # fmt: skip
VENTS_SHRUNK = [(-60, -180), (60, -190), (240, -150), (250, 10), (210, 20), (200, 170), (40, 190), (-10, 170),
                (-70, 90), (-50, 0)]  # fmt: skip
DRISSE = [(-270, -150), (40, -160), (50, 150), (-90, 160), (-100, 210), (-280, 190)]
ECOUTE = [(110, -170), (230, -190), (370, -150), (380, 60), (340, 70), (330, 190), (130, 180), (100, 140)]
DRISSE_MERGED = [(-270, -150), (40, -160), (110, -170), (230, -190), (370, -150), (380, 60), (340, 70), (330, 190),
                 (130, 180), (50, 150), (-90, 160), (-100, 210), (-280, 190)]  # fmt: skip
CABESTAN = [(-260, -170), (-40, -190), (-30, -150), (150, -170), (280, -140), (290, 40), (240, 50), (230, 180),
            (30, 190), (20, 150), (-190, 170), (-200, 50), (-270, 40)]  # fmt: skip
# The ring crosses itself near (277, -44): the published layer of 2015 has such defects.
HAUBANS = [(-280, -180), (-60, -200), (-50, -150), (140, -170), (270, -150), (273, -95), (277, -40), (283, -44),
           (271, -44), (280, 60), (230, 70), (220, 190), (100, 195), (-20, 200), (-30, 150), (-250, 160),
           (-290, 20)]  # fmt: skip
HAUBANS_SHRUNK = [(-280, -180), (-60, -200), (-50, -150), (140, -170), (120, 20), (100, 195), (-20, 200), (-30, 150),
                  (-250, 160), (-290, 20)]  # fmt: skip
VIGIE = [(-190, -140), (-20, -150), (0, -110), (190, -130), (210, 70), (150, 80), (140, 170), (-80, 180), (-90, 130),
         (-200, 120)]  # fmt: skip
PERROQUET = [(-250, -160), (-30, -180), (-20, -140), (150, -150), (250, -130), (260, 50), (200, 60), (190, 170),
             (90, 180), (-60, 170), (-70, 140), (-210, 150), (-220, 30), (-260, 20)]  # fmt: skip
PERROQUET_RESHAPED = [(-30, -180), (-20, -140), (150, -150), (250, -130), (420, -110), (430, 70), (370, 90),
                      (360, 180), (190, 170), (90, 180), (-60, 170), (-50, 0)]  # fmt: skip
GALHAUBAN_WEST = [(-230, -150), (-20, -160), (-10, 150), (-130, 160), (-140, 200), (-240, 190)]
GALHAUBAN_WEST_GROWN = [(-400, -130), (-230, -150), (-20, -160), (-10, 150), (-130, 160), (-140, 200), (-240, 190),
                        (-410, 170), (-420, 30)]  # fmt: skip
GALHAUBAN_EAST = [(70, -140), (260, -150), (270, 60), (230, 70), (240, 190), (80, 180)]
CORMORAN = [(-240, -170), (-50, -180), (-40, -130), (170, -150), (250, -140), (240, 40), (190, 60), (180, 180),
            (-10, 190), (-20, 150), (-220, 160), (-250, 20)]  # fmt: skip
CORMORAN_RESHAPED = [(-240, -170), (-260, -320), (-60, -340), (-50, -300), (150, -310), (170, -150), (250, -140),
                     (240, 40), (60, 50), (-20, 30), (-250, 20)]  # fmt: skip
BALISE = [(-200, -150), (10, -160), (20, -120), (200, -130), (210, 60), (160, 70), (150, 170), (-60, 180), (-70, 130),
          (-210, 140)]  # fmt: skip
BASSIN = [(-200, -170), (0, -190), (10, -150), (190, -160), (200, 30), (170, 50), (160, 180), (-40, 190), (-50, 150),
          (-190, 160), (-210, 20)]  # fmt: skip
SEXTANT = [(-220, -120), (-120, -190), (80, -170), (90, -120), (210, -100), (220, 100), (60, 180), (40, 130),
           (-180, 140)]  # fmt: skip
AMARRES = [(-170, -160), (120, -180), (140, -60), (230, -40), (220, 150), (0, 170), (-10, 120), (-190, 130)]
GOELANDS = [(-230, -110), (-60, -130), (-50, -190), (170, -170), (190, 90), (120, 100), (110, 170), (-100, 180),
            (-110, 120), (-240, 110)]  # fmt: skip


def _sides(corners: list[Point]) -> Ring:
    return [point for pair in zip(corners, [*corners[1:], corners[0]], strict=True) for point in jogged(*pair)]


def _ring(frame: str, corners: Corners) -> Ring:
    return _sides([moved(FRAMES[frame], u, v) for u, v in corners])


def _drawn(frame: str, *outlines: Corners) -> Shape:
    """Draw one polygon for each outline."""
    return [[_ring(frame, outline)] for outline in outlines]


def _mole() -> Shape:
    """Draw the neighbourhood whose east side runs along a commune limit and oversteps it by one metre."""
    limit = border("f", "e")
    stretch = limit[9:16]
    over = [(x + 100, y) for x, y in stretch]
    south, north = stretch[0], stretch[-1]
    corners = [(-150, 15), (-160, -35), (-330, -20), (-345, -150), (-310, -160)]
    west = [(north[0] + 100 * dx, north[1] + 100 * dy) for dx, dy in corners]
    west += [(south[0] + 100 * dx, south[1] + 100 * dy) for dx, dy in [(-340, 40), (-170, 20), (-160, -25)]]
    return [[over[:-1] + _sides_open([over[-1], *west, over[0]])]]


def _sides_open(corners: list[Point]) -> Ring:
    return [point for pair in pairwise(corners) for point in jogged(*pair)]


MISAINE_SHAPE: Shape = [[_ring("misaine", MISAINE), _ring("misaine", MISAINE_PARK)]]
CABESTAN_SHAPE = _drawn("cabestan", CABESTAN)
BOTH = ("99001", "99002")

QPV_2015 = [
    Quarter("QP099001", "La Misaine", ("99001",), (), MISAINE_SHAPE),
    Quarter("QP099002", "Grand Hunier – Cap Nord", ("99001",), (), _drawn("hunier", HUNIER)),
    Quarter("QP099003", "Les Bossoirs", ("99001",), (), _drawn("bossoirs", BOSSOIRS_WEST[:-1] + BOSSOIRS_EAST[:-1])),
    Quarter("QP099004", "Les Quatre Vents", ("99001",), (), _drawn("vents", VENTS)),
    Quarter("QP099005", "La Drisse", ("99001",), (), _drawn("drisse", DRISSE)),
    Quarter("QP099006", "L'Écoute", ("99001",), (), _drawn("drisse", ECOUTE)),
    Quarter("QP099007", "Le Cabestan", BOTH, (), CABESTAN_SHAPE),
    Quarter("QP099008", "Les Haubans", ("99002",), (), _drawn("haubans", HAUBANS)),
    Quarter("QP099009", "La Vieille Vigie", ("99002",), (), _drawn("vigie", VIGIE)),
    Quarter("QP099010", "Bout-du-Môle", ("99003",), (), _mole()),
    Quarter("QP099011", "Le Perroquet", ("99003",), (), _drawn("perroquet", PERROQUET)),
    Quarter("QP099012", "Galhauban", ("99004",), (), _drawn("galhauban", GALHAUBAN_WEST, GALHAUBAN_EAST)),
    Quarter("QP099013", "Le Cormoran", ("99011",), (), _drawn("cormoran", CORMORAN)),
    Quarter("QP099014", "La Balise", ("99009",), (), _drawn("balise", BALISE)),
]

# The order numbers follow no order of 2015, as in the published list.
QPV_2024 = [
    Quarter("QN09901M", "Grand Hunier - Cap Nord", ("99001",), ("QP099002",), _drawn("hunier", HUNIER_GROWN)),
    Quarter("QN09902I", "La Misaine", ("99001",), ("QP099001",), MISAINE_SHAPE),
    Quarter("QN09903M", "Bossoirs Ouest", ("99001",), ("QP099003",),
            _drawn("bossoirs", BOSSOIRS_WEST + BOSSOIRS_STREET)),
    Quarter("QN09904M", "Bossoirs Est", ("99001",), ("QP099003",), _drawn("bossoirs", BOSSOIRS_EAST + BOSSOIRS_STREET)),
    Quarter("QN09905M", "Drisse - Écoute", ("99001",), ("QP099005", "QP099006"), _drawn("drisse", DRISSE_MERGED)),
    Quarter("QN09906M", "Les Quatre Vents", ("99001",), ("QP099004",), _drawn("vents", VENTS_SHRUNK)),
    Quarter("QN09907N", "Le Vieux Bassin", ("99001",), (), _drawn("bassin", BASSIN)),
    Quarter("QN09908I", "Le Cabestan", BOTH, ("QP099007",), CABESTAN_SHAPE),
    Quarter("QN09909M", "Les Haubans", ("99002",), ("QP099008",), _drawn("haubans", HAUBANS_SHRUNK)),
    Quarter("QN09910N", "Le Sextant", ("99002",), (), _drawn("sextant", SEXTANT)),
    Quarter("QN09911M", "Le Perroquet", ("99003",), ("QP099011",), _drawn("perroquet", PERROQUET_RESHAPED)),
    Quarter("QN09912I", "Bout-du-Môle", ("99003",), ("QP099010",), _mole()),
    Quarter("QN09913M", "Galhauban", ("99004",), ("QP099012",),
            _drawn("galhauban", GALHAUBAN_WEST_GROWN, GALHAUBAN_EAST)),
    Quarter("QN09914M", "Le Cormoran", ("99011",), ("QP099013",), _drawn("cormoran", CORMORAN_RESHAPED)),
    Quarter("QN09915N", "Les Amarres", ("99007",), (), _drawn("amarres", AMARRES)),
    Quarter("QN09916N", "Cité des Goélands", ("99005",), (), _drawn("goelands", GOELANDS)),
]  # fmt: skip

# Renewal programme, on codes of 2015: two that go on, one that grew and one that was dropped.
NPNRU = [
    ("QP099001", "national", "2017-06-30"),
    ("QP099003", "national", "2018-11-16"),
    ("QP099009", "régional", "2019-12-09"),
    ("QP099012", "régional", "2020-02-21"),
]
