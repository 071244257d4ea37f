"""What belongs together: a full backup and the incrementals that begin from it, and how large each is on the disk."""

from __future__ import annotations

from dataclasses import dataclass

from backups_app.backup_files import manifest as manifests
from backups_app.backup_files import metadata
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.errors import TempleOpsError


@dataclass(frozen=True, kw_only=True)
class Chain:
    """`base` is the full backup; `incrementals` begin from it, newest first. Bytes are of the files on the disk."""

    base: str
    incrementals: tuple[str, ...]
    own_bytes: int
    incrementals_bytes: int

    @property
    def number(self) -> int:
        return len(self.incrementals)


def chain_of(*, store: Store, backup_id: str) -> Chain | None:
    """Return what a backup of this store belongs to; `own_bytes` are its own. None for a full one from which none
    begins, and for what is no backup of ours."""
    known = {one: manifest for one in store.backups().ids if (manifest := _manifest(store, one)) is not None}
    mine = known.get(backup_id)
    if mine is None:
        return None
    base = mine.base or backup_id
    found = [one for one in sorted(known, reverse=True) if known[one].base == base]
    if not found:
        return None
    return Chain(
        base=base,
        incrementals=tuple(found),
        own_bytes=_stored_bytes(mine),
        incrementals_bytes=sum(_stored_bytes(known[one]) for one in found),
    )


def own_bytes(*, store: Store, backup_id: str) -> int | None:
    """Return what a backup of this store takes of the disk; None where its `metadata.json` cannot be read."""
    manifest = _manifest(store, backup_id)
    return None if manifest is None else _stored_bytes(manifest)


def _manifest(store: Store, backup_id: str) -> Manifest | None:
    try:
        return manifests.from_json(metadata.manifest_in(store.folder(backup_id)))
    except (TempleOpsError, ValueError, OSError):
        return None


def _stored_bytes(manifest: Manifest) -> int:
    return sum(file.bytes for file in manifest.files.values())
