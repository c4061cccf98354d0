"""Connected zones of flagged cells of the national grid: the same cells, and what each tool makes of them."""

import numpy as np

CELL_M = 200


def prepare(folder, cells, share):
    """Write the flagged cells down: the poorest of them, in the order of their ids."""
    mean = cells["living_standard"].to_numpy() / cells["people"].to_numpy()
    flagged = mean < np.quantile(mean, share)
    for name in ("north", "east"):
        np.save(folder / f"{name}.npy", cells[name].to_numpy()[flagged])
    return int(flagged.sum())


def answer(labels):
    """Labels numbered by the first cell of each zone, southern rows first, west to east: the order of ndimage."""
    return np.asarray(labels)


def _cells(folder):
    return np.load(folder / "north.npy"), np.load(folder / "east.npy")


def _in_order(labels, north, east):
    """Labels of a tool that numbers zones in an order of its own."""
    order = np.lexsort((east, north))
    _, first, inverse = np.unique(labels[order], return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    found = np.empty(len(labels), np.int64)
    found[order] = number[inverse]
    return found


def qpvgeo_(folder):
    from qpvgeo.designation.connected_cells import connected_zones
    from qpvgeo.geometry.insee_lattice import Cells, Lattice

    cells = Cells(Lattice(3035, CELL_M), *_cells(folder))
    return lambda: connected_zones(cells)


def ndimage(folder):
    from scipy import ndimage as image

    north, east = _cells(folder)

    def call():
        row, column = (north - north.min()) // CELL_M, (east - east.min()) // CELL_M
        raster = np.zeros((int(row.max()) + 1, int(column.max()) + 1), bool)
        raster[row, column] = True
        return image.label(raster, np.ones((3, 3)))[0][row, column].astype(np.int64) - 1

    return call


def cc3d_(folder):
    import cc3d

    north, east = _cells(folder)

    def call():
        row, column = (north - north.min()) // CELL_M, (east - east.min()) // CELL_M
        raster = np.zeros((int(row.max()) + 1, int(column.max()) + 1), bool)
        raster[row, column] = True
        return cc3d.connected_components(raster, connectivity=8, binary_image=True)[row, column].astype(np.int64) - 1

    return call


def shapely_(folder):
    import shapely
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    north, east = _cells(folder)

    def call():
        squares = shapely.box(east, north, east + CELL_M, north + CELL_M)
        one, other = shapely.STRtree(squares).query(squares, predicate="intersects")
        graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(len(squares), len(squares)))
        return connected_components(graph, directed=False)[1]

    return call


def libpysal_(folder):
    import warnings

    import geopandas as gpd
    import shapely
    from libpysal.graph import Graph

    north, east = _cells(folder)
    warnings.simplefilter("ignore")

    def call():
        squares = gpd.GeoSeries(shapely.box(east, north, east + CELL_M, north + CELL_M), crs=3035)
        return Graph.build_contiguity(squares, rook=False).component_labels.to_numpy()

    return call


TOOLS = {
    "connected_zones": qpvgeo_,
    "scipy.ndimage.label": ndimage,
    "cc3d": cc3d_,
    "shapely and csgraph": shapely_,
    "libpysal": libpysal_,
}


def ordered(folder, labels):
    """Labels in the order of ndimage."""
    return _in_order(labels, *_cells(folder))
