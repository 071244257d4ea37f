"""The copy that a restore test begins from: fetched into the run's own folder, which goes with the run.

    .partial-<run>/backup_<id>/      the backup, and beside it the base that it needs

The private key is that of `BACKUP_COPY_IDENTITY_FILE`, or one that a command was given (`using`). It is in no record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyrage.x25519 import Identity

from backups_app.backup_files import durable, layout, metadata
from backups_app.backup_files.manifest import Manifest
from backups_app.configuration import Configuration
from backups_app.copying import damage
from backups_app.errors import CopyNotFound, TempleOpsError
from backups_app.restore.source import Source
from backups_app.runs.context import Run
from backups_app.runs.copies import own_copies, receiving
from backups_app.runs.description import folder_records
from backups_app.storage import copy_reading, encryption, key_proofs, targets
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.target import StorageTarget


@dataclass(frozen=True, kw_only=True)
class RehearsedCopy:
    """A copy that a restore test begins from: the target, its manifest there, and the backup's own manifest."""

    target: str
    object_name: str
    backup_id: str
    manifest: Manifest

    def as_document(self) -> dict[str, str]:
        """Return what the run's document holds of it."""
        return {"target": self.target, "manifest": self.object_name}


_given: ContextVar[tuple[Identity, ...]] = ContextVar("given_identities", default=())


@contextmanager
def using(identities: Sequence[Identity]) -> Iterator[None]:
    """Open copies with these private keys for the block, instead of those of the setting."""
    token = _given.set(tuple(identities))
    try:
        yield
    finally:
        _given.reset(token)


def identities(configuration: Configuration) -> tuple[Identity, ...]:
    """Return the private keys to open copies with; none where there are none. Raise `KeyNotReadable`."""
    if _given.get() or configuration.copy_identity_file is None:
        return _given.get()
    return encryption.read_identities(configuration.copy_identity_file)


def fetch(run: Run) -> Manifest:
    """Fetch the copy that the run's document names, and its base. Return the backup's manifest.

    A copy that is not what was written there is noted as damaged. Raise `CopyNotFound`, `KeyMissing`, `WrongKey`,
    `DiskFull`, kinds of `TargetFailed`, and what progress raises.
    """
    wanted = run.document.restore
    target = targets.open_target(targets.named(run.configuration.targets, wanted.copy_at))
    durable.make_directory(run.partial)
    found = _found(target, run.document.restore.choices["backup_id"], wanted.copy_manifest)
    base = found.manifest.base if found.manifest is not None else None
    if base is not None:
        _receive(run, target, _base(run, target, base))
    written = _receive(run, target, found)
    return folder_records.manifest_in(written)


def source(run: Run) -> Source:
    """Return the fetched backup as a restore reads it."""
    folder = folder_of(run, run.document.restore.choices["backup_id"])
    return Source(folder=folder, manifest=folder_records.manifest_in(metadata.read(folder) or {}))


def folder_of(run: Run, backup_id: str) -> Path:
    """Return where a fetched backup lies in the run's own folder."""
    return run.partial / layout.published_name(backup_id)


def _found(target: StorageTarget, backup_id: str, name: str) -> FoundCopy:
    """Return the copy with this manifest."""
    found = next((one for one in copy_reading.find(target, only=backup_id) if name == one.object_name), None)
    if found is None:
        raise CopyNotFound(target=target.name, backup_id=backup_id)
    return found


def _base(run: Run, target: StorageTarget, backup_id: str) -> FoundCopy:
    """Return the newest copy of a base that is ours. Raise what is wrong with the newest where none is."""
    problem: TempleOpsError | None = None
    for found in copy_reading.find(target, only=backup_id):
        try:
            with damage.noted(target, found):
                contents = copy_reading.open_contents(found, identities=identities(run.configuration))
            own_copies.require_proof(run.configuration, target=target.name, found=found, contents=contents)
        except TempleOpsError as error:
            problem = problem or error
        else:
            return found
    raise problem or CopyNotFound(target=target.name, backup_id=backup_id)


def _receive(run: Run, target: StorageTarget, found: FoundCopy) -> dict[str, Any]:
    with damage.noted(target, found):
        return _received(run, target, found)


def _received(run: Run, target: StorageTarget, found: FoundCopy) -> dict[str, Any]:
    keys, folder = identities(run.configuration), folder_of(run, found.backup_id)
    contents = copy_reading.open_contents(found, identities=keys)
    own_copies.require_proof(run.configuration, target=target.name, found=found, contents=contents)
    assert found.manifest is not None
    durable.make_directory(folder)
    receiving.receive(
        store=run.store,
        folder=folder,
        target=target,
        manifest=found.manifest,
        contents=contents,
        identities=keys,
        progress=run.progress,
    )
    metadata.write(folder, contents.metadata)
    proven = key_proofs.recipients_proven(found.manifest, contents, identities=keys)
    key_proofs.record(recipients=proven, target=target.name, backup_id=found.backup_id, by="rehearse", now=run.now)
    return dict(contents.metadata)
