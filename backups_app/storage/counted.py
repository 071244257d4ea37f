"""Which copies count as elsewhere: complete, at a target that survives this computer, and readable."""

from __future__ import annotations

from collections.abc import Iterable

from backups_app.models import BackupCopy, OpenedCopy
from backups_app.storage import copy_rows
from backups_app.storage.copy_rows import State


def rows(*, targets: Iterable[str], recipients: Iterable[str]) -> list[BackupCopy]:
    """Return the rows of the copies that count at these targets, the newest backup first.

    A copy made to other recipients than the present ones counts where a key once opened one made to them.
    """
    found = BackupCopy.objects.filter(state=State.COMPLETE, elsewhere=True, target__in=list(targets))
    opened = set(OpenedCopy.objects.values_list("recipients", flat=True).distinct())
    readable = {"", copy_rows.joined(recipients), *opened}
    return [row for row in found.defer("written") if row.recipients in readable]


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
