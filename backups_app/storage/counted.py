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


def backup_ids(*, targets: Iterable[str], recipients: Iterable[str]) -> set[str]:
    """Return the ids of the backups that have a copy that counts."""
    return {row.backup_id for row in rows(targets=targets, recipients=recipients)}
