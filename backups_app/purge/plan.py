"""What a run may delete, and why not the rest. Pure: no database, no file, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backups_app.backup_files.manifest import Manifest
from backups_app.messages import purge as messages
from backups_app.messages import words
from backups_app.records import PURGEABLE, SyncStatus, purgeable


@dataclass(frozen=True, kw_only=True)
class PurgePlan:
    """`collections` are purged, in this order. `withheld` were asked for and are not purged, each with its reason:
    the run is then partial. `absent` were asked for and the database has no such collection: nothing to do."""

    collections: tuple[str, ...]
    withheld: Mapping[str, str]
    absent: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Gates:
    """What must be so before anything is deleted. Whatever could not be found out is given as False or None.

    That the run is ours is no fact that lasts: `progress.checkpoint` asks it here and again before each batch.
    """

    published: bool
    verified_by_this_process: bool
    sync_configured: bool
    sync_status: SyncStatus | None
    pair_known: bool
    confirmed: bool


def decide(
    *,
    manifest: Manifest,
    delete_bookings: bool,
    unresolved: Mapping[str, int],
    blocked: Mapping[str, str],
    not_exactly: Mapping[str, str] | None = None,
) -> PurgePlan:
    """Given what the verified backup holds, what was asked for, and what sync could not resolve, decide what is purged.

    Only the compiled allow-list is ever considered. `unresolved` counts documents that sync could not bring to one
    state, `blocked` and `not_exactly` give a reason for each collection: the deletion guard of sync, and why a
    collection cannot be deleted exactly on one of the sides (`purge.delete.obstacles`).
    """
    asked = purgeable(delete_bookings=delete_bookings)
    present = [name for name in asked if name in manifest.collections]
    reasons = {
        name: _reason(name, manifest, unresolved=unresolved, blocked=blocked, not_exactly=not_exactly or {})
        for name in present
    }
    return PurgePlan(
        collections=tuple(name for name in present if reasons[name] is None),
        withheld={name: reason for name, reason in reasons.items() if reason is not None},
        absent=tuple(name for name in asked if name not in manifest.collections),
    )


def refusals(gates: Gates) -> dict[str, str]:
    """Return every closed gate: its name and a sentence. Empty means: the purge may begin.

    A gate is open only when its fact is exactly True: fail closed.
    """
    synced = gates.sync_configured is False or gates.sync_status is SyncStatus.SUCCESS
    paired = gates.sync_configured is False or gates.pair_known is True
    checks = {
        "not_published": (gates.published, messages.BACKUP_NOT_PUBLISHED()),
        "not_verified": (gates.verified_by_this_process, messages.BACKUP_NOT_READ_BACK()),
        "sync_not_succeeded": (synced, messages.SYNC_DID_NOT_SUCCEED()),
        "pair_unknown": (paired, messages.NOT_THE_SYNCED_PAIR()),
        "not_confirmed": (gates.confirmed, messages.DELETION_NOT_CONFIRMED()),
    }
    return {
        name: messages.DELETION_DID_NOT_RUN(reason=message)
        for name, (fact, message) in checks.items()
        if fact is not True
    }


def _reason(
    name: str,
    manifest: Manifest,
    *,
    unresolved: Mapping[str, int],
    blocked: Mapping[str, str],
    not_exactly: Mapping[str, str],
) -> str | None:
    """Return why a collection is withheld, or None."""
    entry = manifest.collections[name]
    if name not in PURGEABLE:
        return messages.NOT_PURGEABLE()
    if entry.type != "collection":
        return messages.PURGE_NOT_A_COLLECTION(type=words.collection_type(entry.type))
    if entry.file is None:
        return messages.NO_DATA_FILE()
    if name in blocked:
        return blocked[name]
    if unresolved.get(name):
        return messages.DOCUMENTS_UNRESOLVED(n=unresolved[name])
    return not_exactly.get(name)
