"""The rules of the application, in plain Python: they know protocols, not libraries."""
