"""The row of a search that somebody may go on with."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class KeptSearch(models.Model):
    """A search of live data and all backups that somebody may go on with, for a day: ids and counts, no document and
    not what was searched for."""

    key = models.CharField(max_length=43, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="searches")
    words = models.CharField(max_length=64, help_text="HMAC of what was searched for: it goes on with the same words.")
    step = models.PositiveIntegerField(default=0)
    state = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="kept_search_age")]

    def __str__(self) -> str:
        return f"search of {self.user_id} at {self.created_at:%Y-%m-%d %H:%M}Z"
