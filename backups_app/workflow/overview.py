"""What is there to see: runs and backups merged into one list, one run, live counts of what a purge would delete."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from pymongo.errors import PyMongoError

from backups_app import formats
from backups_app.backup_files import layout, metadata
from backups_app.backup_files.stamps import Change
from backups_app.backup_files.store import Store
from backups_app.browsing import whereabouts
from backups_app.browsing.whereabouts import Files
from backups_app.catalog import runs
from backups_app.configuration import Configuration
from backups_app.errors import AllDatedInFuture, BackupNotFound, TempleOpsError, VerificationFailed
from backups_app.mongo import lost
from backups_app.mongo.collections import collection_of
from backups_app.records import PURGEABLE, RunDocument, Side, Status, is_ahead
from backups_app.workflow import folder_records, lost_words, outcome, prepare, recovery, verifying

logger = logging.getLogger(__name__)

COUNT_SECONDS = 2
LOOK_SECONDS = 2
"""A server that is down must not make a page wait: the folders alone are an answer."""


@dataclass(frozen=True, kw_only=True)
class LiveCounts:
    """How many documents of each purgeable collection each side holds now; None where the side does not answer."""

    local: Mapping[str, int] | None
    remote: Mapping[str, int] | None
    sync_enabled: bool


def list_runs(*, configuration: Configuration, every: bool = False, limit: int = 0) -> list[RunDocument]:
    """Return the published backups, newest first; with `every`, all runs. The list comes from the folders.

    Where `backup_metadata` is lost or the server down, the folders' own `metadata.json` speaks, and lost records are
    rebuilt from it. A folder that somebody else's mongodump wrote is listed as unverified.
    """
    store = prepare.store(configuration)
    answered, ids, store_id = _records(configuration), store.backups().ids, store.store_id()
    records = answered or {}
    lost = [backup_id for backup_id in ids if answered is not None and backup_id not in answered]
    published = {backup_id: _merged(store, backup_id, records.pop(backup_id, None)) for backup_id in ids}
    _rebuild(configuration, [published[backup_id] for backup_id in lost])
    unpublished = [_unpublished(document, store_id) for document in records.values()] if every else []
    merged = sorted([*published.values(), *unpublished], key=_age, reverse=True)
    return merged[:limit] if limit else merged


def get_run(*, configuration: Configuration, backup_id: str) -> RunDocument:
    """Return one run, from its record or from its folder. Raise `InvalidBackupId`, `BackupNotFound`.

    Raise `DatabaseUnreachable` where there is no folder and nobody can tell whether there is a record.
    """
    layout.check_id(backup_id)
    store, record, silence = prepare.store(configuration), None, None
    try:
        record = _record(configuration, backup_id)
    except (PyMongoError, TempleOpsError) as error:
        silence = error
    if backup_id in store.backups().ids:
        return _merged(store, backup_id, record)
    if silence is not None:
        raise silence
    if record is None:
        raise BackupNotFound()
    if record["phase"] == "queued" and record["status"] == Status.IN_PROGRESS:
        recovery.close_unclaimed(database=prepare.local_database(configuration))
        record = _record(configuration, backup_id) or record
    return _unpublished(record, store.store_id())


def active_run(*, configuration: Configuration) -> RunDocument | None:
    """Return the run in progress, or None; None too where the server does not answer."""
    try:
        with lost.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
            document = runs.active(prepare.local_database(configuration))
    except (PyMongoError, TempleOpsError):
        return None
    return None if document is None else _told(document, files=Files.NONE)


def counts(*, configuration: Configuration) -> LiveCounts:
    """Count the purgeable collections on both sides now, both at the same time, each in at most two seconds."""
    sides = [Side.LOCAL, Side.REMOTE] if configuration.sync_enabled else [Side.LOCAL]
    with ThreadPoolExecutor(len(sides), thread_name_prefix="counts") as pool:
        found = dict(zip(sides, pool.map(lambda side: _counted(side, configuration), sides), strict=True))
    return LiveCounts(local=found[Side.LOCAL], remote=found.get(Side.REMOTE), sync_enabled=configuration.sync_enabled)


def _counted(side: Side, configuration: Configuration) -> dict[str, int] | None:
    try:
        database = prepare.side(configuration, side)
        with lost.asking(side, configuration=configuration, seconds=COUNT_SECONDS, anew=True):
            return {name: collection_of(database, name).count_documents({}) for name in PURGEABLE}
    except (PyMongoError, TempleOpsError):
        return None


def _records(configuration: Configuration) -> dict[str, RunDocument] | None:
    """Return the records by id, or None when the server does not answer."""
    try:
        with lost.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
            return {document["_id"]: document for document in runs.recent(prepare.local_database(configuration))}
    except (PyMongoError, TempleOpsError) as error:
        logger.warning("Listing from the folders alone", extra={"reason": type(error).__name__})
        return None


def _record(configuration: Configuration, backup_id: str) -> RunDocument | None:
    with lost.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
        return runs.get(prepare.local_database(configuration), backup_id=backup_id)


def _merged(store: Store, backup_id: str, record: RunDocument | None) -> RunDocument:
    """The record tells how the run ended; the folder tells whether there is a manifest to trust, and whether the files
    are those that it was made of. What others dumped is told by the folder alone: a record may be of another dump."""
    try:
        folder = store.folder(backup_id)
        written = metadata.read(folder) or {}
        changed = folder_records.changed(folder, written)
        told = _of_the_folder(backup_id, written, record, changed)
    except (VerificationFailed, BackupNotFound, OSError) as error:
        told = record or folder_records.foreign(backup_id, problem=str(error))
        return _told(told, files=Files.HERE, damaged=True)
    damaged = _found_bad(store, backup_id, told) or changed in (Change.SIZE, Change.OTHERS)
    return _told(told, files=Files.HERE, verified=changed is Change.NONE and not damaged, damaged=damaged)


def _of_the_folder(
    backup_id: str, written: Mapping[str, Any], record: RunDocument | None, changed: Change | None
) -> RunDocument:
    ours = record if record is not None and record.get("kind") != folder_records.FOREIGN else None
    if changed is None:  # nobody has verified what lies here now
        return ours | {"verification": None} if ours else folder_records.foreign(backup_id)
    if ours is not None:
        return ours
    return folder_records.from_metadata(backup_id, written) | {"verification": (record or {}).get("verification")}


def _found_bad(store: Store, backup_id: str, told: RunDocument) -> bool:
    """Whether a verification found these files bad; one that found others bad says nothing about them."""
    found = told.get("verification") or {}
    if not found and told["status"] == folder_records.UNVERIFIED:  # it has no record that could hold a verdict
        event = verifying.last(store, backup_id)
        return event is not None and event.result == verifying.DAMAGED
    if found.get("problem") is None:
        return False
    return not found.get(verifying.SEEN) or found[verifying.SEEN] == verifying.seen(store, backup_id)


def _unpublished(document: RunDocument, store_id: str | None) -> RunDocument:
    """Return a run whose folder is not here."""
    return _told(document, files=whereabouts.of(document, here=False, store_id=store_id))


def _told(document: RunDocument, *, files: Files, verified: bool = False, damaged: bool = False) -> RunDocument:
    """Return the run with what only a reader can add: where its files are and what may be done with it."""
    document.setdefault("_id", document["backup_id"])
    here = files is Files.HERE
    told = document | {
        "published": here,
        "verified": verified,
        "damaged": damaged,
        "files": files.value,
        "dated_in_future": is_ahead(document["created_at"], now=timezone.now()),
        "resume_available": bool(document.get("resume_available")) and here and not damaged,
        "keep_available": outcome.keep_available(document) and files is not Files.UNMOUNTED,
    }
    if lost_words.sentence(told):
        told |= lost_words.without_claims(told)
    return told | {"message": outcome.message(told)}


def _rebuild(configuration: Configuration, lost: Sequence[RunDocument]) -> None:
    """Write lost records again, those of our own backups. A server that is down is not a reason to show nothing."""
    for document in lost:
        if (
            not document["verified"]
            or document.get("database", configuration.database_name) != configuration.database_name
        ):
            continue
        record = {key: value for key, value in document.items() if key not in _ADDED}
        try:
            runs.restore_record(prepare.local_database(configuration), document=record)
        except (PyMongoError, TempleOpsError):
            return


_ADDED = frozenset({"published", "verified", "damaged", "message", "files", "keep_available", "dated_in_future"})


def _age(document: RunDocument) -> tuple[datetime, str]:
    """Order comes from the record, never from the name."""
    return document["created_at"], document["_id"]


def public(document: RunDocument) -> dict[str, Any]:
    """Return a run as `--json` and the API show it: plain JSON, without what only the machinery needs."""
    hidden = {"_id", "owner", "fence", "heartbeat_at", "idempotency_key", "child", "starter"}
    shown: dict[str, Any] = formats.plain({key: value for key, value in document.items() if key not in hidden})
    return shown


def resolve(configuration: Configuration, wanted: str, *, with_backup: bool = False) -> str:
    """Return the id that a person means: an id, or `latest`, which is none that is dated in the future.
    `with_backup` passes over runs that made none: a rehearsal, a test copy, one that failed.

    Raise `BackupNotFound`, `InvalidBackupId`.
    """
    if wanted != "latest":
        return layout.check_id(wanted)
    every = list_runs(configuration=configuration, every=True)
    every = [run for run in every if not with_backup or whereabouts.made_a_backup(run)]
    newest = next((run for run in every if not run["dated_in_future"]), None)
    if newest is None:
        raise AllDatedInFuture() if every else BackupNotFound()
    return str(newest["backup_id"])
