"""The endpoints of backups: start one, list them, look into one, keep or remove one."""
