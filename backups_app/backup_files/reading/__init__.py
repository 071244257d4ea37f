"""The documents of one collection, from any of them on: of one file, or an incremental over its base."""
