from .geography_loader import GeographyFrames as GeographyFrames
from .geography_loader import load as load
from .missing import fetching as fetching
