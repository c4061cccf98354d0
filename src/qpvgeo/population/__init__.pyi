from .boundary_profiles import boundary_profile as boundary_profile
from .estimation import estimate_population as estimate_population
