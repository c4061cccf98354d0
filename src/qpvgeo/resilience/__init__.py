"""Who lives in the heat, in the flood zone, far from a park: people of QPV exposed to what a layer shows."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
