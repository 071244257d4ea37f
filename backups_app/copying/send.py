"""Makes one copy of one backup at one target. The order is in the room's docstring."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from backups_app.backup_files import descent
from backups_app.backup_files.manifest import Manifest
from backups_app.copying import proof
from backups_app.errors import CopySourceDamaged, TargetFailed, VerificationFailed
from backups_app.storage import copy_manifest, encryption
from backups_app.storage.copy_manifest import Contents
from backups_app.storage.copy_rows import Claim, Written
from backups_app.storage.encryption import ReadableFile
from backups_app.storage.etags import ETag
from backups_app.storage.target import CHUNK_BYTES, StorageTarget

SITE = "site.json.gz"
MANIFEST = ""
"""The path of the manifest in the row: it is no file of the backup."""
ALIVE_EVERY = timedelta(seconds=2)
"""The page shows how far a copy is."""

Clock = Callable[[], datetime]
Report = Callable[[int], None]
"""Called with the number of stored bytes that were sent."""


@dataclass(frozen=True, kw_only=True)
class CopySource:
    """A published backup. `metadata` is its `metadata.json`, `base` the full backup that an incremental begins from."""

    backup_id: str
    folder: Path
    manifest: Manifest
    metadata: Mapping[str, Any]
    base: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One copy in the making. `site` is the content of `site.json.gz` that travels with it, where there is one,
    `site_id` the site that makes it."""

    claim: Claim
    target: StorageTarget
    source: CopySource
    recipients: Sequence[str]
    clock: Clock
    site: bytes | None = None
    site_id: str = ""
    report: Report = lambda _: None

    def send(self) -> None:
        """Make the copy, or go on with it. It counts when this returns.

        Raise kinds of `TargetFailed`, `CopySourceDamaged`, `StorageFailed` and its kin, `Overtaken`.
        """
        self.claim.total(sum(entry.bytes for entry in self.source.manifest.files.values()))
        self._doubt_what_is_gone()
        read = [self._file(path) for path in self._in_order()]
        if self.site is not None:
            read.append(self._bytes(SITE, self.site))
        name = self._manifest_of_before() or self._manifest(read)
        self._remove_other_manifests(name)
        self.claim.complete(
            manifest=name,
            stored_bytes=sum(one.size_bytes for one in self.claim.parts.values()),
            read_back=all(read),
            now=self.clock(),
        )

    def _in_order(self) -> list[str]:
        """Return the paths to send. Encrypted ones go in a random order: the dates at the target would show a stranger
        which object is which of the collections."""
        paths = sorted(self.source.manifest.files)
        return random.sample(paths, len(paths)) if self.recipients else paths

    def _doubt_what_is_gone(self) -> None:
        """Of an attempt that was broken off, trust only what the target still has in the same size."""
        before = [one for one in self.claim.written if one.proven]
        if not before:
            return
        sizes = {head.name: head.size_bytes for head in self.target.list_objects()}
        gone = [one.name for one in before if sizes.get(one.name) != one.size_bytes]
        if gone:
            self.claim.doubt(gone)

    def _file(self, path: str) -> bool:
        """Return whether the object was read back now. One of an earlier attempt is not sent again."""
        expected = self.source.manifest.files[path]
        known = self.claim.parts.get(path)
        if known is not None and known.clear_sha256 == expected.sha256:
            return False
        try:
            with descent.open_file(self.source.folder, path) as file:
                return self._object(path, file, expected=(expected.bytes, expected.sha256))
        except (FileNotFoundError, VerificationFailed) as error:
            raise CopySourceDamaged(backup_id=self.source.backup_id) from error

    def _bytes(self, path: str, data: bytes) -> bool:
        known = self.claim.parts.get(path)
        if known is not None and known.clear_sha256 == hashlib.sha256(data).hexdigest():
            return False
        return self._object(path, io.BytesIO(data))

    def _object(self, path: str, file: ReadableFile, *, expected: tuple[int, str] | None = None) -> bool:
        """Write one object, encrypted where there are recipients, and prove it. Return whether it was read back."""
        clear, stored = Measured(file), Outgoing(clock=self.clock, alive=self.claim.alive, report=self.report)
        pieces = encryption.sealed(clear, recipients=self.recipients) if self.recipients else _pieces(file)
        entry = Written(name=copy_manifest.new_object_name(), path=path)
        self.claim.begin(entry)
        self.target.put(entry.name, stored.pass_on(pieces))
        seen = clear.seen if self.recipients else (stored.size_bytes, stored.sha256)
        if expected is not None and seen != expected:
            raise CopySourceDamaged(backup_id=self.source.backup_id)
        return self._prove(replace(entry, clear_bytes=seen[0], clear_sha256=seen[1]), stored)

    def _manifest_of_before(self) -> str:
        """Return the manifest that an earlier attempt wrote after all that is here; empty where there is none."""
        last = self.claim.written[-1] if self.claim.written else None
        return last.name if last is not None and last.proven and last.path == MANIFEST else ""

    def _remove_other_manifests(self, name: str) -> None:
        """Another one may be there, of an attempt whose end nobody saw: one backup is one copy."""
        for one in self.claim.written:
            if one.path == MANIFEST and one.name != name:
                with suppress(TargetFailed):  # without the right to delete it stays, and names objects that are there
                    self.target.delete(one.name)

    def _manifest(self, read: list[bool]) -> str:
        """Write the manifest, the last object of the copy. Return its name."""
        parts = self.claim.parts
        files = [parts[path] for path in sorted(self.source.manifest.files)]
        site = parts[SITE] if self.site is not None else None
        contents = Contents(
            files=tuple(one.copied for one in files),
            metadata=self.source.metadata,
            recipients=tuple(self.recipients),
            site=site.copied if site else None,
            site_id=self.site_id,
        )
        data = copy_manifest.encode(
            backup_id=self.source.backup_id,
            base=self.source.base,
            copied_at=self.clock(),
            objects=[one.stored for one in [*files, *([site] if site else [])]],
            contents=contents,
        )
        entry = Written(name=copy_manifest.new_manifest_name(self.source.backup_id), path=MANIFEST)
        stored = Outgoing(clock=self.clock, alive=self.claim.alive, report=self.report)
        self.claim.begin(entry)
        self.target.put(entry.name, stored.pass_on(iter([data])))
        read.append(self._prove(entry, stored))
        return entry.name

    def _prove(self, entry: Written, stored: Outgoing) -> bool:
        entry = replace(entry, size_bytes=stored.size_bytes, sha256=stored.sha256)
        self.claim.stored(entry)
        read = proof.prove(self.target, entry.stored, e_tag=stored.e_tag, report=lambda _: stored.give_sign())
        self.claim.stored(replace(entry, proven=True))
        return read


