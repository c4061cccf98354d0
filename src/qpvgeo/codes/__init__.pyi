from . import territories as territories
from .guess import guess_codes as guess_codes
from .official import (
    ARRONDISSEMENTS as ARRONDISSEMENTS,
)
from .official import (
    STATUSES as STATUSES,
)
from .official import (
    CleanCodes as CleanCodes,
)
from .official import (
    Kind as Kind,
)
from .official import (
    classify_qpv as classify_qpv,
)
from .official import (
    clean as clean,
)
from .official import (
    fold_arrondissement as fold_arrondissement,
)
from .official import (
    is_missing as is_missing,
)
from .official import (
    of_commune as of_commune,
)
from .official import (
    of_qpv as of_qpv,
)
from .official import (
    parts_of as parts_of,
)
from .official import (
    repaired as repaired,
)
from .official import (
    require as require,
)
from .official import (
    split_list as split_list,
)
from .official import (
    vintage_of as vintage_of,
)
