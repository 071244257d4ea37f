"""Makes copies of backup folders at a target, as the copy job does: files first, the manifest last."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backups_app.backup_files import layout
from backups_app.storage import copy_manifest, encryption
from backups_app.storage.copy_manifest import Contents, CopiedFile, StoredObject
from backups_app.storage.directory import DirectoryTarget
from backups_app.storage.target import StorageTarget

COPIED_AT = datetime(2025, 1, 19, 14, 40, tzinfo=UTC)


def directory_target(root: Path, *, database: str = "temple_db", name: str = "nas") -> DirectoryTarget:
    """Return a prepared directory as a target."""
    target = DirectoryTarget(name=name, root=root)
    root.mkdir(exist_ok=True)
    target.prepare(database=database)
    return target


def copy_folder(
    target: StorageTarget,
    folder: Path,
    *,
    recipients: Sequence[str] = (),
    base: str | None = None,
    site: bytes | None = None,
    copied_at: datetime = COPIED_AT,
    site_id: str = "",
) -> str:
    """Copy a published backup. Return the name of the copy's manifest."""
    backup_id = folder.name.removeprefix(layout.PUBLISHED_PREFIX)
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != layout.METADATA)
    stored: list[StoredObject] = []
    files = [_put(target, str(path.relative_to(folder)), path.read_bytes(), recipients, stored) for path in paths]
    contents = Contents(
        files=tuple(files),
        metadata=json.loads((folder / layout.METADATA).read_bytes()),
        recipients=tuple(recipients),
        site=None if site is None else _put(target, "site.json.gz", site, recipients, stored),
        site_id=site_id,
    )
    data = copy_manifest.encode(backup_id=backup_id, base=base, copied_at=copied_at, objects=stored, contents=contents)
    name = copy_manifest.new_manifest_name(backup_id)
    target.put(name, [data])
    return name


def _put(
    target: StorageTarget, path: str, clear: bytes, recipients: Sequence[str], stored: list[StoredObject]
) -> CopiedFile:
    name = copy_manifest.new_object_name()
    data = b"".join(encryption.sealed(io.BytesIO(clear), recipients=recipients)) if recipients else clear
    target.put(name, [data])
    stored.append(StoredObject(name=name, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
    return CopiedFile(path=path, object=name, size_bytes=len(clear), sha256=hashlib.sha256(clear).hexdigest())


def age(target: DirectoryTarget, *, days: float) -> None:
    """Make every object there as old as that."""
    moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    for head in target.list_objects():
        os.utime(target.root / head.name, (moment, moment))
