from .download import fetch as fetch
from .recognise import datasets as datasets
