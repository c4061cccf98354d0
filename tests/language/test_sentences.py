"""French of the notes that the library composes: on their fixed words, thousands set apart by a narrow space."""

import pyproj
import pytest

from qpvgeo.language.sentences import say
from qpvgeo.tagging.counts import Counted

LATER = "a point outside of them may lie in another"
AUTRE = "un point hors d'eux peut être dans un autre"
METRES, DEGREES = pyproj.CRS(2154), pyproj.CRS(4326)


@pytest.mark.parametrize(
    ("note", "french"),
    [
        (
            f"4 of the 1,362 perimeters of France hexagonale (2024) are given: {LATER}",
            f"4 des 1\u202f362 périmètres de France hexagonale (2024) sont donnés : {AUTRE}",
        ),
        (
            f"1 of the 17 or 42 perimeters of Mayotte (2024) is given: {LATER}",
            f"1 des 17 ou 42 périmètres de Mayotte (2024) est donné : {AUTRE}",
        ),
        (
            "1 perimeter has no outline in this file: nothing is found in or near QN07501M",
            "périmètres sans contour dans ce fichier : 1 ; rien n'est trouvé dedans ni auprès de QN07501M",
        ),
        (
            Counted(2_000, 1_500, 1_500).notes(METRES, 500)[0],
            (
                "1\u202f500 points sur 2\u202f000 sont hors de France : "
                "crs=EPSG:2154 dit des mètres, et les valeurs ressemblent à des degrés"
            ),
        ),
        (
            Counted(2, 2, 2).notes(DEGREES, 500)[0],
            (
                "2 points sur 2 sont hors de France : "
                "crs=EPSG:4326 dit des degrés, et les valeurs ressemblent à des mètres"
            ),
        ),
        (Counted(2, 2).notes(DEGREES, 500)[0], "2 points sur 2 sont hors de France, là où crs=EPSG:4326 les place"),
        (
            Counted(no_distance=1_234).notes(METRES, 500)[0],
            (
                "tolérances qui ne sont pas des distances (absentes, négatives, pas des nombres) : 1\u202f234, "
                "trop grossières"
            ),
        ),
        (
            Counted(beyond_reach=1).notes(METRES, 2_000)[0],
            "tolérances au-delà des 2\u202f000 m qui peuvent être dits : 1, trop grossières",
        ),
    ],
)
def test_notes_on_tags_are_told_in_french(note, french):
    assert say(note, "fr") == french
    assert say(note, "en") == note
