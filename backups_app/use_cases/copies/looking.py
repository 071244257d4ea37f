"""Looks at targets: do they answer, and do they still have the objects that the rows of copies name?

Once a day, and when somebody asks, the rows of a target are compared with one listing of it. A copy that lacks an
object counts no more and is made again. A target that fails is looked at each hour.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.copying import damage, removal
from backups_app.copying.proof import Doubt
from backups_app.errors import CopyDamaged, ObjectMissing, ObjectUnreadable, TempleOpsError
from backups_app.models import BackupCopy
from backups_app.records import is_recent
from backups_app.storage import copy_rows, target_looks, target_places
from backups_app.storage.copy_rows import State
from backups_app.storage.target import ObjectHead
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import moving, notices, places

logger = logging.getLogger(__name__)

COMPARE_EVERY = timedelta(days=1)
ASK_AGAIN = timedelta(hours=1)


def is_due(*, configuration: Configuration, now: datetime) -> bool:
    """Return whether a target is to be looked at. Nothing is asked but the rows."""
    return configuration.is_local and any(_is_due(target, now=now) for target in configuration.targets)


def look_where_due(*, configuration: Configuration, now: datetime) -> None:
    """Look at each target that is due. What fails is noted."""
    for target in configuration.targets if configuration.is_local else ():
        if _is_due(target, now=now):
            compare(configuration=configuration, target=target.name, now=now)


def look_where_moved(*, configuration: Configuration, now: datetime) -> None:
    """Look at each target whose copies lie at a former place, so that they are made at the present one."""
    for target in target_places.moved(configuration.targets):
        compare(configuration=configuration, target=target, now=now)


def targets_in_place(*, configuration: Configuration, now: datetime) -> list[TargetSettings]:
    """Return the targets whose rows are those of the present place, after a look at those that moved."""
    look_where_moved(configuration=configuration, now=now)
    moved = target_places.moved(configuration.targets)
    return [one for one in configuration.targets if one.name not in moved]


def compare(*, configuration: Configuration, target: str, now: datetime) -> TempleOpsError | None:
    """Compare the rows of a target with what it lists. A copy of which an object is missing or has another size becomes
    a failed one, due at once; one at a former place counts no more. Return the failure of a target that cannot be
    listed. Raise `TargetNotFound`."""
    opened = places.open_target(configuration, target)
    place = target_places.mark_of(places.settings_of(configuration, target))
    complete = BackupCopy.objects.filter(target=target, state=State.COMPLETE)
    before = dict(complete.values_list("pk", "fence"))  # before the listing: what is copied meanwhile is left out
    try:
        opened.check()
        listed = {head.name: head for head in opened.list_objects()} if before else {}
    except TempleOpsError as failure:
        logger.warning("A target failed", extra={"target": target, "code": failure.code})
        target_looks.failed(target, failure, now=now, place=place)
        notices.looked(configuration=configuration, now=now)
        return failure
    came_back = moving.follow(target=target, place=place, listed=listed)
    for row in complete.iterator(chunk_size=100):
        if before.get(row.pk) == row.fence:
            _note_what_a_listing_says(row, listed, place)
    target_looks.answered(target, now=now, compared=not came_back, place=place)
    notices.looked(configuration=configuration, now=now)
    return None


def answers(configuration: Configuration, target: str) -> bool:
    """Return whether a target answers and lists. What it lists is compared with the rows."""
    try:
        return compare(configuration=configuration, target=target, now=timezone.now()) is None
    except TempleOpsError:  # it cannot be used as it is set up
        return False


def _note_what_a_listing_says(row: BackupCopy, listed: Mapping[str, ObjectHead], place: str) -> None:
    """Of a part that could not be looked at nothing is concluded: the row says so,
    and the copy is read back next."""
    parts = removal.parts(copy_rows.written_of(row), manifest=row.manifest)
    heads = [(one, listed.get(one.name)) for one in parts]
    doubts = [
        Doubt(name=one.name, failure=(ObjectMissing if head is None else CopyDamaged)(target=row.target))
        for one, head in heads
        if head is None or (head.failure is None and head.size_bytes != one.size_bytes)
    ]
    if doubts:
        damage.note(row, doubts)
        return
    unknown = [head.failure for _, head in heads if head is not None and head.failure is not None]
    mine = BackupCopy.objects.filter(pk=row.pk, fence=row.fence, state=State.COMPLETE)
    if unknown:
        facts = copy_rows.shown(unknown[0])
        mine.update(error_code=unknown[0].code, error_facts=facts, read_back_at=None)
        logger.error(
            "Parts of a copy cannot be read",
            extra={"backup_id": row.backup_id, "target": row.target, "objects": len(unknown)},
        )
        return
    if row.error_code == ObjectUnreadable.code:
        mine.update(error_code="", error_facts={})
    if not row.place:
        mine.update(place=place)


def _is_due(settings: TargetSettings, *, now: datetime) -> bool:
    complete = BackupCopy.objects.filter(target=settings.name, state=State.COMPLETE)
    found = target_looks.last(settings.name)
    if found is not None and target_places.is_other(found.place, target_places.mark_of(settings)):
        return True
    if found is not None and found.failed_since is not None:
        return not is_recent(found.looked_at, within=ASK_AGAIN, now=now)
    if not complete.exists():
        return False
    if target_looks.failing([settings], now=now):  # it is gone, or another place: that is to be noted, and reported
        return True
    if found is not None:
        return not is_recent(found.compared_at, within=COMPARE_EVERY, now=now)
    return any(not is_recent(at, within=COMPARE_EVERY, now=now) for at in complete.values_list("copied_at", flat=True))
