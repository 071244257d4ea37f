"""Restores, test copies and restore tests, and their preview."""
