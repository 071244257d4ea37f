"""The row of a look at a target."""

from __future__ import annotations

from django.db import models


class TargetLook(models.Model):
    """What the last looks at a target found. `failed_since`: since when none of them was answered; null where the last
    one was. `compared_at`: when its objects were last compared with the rows of copies. `place`: the mark of the place
    that was looked at; empty where it is not known."""

    target = models.CharField(max_length=64, unique=True)
    place = models.CharField(max_length=16, blank=True)
    looked_at = models.DateTimeField()
    failed_since = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_facts = models.JSONField(default=dict)
    compared_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.target}: {self.error_code or 'answers'}"
