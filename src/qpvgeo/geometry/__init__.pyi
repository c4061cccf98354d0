from . import insee_lattice as insee_lattice
from .cell_cover import overlap_cells as overlap_cells
from .overlap_table import overlap as overlap
