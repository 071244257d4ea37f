"""Two backups, the versions of a document."""
