"""What is available locally of a geography: perimeters, people, communes, EPCI and their links, found or fetched."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
