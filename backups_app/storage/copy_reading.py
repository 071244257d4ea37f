"""Reads copies at a target without any local record: what is there, whether it is whole, and each file of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pyrage.x25519 import Identity

from backups_app.errors import CopyDamaged, CopyUnreadable, ObjectMissing, TempleOpsError
from backups_app.storage import copy_manifest, encryption
from backups_app.storage.copy_manifest import Contents, CopiedFile, CopyManifest
from backups_app.storage.encryption import Writable
from backups_app.storage.target import StorageTarget

Tell = Callable[[int], None]
"""Called with the number of stored bytes that came."""


@dataclass(frozen=True, kw_only=True)
class FoundCopy:
    """One copy at a target. `problem` is the named failure that makes it none: a manifest that cannot be read, an
    object that is missing or has another size. `manifest` is None where it cannot be read."""

    backup_id: str
    object_name: str
    manifest: CopyManifest | None
    problem: TempleOpsError | None = None


def find(target: StorageTarget, *, only: str | None = None) -> Iterator[FoundCopy]:
    """Yield the copies at a target, the newest backup first; with `only`, those of one backup. Of one backup that was
    copied more than once the newest copy comes first. Raise a kind of `TargetFailed` where the target fails.

    Objects are compared by their sizes, as the target lists them; `receive` reads their bytes.
    """
    listed = {head.name: head for head in target.list_objects()}
    sizes = {name: head.size_bytes for name, head in listed.items()}
    manifests = [(backup_id, name) for name in listed if (backup_id := copy_manifest.backup_id_of(name))]
    manifests.sort(key=lambda one: (one[0], listed[one[1]].modified_at, one[1]), reverse=True)
    for backup_id, name in manifests:
        if only in (None, backup_id):
            yield _found(target, backup_id, name, sizes)


def _found(target: StorageTarget, backup_id: str, name: str, sizes: dict[str, int]) -> FoundCopy:
    try:
        manifest = copy_manifest.decode(_whole(target, name))
        if manifest.backup_id != backup_id:
            raise CopyDamaged(target=target.name)
    except (CopyUnreadable, CopyDamaged, ObjectMissing) as error:
        return FoundCopy(backup_id=backup_id, object_name=name, manifest=None, problem=error)
    problem = next(
        (said for one in manifest.objects if (said := _wrong(target, one.name, one.size_bytes, sizes))), None
    )
    return FoundCopy(backup_id=backup_id, object_name=name, manifest=manifest, problem=problem)


def _wrong(target: StorageTarget, name: str, size_bytes: int, sizes: dict[str, int]) -> TempleOpsError | None:
    if name not in sizes:
        return ObjectMissing(target=target.name)
    return None if sizes[name] == size_bytes else CopyDamaged(target=target.name)


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
    tell: Tell = lambda _: None,
) -> None:
    """Write the clear bytes of one file of a copy into `into`, in constant memory. They count when this returns: size
    and SHA-256 of the stored and of the clear bytes are those of the manifest.

    Raise `CopyDamaged`, `ObjectMissing` and other kinds of `TargetFailed`, `KeyMissing`, `WrongKey`, and what `into`
    and `tell` raise.
    """
    expected = manifest.stored(file.object)
    stored, clear = _Measured(), _Measured(into)
    pieces = encryption.chunks_as_file(_watched(target.read(expected.name), stored, tell))
    try:
        if manifest.encrypted:
            encryption.unseal(pieces, into=clear, identities=identities)
        while piece := pieces.read(1 << 20):
            clear.write(piece)
    except CopyUnreadable as error:
        raise CopyDamaged(target=target.name) from error
    if stored.seen != (expected.size_bytes, expected.sha256) or clear.seen != (file.size_bytes, file.sha256):
        raise CopyDamaged(target=target.name)


def _watched(pieces: Iterator[bytes], stored: _Measured, tell: Tell) -> Iterator[bytes]:
    for piece in pieces:
        stored.write(piece)
        tell(len(piece))
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
    """Counts and hashes what passes into a file, or what is only looked at."""

    def __init__(self, file: Writable | None = None) -> None:
        self._file = file
        self._size = 0
        self._hash = hashlib.sha256()

    @property
    def seen(self) -> tuple[int, str]:
        return self._size, self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        if self._file is not None:
            self._file.write(data)
        self._size += len(data)
        self._hash.update(data)
        return len(data)
