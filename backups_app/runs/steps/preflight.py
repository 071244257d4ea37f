"""Before anything is read or written: is there room, which engine, is this the store that we know."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from backups_app import formats
from backups_app.catalog import lease
from backups_app.catalog.run import runs
from backups_app.dump import engine
from backups_app.dump.engine import DumpEngine
from backups_app.errors import DiskFull, StoreMissing
from backups_app.messages import runs as messages
from backups_app.messages.message import Message, together
from backups_app.records import Phase, StepState
from backups_app.runs import base_choice, incremental_base
from backups_app.runs.context import Group, Run, StepResult

NAME = "preflight"
TITLE = gettext_noop("Check the disk")
GROUP = Group.SYNC
PHASE = Phase.PREFLIGHT
CANCELLABLE = True

RESERVE_BYTES = 64 * 1024 * 1024
"""Room for the manifest, the indexes and the file system itself (`docs/reliability.md`)."""

NEARLY_FULL = 0.2
"""A run warns where it leaves less of the disk than this share."""


def needed_bytes(data_bytes: int) -> int:
    """Return the free space a backup that writes `data_bytes` wants: 1.15 times as much, and 64 MiB."""
    return int(data_bytes * 1.15) + RESERVE_BYTES


def perform(run: Run) -> StepResult:
    """Choose the engine, check the disk, make the store's id known. Raise `DiskFull`, `MongodumpMissing`,
    `StoreMissing`, …"""
    run.engine = _engine(run)
    store_id = _known_store(run)
    data_bytes = int(run.local.command("dbStats")["dataSize"])
    full_after_all = _choose_base(run)
    written_bytes = base_choice.bytes_to_write(run.base, data_bytes=data_bytes)
    require_room(run, written_bytes)
    disk = run.store.usage()
    incremental = run.base.as_document() if run.base else None
    return StepResult(
        state=StepState.DONE,
        sentence=together(messages.ROOM(engine=run.engine.name), *full_after_all),
        counts={"data_bytes": data_bytes, "free_bytes": disk.free_bytes},
        changes={
            "engine": run.engine.name,
            "store_id": store_id,
            "backup_path": str(run.folder),
            "incremental": incremental,
            **_recipients(run),
        },
        warnings=(*_warnings(disk.free_bytes - written_bytes, disk.total_bytes), *_left_open(run)),
    )


def _known_store(run: Run) -> str:
    """Return the id of the store, made where it is the first one. The host that was asked for the run looked at its own
    folder: this one may be on a disk that is not mounted. Raise `StoreMissing` where backups lie in other stores."""
    known = lease.known_stores(run.local)
    if known and run.store.store_id() not in known:
        raise StoreMissing()
    store_id = run.store.prepare()
    lease.remember_store(run.local, store_id=store_id)
    return store_id


def require_room(run: Run, written_bytes: int) -> None:
    """Raise `DiskFull` where the disk has no room for a backup that writes so much."""
    free_bytes = run.store.usage().free_bytes
    if free_bytes < needed_bytes(written_bytes):
        raise DiskFull(needed=formats.size(needed_bytes(written_bytes)), free=formats.size(free_bytes))


def _engine(run: Run) -> DumpEngine:
    setting = "python" if run.document.incremental.requested else run.configuration.backup_engine
    return engine.choose(setting=setting, compression=run.configuration.backup_compression)


def _choose_base(run: Run) -> tuple[Message, ...]:
    """Choose the base of an incremental, if there is to be one. Return why it will be a full backup after all."""
    if not run.document.incremental.requested:
        return ()
    chosen = base_choice.choose(configuration=run.configuration, store=run.store, now=run.now)
    if isinstance(chosen, Message):
        return (chosen,)
    run.base = chosen
    return ()


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
    if left_bytes >= total_bytes * NEARLY_FULL:
        return ()
    return (messages.DISK_NEARLY_FULL(size=formats.size(max(left_bytes, 0))),)
