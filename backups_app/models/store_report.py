"""What the worker of each backup folder last found in it: for the pages of hosts that have another folder."""

from __future__ import annotations

from django.db import models


class StoreReport(models.Model):
    """The verified backups of one store, as the worker that has it found them a moment ago."""

    store = models.CharField(max_length=64, primary_key=True, help_text="`.store_id` of the backup folder.")
    host = models.CharField(max_length=255)
    at = models.DateTimeField()
    good_backups = models.JSONField(default=list, help_text="The ids of the verified backups in it.")

    def __str__(self) -> str:
        return f"{self.store} on {self.host} at {self.at:%Y-%m-%d %H:%M:%S}Z"
