"""What syncs remember: the base, replaced versions, logs, and the marks of the pair."""
