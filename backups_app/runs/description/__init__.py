"""A run as a reader sees it: what its record says beside what its folder holds."""
