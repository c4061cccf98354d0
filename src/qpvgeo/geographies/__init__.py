"""From the QPV of 2015 to those of 2024, and from the communes of one year to another's."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
