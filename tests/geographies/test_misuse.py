"""Each public function given what its neighbours return, or anything else: an answer, or one clear error of ours."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from tests.builders import layer, square

import qpvgeo as qg
from qpvgeo.errors import QpvgeoError

X, Y = 700_000.0, 6_600_000.0
BEFORE = layer({"QP001001": square(X, Y), "QP001002": square(X + 500, Y)})
AFTER = layer({"QN00101M": square(X + 50, Y), "QN00102I": square(X + 500, Y)})
WALK = qg.crosswalk(BEFORE, AFTER)
PEOPLE = pd.Series({"QP001001": 100.0, "QP001002": 30.0}, name="people")
GEOGRAPHIES = qg.geographies


def lists():
    return pd.DataFrame({"qpv_2024": ["QN00101M"], "status": ["Modifié"], "qpv_2015": ["QP001001"]}).astype("str")


THINGS = {
    "none": None,
    "path": "qpv.shp",
    "number": 3,
    "list": ["QP001001"],
    "series": PEOPLE,
    "text series": pd.Series(["a"], index=["QP001001"]),
    "infinite": pd.Series({"QP001001": np.inf}),
    "nullable": pd.Series({"QP001001": pd.NA}, dtype="Int64"),
    "repeated": pd.concat([PEOPLE, PEOPLE]),
    "frame": PEOPLE.to_frame(),
    "two levels": PEOPLE.to_frame().set_index(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "missing label": PEOPLE.set_axis([None, "QP001002"]),
    "empty frame": pd.DataFrame(),
    "layer": BEFORE,
    "outlines": BEFORE.geometry,
    "other geometry name": BEFORE.rename_geometry("shape"),
    "no active geometry": gpd.GeoDataFrame({"x": [1]}),
    "no crs": BEFORE.set_crs(None, allow_override=True),
    "repeated layer": pd.concat([BEFORE, BEFORE]),
    "layer of two levels": BEFORE.set_index(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "points": BEFORE.set_geometry(BEFORE.centroid),
    "no outlines": gpd.GeoDataFrame(geometry=[None], index=["QP001001"], crs=2154),
    "empty layer": BEFORE.iloc[:0],
    "crosswalk": WALK,
    "crosswalk twice": pd.concat([WALK, WALK]),
    "pairs alone": WALK.dropna(subset=["code_from", "code_to"]),
    "crosswalk of 0.1.0": WALK.rename(columns={"code_from": "from", "code_to": "to"}),
    "correspondence": lists(),
}

CALLS = {
    "crosswalk, first": lambda thing: qg.crosswalk(thing, AFTER),
    "crosswalk, second": lambda thing: qg.crosswalk(BEFORE, thing),
    "crosswalk, weights": lambda thing: qg.crosswalk(BEFORE, AFTER, thing),
    "crosswalk, tolerance": lambda thing: qg.crosswalk(BEFORE, AFTER, tolerance_m=thing),
    "convert, values": lambda thing: qg.convert(thing, WALK),
    "convert, crosswalk": lambda thing: qg.convert(PEOPLE, thing),
    "convert, denominators": lambda thing: qg.convert(PEOPLE, WALK, kind="rate", denominators=thing),
    "convert, kind": lambda thing: qg.convert(PEOPLE, WALK, kind=thing),
    "convert, by": lambda thing: qg.convert(PEOPLE, WALK, by=thing),
    "convert, of": lambda thing: qg.convert(PEOPLE, WALK, of=thing),
    "crosswalk_classes": GEOGRAPHIES.crosswalk_classes,
    "common_zones": GEOGRAPHIES.common_zones,
    "audit_correspondence, list": lambda thing: GEOGRAPHIES.audit_correspondence(thing, WALK),
    "audit_correspondence, crosswalk": lambda thing: GEOGRAPHIES.audit_correspondence(lists(), thing),
    "unplaced": GEOGRAPHIES.unplaced,
    "vat_zone, footprints": lambda thing: qg.vat_zone(thing, AFTER, npnru=(), on="2025-03-01"),
    "vat_zone, qpv": lambda thing: qg.vat_zone(AFTER, thing, npnru=(), on="2025-03-01"),
    "vat_zone, npnru": lambda thing: qg.vat_zone(AFTER, AFTER, npnru=thing, on="2025-03-01"),
    "vat_zone, former": lambda thing: qg.vat_zone(AFTER, AFTER, npnru=(), former=thing, on="2025-03-01"),
    "vat_zone, on": lambda thing: qg.vat_zone(AFTER, AFTER, npnru=(), on=thing),
}


@pytest.mark.filterwarnings("ignore::qpvgeo.geographies.apportionment.QuantileWarning")
@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_answer_or_one_clear_error_of_ours(call, thing):
    try:
        found = call(thing)
    except QpvgeoError as error:
        said = [error.say(lang) for lang in ("en", "fr")]
        found = None
    else:
        said = []
    assert isinstance(found, pd.DataFrame) or all(said)
