"""The two ways that `copies.py` compares."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore

from backups_app.backup_files.manifest import FileEntry, Manifest
from backups_app.copying.send import CopySource, Sender
from backups_app.storage import copy_rows
from backups_app.storage.etags import PART_BYTES
from backups_app.storage.object_store import PARTS_AT_ONCE, ObjectStoreTarget
from tests.services.seaweed import Seaweed

FIRST = datetime(2025, 1, 19, tzinfo=UTC)
_numbers = itertools.count(1)


def target(server: Seaweed) -> ObjectStoreTarget:
    """Return a target at the server."""
    return ObjectStoreTarget(
        name="offsite", kind="s3", bucket="bench", prefix="temple", options=server.options(), allow_http=True
    )


def plain(to: ObjectStoreTarget, path: Path) -> None:
    """Copy the file by the library alone, with parts of the same size."""
    name = f"plain-{next(_numbers)}"
    obstore.put(to._store, name, path, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
    to.delete(name)


def entry(path: Path) -> FileEntry:
    """Return the file as the manifest of its backup knows it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    return FileEntry(bytes=size, sha256=digest, stream_bytes=size, stream_sha256=digest)


def ours(to: ObjectStoreTarget, path: Path, known: FileEntry, *, recipients: Sequence[str]) -> None:
    """Copy it as a backup of one file."""
    backup_id = f"{FIRST + timedelta(seconds=next(_numbers)):%Y%m%d_%H%M%S}"
    now = datetime.now(UTC)
    row = copy_rows.ask(backup_id=backup_id, target=to.name, recipients=recipients, elsewhere=True, facts={}, now=now)
    claim = copy_rows.claim(row, worker={}, is_gone=lambda _: True, now=now)
    assert claim is not None
    source = CopySource(
        backup_id=backup_id, folder=path.parent, manifest=Manifest(database="b", files={path.name: known}), metadata={}
    )
    Sender(claim=claim, target=to, source=source, recipients=recipients, clock=lambda: datetime.now(UTC)).send()
    for one in claim.written:
        to.delete(one.name)
