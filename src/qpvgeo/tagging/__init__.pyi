from .files import tag_file as tag_file
from .perimeter_index import PerimeterIndex as PerimeterIndex
from .points_in_qpv import tag_points as tag_points
