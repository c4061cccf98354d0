"""The lookup service: an address, a point, a file, a drawn polygon, answered over HTTP, and the atlas served live."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
