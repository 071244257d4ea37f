"""Collections from the server to the files of a backup: documents, options and indexes."""
