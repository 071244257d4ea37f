"""Which copies count as elsewhere: complete, at a target that survives this computer, and readable.

A copy that could not be read back stops to count after `UNREAD_TOLERATED`: two weekly verifications. Where no copy of
its target was read back since, the target may be one that lists and does not give, and none there counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from backups_app.models import BackupCopy, OpenedCopy
from backups_app.records import is_recent
from backups_app.storage import copy_rows
from backups_app.storage.copy_rows import State

UNREAD_TOLERATED = timedelta(days=8)


def rows(*, targets: Iterable[str], recipients: Iterable[str]) -> list[BackupCopy]:
    """Return the rows of the copies that count at these targets, the newest backup first.

    A copy made to other recipients than the present ones counts where a key once opened one made to them.
    """
    found = BackupCopy.objects.filter(state=State.COMPLETE, elsewhere=True, target__in=list(targets))
    opened = set(OpenedCopy.objects.values_list("recipients", flat=True).distinct())
    readable = {"", copy_rows.joined(recipients), *opened}
    unread = unread_copies(now=timezone.now())
    return [row for row in found.defer("written") if row.recipients in readable and row.pk not in unread]


def unread_copies(*, now: datetime) -> dict[int, BackupCopy]:
    """Return the complete copies that do not count for want of reading, by the number of their row: each with the row
    whose reading fails, itself or another one of its target."""
    complete = BackupCopy.objects.filter(state=State.COMPLETE).defer("written")
    failing = [row for row in complete.filter(unread_since__isnull=False) if _is_long_unread(row, now=now)]
    found = {row.pk: row for row in failing}
    for row in failing:
        there = complete.filter(target=row.target)
        if not there.filter(read_back_at__gte=row.unread_since).exists():
            found = {other.pk: row for other in there} | found
    return found


def _is_long_unread(row: BackupCopy, *, now: datetime) -> bool:
    """A moment in the future was written by a clock that ran ahead: nobody knows how long ago that was."""
    return not is_recent(row.unread_since, within=UNREAD_TOLERATED, now=now)


def on_this_computer(*, targets: Iterable[str]) -> set[str]:
    """Return the ids of the backups with a complete copy at one of these targets that is lost with this computer."""
    found = BackupCopy.objects.filter(state=State.COMPLETE, elsewhere=False, target__in=list(targets))
    return set(found.values_list("backup_id", flat=True))


def by_target(*, targets: Iterable[str], recipients: Iterable[str]) -> dict[str, set[str]]:
    """Return the ids of the backups that have a copy that counts, for each target that has one."""
    there: dict[str, set[str]] = {}
    for row in rows(targets=targets, recipients=recipients):
        there.setdefault(row.target, set()).add(row.backup_id)
    return there


def fetchable_from(*, backup_id: str, targets: Iterable[str]) -> list[str]:
    """Return the targets, of these, from which a backup can be fetched whole, whether or not a copy there counts."""
    found = BackupCopy.objects.filter(state=State.COMPLETE, target__in=list(targets))
    bases = {row.target: row.backup.get("base") for row in found.filter(backup_id=backup_id).only("target", "backup")}
    there = set(found.filter(backup_id__in=filter(None, bases.values())).values_list("backup_id", "target"))
    return sorted(name for name, base in bases.items() if base is None or (base, name) in there)


def is_whole(*, backup_id: str, base: str | None, ids: set[str]) -> bool:
    """Whether a backup can be read from a target with copies of these ids: an incremental needs its base there."""
    return backup_id in ids and (base is None or base in ids)
