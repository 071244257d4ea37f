"""What a dead process left, and what the worker puts in order."""
