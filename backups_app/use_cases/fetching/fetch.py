"""Fetches backups from a target into this store: what faces call."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pymongo.errors import PyMongoError
from pyrage.x25519 import Identity

from backups_app.access import audit
from backups_app.backup_files import layout, metadata, unfinished_fetch
from backups_app.backup_files.store import Store
from backups_app.catalog import lease, runs
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupDiffers,
    CopyDamaged,
    CopyUnreadable,
    KeyMissing,
    ObjectMissing,
    StoreMissing,
    StoreOfAnotherDatabase,
    TempleOpsError,
    VerificationFailed,
    WrongKey,
)
from backups_app.mongo import availability
from backups_app.progress import Progress
from backups_app.records import Origin, Side
from backups_app.runs import folder_records, preparation, receiving
from backups_app.storage import key_proofs
from backups_app.storage.target import StorageTarget
from backups_app.use_cases import copy_choices, verification
from backups_app.use_cases.copy_choices import Choice
from backups_app.use_cases.fetching import adopting, site
from backups_app.use_cases.fetching.site import Site
from backups_app.use_cases.readiness import readiness
from backups_app.verification import verdict

logger = logging.getLogger(__name__)

ACTION = "backup.fetch"
LOOK_SECONDS = 5
OF_ONE_COPY = (
    CopyDamaged, CopyUnreadable, ObjectMissing, KeyMissing, WrongKey, BackupDiffers, VerificationFailed,
    StoreOfAnotherDatabase,
)  # fmt: skip
"""What is wrong with one copy: the others are fetched all the same."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What became of one backup. `was_here`: it lay in this store already, was verified and left alone. `error` says
    why it is not here, or why it cannot be relied on."""

    choice: Choice
    was_here: bool = False
    error: TempleOpsError | None = None


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """A request to fetch: from where, with which keys, who asks and when."""

    configuration: Configuration
    target: StorageTarget
    identities: Sequence[Identity]
    requested_by: str
    origin: Origin
    now: datetime
    progress: Progress


def fetch(wanted: str, *, asked: Fetch) -> list[Fetched]:
    """Bring backups into this store: an id, `latest` (with the base that it needs), `holders` (those that alone hold
    deleted documents) or `all`. Return what became of each. Nothing is published that is not whole and verified.

    One copy that is damaged does not keep the others away. Raise `ModeNotLocal`, `InvalidBackupId`, `StoreMissing`,
    `StoreOfAnotherDatabase`, `CopyNotFound`, `KeyMissing`, `WrongKey`, `DiskFull`, kinds of `TargetFailed`, and what
    `progress` raises.
    """
    readiness.require_local(asked.configuration)
    if wanted not in (copy_choices.LATEST, copy_choices.HOLDERS, copy_choices.ALL):
        layout.check_id(wanted)
    store = _prepared_store(asked.configuration)
    chosen = copy_choices.choose(asked.target, wanted, identities=asked.identities, now=asked.now)
    site.go_on_with_trail(asked.target, identities=asked.identities)
    return [_one(store, choice, asked) for choice in chosen]


def bring_site(*, asked: Fetch, choices: Sequence[Choice]) -> Site | None:
    """Bring in what `site.json` of the newest of these copies tells: schedules, the policy, people. Return None where
    no copy has one. Raises as `site.content_of` and `site.bring_in`."""
    readiness.require_local(asked.configuration)
    newest = sorted(choices, key=lambda one: one.backup_id, reverse=True)
    content = site.content_of(asked.target, newest, identities=asked.identities)
    if content is None:
        return None
    return site.bring_in(content, requested_by=asked.requested_by, origin=asked.origin, now=asked.now)


def _prepared_store(configuration: Configuration) -> Store:
    """Return the store, made where it is missing. Where the local server knows another one, its disk is not mounted."""
    store = preparation.store(configuration)
    store.require_ours()
    known = _known_stores(configuration)
    if known and store.store_id() not in known:
        raise StoreMissing()
    store.prepare()
    return store


def _known_stores(configuration: Configuration) -> list[str]:
    """Return the stores that the local server knows; none where it does not answer: a fetch needs no MongoDB."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS, fresh=True):
            return list(lease.known_stores(preparation.local_database(configuration)))
    except (PyMongoError, TempleOpsError):
        return []


