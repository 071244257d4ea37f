"""From which base would the next incremental begin, and how much will it write? Asked before it starts, and again in
its preflight: both refuse where there is no room for what will be written, and only then."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from backups_app.backup_files.digests import base_digests
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.runs import incremental_base
from backups_app.runs.description import description, verification_results
from backups_app.runs.incremental_base import ChosenBase


def choose(*, configuration: Configuration, store: Store, now: datetime) -> ChosenBase | Message:
    """Return the base of an incremental that begins now, or why it will be a full backup. Raise `StorageFailed`."""
    chosen = incremental_base.choose(
        store=store,
        max_chain=configuration.incremental_max_chain,
        now=now,
        is_known_bad=partial(_is_known_bad, configuration, store),
    )
    if isinstance(chosen, ChosenBase) and _keys_changed(chosen, configuration):
        return messages.FULL_AFTER_NEW_KEYS()
    return chosen


def bytes_to_write(base: ChosenBase | None, *, data_bytes: int) -> int:
    """Return the bytes that a backup of a database of `data_bytes` is expected to write at most: all of them without a
    base; with one a fifth of it, or as much as the database grew since, and the base's digests where they are lost."""
    if base is None:
        return data_bytes
    in_base = sum(entry.bytes for entry in base.manifest.collections.values())
    delta_bytes = max(incremental_base.written_at_most(base.manifest), data_bytes - in_base)
    lost = base_digests.bytes_to_make(folder=base.backup.folder, manifest=base.manifest)
    return min(delta_bytes, data_bytes) + lost


def _keys_changed(base: ChosenBase, configuration: Configuration) -> bool:
    return bool(configuration.targets) and base.recipients != set(configuration.copy_recipients)


def _is_known_bad(configuration: Configuration, store: Store, backup_id: str) -> bool:
    """By its record, or by the audit trail where the record never got the verdict."""
    event = verification_results.last(store, backup_id)
    if event is not None and event.result == verification_results.DAMAGED:
        return True
    return description.get_run(configuration=configuration, backup_id=backup_id).damaged
