"""A removed backup comes back from the trash, for a day after it went."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from backups_app import formats
from backups_app.access.trail import audit
from backups_app.backup_files import layout, locks, metadata
from backups_app.backup_files.store import removals, trash
from backups_app.backup_files.store.removals import Removal
from backups_app.backup_files.store.store import Store
from backups_app.backup_files.store.trash import Thrown
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, BringBackRefused, NotInTrash, TempleOpsError
from backups_app.messages.message import Message
from backups_app.messages.protection import retention as messages
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.use_cases.listing import lost_backups
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention.taking_out import RemovalRequest, amend_record

logger = logging.getLogger(__name__)

ACTION = "backup.brought_back"
HERE = "here"
NOTE = str(messages.BROUGHT_BACK())
"""The note of the pin of a backup that the rules removed and a person brought back."""


def bring_back(
    *, configuration: Configuration, backup_id: str, requested_by: str, origin: Origin, now: datetime
) -> bool:
    """Bring a removed backup back, and its base with it where it is an incremental. Return whether it was pinned: what
    the rules removed they would remove again.

    Raise `NotInTrash`, `BackupNotFound`, `BringBackRefused`, `RecordsUnavailable`.
    """
    readiness.require_local(configuration)
    layout.check_id(backup_id)
    store = preparation.store(configuration)
    store.require_ours()
    asked = RemovalRequest(by=requested_by, origin=origin, now=now)
    with locks.held(store.root, locks.TRASH):
        together = _together(configuration, store, backup_id)
        pins = {one.backup_id: _pin(store, one, asked=asked) for one in together}
        for one in together:
            _bring_back(store, one, pin=pins[one.backup_id], asked=asked)
    for one in together:
        pin = pins[one.backup_id]
        changes: dict[str, Any] = {"removed": None} | ({"pinned": pin} if pin else {})
        amend_record(configuration, one.backup_id, changes)
        asked.put_on_record(ACTION, one.backup_id, HERE, {"pinned": pin is not None})
    return pins[backup_id] is not None


def _together(configuration: Configuration, store: Store, backup_id: str) -> list[Thrown]:
    """Return what comes back together: the base that the backup needs, and the backup."""
    one = trash.of_backup(store.root, backup_id)
    if one is None:
        lost_backups.require_not_elsewhere(configuration=configuration, backup_id=backup_id)
        known = lost_backups.known_of(configuration=configuration, backup_id=backup_id)
        raise NotInTrash() if known is not None and known.was_there else BackupNotFound()
    _require_free_name(store, one)
    base = RunRecord(_metadata(store, one)).incremental.base
    if base is None or base in store.backups().ids:
        return [one]
    thrown_base = trash.of_backup(store.root, str(base))
    if thrown_base is None:
        raise BringBackRefused(reason=messages.BASE_IS_GONE(backup_id=str(base)))
    _require_free_name(store, thrown_base)
    return [thrown_base, one]


def _require_free_name(store: Store, one: Thrown) -> None:
    if one.backup_id in store.taken_ids():
        raise BringBackRefused(reason=_taken(one))


def _taken(one: Thrown) -> Message:
    return messages.NAME_IS_TAKEN(name=layout.published_name(one.backup_id))


def _metadata(store: Store, one: Thrown) -> dict[str, Any]:
    """Return its `metadata.json`; empty where it cannot be read: a damaged backup comes back damaged."""
    try:
        return metadata.read(store.root / one.name) or {}
    except TempleOpsError:
        return {}


def _pin(store: Store, one: Thrown, *, asked: RemovalRequest) -> dict[str, Any] | None:
    """Return the pin of a backup that the rules removed; None for one that a person removed."""
    removal = removals.of_backup(store.root, one.backup_id)
    if removal is not None and removal.how == removals.PERSON:
        return None
    return {"by": asked.by, "at": asked.now, "note": NOTE}


def _bring_back(store: Store, one: Thrown, *, pin: dict[str, Any] | None, asked: RemovalRequest) -> None:
    """Pinned before it is in the list again: the next pass must not take it at once."""
    asked.put_on_record(ACTION, one.backup_id, audit.STARTED, {})
    if pin is not None and _metadata(store, one):
        metadata.amend(store.root / one.name, {"pinned": formats.plain(pin)})
    try:
        trash.bring_back(store.root, one)
    except FileExistsError as error:
        raise BringBackRefused(reason=_taken(one)) from error
    removals.note(store.root, Removal(backup_id=one.backup_id, at=asked.now, by=asked.by, how=removals.BROUGHT_BACK))
