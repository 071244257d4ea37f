"""Decides whether a run was a success, partial, failed or cancelled: from its steps and its backup, at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backups_app import formats
from backups_app.catalog.run.purge_record import PurgeRecord
from backups_app.catalog.run.run_parts import StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages import runs as messages
from backups_app.messages import words
from backups_app.messages.message import Message, together
from backups_app.records import RunKind, Side, Status, StepState, SyncStatus
from backups_app.runs import restore_messages
from backups_app.runs.closing import lost_messages

GOOD = frozenset({StepState.DONE, StepState.SKIPPED})


def conclude(
    *,
    published: bool,
    steps: Sequence[StepRecord],
    cancelled: bool = False,
    kind: str = RunKind.BACKUP,
) -> Status:
    """Given whether a verified backup is published and how its steps ended, name the outcome.

    1. somebody stopped it: cancelled, unless it is a backup and published;
    2. nothing published: failed;
    3. published, and every step done or not asked for: success;
    4. published, something asked for was not done: partial.
    """
    if cancelled and not (published and kind == RunKind.BACKUP):
        return Status.CANCELLED
    if not published:
        return Status.FAILED
    return Status.SUCCESS if all(step.state in GOOD for step in steps) else Status.PARTIAL


def deleted(purge: PurgeRecord, side: Side) -> list[str]:
    """Return the specification's strings for one side: `activities (50 documents)`."""
    return [f"{name} ({formats.documents(entry.deleted or 0)})" for name, entry in purge.side(side).items()]


def deleted_messages(purge: PurgeRecord, side: Side) -> list[Message]:
    """Return what `deleted` returns as messages, for people."""
    return [
        messages.DELETED_DOCUMENTS(collection=name, documents=words.documents(entry.deleted or 0))
        for name, entry in purge.side(side).items()
    ]


def skipped_changed(purge: PurgeRecord) -> dict[str, Any]:
    """Return how many documents were kept because they had changed, and the first 100 ids of both sides."""
    entries = [entry for side in Side for entry in purge.side(side).values()]
    return {
        "count": sum(entry.kept_changed for entry in entries),
        "ids": [identity for entry in entries for identity in entry.kept_ids][:100],
    }


def resume_available(document: RunRecord) -> bool:
    """Return whether Resume may be offered: the purge had been allowed and is not finished on every side."""
    if not document.purge.planned:
        return _began_without_a_plan(document)
    if not document.purge.allowed or document.purge.kept_after_all:
        return False
    return bool(unfinished_collections(document))


def _began_without_a_plan(document: RunRecord) -> bool:
    """Whether a run ended between the beginning of its purge and the plan of it: nothing was deleted, all is to do."""
    begun = any(step.started_at for step in document.steps if step.name in ("purge_remote", "purge_local"))
    synced = document.sync_status in (SyncStatus.SUCCESS, SyncStatus.SKIPPED)
    return document.has_done("publish") and begun and synced


def keep_available(document: RunRecord) -> bool:
    """Return whether "keep after all" may be offered: also where the files are gone, and Resume with them."""
    return document.resume_available and document.status == Status.PARTIAL


def unfinished_collections(document: RunRecord) -> list[str]:
    """Return the collections of a run's purge that are not finished on every side, begun or not."""
    purge = document.purge
    return [name for name in purge.collections if not all(purge.collection(side, name).done for side in purge.sides)]


def message(document: RunRecord) -> str:
    """Return the sentence that answers the trigger: first what is safe, then what is not done."""
    status, lost = document.status, lost_messages.sentence(document)
    if lost:
        return lost
    if document.is_restore:
        return restore_messages.message(document)
    if status == Status.SUCCESS:
        return messages.COMPLETED()
    if status == Status.IN_PROGRESS:
        return messages.RUNNING()
    if status in (Status.FAILED, Status.CANCELLED):
        return document.error_message or messages.FAILED()
    return together(messages.SAFE(), _what_is_missing(document))


def _what_is_missing(document: RunRecord) -> str:
    return document.error_message or together(*(step.sentence for step in document.steps if step.state not in GOOD))
