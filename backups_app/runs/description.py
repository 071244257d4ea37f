"""A run as a reader sees it: what its record says, beside what its folder holds now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from pymongo.errors import PyMongoError

from backups_app.backup_files import layout, metadata
from backups_app.backup_files.stamps import Change
from backups_app.backup_files.store import Store
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog import runs
from backups_app.catalog.run_parts import VerificationRecord
from backups_app.catalog.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, TempleOpsError, VerificationFailed
from backups_app.mongo import availability
from backups_app.records import Side, is_ahead
from backups_app.runs import folder_records, preparation, verdicts
from backups_app.runs.closing import lost_messages, outcome

LOOK_SECONDS = 2
"""A server that is down must not make a page wait: the folders alone are an answer."""
ADDED_BY_READERS = frozenset(
    {"published", "verified", "damaged", "message", "files", "keep_available", "dated_in_future"}
)
"""What `described` adds to a record. It is never stored."""


def get_run(*, configuration: Configuration, backup_id: str) -> RunRecord:
    """Return one run, from its record or from its folder. Raise `InvalidBackupId`, `BackupNotFound`.

    Raise `DatabaseUnreachable` where there is no folder and nobody can tell whether there is a record.
    """
    layout.check_id(backup_id)
    store, record, silence = preparation.store(configuration), None, None
    try:
        record = _record(configuration, backup_id)
    except (PyMongoError, TempleOpsError) as error:
        silence = error
    if backup_id in store.backups().ids:
        return merged(store, backup_id, record)
    if silence is not None:
        raise silence
    if record is None:
        raise BackupNotFound()
    return unpublished(record, store.store_id())


def _record(configuration: Configuration, backup_id: str) -> RunRecord | None:
    with availability.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
        return runs.get(preparation.local_database(configuration), backup_id=backup_id)


def merged(store: Store, backup_id: str, record: RunRecord | None) -> RunRecord:
    """The record tells how the run ended; the folder tells whether there is a manifest to trust, and whether the files
    are those that it was made of. What others dumped is told by the folder alone: a record may be of another dump."""
    return merged_with_metadata(store, backup_id, record)[0]


def merged_with_metadata(store: Store, backup_id: str, record: RunRecord | None) -> tuple[RunRecord, Mapping[str, Any]]:
    """Return what `merged` returns, and `metadata.json` as it was read for that: empty where it cannot be read."""
    written: Mapping[str, Any] = {}
    try:
        folder = store.folder(backup_id)
        written = metadata.read(folder) or {}
        changed = folder_records.changed(folder, written)
        told = _of_the_folder(backup_id, written, record, changed)
    except (VerificationFailed, BackupNotFound, OSError) as error:
        told = record or folder_records.foreign(
            backup_id, problem=error.detail if isinstance(error, TempleOpsError) else str(error)
        )
        return described(told, files=Files.HERE, damaged=True), written
    damaged = _found_bad(store, backup_id, told) or changed in (Change.SIZE, Change.OTHERS)
    return described(told, files=Files.HERE, verified=changed is Change.NONE and not damaged, damaged=damaged), written


def _of_the_folder(
    backup_id: str, written: Mapping[str, Any], record: RunRecord | None, changed: Change | None
) -> RunRecord:
    ours = record if record is not None and record.kind != folder_records.FOREIGN else None
    if changed is None:  # nobody has verified what lies here now
        return ours | {"verification": None} if ours else folder_records.foreign(backup_id)
    if ours is not None:
        return ours
    verified = (record or RunRecord()).stored_fields("verification")
    return folder_records.from_metadata(backup_id, written) | verified


def _found_bad(store: Store, backup_id: str, told: RunRecord) -> bool:
    """Whether a verification found these files bad; one that found others bad says nothing about them."""
    found = told.verification
    if (
        found == VerificationRecord() and told.status == folder_records.UNVERIFIED
    ):  # it has no record that could hold a verdict
        event = verdicts.last(store, backup_id)
        return event is not None and event.result == verdicts.DAMAGED
    if found.problem is None:
        return False
    return not found.seen or found.seen == verdicts.seen(store, backup_id)


def unpublished(document: RunRecord, store_id: str | None) -> RunRecord:
    """Return a run whose folder is not here."""
    return described(document, files=whereabouts.files_of(document, here=False, store_id=store_id))


def described(document: RunRecord, *, files: Files, verified: bool = False, damaged: bool = False) -> RunRecord:
    """Return the run with what only a reader can add: where its files are and what may be done with it."""
    document.setdefault("_id", document.backup_id)
    here = files is Files.HERE
    found = {
        "published": here,
        "verified": verified,
        "damaged": damaged,
        "files": files.value,
        "dated_in_future": is_ahead(document.created_at, now=timezone.now()),
        "resume_available": document.resume_available and here and not damaged,
        "keep_available": outcome.keep_available(document) and files is not Files.UNMOUNTED,
    }
    run = document | found
    if lost_messages.sentence(run):
        run |= lost_messages.without_claims(run)
    return run | {"message": outcome.message(run)}
