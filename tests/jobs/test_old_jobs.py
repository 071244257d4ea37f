"""The table of jobs does not grow without end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from backups_app.configuration import Configuration
from backups_app.management.commands import worker

pytestmark = pytest.mark.django_db(transaction=True)
Status = TaskResultStatus
DAY = timedelta(days=1)


def a_job(name: str, status: Status, *, days: int) -> None:
    at = timezone.now() - days * DAY
    row = DBTaskResult.objects.create(
        status=status, args_kwargs={"args": [], "kwargs": {}}, task_path=name, backend_name="default", run_after=at,
        exception_class_path="", traceback="",
    )  # fmt: skip
    ended = at if status in (Status.SUCCESSFUL, Status.FAILED) else None
    begun = None if status == Status.READY else at
    DBTaskResult.objects.filter(pk=row.pk).update(enqueued_at=at, started_at=begun, finished_at=ended)


def left() -> list[str]:
    worker.tick()
    return sorted(DBTaskResult.objects.values_list("task_path", flat=True))


def test_the_worker_removes_jobs_that_ended_long_ago_or_whose_worker_died(configured: Configuration) -> None:
    a_job("succeeded", Status.SUCCESSFUL, days=8)
    a_job("failed", Status.FAILED, days=8)
    a_job("killed", Status.RUNNING, days=30)
    a_job("waits", Status.READY, days=30)

    assert left() == ["waits"]


def test_the_worker_keeps_jobs_that_ended_lately_or_may_still_run(configured: Configuration) -> None:
    a_job("succeeded", Status.SUCCESSFUL, days=6)
    a_job("failed", Status.FAILED, days=6)
    a_job("runs", Status.RUNNING, days=10)

    assert left() == ["failed", "runs", "succeeded"]
