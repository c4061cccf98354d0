from .files import examine as examine
from .grids import check_grid as check_grid
from .perimeters import check as check
