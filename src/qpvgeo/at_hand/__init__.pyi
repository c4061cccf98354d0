from .geography_frames import GeographyFrames as GeographyFrames
from .geography_frames import load as load
from .missing import fetching as fetching
