from .dataset_list import datasets as datasets
from .download import fetch as fetch
