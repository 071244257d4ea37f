"""May an incremental trust the change stream, and from where? Otherwise everything is read, and the run says why.

The token was taken before the first read of the base and lies in its folder. It counts only while `backup_metadata`
still holds that run's document with the same fence, so that neither a restore nor a rollback of the replica set lies
between; a record rebuilt from its folder has another fence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import opening
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.dump.base import base_stream
from backups_app.dump.base.base_stream import MARK, StreamPlace, StreamStart
from backups_app.dump.report import DumpReport
from backups_app.dump.server import counters
from backups_app.dump.server.counters import Counters
from backups_app.errors import BackupNotFound
from backups_app.messages import dump as dump_messages
from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.records import Phase, RunKind
from backups_app.runs.context import Run
from backups_app.runs.incremental_base import ALL, ChosenBase


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Where the stream and the primary stood before the first read of a full backup."""

    place: StreamPlace
    reign: str


def here_and_now(run: Run) -> Beginning | None:
    """Return where the stream stands now. None where there is no stream, and for a safety backup."""
    if run.document.kind != RunKind.BACKUP:
        return None
    place = base_stream.here_and_now(run.local)
    return None if place is None else Beginning(place=place, reign=counters.reign(run.local))


def kept_of(run: Run, beginning: Beginning | None, report: DumpReport) -> dict[str, Any] | None:
    """Return what a full backup keeps for the incrementals that will begin from it: the stream's token, the replica
    set's id, this run's fence, and what the server's counters stated while it was made."""
    if beginning is None:
        return None
    reigns = beginning.reign, counters.reign(run.local)
    noted = counters.noted(reigns=reigns, before=report.expected, after=report.after)
    place = beginning.place
    return {
        "token": dict(place.token), "set_id": place.set_id, "fence": run.document.fence,
        "reign": noted.reign, "counted": [[name, number] for name, number in noted.documents.items()],
    }  # fmt: skip


def counters_of(base: ChosenBase) -> Counters:
    """Return what the server's counters stated when a base was made."""
    kept = RunRecord(base.backup.document).stream
    return Counters() if kept is None else Counters(reign=kept.reign, documents=kept.counted)


def start(run: Run, base: ChosenBase) -> tuple[StreamStart | None, tuple[Message, ...]]:
    """Return from where the stream is read; or None and why everything is read. That a standalone server has no stream
    is no news."""
    kept = RunRecord(base.backup.document).stream
    if kept is None:
        return None, ()
    place = StreamPlace(token=kept.token, set_id=kept.set_id)
    reason = _why_not(run, base, fence=kept.fence, place=place)
    if reason is not None:
        return None, (dump_messages.ALL_READ(reason=reason),)

    def write_mark(text: str) -> None:
        run.ownership.write(phase=Phase.DUMPING, changes={MARK: text})

    return StreamStart(place=place, run_id=run.backup_id, write_mark=write_mark), ()


def _why_not(run: Run, base: ChosenBase, *, fence: int, place: StreamPlace) -> Message | None:
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
