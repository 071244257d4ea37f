"""Documents of a backup: list, search, one document."""
