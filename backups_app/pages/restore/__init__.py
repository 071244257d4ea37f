"""The restore wizard, restores, test copies."""
