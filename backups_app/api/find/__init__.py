"""The search through live data and all backups, and the shapes of its answer."""
