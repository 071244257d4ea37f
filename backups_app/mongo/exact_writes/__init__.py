"""Inserts, replacements and deletes that compare every byte; the only module group that writes user data."""
