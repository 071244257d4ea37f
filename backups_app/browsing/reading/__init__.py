"""A collection's file and its documents."""
