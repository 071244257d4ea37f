"""The Django application, and its system checks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register


class BackupsAppConfig(AppConfig):
    name = "backups_app"
    verbose_name = "Backup Management"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(_of_configuration, "templeops")
        register(_of_records, Tags.database)


def _of_configuration(**options: Any) -> list[CheckMessage]:
    """The checks need the engines and the stores, which a command that makes no check need not load."""
    from backups_app import checks

    return list(chain.from_iterable(check(**options) for check in checks.OF_CONFIGURATION))


def _of_records(databases: Sequence[str] | None = None, **options: Any) -> list[CheckMessage]:
    from backups_app import checks

    return checks.records_answer(databases=databases, **options)
