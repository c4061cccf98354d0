"""Insee's income grids, in every published form."""
