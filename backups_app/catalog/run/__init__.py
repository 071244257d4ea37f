"""The record of a run: its document in `backup_metadata`, its types, and who may change it."""
