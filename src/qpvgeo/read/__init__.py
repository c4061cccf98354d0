"""Readers: published files come in, canonical frames with their provenance go out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
