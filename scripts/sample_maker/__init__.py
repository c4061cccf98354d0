"""The parts of the generator of the fictional sample: `scripts/make_sample.py` runs them."""
