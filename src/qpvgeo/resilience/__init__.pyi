from .class_exposure import exposure_by_class as exposure_by_class
from .comparisons import exposure_beside as exposure_beside
from .exposed_people import exposure as exposure
from .place_profile import resilience_profile as resilience_profile
from .raster import raster_on_cells as raster_on_cells
from .segregation_indices import inequality as inequality