class Measured:
    """A file whose size and hash are known when it was read to its end."""

    def __init__(self, file: ReadableFile) -> None:
        self._file = file
        self._size = 0
        self._hash = hashlib.sha256()

    @property
    def seen(self) -> tuple[int, str]:
        return self._size, self._hash.hexdigest()

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._size += len(data)
        self._hash.update(data)
        return data


def _pieces(file: ReadableFile) -> Iterator[bytes]:
    while piece := file.read(CHUNK_BYTES):
        yield piece


class Outgoing:
    """What is sent: its size, its hash, the e_tag that it should get. Gives a sign of life every few seconds, also
    while it is read back."""

    def __init__(self, *, clock: Clock, alive: Callable[..., None], report: Report) -> None:
        self._clock, self._alive, self._report = clock, alive, report
        self._hash, self._e_tag = hashlib.sha256(), ETag()
        self._alive_at = clock()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def e_tag(self) -> str:
        return self._e_tag.value()

    def pass_on(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.size_bytes += len(piece)
            self._hash.update(piece)
            self._e_tag.update(piece)
            self._report(len(piece))
            self.give_sign()
            yield piece

    def give_sign(self) -> None:
        """Note that bytes have moved, unless that was noted a moment ago."""
        now = self._clock()
        if now - self._alive_at >= ALIVE_EVERY:
            self._alive_at = now
            self._alive(sent_bytes=self.size_bytes, now=now)
