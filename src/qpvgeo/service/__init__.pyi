from .app import create_app as create_app
from .limits import Limits as Limits
from .served_data import Held as Held
from .serving import serve as serve
