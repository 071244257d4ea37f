"""What is there to see: runs and backups, those that are gone, what collections hold now."""
