"""Copies at targets, unknown copies."""
