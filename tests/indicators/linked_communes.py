"""QPV and communes of a few squares."""

import geopandas as gpd
import pandas as pd
import shapely

X, Y = 700_000, 7_050_000


def box(west, south, east, north):
    """Rectangle in metres from a corner in the Nord, Lambert-93."""
    return shapely.box(X + west, Y + south, X + east, Y + north)


def qpv_frame(rows, **attributes):
    """QPV of 2024: `{code: (outline, communes or None)}`."""
    frame = gpd.GeoDataFrame(
        {
            "name": "Nom",
            "vintage": 2024,
            "release": pd.Series([None] * len(rows), dtype="str"),
            "territory": "hexagone",
            "department": "59",
            "region": "32",
            "communes": [communes for _, communes in rows.values()],
            **attributes,
        },
        geometry=[outline for outline, _ in rows.values()],
        crs=2154,
    )
    return frame.set_index(pd.Index(rows, name="qpv_code"))


def communes_frame(rows, **attributes):
    """Communes with outlines: `{code: outline}`, all of one EPCI unless said."""
    index = pd.Index(rows, name="code")
    about = {"epci": "200093201", "ept": None, "department": index.str[:2], "region": "32", **attributes}
    return gpd.GeoDataFrame({"name": "Ville", **about}, geometry=list(rows.values()), index=index, crs=2154)


# two communes side by side, each a square kilometre, and a QPV of 10 ha that lies for 3/10 in the second
SIDE_BY_SIDE = {"59001": box(0, 0, 1000, 1000), "59002": box(1000, 0, 2000, 1000)}
ASTRIDE = box(790, 0, 1090, 1000 / 3)
