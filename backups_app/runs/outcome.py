"""What a run's end is called: a conclusion from what is there, never a variable set on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backups_app import formats
from backups_app.messages import runs as messages
from backups_app.messages.message import together
from backups_app.records import RunKind, Side, Status, StepState, SyncStatus
from backups_app.runs import lost_messages, restore_messages

GOOD = frozenset({StepState.DONE.value, StepState.SKIPPED.value})


def conclude(
    *,
    published: bool,
    steps: Sequence[Mapping[str, Any]],
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
    return Status.SUCCESS if all(step["state"] in GOOD for step in steps) else Status.PARTIAL


def deleted(purge: Mapping[str, Any], side: Side) -> list[str]:
    """Return the specification's strings for one side: `activities (50 documents)`."""
    counts: Mapping[str, Any] = purge.get(side.value) or {}
    return [f"{name} ({formats.documents(entry['deleted'])})" for name, entry in counts.items()]


def kept_changed(purge: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many documents were kept because they had changed, and the first 100 ids of both sides."""
    entries = [entry for side in Side for entry in (purge.get(side.value) or {}).values()]
    return {
        "count": sum(entry["kept_changed"] for entry in entries),
        "ids": [identity for entry in entries for identity in entry["kept_ids"]][:100],
    }


def resume_available(document: Mapping[str, Any]) -> bool:
    """Return whether Resume may be offered: the purge had been allowed and is not finished on every side."""
    purge = document.get("purge")
    if purge is None:
        return _began_without_a_plan(document)
    if not purge.get("allowed") or purge.get("kept_after_all"):
        return False
    return bool(unfinished_collections(document))


def _began_without_a_plan(document: Mapping[str, Any]) -> bool:
    """Whether a run ended between the beginning of its purge and the plan of it: nothing was deleted, all is to do."""
    steps = {step["name"]: step for step in document.get("steps") or ()}
    published = (steps.get("publish") or {}).get("state") == StepState.DONE
    begun = any((steps.get(name) or {}).get("started_at") for name in ("purge_remote", "purge_local"))
    synced = document["sync_status"] in (SyncStatus.SUCCESS, SyncStatus.SKIPPED)
    return published and begun and synced


def keep_available(document: Mapping[str, Any]) -> bool:
    """Return whether "keep after all" may be offered: also where the files are gone, and Resume with them."""
    return bool(document.get("resume_available")) and document["status"] == Status.PARTIAL


def unfinished_collections(document: Mapping[str, Any]) -> list[str]:
    """Return the collections of a run's purge that are not finished on every side, begun or not."""
    purge = document.get("purge") or {}
    sides = [Side.LOCAL] if document["sync_status"] == SyncStatus.SKIPPED else [Side.REMOTE, Side.LOCAL]
    return [
        name
        for name in purge.get("collections", [])
        if not all(((purge.get(side.value) or {}).get(name) or {}).get("done") for side in sides)
    ]


def message(document: Mapping[str, Any]) -> str:
    """Return the sentence that answers the trigger: first what is safe, then what is not done."""
    status, lost = document["status"], lost_messages.sentence(document)
    if lost:
        return lost
    if document.get("kind", RunKind.BACKUP) in (RunKind.RESTORE, RunKind.TEST_COPY, RunKind.REHEARSAL):
        return restore_messages.message(document)
    if status == Status.SUCCESS:
        return messages.COMPLETED()
    if status == Status.IN_PROGRESS:
        return messages.RUNNING()
    if status in (Status.FAILED, Status.CANCELLED):
        return document.get("error_message") or messages.FAILED()
    return together(messages.SAFE(), _what_is_missing(document))


def _what_is_missing(document: Mapping[str, Any]) -> str:
    steps = document.get("steps") or []
    return document.get("error_message") or together(
        *(step.get("sentence") or "" for step in steps if step["state"] not in GOOD)
    )
