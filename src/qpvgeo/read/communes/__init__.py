"""Communes and EPCI: members, populations, outlines, events."""
