"""Which cells and zones meet the criteria of the decree; candidates only, never the legal outlines."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
