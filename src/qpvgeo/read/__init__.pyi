from .communes.events import read_commune_events as read_commune_events
from .communes.reader import read_communes as read_communes
from .communes.reader import read_epci as read_epci
from .correspondence import read_correspondence as read_correspondence
from .grid.reader import read_grid as read_grid
from .indicators import read_indicators as read_indicators
from .population import read_population as read_population
from .qpv import read_qpv as read_qpv
