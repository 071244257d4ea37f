"""A sync by itself, its logs, replaced versions."""
