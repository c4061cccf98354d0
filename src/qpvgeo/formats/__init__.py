"""Forms of files: text tables, workbooks, vector layers, archives. Nothing here knows what a QPV is."""
