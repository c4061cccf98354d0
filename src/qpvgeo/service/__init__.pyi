from .app import create_app as create_app
from .held import Held as Held
from .limits import Limits as Limits
from .serving import serve as serve
