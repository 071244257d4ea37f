"""The folder of all backups: its identity, its trash, and what came and went."""
