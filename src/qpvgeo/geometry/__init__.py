"""Geometry engines: exact areas, covers and distances. Nothing here knows what a QPV is."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
