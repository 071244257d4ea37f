"""Backup Management for a temple's MongoDB. `docs/architecture.md` is the map of the rooms."""
