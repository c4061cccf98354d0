"""Version of qpvgeo."""

__version__ = "0.1.0"
