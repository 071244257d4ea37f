"""The documents of a collection as hashes."""