def _one(store: Store, choice: Choice, asked: Fetch) -> Fetched:
    try:
        if choice.problem is not None:
            raise choice.problem
        if choice.backup_id in store.backups().ids:
            return _verified_here(store, choice, asked)
        _bring(store, choice, asked)
    except OF_ONE_COPY as error:
        _on_record(asked, choice.backup_id, result=error.code)
        return Fetched(choice=choice, error=error)
    return Fetched(choice=choice)


def _verified_here(store: Store, choice: Choice, asked: Fetch) -> Fetched:
    """Look at a backup of this id that is here already. It is never replaced."""
    folder = store.folder(choice.backup_id)
    written = metadata.read(folder) or {}
    if written.get("manifest") != choice.metadata.get("manifest"):
        raise BackupDiffers(backup_id=choice.backup_id)
    found = verification.verify_backup(
        configuration=asked.configuration,
        backup_id=choice.backup_id,
        requested_by=asked.requested_by,
        origin=asked.origin,
        now=asked.now,
        progress=asked.progress,
    )
    if not found["verified"]:
        return Fetched(choice=choice, was_here=True, error=VerificationFailed(problem=found["problem"]))
    return Fetched(choice=choice, was_here=True)


def _bring(store: Store, choice: Choice, asked: Fetch) -> None:
    _require_same_database(store, choice)
    _on_record(asked, choice.backup_id, result=audit.STARTED)
    with unfinished_fetch.held(store, choice.backup_id):
        if choice.backup_id in store.backups().ids:  # another fetch brought it meanwhile
            return
        folder = unfinished_fetch.folder(store, choice.backup_id, now=asked.now)
        try:
            _fill(store, folder, choice, asked)
        except OF_ONE_COPY:  # what cannot become a backup is not gone on with
            store.discard_partial(choice.backup_id, now=asked.now)
            raise
        unfinished_fetch.finish(store, choice.backup_id)
        store.publish(choice.backup_id)
    _amend_record(store, choice, asked)
    _on_record(asked, choice.backup_id, result="fetched")


def _fill(store: Store, folder: Path, choice: Choice, asked: Fetch) -> None:
    """Receive the files, verify every byte of them, and adopt what the backup says of itself."""
    assert choice.manifest is not None and choice.contents is not None
    receiving.receive(
        store=store,
        folder=folder,
        target=asked.target,
        manifest=choice.manifest,
        contents=choice.contents,
        identities=asked.identities,
        progress=asked.progress,
    )
    original = choice.contents.metadata
    manifest = folder_records.manifest_in(original)
    verdict.recheck(folder=folder, manifest=manifest, progress=asked.progress)
    adopting.adopt(
        store=store, folder=folder, original=original, manifest=manifest, target=asked.target.name, now=asked.now
    )
    key_proofs.record(
        recipients=choice.contents.recipients,
        target=asked.target.name,
        backup_id=choice.backup_id,
        by="fetch",
        now=asked.now,
    )


def _require_same_database(store: Store, choice: Choice) -> None:
    held = choice.run.database
    if choice.run.kind != folder_records.FOREIGN and held and held != store.database:
        raise StoreOfAnotherDatabase(database=store.database, other=held)


def _amend_record(store: Store, choice: Choice, asked: Fetch) -> None:
    """Where MongoDB still knows this run, its record says where the files are now. A lost one is rebuilt later."""
    changes = {
        **adopting.here(store, choice.backup_id),
        adopting.FETCHED: {"from": asked.target.name, "at": asked.now},
        "removed": None,
    }
    try:
        with availability.asking(Side.LOCAL, configuration=asked.configuration, seconds=LOOK_SECONDS, fresh=True):
            runs.amend(preparation.local_database(asked.configuration), backup_id=choice.backup_id, changes=changes)
    except (PyMongoError, TempleOpsError) as error:
        logger.warning("The record of a fetched backup was not changed", extra={"reason": type(error).__name__})


def _on_record(asked: Fetch, backup_id: str, *, result: str) -> None:
    audit.record(
        actor=asked.requested_by, origin=asked.origin, action=ACTION, target=backup_id, result=result, now=asked.now,
        details={"from": asked.target.name},
    )  # fmt: skip
