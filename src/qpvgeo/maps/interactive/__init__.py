"""The interactive page: one HTML file that opens from disk, with no network and no server."""
