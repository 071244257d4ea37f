"""Fetches backups from a target into this store: what faces call."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pymongo.errors import PyMongoError
from pyrage.x25519 import Identity

from backups_app.access.trail import audit
from backups_app.backup_files import layout, metadata
from backups_app.backup_files.store import unfinished_fetch
from backups_app.backup_files.store.store import Store
from backups_app.catalog import lease
from backups_app.catalog.run import run_parts, runs
from backups_app.configuration import Configuration
from backups_app.copying import damage
from backups_app.errors import (
    BackupDiffers,
    CopyDamaged,
    CopyNotEncrypted,
    CopyNotFound,
    CopyOfAnotherDatabase,
    CopyOfAnotherSite,
    CopySiteUnknown,
    CopyUnreadable,
    DiskFull,
    KeyMissing,
    NotResumable,
    ObjectMissing,
    ObjectUnreadable,
    StoreMissing,
    TempleOpsError,
    VerificationFailed,
    WrongKey,
)
from backups_app.messages.protection import storage as messages
from backups_app.mongo import availability
from backups_app.progress import Progress
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.runs.copies import receiving
from backups_app.runs.description import folder_records
from backups_app.storage import key_proofs
from backups_app.storage.target import StorageTarget
from backups_app.use_cases import copy_choices, verification
from backups_app.use_cases.backups import keeping
from backups_app.use_cases.copy_choices import CopyChoice
from backups_app.use_cases.fetching import adopting, site, site_taken, trail
from backups_app.use_cases.fetching.site import Site
from backups_app.use_cases.readiness import readiness
from backups_app.verification import verdict

logger = logging.getLogger(__name__)

ACTION = "backup.fetch"
LOOK_SECONDS = 5
OF_ONE_COPY = (
    CopyDamaged, CopyNotFound, CopyUnreadable, ObjectMissing, ObjectUnreadable, KeyMissing, WrongKey, BackupDiffers,
    VerificationFailed, CopyOfAnotherDatabase, CopyOfAnotherSite, CopySiteUnknown, CopyNotEncrypted,
)  # fmt: skip
"""What is wrong with one copy: the others are fetched all the same."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What became of one backup. `was_here`: it lay in this store already, was verified and left alone. `error` says
    why it is not here, or why it cannot be relied on; `site_error` why its copy's audit trail was left."""

    choice: CopyChoice
    was_here: bool = False
    error: TempleOpsError | None = None
    site_error: TempleOpsError | None = None


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """A request to fetch: from where, with which keys, who asks and when. `accept_unencrypted`: also copies that are
    not encrypted, beside encrypted ones. `of_site`: the site that is meant, by its id or the first digits of it; empty:
    ours, or the only one there."""

    configuration: Configuration
    target: StorageTarget
    identities: Sequence[Identity]
    requested_by: str
    origin: Origin
    now: datetime
    progress: Progress
    accept_unencrypted: bool = False
    of_site: str = ""


def fetch(wanted: str, *, asked: Fetch) -> list[Fetched]:
    """Bring backups into this store: an id, `latest` (with the base that it needs), `holders` (those that alone hold
    deleted documents) or `all`. Return what became of each. Nothing is published that is not whole and verified.

    One copy that is damaged, or for which there is no room, does not keep the others away; nor does one of another
    site. A machine without an id goes on as the site whose backup came. Raise `ModeNotLocal`, `InvalidBackupId`,
    `StoreMissing`, `StoreOfAnotherDatabase`, `CopyNotFound`, `SeveralSites`, `SiteNotFound`, `KeyMissing`, `WrongKey`,
    kinds of `TargetFailed`, `RunActive`, and what `progress` raises.
    """
    readiness.require_local(asked.configuration)
    if wanted not in (copy_choices.LATEST, copy_choices.HOLDERS, copy_choices.ALL):
        layout.check_id(wanted)
    store = _prepared_store(asked.configuration)
    sites = site_taken.sites_at(
        asked.target, configuration=asked.configuration, identities=asked.identities, database=store.database,
        named=asked.of_site,
    )  # fmt: skip
    with copy_choices.unencrypted_accepted(asked.accept_unencrypted or asked.configuration.copies_in_clear):
        chosen = copy_choices.choose(asked.target, wanted, identities=asked.identities, now=asked.now, sites=sites)
    asked = replace(asked, of_site=sites.meant)
    fetched: list[Fetched] = []
    before = (
        trail.newest_at(asked.target, now=asked.now) if wanted == copy_choices.HOLDERS else ""
    )  # `latest` comes after them
    with trail.going_on(
        asked.target, identities=asked.identities, database=store.database, now=asked.now, before=before
    ) as going_on:
        for number, choice in enumerate(chosen, start=1):
            fetched.append(_one(store, choice, asked))
            going_on.look(accepted(fetched), chosen[number:])
    return [replace(one, site_error=going_on.problems.get(one.choice.backup_id)) for one in fetched]


def accepted(fetched: Sequence[Fetched]) -> list[CopyChoice]:
    """Return the copies whose backups came, or were here and are good: `site.json` of no other is used."""
    return [one.choice for one in fetched if one.error is None]


