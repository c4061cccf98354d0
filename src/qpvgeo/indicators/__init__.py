"""How many QPV, how many people, which share: by territory, by unit, over time."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
