"""Messages about copies: that a target fails, by its name and cause, and that copies are made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from backups_app import errors
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.messages.protection import notifications as messages
from backups_app.models import BackupCopy
from backups_app.notification.content import Content
from backups_app.notification.states import Kind, Problem
from backups_app.storage import target_looks
from backups_app.storage.copy_rows import TRIES_BEFORE_A_MESSAGE as TRIES
from backups_app.storage.copy_rows import State
from backups_app.storage.target_looks import Failing
from backups_app.use_cases.notices import report

COPIES, READING = "copies", "reading_copies"
PATH = "/admin/backups/copies/"


def looked(*, configuration: Configuration, now: datetime) -> None:
    """Report the targets that fail, and the end of it. Several failures of one cause at one target are one problem."""
    present = {}
    names = [target.name for target in configuration.targets]
    failed = BackupCopy.objects.filter(state=State.FAILED, target__in=names, attempts__gte=TRIES)
    for row in failed.defer("written").order_by("pk"):
        present[Problem(kind=Kind.COPY_FAILED, cause=f"{row.target} {row.error_code}")] = _content(row)
    for name, one in target_looks.distrusted(configuration.targets, now=now).items():
        present.setdefault(Problem(kind=Kind.COPY_FAILED, cause=f"{name} {one.failure.code}"), _silent(one))
    report(
        configuration, scope=COPIES, present=present, ended=Content(title=messages.COPIES_AGAIN(), path=PATH), now=now
    )
    _report_unread(configuration, names, now=now)


def _report_unread(configuration: Configuration, names: Sequence[str], *, now: datetime) -> None:
    """A copy that cannot be read back is a problem until it is read, made again or gone."""
    unread = BackupCopy.objects.filter(state=State.COMPLETE, target__in=names, unread_since__isnull=False)
    present = {
        Problem(kind=Kind.COPY_FAILED, cause=f"{row.target} {row.unread_code}"): _unread(row)
        for row in unread.defer("written").order_by("-pk")
    }
    ended = Content(title=messages.COPIES_READ(), path=PATH)
    report(configuration, scope=READING, present=present, ended=ended, now=now)


def _unread(row: BackupCopy) -> Content:
    return Content(
        title=messages.COPY_UNREAD(),
        lines=(unread_failure_of(row).detail,),
        facts=((messages.TARGET(), row.target), (messages.BACKUP(), row.backup_id), (messages.CODE(), row.unread_code)),
        path=PATH,
    )


def _content(row: BackupCopy) -> Content:
    return Content(
        title=messages.COPY_FAILED(),
        lines=(failure_of(row).detail,),
        facts=((messages.TARGET(), row.target), (messages.BACKUP(), row.backup_id), (messages.CODE(), row.error_code)),
        path=PATH,
    )


def _silent(failing: Failing) -> Content:
    return Content(
        title=messages.COPY_FAILED(),
        lines=(failing.failure.detail,),
        facts=((messages.TARGET(), failing.target), (messages.CODE(), failing.failure.code)),
        path=PATH,
    )


def failure_of(row: BackupCopy) -> TempleOpsError:
    """Return the failure that a row names."""
    return _named(row, row.error_code, row.error_facts)


def unread_failure_of(row: BackupCopy) -> TempleOpsError:
    """Return why a copy could not be read back, as its row names it."""
    return _named(row, row.unread_code, row.unread_facts)


def _named(row: BackupCopy, code: str, facts: Mapping[str, Any]) -> TempleOpsError:
    kind = errors.by_code().get(code, TempleOpsError)
    return kind(**{"target": row.target, "backup_id": row.backup_id, **facts})
