"""The list of backups; pin, release, accept, remove, trash."""
