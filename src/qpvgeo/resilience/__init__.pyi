from .cell_exposure import exposure as exposure
