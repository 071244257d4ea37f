"""The values of a document: as a tree, and by field."""
