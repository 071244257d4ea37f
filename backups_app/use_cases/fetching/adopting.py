"""A fetched backup becomes one of this store: its metadata names this host, and promises nothing that only the old one
could keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from backups_app import formats
from backups_app.backup_files import durable, layout, metadata, stamps
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages import stored
from backups_app.runs.ownership import this_process
from backups_app.use_cases.backups import keeping

FETCHED = "fetched"


def adopt(
    *, store: Store, folder: Path, original: Mapping[str, Any], manifest: Manifest, target: str, now: datetime
) -> None:
    """Write `metadata.json` of a fetched backup into its folder, and the original one beside it.

    It gets this store and host and `fetched {from, at}`. A deletion that was unfinished is "kept after all": what it
    had not deleted stays, for the databases that it was about are gone. Raise `DiskFull` and its kin.
    """
    text = json.dumps(dict(original), ensure_ascii=True, indent=2, allow_nan=False)
    durable.write_whole(folder / layout.ORIGINAL_METADATA, text.encode() + b"\n")
    run = RunRecord(stored.restored(dict(original)))
    if run.resume_available:
        keeping.kept(run)
    adopted = {
        **here(store, run.backup_id),
        FETCHED: {"from": target, "at": formats.utc_seconds(now)},
        "resume_available": False,
        stamps.FIELD: stamps.take(folder, manifest),
    }
    metadata.write(folder, {**run, **adopted})


def here(store: Store, backup_id: str) -> dict[str, Any]:
    """Return the fields that say where the files of a backup are."""
    return {
        "store_id": store.store_id(),
        "host": this_process().host,
        "backup_path": str(store.root / layout.published_name(backup_id)),
    }
