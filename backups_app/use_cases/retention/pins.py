"""An admin's word about one backup: a pin with a note, the release of what it holds, the acceptance of a shrinkage.

They are status fields of `metadata.json` and of the run's record. A pin counts where either has it; a release or an
acceptance counts in `metadata.json` alone, or in the record of a backup whose folder is gone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backups_app import formats
from backups_app.access.trail import audit
from backups_app.backup_files import bases, layout, metadata
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupNotFound,
    BaseMissing,
    DatabaseUnreachable,
    InvalidInput,
    NothingToAccept,
    NothingToRelease,
    RemovalNotConfirmed,
)
from backups_app.messages.protection import retention as messages
from backups_app.mongo import connections
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.use_cases import confirmation
from backups_app.use_cases.listing import lost_backups
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import facts, simulation
from backups_app.use_cases.retention.taking_out import RemovalRequest, amend_record

LONGEST_NOTE = 200
PINNED, UNPINNED, RELEASED, ACCEPTED = "backup.pinned", "backup.unpinned", "backup.released", "backup.accepted"


def pin(
    *, configuration: Configuration, backup_id: str, note: str, requested_by: str, origin: Origin, now: datetime
) -> dict[str, Any]:
    """Pin a backup: no rule and no person removes it until the pin goes. A second pin replaces the note.
    Return the pin.

    An incremental is kept only with its base: while it is pinned here, nobody removes either.

    Raise `BackupNotFound`, `BaseMissing`, InvalidInput for a note of more than 200 characters, `RecordsUnavailable`.
    """
    note = formats.one_line(audit.storable(note))
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(message=messages.NOTE_TOO_LONG(most=LONGEST_NOTE))
    word = {"by": requested_by, "at": now, "note": note}
    asked = RemovalRequest(by=requested_by, origin=origin, now=now)
    _folder(configuration, backup_id)
    with bases.reading(configuration.backup_dir, backup_id):  # after a removal that is going on
        folder = _folder(configuration, backup_id)
        base = bases.base_of(folder)
        if base is not None and base not in preparation.store(configuration).backups().ids:
            raise BaseMissing(backup_id=base)
        asked.put_on_record(PINNED, backup_id, "done", {"note": note})
        metadata.amend(folder, {"pinned": formats.plain(word)})
    amend_record(configuration, backup_id, {"pinned": word})
    return word


def unpin(*, configuration: Configuration, backup_id: str, requested_by: str, origin: Origin, now: datetime) -> None:
    """Take the pin away, from the record first: killed in between, the backup is still pinned. Raise `BackupNotFound`,
    `DatabaseUnreachable`, `RecordsUnavailable`."""
    folder = _folder(configuration, backup_id)
    asked = RemovalRequest(by=requested_by, origin=origin, now=now)
    asked.put_on_record(UNPINNED, backup_id, "done", {})
    if not amend_record(configuration, backup_id, {"pinned": None}):
        raise DatabaseUnreachable(side=Side.LOCAL.value)
    metadata.amend(folder, {"pinned": None})


def release(
    *, configuration: Configuration, backup_id: str, typed: str, requested_by: str, origin: Origin, now: datetime
) -> None:
    """Say that nobody needs any more what this backup alone holds: the rules may remove it then. Works for a backup
    whose folder is gone too. `typed` is its id, typed again.

    Raise `RemovalNotConfirmed`, `BackupNotFound`, `NothingToRelease`, `DatabaseUnreachable`, `RecordsUnavailable`.
    """
    readiness.require_local(configuration)
    layout.check_id(backup_id)
    confirmation.require(backup_id, typed=typed, refusal=RemovalNotConfirmed())
    found = facts.read(configuration=configuration, seconds=facts.PATIENT_SECONDS)
    here = next((one for one in found.backups if one.backup_id == backup_id), None)
    gone = any(one.backup_id == backup_id for one in found.lost_holders)
    if here is None and not gone:
        lost_backups.require_not_elsewhere(configuration=configuration, backup_id=backup_id)
        raise BackupNotFound() if not _on_record(configuration, backup_id) else NothingToRelease()
    if here is not None and not here.is_holder:
        raise NothingToRelease()
    _give(
        configuration, backup_id, "released", RELEASED, here=here is not None, by=requested_by, origin=origin, now=now
    )


def accept(
    *, configuration: Configuration, backup_id: str, typed: str, requested_by: str, origin: Origin, now: datetime
) -> None:
    """Say that what shrank in this backup was meant to: older backups may go again by the rules. `typed` is its id,
    typed again.

    Raise `RemovalNotConfirmed`, `BackupNotFound`, `NothingToAccept`, `RecordsUnavailable`.
    """
    confirmation.require(backup_id, typed=typed, refusal=RemovalNotConfirmed())
    _folder(configuration, backup_id)
    found = facts.read(configuration=configuration)
    shrinkages = simulation.guards(found, configuration, now).shrinkages
    if not any(one.backup_id == backup_id for one in shrinkages):
        raise NothingToAccept()
    _give(configuration, backup_id, "accepted", ACCEPTED, here=True, by=requested_by, origin=origin, now=now)


def _give(
    configuration: Configuration,
    backup_id: str,
    field: str,
    action: str,
    *,
    here: bool,
    by: str,
    origin: Origin,
    now: datetime,
) -> None:
    word = {"by": by, "at": now}
    RemovalRequest(by=by, origin=origin, now=now).put_on_record(action, backup_id, "done", {})
    if here:
        metadata.amend(_folder(configuration, backup_id), {field: formats.plain(word)})
    if not amend_record(configuration, backup_id, {field: word}) and not here:
        raise DatabaseUnreachable(side=Side.LOCAL.value)


def _folder(configuration: Configuration, backup_id: str) -> Any:
    readiness.require_local(configuration)
    layout.check_id(backup_id)
    store = preparation.store(configuration)
    store.require_ours()
    return store.folder(backup_id)


def _on_record(configuration: Configuration, backup_id: str) -> bool:
    with connections.reachable(Side.LOCAL):
        return runs.get(preparation.local_database(configuration), backup_id=backup_id) is not None
