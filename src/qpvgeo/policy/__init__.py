"""Programmes of the *politique de la ville*, and the QPV that they reach."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
