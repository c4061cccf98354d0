from .apportionment import unplaced as unplaced
from .communes.passage import commune_passage as commune_passage
from .communes.passage import move_communes as move_communes
from .conversion import convert as convert
from .crosswalk_table import crosswalk as crosswalk
from .official_ancestors import audit_correspondence as audit_correspondence
from .outcomes import common_zones as common_zones
from .outcomes import crosswalk_classes as crosswalk_classes
