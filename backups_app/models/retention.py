"""The row of the policy of retention."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class RetentionPolicy(models.Model):
    """The one policy of retention. Without its row, or with `enabled` false, nothing is ever removed by itself."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    enabled = models.BooleanField(default=False)
    last = models.PositiveIntegerField(default=0)
    daily = models.PositiveIntegerField(default=0)
    weekly = models.PositiveIntegerField(default=0)
    monthly = models.PositiveIntegerField(default=0)
    yearly = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="retention_policy_only_one")]

    def __str__(self) -> str:
        return f"retention {'on' if self.enabled else 'off'} since {self.changed_at:%Y-%m-%d %H:%M}Z"
