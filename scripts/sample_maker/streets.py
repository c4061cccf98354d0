"""Addresses in the columns of the Base Adresse Nationale, with the faults that such files have.

Streets follow the axes of a district, 90 m apart, and overrun the neighbourhood in its middle, so that addresses
lie inside, just outside, and 300 and 500 m away. A few rows are spoilt on purpose: no coordinates, longitude and
latitude exchanged, one row twice.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sample_maker.chance import between, number, pick, whole
from sample_maker.forms import csv_text, gzipped
from sample_maker.place import COMMUNES, Commune, commune_shape
from sample_maker.plane import Point, inside_shape, lonlat, moved
from sample_maker.quarters import FRAMES

__all__ = ["write_addresses"]

HEADER = (
    "id;id_fantoir;numero;rep;nom_voie;code_postal;code_insee;nom_commune;code_insee_ancienne_commune;"
    "nom_ancienne_commune;x;y;lon;lat;type_position;alias;nom_ld;libelle_acheminement;nom_afnor;source_position;"
    "source_nom_voie;certification_commune;cad_parcelles"
)
X, Y, LON, LAT = (HEADER.split(";").index(name) for name in ("x", "y", "lon", "lat"))
KINDS = ("Rue", "Rue", "Rue", "Allée", "Avenue", "Impasse", "Place", "Chemin", "Boulevard", "Square")
THINGS = (
    "du Cabestan", "des Amarres", "de la Hune", "du Foc", "des Embruns", "de l'Étrave", "du Sextant", "des Haubans",
    "de la Dunette", "du Bastingage", "des Goélands", "de la Criée", "du Petit Phare", "de l'Estran", "des Oyats",
    "du Ressac", "de la Corne de Brume", "des Bossoirs", "du Safran", "de la Drisse", "des Cormorans", "du Ponton",
    "de l'Écubier", "des Galets", "de la Girouette", "du Grand Hunier", "des Îlots", "de la Vergue", "du Chenal",
    "des Marées Basses", "de l'Ancre", "du Tourmentin", "des Salicornes", "de la Barre", "du Loch", "des Sirènes",
)  # fmt: skip
GAP_M = 90
REACH_M = 430
LOST = (211, 640, 1303, 1822, 2407, 2950)  # rows without coordinates
SWAPPED = (388, 1120, 1999, 2718)  # rows whose longitude and latitude are exchanged
TWICE = 1507

Frame = tuple[float, float, float, float]


def _frames() -> Iterator[Frame]:
    """Give the districts: the neighbourhoods, then the town centres."""
    yield from FRAMES.values()
    for commune in COMMUNES:
        cosine, sine = pick([(1.0, 0.0), (0.96, 0.28), (0.8, 0.6), (0.96, -0.28)], "centre", commune.code)
        yield (*commune.centre, cosine, sine)


def _streets() -> Iterator[tuple[str, list[tuple[int, Point]]]]:
    """Give streets: a name, and the numbers with their places, odd ones on one side."""
    for district, frame in enumerate(_frames()):
        for rank in range(-4, 5):
            for across in (False, True):
                name = (district, rank, across)
                if number("street", *name) < 0.12:
                    continue
                start = between(-REACH_M, -60, "start", *name)
                end = between(60, REACH_M, "end", *name)
                houses, along, counted = [], start, 1
                while along < end:
                    aside = GAP_M * rank + (9 if counted % 2 else -9) + between(-3, 3, "aside", counted, *name)
                    houses.append((counted, moved(frame, *((aside, along) if across else (along, aside)))))
                    along += between(38, 78, "gap", counted, *name)
                    counted += whole(1, 3, "numbers", counted, *name)
                yield f"{pick(KINDS, 'kind', *name)} {pick(THINGS, 'thing', *name)}", houses


def _plain(text: str) -> str:
    """Write a name in capitals without accents."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper().replace("'", " ")


def _row(commune: Commune, street: str, way: int, house: int, place: Point) -> list[str]:
    lon, lat = lonlat(place)
    repeat = "bis" if number("bis", place) < 0.03 else ""
    code = f"{commune.code}_{way:04d}_{house:05d}" + (f"_{repeat}" if repeat else "")
    parcel = f"{commune.code}000A{chr(65 + way % 20)}{house:04d}"
    return [
        code, f"{commune.code}_{way:04d}", str(house), repeat, street, commune.postcode, commune.code, commune.name,
        "", "", f"{place[0] / 100:.2f}", f"{place[1] / 100:.2f}", f"{lon:.6f}", f"{lat:.6f}", "entrée", "", "",
        _plain(commune.name), _plain(street), "commune", "commune", str(int(number("certified", code) < 0.8)), parcel,
    ]  # fmt: skip


def _rows() -> list[list[str]]:
    drawn = [(street, house, place) for street, houses in _streets() for house, place in houses]
    places = np.array([place for _, _, place in drawn], dtype=np.int64)
    rows: dict[str, list[str]] = {}
    ways: dict[tuple[str, str], int] = {}
    for commune in COMMUNES:
        here = inside_shape(commune_shape(commune), places[:, 0], places[:, 1])
        for (street, house, place), is_here in zip(drawn, here.tolist(), strict=True):
            if is_here:
                way = ways.setdefault((commune.code, street), 10 * (len(ways) + 1))
                row = _row(commune, street, way, house, place)
                # Two streets of one name in one commune would give the same identifier twice.
                rows.setdefault(row[0], row)
    return list(rows.values())


def write_addresses(folder: Path) -> None:
    """Write the addresses of the department."""
    rows = _rows()
    for rank in LOST:
        for field in (X, Y, LON, LAT):
            rows[rank][field] = ""
    for rank in SWAPPED:
        rows[rank][LON], rows[rank][LAT] = rows[rank][LAT], rows[rank][LON]
    rows.insert(TWICE + 1, rows[TWICE])
    gzipped(folder / "adresses-99.csv.gz", csv_text(HEADER, rows))
