"""What is noted of a copy when using it fails.

A wrong key, a manifest that somebody else wrote and a damaged object look alike from outside. So what was read is
compared with our own record of the copy: the stored bytes, with the size and the SHA-256 that the row has of them. No
key takes part in that, so nobody can condemn a copy with a wrong one. A target that does not answer proves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from django.utils import timezone

from backups_app.copying import proof, removal
from backups_app.copying.proof import Doubt
from backups_app.errors import (
    CopyDamaged,
    CopyUnreadable,
    ObjectMissing,
    ObjectUnreadable,
    TempleOpsError,
    WrongKey,
)
from backups_app.models import BackupCopy
from backups_app.storage import copy_rows, target_looks
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.copy_rows import State
from backups_app.storage.target import StorageTarget

logger = logging.getLogger(__name__)

OF_AN_OBJECT = (CopyDamaged, ObjectMissing, ObjectUnreadable)
SUSPICIOUS = (*OF_AN_OBJECT, CopyUnreadable, WrongKey)
"""Failures after which a copy is compared with its record."""


@contextmanager
def noted(target: StorageTarget, found: FoundCopy) -> Iterator[None]:
    """Where using a copy in the block fails, note what its stored bytes prove. What is raised goes through; but what
    looked like a wrong key or an odd manifest, and is damage, is raised as `CopyDamaged`."""
    try:
        yield
    except SUSPICIOUS as failure:
        if examine(target, found, failure) and not isinstance(failure, OF_AN_OBJECT):
            raise CopyDamaged(target=target.name) from failure
        raise


def examine(target: StorageTarget, found: FoundCopy, failure: TempleOpsError) -> bool:
    """Compare the manifest of a copy, and the object that a failure names, with the row of this copy. What differs, is
    missing or cannot be read is noted: the copy counts no more and is made again. Return whether that is so. A copy
    that no row knows, and a target that fails, change nothing."""
    row = BackupCopy.objects.filter(
        target=target.name, backup_id=found.backup_id, manifest=found.object_name, state=State.COMPLETE
    ).first()
    if row is None or not isinstance(failure, SUSPICIOUS):
        return False
    try:
        doubts = _doubts(target, row, found, object_name=str(failure.facts.get("object", "")))
    except TempleOpsError:
        return False
    if doubts:
        note(row, doubts)
        target_looks.wanted(target.name, now=timezone.now())
    elif isinstance(failure, OF_AN_OBJECT):  # it reads well now: all of it is read by the next verification
        BackupCopy.objects.filter(pk=row.pk, fence=row.fence, state=State.COMPLETE).update(read_back_at=None)
    return bool(doubts)


def _doubts(target: StorageTarget, row: BackupCopy, found: FoundCopy, *, object_name: str) -> list[Doubt]:
    written = removal.parts(copy_rows.written_of(row), manifest=row.manifest)
    known = {one.name: one.stored for one in written}
    wanted = {object_name} if found.stored == known.get(row.manifest) else {object_name, row.manifest}
    return proof.doubts(target, [stored for name, stored in known.items() if name in wanted])


def note(row: BackupCopy, doubts: Sequence[Doubt]) -> None:
    """Note that objects of a copy are missing or differ: they are written again under new names, and until then the
    copy does not count. What was read of it before says nothing of the new objects."""
    gone, failure = {one.name for one in doubts}, doubts[0].failure
    again = [replace(one, proven=False) if one.name in gone else one for one in copy_rows.written_of(row)]
    BackupCopy.objects.filter(pk=row.pk, fence=row.fence, state=State.COMPLETE).update(
        state=State.FAILED, error_code=failure.code, error_facts=copy_rows.shown(failure), read_back_at=None,
        written=[vars(one) for one in again], attempts=copy_rows.TRIES_BEFORE_A_MESSAGE, next_attempt_at=None,
        **copy_rows.READ_WELL,
    )  # fmt: skip
    logger.error("A copy is damaged", extra={"backup_id": row.backup_id, "target": row.target})
