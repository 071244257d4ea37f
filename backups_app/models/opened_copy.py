"""The row that a private key is trusted by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class OpenedCopy(models.Model):
    """A copy made to these recipients was opened with a private key: then, at that target, in that way."""

    recipients = models.TextField(help_text="Public keys of age, in order, with spaces between them.")
    opened_at = models.DateTimeField()
    target = models.CharField(max_length=64)
    backup_id = models.CharField(max_length=32)
    by = models.CharField(max_length=16, help_text="test, fetch or rehearse.")

    class Meta:
        ordering: ClassVar = ["-opened_at"]

    def __str__(self) -> str:
        return f"{self.backup_id} from {self.target} opened at {self.opened_at:%Y-%m-%d %H:%M}Z"
