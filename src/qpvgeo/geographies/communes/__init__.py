"""Communes over time: Insee's *table de passage*."""
