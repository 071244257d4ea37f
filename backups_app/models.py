"""Rows of the Django database: people and their sessions, audit, schedules."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class TempleUserManager(UserManager["User"]):
    """Makes people. `createsuperuser` makes a Super Admin: role 0."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        extra.setdefault("role_id", User.SUPER_ADMIN)
        return super().create_superuser(username, email, password, **extra)


class User(AbstractUser):
    """A person of the temple. `role_id` alone opens Backup Management; `is_superuser` does not."""

    SUPER_ADMIN = 0
    ADMIN = 1
    STAFF = 2

    role_id = models.IntegerField(
        null=True, blank=True, default=STAFF, help_text="0 Super Admin, 1 Admin, 2 and above others."
    )

    objects: ClassVar[TempleUserManager] = TempleUserManager()  # type: ignore[assignment]
