"""What is where: each copy that we made, and each target with what it has and lacks. Nothing here asks a target."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone

from backups_app import formats
from backups_app.configuration import Configuration
from backups_app.errors import TargetMoved, TempleOpsError
from backups_app.models import BackupCopy
from backups_app.runs.copies import elsewhere
from backups_app.storage import copy_rows, counted, key_proofs, target_looks, target_places
from backups_app.storage.copy_rows import State
from backups_app.storage.target_looks import Failing
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import notices, stored_facts
from backups_app.use_cases.readiness import readiness

SHOWN = {
    State.WAITING: "copying",
    State.COPYING: "copying",
    State.COMPLETE: "complete",
    State.FAILED: "failed",
}
"""The states as commands and the API show them. What waits is as good as begun."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One copy. While it is made `stored_bytes` of `total_bytes` are there (both about: what is encrypted is larger).
    `error` says why the last try failed, `unread` why it could not be read back, `unread_since`: for so long.
    `away` says why it does not count for now; `is_unread`: because it, or nothing at its target, could be read back.
    `next_attempt_at` when it is tried again. `waits`: it has not begun; `asked_at`: when somebody first wanted it;
    `heartbeat_at`: the last sign of life of the process that makes it."""

    backup_id: str
    taken_at: datetime | None
    target: str
    state: str
    elsewhere: bool
    stored_bytes: int
    total_bytes: int
    copied_at: datetime | None
    read_back_at: datetime | None
    next_attempt_at: datetime | None
    recipients: tuple[str, ...]
    is_current: bool
    error: TempleOpsError | None
    asked_at: datetime
    waits: bool
    heartbeat_at: datetime | None
    away: TempleOpsError | None = None
    unread: TempleOpsError | None = None
    unread_since: datetime | None = None
    is_unread: bool = False

    @property
    def is_at_former_place(self) -> bool:
        """Whether the name of the target stands for another place since."""
        return target_places.is_former(self.target)

    @property
    def is_complete(self) -> bool:
        return self.state == SHOWN[State.COMPLETE]

    def as_json(self) -> dict[str, Any]:
        """Return the copy as commands and the API show it."""
        return {
            "backup_id": self.backup_id,
            "target": self.target,
            "state": self.state,
            "bytes": self.stored_bytes,
            "copied_at": formats.plain(self.copied_at),
            "read_back_at": formats.plain(self.read_back_at),
            "recipients": list(self.recipients),
            "error_code": next((one.code for one in (self.error, self.unread, self.away) if one is not None), None),
        }


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target. `address` holds no secret. `in_clear` counts complete copies that are not encrypted, `with_old_key`
    those that only an earlier key reads. `error` is the failure of the last look at it, else of the newest
    copy that failed there or could not be read back."""

    name: str
    kind: str
    address: str
    elsewhere: bool
    recipients: int
    key_opened_at: datetime | None
    complete: int
    copying: int
    failed: int
    in_clear: int
    with_old_key: int
    stored_bytes: int
    last_copied_at: datetime | None
    last_read_back_at: datetime | None
    error: TempleOpsError | None

    def as_json(self) -> dict[str, Any]:
        """Return the target as the API shows it."""
        plain = {name: formats.plain(getattr(self, name)) for name in self.__dataclass_fields__ if name != "error"}
        return {**plain, "error_code": None if self.error is None else self.error.code}


def copies(*, configuration: Configuration, backup_id: str = "") -> list[Copy]:
    """Return the copies that we made or are making, of one backup or of all, the newest backup first. Raise
    `ModeNotLocal`."""
    readiness.require_local(configuration)
    rows = BackupCopy.objects.exclude(state=State.REMOVED).defer("written")
    return _copies(rows.filter(backup_id=backup_id) if backup_id else rows, configuration)


def in_the_making(*, configuration: Configuration) -> list[Copy]:
    """Return the copies that are made now and, after them, those that wait. Raise `ModeNotLocal`."""
    readiness.require_local(configuration)
    rows = BackupCopy.objects.filter(state__in=(State.COPYING, State.WAITING)).defer("written")
    return sorted(_copies(rows, configuration), key=lambda copy: copy.waits)


def state_mark() -> str:
    """Return a text that is another one whenever a copy has begun, ended or gone."""
    counted = BackupCopy.objects.order_by("state").values_list("state").annotate(Count("pk"), Max("copied_at"))
    return hashlib.sha256(repr(list(counted)).encode()).hexdigest()[:16]


