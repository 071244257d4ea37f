"""The end of a run: what it decides, writes and says."""
