"""The words in which rooms speak to one another: states, phases, sides, collections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

RunDocument = dict[str, Any]
"""A document of `backup_metadata`: the one truth of a run. Shape: `catalog/run/runs.py`."""

PURGEABLE_ALWAYS = ("activities",)
PURGEABLE_WHEN_CONFIRMED = ("bookings", "employee_bookings")
PURGEABLE = PURGEABLE_ALWAYS + PURGEABLE_WHEN_CONFIRMED
"""The allow-list, in code and not a setting: nothing else is ever purged."""


def purgeable(*, delete_bookings: bool) -> tuple[str, ...]:
    """Return the collections that a run may delete from, with bookings only when somebody confirmed it."""
    return PURGEABLE if delete_bookings is True else PURGEABLE_ALWAYS


CONFIRMATION_PHRASE = "DELETE BOOKINGS"
"""What a person types, the same in every language, before bookings are deleted."""

DUMPED_INTERNAL = frozenset({"backup_metadata", "sync_logs", "sync_conflicts"})
UNDUMPED_INTERNAL = frozenset({"backup_purge_ledger", "backup_lease", "backup_sync_base", "backup_sync_state"})
INTERNAL = DUMPED_INTERNAL | UNDUMPED_INTERNAL
"""Our own collections by exact name; any other name, whatever its prefix, is the temple's."""

CLOCK_TOLERANCE = timedelta(minutes=10)
"""What is dated further ahead than this was dated by a wrong clock."""


def is_ahead(at: datetime, *, now: datetime) -> bool:
    """Return whether a moment is dated in the future: what bears it is kept, and its time is evidence for nothing."""
    return at > now + CLOCK_TOLERANCE


def is_recent(at: datetime | None, *, within: timedelta, now: datetime) -> bool:
    """Return whether a moment is known, less than `within` ago, and not dated in the future: one that a clock ahead
    left there would be recent until that moment came."""
    return at is not None and not is_ahead(at, now=now) and now - at < within


def recent(*, within: timedelta, now: datetime) -> dict[str, datetime]:
    """Return the same as a filter of rows over their field `at`."""
    return {"at__gt": now - within, "at__lte": now + CLOCK_TOLERANCE}


class Status(StrEnum):
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Somebody stopped it before it had made anything. No failure, and no backup."""


LISTED_STATUSES = (*(status.value for status in Status), "unverified")
"""What a listed run may bear: `unverified` is a folder that nobody has verified yet, and that no run of ours made."""


class SyncStatus(StrEnum):
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"


class Phase(StrEnum):
    """Where a run is. The order is the order of the work."""

    QUEUED = "queued"
    PREFLIGHT = "preflight"
    SYNCING = "syncing"
    DUMPING = "dumping"
    VERIFYING = "verifying"
    PUBLISHING = "publishing"
    PURGING_REMOTE = "purging_remote"
    PURGING_LOCAL = "purging_local"
    RESTORING = "restoring"
    FINISHING = "finishing"
    FINISHED = "finished"


class RunKind(StrEnum):
    """What a run is. A restore begins with a backup of its target, which bears the run's id; the last two make none."""

    BACKUP = "backup"
    RESTORE = "restore"
    TEST_COPY = "test_copy"
    REHEARSAL = "rehearsal"


RESTORES = (RunKind.RESTORE, RunKind.TEST_COPY, RunKind.REHEARSAL)


MAKES_A_BACKUP = frozenset({RunKind.BACKUP.value, RunKind.RESTORE.value})


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Side(StrEnum):
    LOCAL = "local"
    REMOTE = "remote"

    @property
    def other(self) -> Side:
        """The side that this one is synced with."""
        return Side.REMOTE if self is Side.LOCAL else Side.LOCAL


class Origin(StrEnum):
    """From where a run was asked for."""

    WEB = "web"
    API = "api"
    COMMAND = "command"
    SCHEDULE = "schedule"


@dataclass(frozen=True, kw_only=True)
class CollectionInfo:
    """A collection as `listCollections` and `count` showed it at one moment.

    `type` is `collection`, `view` or `timeseries`; `uuid` is 32 lower-case hex digits or empty;
    `documents` is None where the server cannot know (views), `size_bytes` also where nobody asked.
    """

    name: str
    type: str
    uuid: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    documents: int | None = None
    size_bytes: int | None = None
