"""What an incremental knows of the full backup that it begins from, and of the changes since."""
