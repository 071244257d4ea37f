"""The row of a login that failed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class LoginFailure(models.Model):
    """A failed login, for the throttle. The account is an HMAC: people type passwords where names belong."""

    account = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["address", "at"], name="login_failure_recent")]

    def __str__(self) -> str:
        return f"failed login from {self.address} at {self.at:%Y-%m-%d %H:%M}Z"
