"""Readers: published files come in, canonical frames with their provenance go out."""
