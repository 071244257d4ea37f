"""The row that says which site this is."""

from __future__ import annotations

from django.db import models


class SiteIdentity(models.Model):
    """The one id of this site, made once and kept. All hosts of a site share this database, and so the id; each copy
    says it, so that a target may hold those of two temples with one database name."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    site = models.CharField(max_length=32, help_text="32 hexadecimal digits.")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.site} since {self.since:%Y-%m-%d %H:%M}Z"
