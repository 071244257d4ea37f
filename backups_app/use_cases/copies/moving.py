"""A name of `BACKUP_TARGETS` stands for another place now: what becomes of the rows of copies at the former one.

A copy all of whose objects are listed at the new place counts there: the directory was moved with all that was in it.
Every other row goes under the name of the former place, and comes back when the name stands for that place again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction
from django.db.models import F

from backups_app.copying import removal
from backups_app.models import BackupCopy
from backups_app.storage import copy_rows, target_places
from backups_app.storage.copy_rows import State
from backups_app.storage.target import ObjectHead

logger = logging.getLogger(__name__)


@transaction.atomic
def follow(*, target: str, place: str, listed: Mapping[str, ObjectHead]) -> bool:
    """Let the rows of a target be those of the place that it is now; `listed` is what lies there. Return whether rows
    came back: they are compared next. What was begun at the former place is begun again at this one."""
    if not place:
        return False
    others = BackupCopy.objects.filter(target=target).exclude(place__in=("", place)).exclude(state=State.REMOVED)
    for row in others:
        if row.state != State.COMPLETE:
            row.delete()
        elif is_listed(row, listed):
            BackupCopy.objects.filter(pk=row.pk).update(place=place, read_back_at=None)
        else:
            _rename(row, target_places.former(target, row.place))
            logger.warning("A copy lies at the former place", extra={"backup_id": row.backup_id, "target": target})
    back = list(BackupCopy.objects.filter(target=target_places.former(target, place), place=place))
    returned = [_return(row, target) for row in back]
    return any(returned)


def is_listed(row: BackupCopy, listed: Mapping[str, ObjectHead]) -> bool:
    """Whether every object of a complete copy is listed with its size."""
    parts = removal.parts(copy_rows.written_of(row), manifest=row.manifest)
    sizes = {name: head.size_bytes for name, head in listed.items() if head.failure is None}
    return bool(parts) and all(sizes.get(one.name) == one.size_bytes for one in parts)


def _return(row: BackupCopy, target: str) -> bool:
    """Let a row count again. One that was removed meanwhile, or copied there once more, stays what it is."""
    same = BackupCopy.objects.filter(backup_id=row.backup_id, target=target, recipients=row.recipients)
    same.filter(state__in=(State.WAITING, State.FAILED)).delete()
    if same.exists():
        return False
    _rename(row, target)
    return True


def _rename(row: BackupCopy, target: str) -> None:
    """Of two copies of one backup at a former place the older row goes."""
    BackupCopy.objects.filter(backup_id=row.backup_id, target=target, recipients=row.recipients).delete()
    BackupCopy.objects.filter(pk=row.pk).update(target=target, fence=F("fence") + 1)
