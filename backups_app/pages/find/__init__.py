"""Finding a document in live data and in every backup: one box, one list."""
