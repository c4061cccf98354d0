"""Maps to PNG, 300 dots an inch: those of qpvgeo, and what geopandas draws of the same shapes, without furniture."""

import numpy as np
import pandas as pd

COMMUNES, QPV, SHARES, GRID = "communes.parquet", "drawn-qpv.parquet", "shares.parquet", "cells.parquet"
AROUND_M = 25_000
"""Half the side of the box of the map of cells: they are as many as in the metropolis of Lille."""
CLASSES = 5
DPI = 300


def prepare(folder, communes, quarters, cells):
    """Write down the layers, a share for nine communes in ten, and the cells around a QPV: how many of each."""
    communes.rename_axis("code").assign(name=communes.index).to_parquet(folder / COMMUNES)
    coded = quarters.set_axis([f"QN{1 + k // 99:03d}{1 + k % 99:02d}M" for k in range(len(quarters))], axis="index")
    coded.rename_axis("code").assign(name=[f"Quartier {code}" for code in coded.index]).to_parquet(folder / QPV)
    chance = np.random.default_rng(20)
    share = np.where(chance.random(len(communes)) < 0.9, chance.beta(1, 6, len(communes)), np.nan)
    pd.DataFrame({"share": share}, index=communes.index.rename("commune")).to_parquet(folder / SHARES)
    middle = quarters.geometry.iloc[:1].to_crs(3035).iloc[0].centroid
    near = cells[((cells["east"] - middle.x).abs() < AROUND_M) & ((cells["north"] - middle.y).abs() < AROUND_M)]
    ids = [f"CRS3035RES200mN{n}E{e}" for n, e in zip(near["north"], near["east"], strict=True)]
    poor = chance.beta(2, 7, len(near))
    frame = {"population": near["people"].to_numpy(), "poverty_rate": poor, "imputed": poor < 0.05}
    pd.DataFrame(frame, index=pd.Index(ids, name="cell_id")).to_parquet(folder / GRID)
    return len(communes), len(quarters), len(near)


def answer(found):
    """Number of shapes in each class, the one that is not known last; of shapes alone, how many are drawn."""
    return found()


def choropleth(folder):
    import geopandas as gpd
    import matplotlib as mpl

    from qpvgeo import maps

    mpl.use("agg")
    communes, shares = gpd.read_parquet(folder / COMMUNES), pd.read_parquet(folder / SHARES)

    def call():
        ax = maps.choropleth(shares, communes, "share", classes=CLASSES)
        maps.save(ax, folder / "choropleth.png", dpi=DPI)
        return lambda: _colours(ax.collections[0])

    return call


def plotted_choropleth(folder):
    import geopandas as gpd
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    communes = gpd.read_parquet(folder / COMMUNES).join(pd.read_parquet(folder / SHARES))

    def call():
        figure, ax = plt.subplots(figsize=(8.7, 7.5))
        how = {"scheme": "quantiles", "k": CLASSES, "missing_kwds": {"color": "white"}, "legend": True}
        communes.plot("share", ax=ax, edgecolor="white", linewidth=0.3, **how)
        figure.savefig(folder / "plotted.png", dpi=DPI)
        return lambda: np.concatenate([_colours(one) for one in ax.collections])

    return call


def country(folder):
    import geopandas as gpd
    import matplotlib as mpl

    from qpvgeo import maps

    mpl.use("agg")
    quarters, communes = gpd.read_parquet(folder / QPV), gpd.read_parquet(folder / COMMUNES)

    def call():
        ax = maps.france(quarters, communes)
        maps.save(ax, folder / "france.png", dpi=DPI)
        return lambda: np.array([len(quarters)])

    return call


def cells(folder):
    import geopandas as gpd
    import matplotlib as mpl

    from qpvgeo import maps

    mpl.use("agg")
    quarters, communes = gpd.read_parquet(folder / QPV), gpd.read_parquet(folder / COMMUNES)
    frame = pd.read_parquet(folder / GRID)
    middle = quarters.geometry.iloc[0].centroid
    box = (middle.x - AROUND_M, middle.y - AROUND_M, middle.x + AROUND_M, middle.y + AROUND_M)

    def call():
        ax = maps.grid(frame, quarters, "poverty_rate", communes, place=box)
        maps.save(ax, folder / "grid.png", dpi=DPI)
        return lambda: np.array([len(frame)])

    return call


def _colours(collection):
    """How many shapes have each colour, the most frequent first."""
    values = collection.get_array()
    faces = collection.get_facecolor() if values is None else collection.to_rgba(values)
    if len(faces) == 1:
        return np.array([len(collection.get_paths())])
    return np.sort(np.unique(np.round(faces, 6), axis=0, return_counts=True)[1])[::-1]


TOOLS = {
    "maps.choropleth": choropleth,
    "geopandas plot": plotted_choropleth,
    "maps.france": country,
    "maps.grid": cells,
}
