from .files import tag_file as tag_file
from .perimeter_index import PerimeterIndex as PerimeterIndex
from .points import tag_points as tag_points
