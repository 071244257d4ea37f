"""The row of a worker's last look."""

from __future__ import annotations

from django.db import models


class WorkerTick(models.Model):
    """When the worker of a host last looked at its schedules."""

    host = models.CharField(max_length=255, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.host} at {self.at:%Y-%m-%d %H:%M:%S}Z"
