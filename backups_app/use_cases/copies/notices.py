"""Messages about copies: that a target fails, by its name and cause, and that copies are made again."""

from __future__ import annotations

from datetime import datetime

from backups_app import errors
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.messages import notifications as said
from backups_app.models import BackupCopy
from backups_app.notification.content import Content
from backups_app.notification.states import Kind, Problem
from backups_app.storage.copy_rows import State
from backups_app.use_cases.notices import report

COPIES = "copies"
PATH = "/admin/backups/copies/"
TRIES_BEFORE = 2
"""A line that fails once is tried again before anybody is told."""


def looked(*, configuration: Configuration, now: datetime) -> None:
    """Report the targets that fail, and the end of it. Several failures of one cause at one target are one problem."""
    present = {}
    names = [target.name for target in configuration.targets]
    failed = BackupCopy.objects.filter(state=State.FAILED, target__in=names, attempts__gte=TRIES_BEFORE)
    for row in failed.defer("written").order_by("pk"):
        present[Problem(kind=Kind.COPY_FAILED, cause=f"{row.target} {row.error_code}")] = _content(row)
    report(configuration, scope=COPIES, present=present, ended=Content(title=said.COPIES_AGAIN(), path=PATH), now=now)


def _content(row: BackupCopy) -> Content:
    return Content(
        title=said.COPY_FAILED(),
        lines=(failure_of(row).detail,),
        facts=((said.TARGET(), row.target), (said.BACKUP(), row.backup_id), (said.CODE(), row.error_code)),
        path=PATH,
    )


def failure_of(row: BackupCopy) -> TempleOpsError:
    """Return the failure that a row names."""
    kind = errors.by_code().get(row.error_code, TempleOpsError)
    return kind(**{"target": row.target, "backup_id": row.backup_id, **row.error_facts})