def bring_site(*, asked: Fetch, fetched: Sequence[Fetched]) -> Site | None:
    """Bring in what `site.json` says of the newest backup that was fetched, of an older one where that cannot be used:
    schedules, the policy, people. Return None where no copy has one. Raises as `site.bring_newest`."""
    readiness.require_local(asked.configuration)
    database = preparation.store(asked.configuration).database
    return site.bring_newest(
        asked.target,
        [one for one in accepted(fetched) if site.is_offered(one, database=database)],
        identities=asked.identities,
        requested_by=asked.requested_by,
        origin=asked.origin,
        now=asked.now,
    )


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


def _one(store: Store, choice: CopyChoice, asked: Fetch) -> Fetched:
    try:
        if choice.problem is not None:
            raise choice.problem
        other = copy_choices.problem_of_database(choice, target=asked.target.name, database=store.database)
        if other is not None:
            raise other
        if choice.backup_id in store.backups().ids:
            return _verified_here(store, choice, asked)
        _bring(store, choice, asked)
    except (*OF_ONE_COPY, DiskFull) as error:  # where it was too large, a smaller one may have room
        _on_record(asked, choice.backup_id, result=error.code)
        return Fetched(choice=choice, error=error)
    return Fetched(choice=choice)


@contextmanager
def _named() -> Iterator[None]:
    """Name what nobody foresaw in the content of one copy. The log says what it was."""
    try:
        yield
    except site.UNFORESEEN as error:
        logger.exception("A copy could not be fetched", extra={"reason": type(error).__name__})
        raise CopyUnreadable(problem=messages.COPY_MANIFEST_INVALID()) from error


def _verified_here(store: Store, choice: CopyChoice, asked: Fetch) -> Fetched:
    """Look at a backup of this id that is here already. It is never replaced."""
    folder = store.folder(choice.backup_id)
    written = metadata.read(folder) or {}
    if written.get("manifest") != choice.metadata.get("manifest"):
        raise BackupDiffers(backup_id=choice.backup_id)
    if written.get(adopting.FETCHED):  # the fetch may have been killed before its record was changed
        fetched = dict(written[adopting.FETCHED])
        _amend_record(store, choice.backup_id, asked, fetched={**fetched, "at": run_parts.moment(fetched.get("at"))})
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
    site_taken.go_on_as(asked.of_site, configuration=asked.configuration, now=asked.now)
    return Fetched(choice=choice, was_here=True)


def _bring(store: Store, choice: CopyChoice, asked: Fetch) -> None:
    _on_record(asked, choice.backup_id, result=audit.STARTED)
    with unfinished_fetch.held(store, choice.backup_id, base=choice.base):
        if choice.backup_id in store.backups().ids:  # another fetch brought it meanwhile
            return
        folder = unfinished_fetch.folder(store, choice.backup_id, now=asked.now)
        try:
            with damage.noted(asked.target, choice.found), _named():
                _fill(store, folder, choice, asked)
        except OF_ONE_COPY:  # what cannot become a backup is not gone on with
            store.discard_partial(choice.backup_id, now=asked.now)
            raise
        site_taken.record_copy(  # before it is here: a process that is killed after that leaves nothing to do
            choice, configuration=asked.configuration, target=asked.target, site=asked.of_site, now=asked.now
        )
        _keep_what_is_left(choice.backup_id, asked)
        unfinished_fetch.finish(store, choice.backup_id, by=asked.requested_by, now=asked.now)
        store.publish(choice.backup_id)
    _amend_record(store, choice.backup_id, asked, fetched={"from": asked.target.name, "at": asked.now})
    _on_record(asked, choice.backup_id, result="fetched")


def _fill(store: Store, folder: Path, choice: CopyChoice, asked: Fetch) -> None:
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
        recipients=key_proofs.recipients_proven(choice.manifest, choice.contents, identities=asked.identities),
        target=asked.target.name,
        backup_id=choice.backup_id,
        by="fetch",
        now=asked.now,
    )


def _keep_what_is_left(backup_id: str, asked: Fetch) -> None:
    """Where MongoDB still knows the deletion of this run as unfinished, give it up there too, before the folder says
    so. Raise `RunActive`: what was received so far stays."""
    try:
        with availability.asking(Side.LOCAL, configuration=asked.configuration, seconds=LOOK_SECONDS, fresh=True):
            record = runs.get(preparation.local_database(asked.configuration), backup_id=backup_id)
    except (PyMongoError, TempleOpsError):  # without MongoDB there is no purge that could go on
        return
    if record is not None and record.resume_available:
        with suppress(NotResumable):  # a Resume has ended it meanwhile
            keeping.keep_after_all(configuration=asked.configuration, backup_id=backup_id)


def _amend_record(store: Store, backup_id: str, asked: Fetch, *, fetched: Mapping[str, Any]) -> None:
    """Where MongoDB still knows this run, its record says where the files are now. A lost one is rebuilt later."""
    changes = {**adopting.here(store, backup_id), adopting.FETCHED: dict(fetched), "removed": None}
    try:
        with availability.asking(Side.LOCAL, configuration=asked.configuration, seconds=LOOK_SECONDS, fresh=True):
            runs.amend(preparation.local_database(asked.configuration), backup_id=backup_id, changes=changes)
    except (PyMongoError, TempleOpsError) as error:
        logger.warning("The record of a fetched backup was not changed", extra={"reason": type(error).__name__})


def _on_record(asked: Fetch, backup_id: str, *, result: str) -> None:
    audit.record(
        actor=asked.requested_by, origin=asked.origin, action=ACTION, target=backup_id, result=result, now=asked.now,
        details={"from": asked.target.name},
    )  # fmt: skip
