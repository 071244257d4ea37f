"""Copies at targets as runs use them: which of them count, and fetching one."""
