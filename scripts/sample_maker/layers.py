"""Building footprints and a flood layer, both in GeoJSON."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from sample_maker.chance import between, number, pick
from sample_maker.forms import Attributes, geojson
from sample_maker.place import COMMUNES
from sample_maker.plane import Shape, at, moved, wandering
from sample_maker.quarters import FRAMES

__all__ = ["write_floods", "write_footprints"]

Frame = tuple[float, float, float, float]
Rectangle = tuple[float, float, float, float]  # u and v of two opposite corners, metres in the district's frame

# One side of six neighbourhoods, as a distance along their first axis, from which the ladder of buildings starts:
# with and without a convention of the renewal programme, kept, dropped or moved.
LADDERS = {"misaine": -222, "bossoirs": -367, "vigie": -195, "galhauban": 267, "balise": 207, "cormoran": 242}
# Distance of the near side to the limit and depth of the building: inside, astride, within 300 m, astride 300 m,
# between 300 and 500 m, astride 500 m, beyond.
STEPS = ((-95, 40), (-20, 45), (90, 60), (265, 75), (370, 50), (470, 70), (620, 40))
USES = ("Résidentiel", "Résidentiel", "Résidentiel", "Commercial et services", "Annexe", "Indifférencié")


def _box(frame: Frame, box: Rectangle) -> list[list[tuple[int, int]]]:
    u0, v0, u1, v1 = box
    return [[moved(frame, *corner) for corner in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]]


def _tee(frame: Frame, box: Rectangle) -> list[list[tuple[int, int]]]:
    """Draw a building with a wing on its long side."""
    u0, v0, u1, v1 = box
    third, wing = (u1 - u0) / 3, v1 + 0.8 * (v1 - v0)
    corners = ((u0, v0), (u1, v0), (u1, v1), (u1 - third, v1), (u1 - third, wing), (u0 + third, wing), (u0 + third, v1),
               (u0, v1))  # fmt: skip
    return [[moved(frame, *corner) for corner in corners]]


def _ladder() -> Iterator[tuple[str, str, Shape]]:
    """Give the housing programmes laid out at set distances: use, programme, shape."""
    for rank, (name, start) in enumerate(LADDERS.items()):
        frame, side = FRAMES[name], 1 if start > 0 else -1
        for step, (gap, depth) in enumerate(STEPS):
            near = start + side * gap
            low, high = sorted((near, near + side * depth))
            shape = [_box(frame, (low, -10, high, 8))]
            if step == 3:
                # An ensemble of two buildings, one nearer, one farther: "entirely within" asks about both.
                shape = [_box(frame, (start + side * 210, -10, start + side * 240, 8)), shape[0]]
            yield "Résidentiel", f"PRG-{rank + 1}{step + 1}", shape


def _town() -> Iterator[tuple[str, str, Shape]]:
    """Give ordinary buildings, in no programme."""
    for commune in COMMUNES:
        for rank in range(9 if commune.peak < 3000 else 22):
            name = (commune.code, rank)
            spread = 0.55 * commune.spread_m
            x = commune.centre[0] + between(-spread, spread, "x", *name)
            y = commune.centre[1] + between(-spread, spread, "y", *name)
            frame = (x, y, *pick([(1.0, 0.0), (0.96, 0.28), (0.8, -0.6)], "turn", *name))
            box = (0.0, 0.0, between(12, 48, "long", *name), between(9, 16, "deep", *name))
            draw = _tee if number("tee", *name) < 0.3 else _box
            yield pick(USES, "use", *name), "", [draw(frame, box)]


def write_footprints(folder: Path) -> None:
    """Write the footprints: identifier, use, programme."""
    features: list[tuple[Attributes, Shape]] = [
        ({"id": f"BAT99{rank:07d}", "usage": usage, "programme": programme}, shape)
        for rank, (usage, programme, shape) in enumerate([*_ladder(), *_town()], start=1)
    ]
    (folder / "batiments-99.geojson").write_bytes(geojson("batiments", features))


# The river from the north to the harbour, then half its widths in metres by grade.
RIVER = ((-150, 1900), (-420, 900), (-620, -100), (-640, -1200), (-480, -2100), (-700, -3000), (-420, -4050))
WIDTHS = (90, 210, 400)
SHORE = ((2300, -4350), (2650, -3700), (3250, -3250), (3700, -3300), (4300, -3900), (4000, -4200), (3200, -4150))


def _bank(width: float) -> list[tuple[int, int]]:
    """Draw the river moved aside, a little nearer here and a little farther there; banks never cross."""
    stops = [at(*stop) for stop in RIVER]
    course = [point for pair in pairwise(stops) for point in wandering(*pair, 0.09)] + stops[-1:]
    aside = [width * between(0.85, 1.15, "bank", width, rank) for rank in range(len(course))]
    return [(x + round(100 * move), y) for (x, y), move in zip(course, aside, strict=True)]


def _between_banks(left: float, right: float) -> Shape:
    return [[[*_bank(left), *reversed(_bank(right))]]]


def write_floods(folder: Path) -> None:
    """Write the flood zones: three grades along the river, which do not overlap, and one on the shore."""
    strong, middle, weak = WIDTHS
    stops = [at(*stop) for stop in SHORE]
    shore = [point for pair in zip(stops, [*stops[1:], stops[0]], strict=True) for point in wandering(*pair, 0.09)]
    features: list[tuple[Attributes, Shape]] = [
        ({"id": "ZI99-1", "alea": "Fort", "cours_eau": "La Brumeuse"}, _between_banks(-strong, strong)),
        ({"id": "ZI99-2", "alea": "Moyen", "cours_eau": "La Brumeuse"},
         _between_banks(-middle, -strong) + _between_banks(strong, middle)),
        ({"id": "ZI99-3", "alea": "Faible", "cours_eau": "La Brumeuse"},
         _between_banks(-weak, -middle) + _between_banks(middle, weak)),
        ({"id": "ZI99-4", "alea": "Moyen", "cours_eau": "Submersion marine"}, [[shore]]),
    ]  # fmt: skip
    (folder / "zones-inondables-99.geojson").write_bytes(geojson("zones-inondables", features))
