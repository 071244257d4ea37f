"""The steps of a run, one module each. Their order stands in `workflow/backup.py` alone."""
