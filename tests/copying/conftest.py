"""A backup that is to be copied, its row, and targets to copy to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyrage.x25519 import Identity

from backups_app.backup_files.manifest import FileEntry, Manifest
from backups_app.copying.send import CopySource, Sender
from backups_app.models import BackupCopy
from backups_app.storage import copy_reading, copy_rows, encryption
from backups_app.storage.copy_rows import Claim, Written
from backups_app.storage.target import StorageTarget
from tests.storage.making import directory_target

BACKUP_ID = "20250119_143022"
NOW = datetime(2025, 1, 19, 15, 0, tzinfo=UTC)
KEYS = encryption.new_key_pair()
FILES = {
    "temple/a.bson": b"a" * 40,
    "temple/b.bson": b"b" * 30,
    "temple/empty.bson": b"",
    "temple/a.metadata.json": b"{}",
}


@dataclass
class Copying:
    """One backup, and what a test does to copy it. The clock moves by a second each time it is looked at."""

    folder: Path
    files: dict[str, bytes]
    recipients: tuple[str, ...] = ()
    site: bytes | None = b"site"
    now: datetime = NOW
    gone: bool = True
    row: BackupCopy = field(init=False)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    @property
    def source(self) -> CopySource:
        entries = {path: _entry(data) for path, data in self.files.items()}
        manifest = Manifest(database="temple", files=entries)
        return CopySource(backup_id=BACKUP_ID, folder=self.folder, manifest=manifest, metadata={"backup_id": BACKUP_ID})

    def claim(self, target: str = "nas") -> Claim:
        """Claim the row as a process does whose predecessor is gone."""
        self.row = copy_rows.ask(
            backup_id=BACKUP_ID, target=target, recipients=self.recipients, elsewhere=True, facts={}, now=self.now
        )
        claim = copy_rows.claim(self.row, worker={"pid": 1}, is_gone=lambda _: self.gone, now=self.now)
        assert claim is not None
        return claim

    def sender(self, target: StorageTarget, claim: Claim | None = None) -> Sender:
        return Sender(
            claim=claim or self.claim(target.name),
            target=target,
            source=self.source,
            recipients=self.recipients,
            clock=self.clock,
            site=self.site,
        )

    def require_whole(self, target: StorageTarget) -> None:
        """Assert that the target has this backup once, whole, readable without our database, and the row says so."""
        found = list(copy_reading.find(target))
        assert [(one.backup_id, one.problem) for one in found] == [(BACKUP_ID, None)]
        manifest = found[0].manifest
        assert manifest is not None
        identities = [Identity.from_str(KEYS.private)] if self.recipients else []
        contents = copy_reading.open_contents(found[0], identities=identities)
        received = {}
        for file in contents.files:
            into = Kept()
            copy_reading.receive(target, manifest=manifest, file=file, into=into, identities=identities)
            received[file.path] = bytes(into.data)
        assert received == self.files
        self.row.refresh_from_db()
        assert self.row.state == copy_rows.State.COMPLETE
        assert self.row.manifest == found[0].object_name

    def written(self) -> list[Written]:
        """Return the names that the row knows."""
        self.row.refresh_from_db()
        return [Written(**entry) for entry in self.row.written]


class Kept:
    """A file in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)


def _entry(data: bytes) -> FileEntry:
    digest = hashlib.sha256(data).hexdigest()
    return FileEntry(bytes=len(data), sha256=digest, stream_bytes=len(data), stream_sha256=digest)


Made = Callable[..., Copying]


@pytest.fixture
def copying(tmp_path: Path, db: None) -> Made:
    """Call it with files (path to bytes) and recipients: then a backup with these files is there."""

    def make(files: dict[str, bytes] = FILES, recipients: Sequence[str] = ()) -> Copying:
        folder = tmp_path / f"backup_{BACKUP_ID}"
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        (folder / "metadata.json").write_text(json.dumps({"backup_id": BACKUP_ID}))
        return Copying(folder=folder, files=dict(files), recipients=tuple(recipients))

    return make


@pytest.fixture
def nas(tmp_path: Path) -> StorageTarget:
    """A directory that was prepared as a target."""
    return directory_target(tmp_path / "nas")
