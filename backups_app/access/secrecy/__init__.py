"""Secrets stay out of logs and reports, and in files that others cannot read."""
