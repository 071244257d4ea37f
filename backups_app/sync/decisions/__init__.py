"""What becomes of each document of a batch, and when deletions are not applied. Pure."""
