"""Whether a target holds what was sent to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from backups_app.errors import CopyDamaged, ObjectMissing, ObjectUnreadable, TargetFailed
from backups_app.storage.copy_manifest import StoredObject
from backups_app.storage.target import StorageTarget

Report = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """An object that is missing or differs, and the failure that says so."""

    name: str
    failure: TargetFailed


def prove(target: StorageTarget, stored: StoredObject, *, e_tag: str, report: Report = lambda _: None) -> bool:
    """Look at an object that was just written: its size, and that its e_tag is the expected one; where it is another,
    which need not mean anything, read it. `report` is called with the bytes of each piece that is read. Return whether
    it was read. Raise `CopyDamaged`, `ObjectMissing`."""
    head = target.head(stored.name)
    if head.size_bytes != stored.size_bytes:
        raise CopyDamaged(target=target.name)
    if head.e_tag == e_tag:
        return False
    read_back(target, stored, report=report)
    return True


def read_back(target: StorageTarget, stored: StoredObject, *, report: Report = lambda _: None) -> None:
    """Read an object and compare size and SHA-256. Raise `CopyDamaged`, `ObjectMissing`."""
    size, digest = 0, hashlib.sha256()
    for piece in target.read(stored.name):
        size += len(piece)
        digest.update(piece)
        report(len(piece))
    if (size, digest.hexdigest()) != (stored.size_bytes, stored.sha256):
        raise CopyDamaged(target=target.name)


def doubts(target: StorageTarget, objects: Iterable[StoredObject], *, report: Report = lambda _: None) -> list[Doubt]:
    """Read all objects of a copy. Return those that are missing, differ or cannot be read.
    Raise other kinds of `TargetFailed`."""
    found = []
    for stored in objects:
        try:
            read_back(target, stored, report=report)
        except (CopyDamaged, ObjectMissing, ObjectUnreadable) as failure:
            found.append(Doubt(name=stored.name, failure=failure))
    return found
