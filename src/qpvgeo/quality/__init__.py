"""Is this file sound? Checks of perimeters, of grids and of folders of files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
