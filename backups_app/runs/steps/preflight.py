"""Before anything is read or written: is there room, which engine, is this the store that we know."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from backups_app import formats
from backups_app.catalog import lease, runs
from backups_app.dump import engine
from backups_app.dump.engine import DumpEngine
from backups_app.errors import DiskFull
from backups_app.messages import runs as messages
from backups_app.messages.message import Message, together
from backups_app.records import Phase, StepState
from backups_app.runs import incremental_base
from backups_app.runs.context import Group, Run, StepResult

NAME = "preflight"
TITLE = gettext_noop("Check the disk")
GROUP = Group.SYNC
PHASE = Phase.PREFLIGHT
CANCELLABLE = True

RESERVE_BYTES = 64 * 1024 * 1024
"""Room for the manifest, the indexes and the file system itself (`docs/reliability.md`)."""


def needed_bytes(data_bytes: int) -> int:
    """Return the free space a backup of `data_bytes` uncompressed wants: 1.15 times as much, and 64 MiB."""
    return int(data_bytes * 1.15) + RESERVE_BYTES


def perform(run: Run) -> StepResult:
    """Choose the engine, check the disk, make the store's id known. Raise `DiskFull`, `MongodumpMissing`, …"""
    run.engine = _engine(run)
    store_id = run.store.prepare()
    lease.remember_store(run.local, store_id=store_id)
    data_bytes = int(run.local.command("dbStats")["dataSize"])
    disk = run.store.usage()
    if disk.free_bytes < needed_bytes(data_bytes):
        raise DiskFull(needed=formats.size(needed_bytes(data_bytes)), free=formats.size(disk.free_bytes))
    incremental, said = _incremental(run)
    return StepResult(
        state=StepState.DONE,
        sentence=together(messages.ROOM(engine=run.engine.name), *said),
        counts={"data_bytes": data_bytes, "free_bytes": disk.free_bytes},
        changes={"engine": run.engine.name, "store_id": store_id, "incremental": incremental, **_recipients(run)},
        warnings=(*_warnings(disk.free_bytes - data_bytes, disk.total_bytes), *_left_open(run)),
    )


def _engine(run: Run) -> DumpEngine:
    setting = "python" if run.document.incremental.requested else run.configuration.backup_engine
    return engine.choose(setting=setting, compression=run.configuration.backup_compression)


def _incremental(run: Run) -> tuple[dict[str, Any] | None, tuple[Message, ...]]:
    """Choose the base of an incremental. Return what the record says of it, and why it is a full one after all."""
    if not run.document.incremental.requested:
        return None, ()
    chosen = incremental_base.choose(store=run.store, max_chain=run.configuration.incremental_max_chain, now=run.now)
    if not isinstance(chosen, incremental_base.Base):
        return None, (chosen,)
    if run.configuration.targets and chosen.recipients != set(run.configuration.copy_recipients):
        return None, (messages.FULL_AFTER_NEW_KEYS(),)
    run.base = chosen
    return chosen.as_document(), ()


def _recipients(run: Run) -> dict[str, Any]:
    """Return what the record says of the keys that copies were encrypted to: with other ones the next run is full."""
    keys = run.configuration.copy_recipients
    return {incremental_base.COPY_RECIPIENTS: list(keys)} if keys and run.configuration.targets else {}


def _left_open(run: Run) -> tuple[str, ...]:
    if not run.document.incremental.requested:
        return ()
    count = len(runs.resumable(run.local))
    return (messages.PURGES_STAY_OPEN(n=count),) if count else ()


def _warnings(left_bytes: int, total_bytes: int) -> tuple[str, ...]:
    if left_bytes >= total_bytes * 0.2:
        return ()
    return (messages.DISK_NEARLY_FULL(size=formats.size(max(left_bytes, 0))),)
