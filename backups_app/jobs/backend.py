"""The Tasks backend for workers on several hosts: rows of the Django database, and a message by Celery."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django_tasks_db import DatabaseBackend

from backups_app.jobs import broker


class WakingBackend(DatabaseBackend):
    """Keeps jobs as `DatabaseBackend` does, and says to every worker that one waits."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Add a job and return its result object. Workers hear of it once its row can be seen."""
        result: Any = super().enqueue(task, args, kwargs)
        transaction.on_commit(broker.wake_workers)
        return result
