"""What a code is: recognise, repair and classify the codes of QPV, communes and territories."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
