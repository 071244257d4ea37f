"""Reads copies at a target without any local record: what is there, whether it is whole, and each file of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyrage.x25519 import Identity

from backups_app.errors import CopyDamaged, CopyUnreadable, ObjectMissing, ObjectUnreadable, TempleOpsError, WrongKey
from backups_app.storage import copy_manifest, encryption
from backups_app.storage.copy_manifest import Contents, CopiedFile, CopyManifest, StoredObject
from backups_app.storage.encryption import Writable
from backups_app.storage.target import ObjectHead, StorageTarget

Report = Callable[[int], None]
"""Called with the number of stored bytes that came."""


@dataclass(frozen=True, kw_only=True)
class FoundCopy:
    """One copy at a target. `problem` is the named failure that makes it none: a manifest that cannot be read, an
    object that is missing or has another size. `manifest` is None where it cannot be read, `stored` is its object."""

    backup_id: str
    object_name: str
    manifest: CopyManifest | None
    problem: TempleOpsError | None = None
    stored: StoredObject | None = None


def find(
    target: StorageTarget, *, only: str | None = None, known: Collection[str] = frozenset()
) -> Iterator[FoundCopy]:
    """Yield the copies at a target, the newest backup first; with `only`, those of one backup. Of one backup that was
    copied more than once the newest copy comes first. Manifests whose names are `known` are left out, unread. Raise a
    kind of `TargetFailed` where the target fails.

    Objects are compared by their sizes, as the target lists them; `receive` reads their bytes.
    """
    yield from among(target, list(target.list_objects()), only=only, known=known)


def among(
    target: StorageTarget,
    objects: Iterable[ObjectHead],
    *,
    only: str | None = None,
    known: Collection[str] = frozenset(),
) -> Iterator[FoundCopy]:
    """Yield the copies among objects that the target has listed. As `find`."""
    listed = {head.name: head for head in objects}
    named = [(backup_id, name) for name in listed if (backup_id := copy_manifest.backup_id_of(name))]
    manifests = [(backup_id, name) for backup_id, name in named if name not in known]
    manifests.sort(key=lambda one: (one[0], listed[one[1]].modified_at, one[1]), reverse=True)
    for backup_id, name in manifests:
        if only in (None, backup_id):
            yield _found(target, backup_id, name, listed)


def _found(target: StorageTarget, backup_id: str, name: str, listed: Mapping[str, ObjectHead]) -> FoundCopy:
    try:
        data = _whole(target, name)
        manifest = copy_manifest.decode(data)
        if manifest.backup_id != backup_id:
            raise CopyDamaged(target=target.name)
    except (CopyUnreadable, CopyDamaged, ObjectMissing, ObjectUnreadable) as error:
        return FoundCopy(backup_id=backup_id, object_name=name, manifest=None, problem=error)
    problem = next((problem for one in manifest.objects if (problem := _wrong(target, one, listed))), None)
    stored = StoredObject(name=name, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return FoundCopy(backup_id=backup_id, object_name=name, manifest=manifest, problem=problem, stored=stored)


def _wrong(target: StorageTarget, stored: StoredObject, listed: Mapping[str, ObjectHead]) -> TempleOpsError | None:
    head = listed.get(stored.name)
    if head is None:
        return ObjectMissing(target=target.name, object=stored.name)
    if head.failure is not None:
        head.failure.facts["object"] = stored.name
        return head.failure
    return None if head.size_bytes == stored.size_bytes else CopyDamaged(target=target.name, object=stored.name)


def open_contents(found: FoundCopy, *, identities: Sequence[Identity]) -> Contents:
    """Return what a copy holds. Raise its `problem`, `KeyMissing`, `WrongKey`, `CopyUnreadable`."""
    if found.problem is not None:
        raise found.problem
    assert found.manifest is not None, "a copy without a manifest has a problem"
    return copy_manifest.open_contents(found.manifest, identities=identities)


def receive(
    target: StorageTarget,
    *,
    manifest: CopyManifest,
    file: CopiedFile,
    into: Writable,
    identities: Sequence[Identity] = (),
    report: Report = lambda _: None,
) -> None:
    """Write the clear bytes of one file of a copy into `into`, in constant memory. They count when this returns: size
    and SHA-256 of the stored and of the clear bytes are those of the manifest.

    No more is read, and no more written, than the manifest says. Raise `CopyDamaged`, `ObjectMissing` and other kinds
    of `TargetFailed`, `KeyMissing`, `WrongKey`, each with the fact `object`, and what `into` and `report` raise.
    """
    expected, damaged = manifest.stored(file.object), CopyDamaged(target=target.name, object=file.object)
    stored = _Measured(at_most=expected.size_bytes, failure=damaged)
    clear = _Measured(into, at_most=file.size_bytes, failure=damaged)
    pieces = encryption.chunks_as_file(_watched(target.read(expected.name), stored, report))
    try:
        if manifest.encrypted:
            encryption.unseal(pieces, into=clear, identities=identities)
        while piece := pieces.read(1 << 20):
            clear.write(piece)
    except CopyUnreadable as error:
        raise damaged from error
    except (ObjectMissing, ObjectUnreadable, WrongKey) as error:
        error.facts["object"] = file.object
        raise
    if stored.seen != (expected.size_bytes, expected.sha256) or clear.seen != (file.size_bytes, file.sha256):
        raise damaged


def _watched(pieces: Iterator[bytes], stored: _Measured, report: Report) -> Iterator[bytes]:
    for piece in pieces:
        stored.write(piece)
        report(len(piece))
        yield piece


def _whole(target: StorageTarget, name: str) -> bytes:
    """Return a manifest. One that is larger than any is damaged, and is not read to its end."""
    data = bytearray()
    for piece in target.read(name):
        data += piece
        if len(data) > copy_manifest.LARGEST_BYTES:
            raise CopyDamaged(target=target.name)
    return bytes(data)


class _Measured:
    """Counts and hashes what passes into a file, or what is only looked at. More than expected is a failure."""

    def __init__(self, file: Writable | None = None, *, at_most: int, failure: CopyDamaged) -> None:
        self._file = file
        self._at_most = at_most
        self._failure = failure
        self._size = 0
        self._hash = hashlib.sha256()

    @property
    def seen(self) -> tuple[int, str]:
        return self._size, self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        self._size += len(data)
        if self._size > self._at_most:
            raise self._failure
        if self._file is not None:
            self._file.write(data)
        self._hash.update(data)
        return len(data)