def by_backup(*, configuration: Configuration, backup_ids: Iterable[str]) -> dict[str, list[Copy]]:
    """Return the copies of some backups, by backup."""
    rows = BackupCopy.objects.exclude(state=State.REMOVED).filter(backup_id__in=list(backup_ids)).defer("written")
    found: dict[str, list[Copy]] = {}
    for copy in _copies(rows, configuration):
        found.setdefault(copy.backup_id, []).append(copy)
    return found


def targets(*, configuration: Configuration) -> list[Target]:
    """Return every target of the settings, with what it has. Raise `ModeNotLocal`."""
    readiness.require_local(configuration)
    every = copies(configuration=configuration)
    opened_at = key_proofs.opened_at(configuration.copy_recipients) if configuration.copy_recipients else None
    failing = target_looks.failing(configuration.targets, now=timezone.now())
    return [
        _target(
            configuration, one, [copy for copy in every if copy.target == one.name], opened_at, failing.get(one.name)
        )
        for one in configuration.targets
    ]


def _copies(rows: Iterable[BackupCopy], configuration: Configuration) -> list[Copy]:
    present = copy_rows.joined(configuration.copy_recipients)
    now = timezone.now()
    silent = target_looks.distrusted(configuration.targets, now=now)
    here = elsewhere.targets_here(configuration, now=now)
    unread = counted.unread_copies(now=now)
    return [
        Copy(
            backup_id=row.backup_id,
            taken_at=facts.taken_at if (facts := stored_facts.of_row(row)) else None,
            target=row.target,
            state=SHOWN[State(row.state)],
            elsewhere=row.elsewhere and row.target not in here,
            stored_bytes=row.bytes if row.state == State.COMPLETE else min(row.bytes, row.total_bytes or row.bytes),
            total_bytes=row.total_bytes,
            copied_at=row.copied_at,
            read_back_at=row.read_back_at,
            next_attempt_at=row.next_attempt_at,
            recipients=tuple(row.recipients.split()),
            is_current=row.recipients == present,
            error=notices.failure_of(row) if row.error_code else None,
            asked_at=row.created_at,
            waits=row.state == State.WAITING,
            heartbeat_at=row.heartbeat_at,
            away=_away(row, silent, unread),
            unread=notices.unread_failure_of(row) if row.unread_code else None,
            unread_since=row.unread_since,
            is_unread=row.pk in unread and row.target not in silent,
        )
        for row in rows
    ]


def _away(row: BackupCopy, silent: Mapping[str, Failing], unread: Mapping[int, BackupCopy]) -> TempleOpsError | None:
    if target_places.is_former(row.target):
        return TargetMoved(target=target_places.name_of(row.target))
    if row.target in silent:
        return silent[row.target].failure
    return notices.unread_failure_of(unread[row.pk]) if row.pk in unread else None


def _target(
    configuration: Configuration,
    settings: TargetSettings,
    mine: Sequence[Copy],
    opened_at: datetime | None,
    failing: Failing | None,
) -> Target:
    complete = [copy for copy in mine if copy.is_complete]
    failed = [failure for copy in mine if (failure := copy.error or copy.unread) is not None]
    return Target(
        name=settings.name,
        kind=settings.kind,
        address=address(settings),
        elsewhere=elsewhere.is_elsewhere(configuration, settings),
        recipients=len(configuration.copy_recipients),
        key_opened_at=opened_at,
        complete=len(complete),
        copying=sum(1 for copy in mine if copy.state == SHOWN[State.COPYING]),
        failed=sum(1 for copy in mine if copy.state == SHOWN[State.FAILED]),
        in_clear=sum(1 for copy in complete if not copy.recipients),
        with_old_key=_with_old_key(complete),
        stored_bytes=sum(copy.stored_bytes for copy in complete),
        last_copied_at=max((copy.copied_at for copy in complete if copy.copied_at), default=None),
        last_read_back_at=max((copy.read_back_at for copy in complete if copy.read_back_at), default=None),
        error=failing.failure if failing is not None else failed[0] if failed else None,
    )


def _with_old_key(complete: Sequence[Copy]) -> int:
    current = {copy.backup_id for copy in complete if copy.is_current}
    return len({copy.backup_id for copy in complete if copy.recipients} - current)


def address(settings: TargetSettings) -> str:
    """Return where a target is, without options: no secret stands in it."""
    if settings.is_directory:
        return settings.place
    return f"{settings.kind}://{settings.place}" + (f"/{settings.prefix}" if settings.prefix else "")
