"""Canonical frames, and the provenance that each of them carries."""
