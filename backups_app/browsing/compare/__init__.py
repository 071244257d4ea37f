"""Comparing two backups, and the versions of one document."""
