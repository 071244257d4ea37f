"""May an incremental trust the change stream, and from where? Otherwise everything is read, and the run says why.

The token was taken before the first read of the base and lies in its folder. It counts only while `backup_metadata`
still holds that run's document with the same fence, so that neither a restore nor a rollback of the replica set lies
between; a record rebuilt from its folder has another fence.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backups_app.backup_files.store import Store
from backups_app.browsing.reading import opening
from backups_app.catalog import runs
from backups_app.catalog.run_record import RunRecord
from backups_app.dump import base_stream
from backups_app.dump.base_stream import MARK, Place, StreamStart
from backups_app.errors import BackupNotFound
from backups_app.messages import dump as dump_messages
from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.records import Phase, RunKind
from backups_app.runs.context import Run
from backups_app.runs.incremental_base import ALL, Base


def here_and_now(run: Run) -> dict[str, Any] | None:
    """Return what a full backup keeps for the incrementals that will begin from it: the stream's token of now, the
    replica set's id and this run's fence. None where there is no stream, and for a safety backup."""
    if run.document.kind != RunKind.BACKUP:
        return None
    place = base_stream.here_and_now(run.local)
    if place is None:
        return None
    return {"token": dict(place.token), "set_id": place.set_id, "fence": run.document.fence}


def start(run: Run, base: Base) -> tuple[StreamStart | None, tuple[Message, ...]]:
    """Return from where the stream is read; or None and why everything is read. That a standalone server has no stream
    is no news."""
    kept = RunRecord(base.backup.document).stream
    if kept is None:
        return None, ()
    place = Place(token=kept.token, set_id=kept.set_id)
    reason = _why_not(run, base, fence=kept.fence, place=place)
    if reason is not None:
        return None, (dump_messages.ALL_READ(reason=reason),)

    def write_mark(text: str) -> None:
        run.ownership.write(phase=Phase.DUMPING, changes={MARK: text})

    return StreamStart(place=place, run_id=run.backup_id, write_mark=write_mark), ()


def _why_not(run: Run, base: Base, *, fence: int, place: Place) -> Message | None:
    record = runs.get(run.local, backup_id=base.backup_id)
    if record is None or record.fence != fence:
        return messages.BASE_NOT_ON_RECORD(backup_id=base.backup_id)
    if not base_stream.is_same_set(run.local, place):
        return messages.ANOTHER_REPLICA_SET()
    if _proof_is_due(run):
        return messages.PROOF_IS_DUE(n=run.configuration.sync_proof_days)
    return None


def _proof_is_due(run: Run) -> bool:
    """Whether no incremental of the last days read everything."""
    since = run.now - timedelta(days=run.configuration.sync_proof_days)
    return not any(
        record.incremental.read == ALL and record.backup_timestamp and record.backup_timestamp >= since
        for record in _incrementals(run.store)
    )


def _incrementals(store: Store) -> list[RunRecord]:
    found = []
    for backup_id in store.backups().ids:
        try:
            record = RunRecord(opening.open_backup(store=store, backup_id=backup_id).document)
        except BackupNotFound:
            continue
        if record.incremental.base:
            found.append(record)
    return found
