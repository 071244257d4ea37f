"""What lies at a target and no row here knows: copies that another installation made, and objects of no copy.

They come from a Django database that was lost, from another machine, or from an attempt that was forgotten. A copy is
taken in after all of it was read and compared; then it counts. What nobody takes in stays until a person removes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from pyrage.x25519 import Identity

from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.copying import proof, removal
from backups_app.errors import (
    BackupDiffers,
    CopyDamaged,
    CopyNotEncrypted,
    CopyNotFound,
    CopyOfAnotherDatabase,
    CopyOfAnotherSite,
    CopyUnreadable,
    KeyMissing,
    ObjectMissing,
    ObjectsMayBelong,
    ObjectUnreadable,
    RemovalNotConfirmed,
    VerificationFailed,
    WrongKey,
)
from backups_app.progress import Progress, Silent
from backups_app.runs.copies import elsewhere, own_copies
from backups_app.storage import copy_reading, copy_rows, target_places
from backups_app.storage.copy_manifest import Contents
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.target import ObjectHead, StorageTarget
from backups_app.use_cases import confirmation, copy_sites
from backups_app.use_cases.copies import clear_copies, places
from backups_app.use_cases.copies.acts import CopyRequest
from backups_app.use_cases.copies.removing import known_names
from backups_app.use_cases.readiness import readiness

T = TypeVar("T")
TAKEN_IN, CLEARED = "copy.taken_in", "target.cleared"
OF_ONE_COPY = (
    BackupDiffers, CopyDamaged, CopyNotEncrypted, CopyUnreadable, CopyOfAnotherDatabase, CopyOfAnotherSite, KeyMissing,
    ObjectMissing, ObjectUnreadable, VerificationFailed, WrongKey,
)  # fmt: skip
"""Why one copy is not taken in: others may be."""
MOST_COPIES = 200
"""So many are read at once; the next look shows the next ones."""
OLD_ENOUGH = timedelta(days=1)
"""A younger object may be one of a copy that another machine is making."""
MOST_REMOVED = 500
"""So many objects are removed at once: somebody waits for the answer."""


@dataclass(frozen=True, kw_only=True)
class UnknownCopy:
    """A copy that no row knows. `name` is that of its manifest; `error_code` names why it is none, or that another
    temple made it, where that can be read without a key."""

    backup_id: str
    name: str
    copied_at: datetime | None
    stored_bytes: int
    encrypted: bool
    error_code: str = ""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """What no row knows at one target. Objects of no copy are counted apart: those that are `old` may be removed,
    unless a manifest there cannot be read (`unreadable`): they may be its. `more`: not every copy was read."""

    copies: Sequence[UnknownCopy]
    more: bool
    objects: int
    objects_bytes: int
    old: int
    unreadable: bool


@dataclass(frozen=True, kw_only=True)
class _Found:
    copies: Sequence[FoundCopy]
    more: bool
    loose: Sequence[ObjectHead]

    @property
    def unreadable(self) -> bool:
        return self.more or any(one.manifest is None for one in self.copies)

    def old(self, now: datetime) -> list[str]:
        """Return the names of the objects of no copy that may be removed."""
        return [] if self.unreadable else [one.name for one in self.loose if now - one.modified_at > OLD_ENOUGH]


def unknown_at(
    *, configuration: Configuration, target: str, now: datetime, progress: Progress | None = None
) -> Unknown:
    """Return what no row knows at a target. Raise `ModeNotLocal`, `TargetNotFound`, kinds of `TargetFailed`."""
    readiness.require_local(configuration)
    found = _found_at(places.open_target(configuration, target), progress or Silent())
    return Unknown(
        copies=tuple(_copy(one, configuration) for one in found.copies),
        more=found.more,
        objects=len(found.loose),
        objects_bytes=sum(one.size_bytes for one in found.loose),
        old=len(found.old(now)),
        unreadable=found.unreadable,
    )


def take_in(
    asked: CopyRequest, *, target: str, copy: str, identities: Sequence[Identity], progress: Progress | None = None
) -> str:
    """Read a copy that no row knows, compare all of it, also with the backup of its id that is here, and record it: it
    counts from then on. `copy` is the name of its manifest. Return the id of its backup.

    Raise `ModeNotLocal`, `TargetNotFound`, `CopyNotFound`, what stands in `OF_ONE_COPY`, other kinds of `TargetFailed`,
    and what `progress` raises.
    """
    readiness.require_local(asked.configuration)
    progress = progress or Silent()
    opened = places.open_target(asked.configuration, target)
    found = next((one for one in _found_at(opened, progress).copies if one.object_name == copy), None)
    if found is None:
        raise CopyNotFound(target=target, backup_id=copy)
    contents = copy_reading.open_contents(found, identities=identities)
    own_copies.require_same_backup(asked.configuration, target=target, found=found, contents=contents)
    other = copy_sites.problem_of_site(asked.configuration, target=target, found=found, contents=contents)
    if other is not None:
        raise other
    _require_trusted(asked.configuration, opened, found)
    _read(opened, found, contents, identities, progress)
    record(configuration=asked.configuration, target=target, found=found, contents=contents, now=asked.now)
    asked.put_on_record(TAKEN_IN, found.backup_id, "done", target=target)
    return found.backup_id


def record(*, configuration: Configuration, target: str, found: FoundCopy, contents: Contents, now: datetime) -> None:
    """Write the row of a copy all of which was read just now. What retention knows of its backup, the worker adds."""
    settings = places.settings_of(configuration, target)
    copy_rows.take_in(
        found=found,
        contents=contents,
        target=target,
        elsewhere=elsewhere.is_elsewhere(configuration, settings),
        place=target_places.mark_of(settings),
        now=now,
    )


def remove_objects(asked: CopyRequest, *, target: str, typed: str) -> int:
    """Remove objects of no copy that are older than a day, for good, 500 at once. `typed` is the name of the target.
    Return how many they were. Raise `RemovalNotConfirmed`, `ObjectsMayBelong`, and what `unknown_at` raises."""
    readiness.require_local(asked.configuration)
    opened = places.open_target(asked.configuration, target)
    confirmation.require(target, typed=typed, refusal=RemovalNotConfirmed())
    found = _found_at(opened, Silent())
    if found.unreadable:
        raise ObjectsMayBelong(target=target)
    names = found.old(asked.now)[:MOST_REMOVED]
    asked.put_on_record(CLEARED, target, audit.STARTED, objects=len(names))
    removal.remove(opened, names)
    asked.put_on_record(CLEARED, target, "done", objects=len(names))
    return len(names)


def _found_at(opened: StorageTarget, progress: Progress) -> _Found:
    listed = list(_watched(opened.list_objects(), progress))
    known = known_names(opened.name)  # after the listing: what was copied meanwhile is known
    new = copy_reading.among(opened, listed, known=known)
    copies = list(_watched(islice(new, MOST_COPIES + 1), progress))
    more, copies = len(copies) > MOST_COPIES, copies[:MOST_COPIES]
    belonging = {stored.name for one in copies if one.manifest is not None for stored in one.manifest.objects}
    belonging |= known | {one.object_name for one in copies}
    loose = [head for head in listed if head.name not in belonging]
    return _Found(copies=copies, more=more, loose=loose)


def _watched(things: Iterable[T], progress: Progress) -> Iterator[T]:
    for one in things:
        progress.checkpoint()
        yield one


def _require_trusted(configuration: Configuration, opened: StorageTarget, found: FoundCopy) -> None:
    """Raise `CopyNotEncrypted` where neither the backup here nor encryption says that the copy is ours, and copies
    there are encrypted."""
    assert found.manifest is not None
    if found.manifest.encrypted or configuration.copies_in_clear:
        return
    if not own_copies.is_here(configuration, found.backup_id) and clear_copies.encrypted_lie_at(opened):
        raise CopyNotEncrypted(target=opened.name, backup_id=found.backup_id)


def _read(
    opened: StorageTarget,
    found: FoundCopy,
    contents: Contents,
    identities: Sequence[Identity],
    progress: Progress,
) -> None:
    """Read every object of a copy, and compare what is in it too."""
    assert found.manifest is not None and found.stored is not None
    files = [*contents.files, *filter(None, [contents.site])]
    for file in files:
        copy_reading.receive(
            opened,
            manifest=found.manifest,
            file=file,
            into=_Nowhere(),
            identities=identities,
            report=lambda _: progress.checkpoint(),
        )
    named = {file.object for file in files}
    for stored in (*(one for one in found.manifest.objects if one.name not in named), found.stored):
        proof.read_back(opened, stored, report=lambda _: progress.checkpoint())


class _Nowhere:
    """What is only compared is not kept."""

    def write(self, data: bytes) -> int:
        return len(data)


def _copy(found: FoundCopy, configuration: Configuration) -> UnknownCopy:
    manifest, problem = found.manifest, found.problem or copy_sites.problem_in_clear(configuration, found)
    return UnknownCopy(
        backup_id=found.backup_id,
        name=found.object_name,
        copied_at=None if manifest is None else manifest.copied_at,
        stored_bytes=0 if manifest is None else manifest.stored_bytes,
        encrypted=manifest is not None and manifest.encrypted,
        error_code="" if problem is None else problem.code,
    )
