"""What the end of a restore, a test copy or a rehearsal is called. First what is safe, then what is not."""

from __future__ import annotations

from collections.abc import Sequence

from backups_app import formats
from backups_app.catalog.run_parts import StepRecord
from backups_app.catalog.run_record import RunRecord
from backups_app.errors import RestoreStoppedFor, RestoreUnfinished, TempleOpsError
from backups_app.records import MAKES_A_BACKUP, RunKind, Status, StepState

_RESULT = frozenset({StepState.DONE, StepState.SKIPPED, StepState.WARNING})


def has_result(document: RunRecord, steps: Sequence[StepRecord]) -> bool:
    """Return whether a run that publishes no backup came to its end: none of its steps failed or was left out."""
    return document.kind not in MAKES_A_BACKUP and all(step.state in _RESULT for step in steps)


def unfinished(document: RunRecord, *, refusal: TempleOpsError | None = None) -> RestoreUnfinished:
    """Return what became of a restore that stopped in the middle, by name: in place, at work, not begun. `refusal` is
    what the server does not do, where it is more than a lost line."""
    restored = document.restore
    finished, at_work = restored.names, restored.at_work
    waiting = [name for name in restored.taken if name not in finished and name != at_work]
    left = [f'"{at_work}" was at work'] if at_work else []
    left += [f"{', '.join(waiting)} had not begun"] if waiting else []
    safe = "The safety backup holds what was there before."
    facts = {
        "done": f"In place: {', '.join(finished) or 'nothing'}",
        "left": "; ".join(left) or "only its end was not written",
        "safe": safe if document.kind == RunKind.RESTORE else "The temple's database was not touched.",
    }
    if refusal is None:
        return RestoreUnfinished(**facts)
    hint = f" {refusal.hint}." if refusal.hint else ""
    return RestoreStoppedFor(**facts, reason=f"{refusal.detail}{hint}")


def cancelled(by: str) -> str:
    """Return the sentence of a restore that was stopped before it wrote anything."""
    return f"Stopped by {by} before anything was restored. Nothing was written into the temple's database."


def message(document: RunRecord) -> str:
    """Return the sentence that answers the one who started it."""
    status, kind = document.status, document.kind
    noun = {RunKind.RESTORE: "Restore", RunKind.TEST_COPY: "Test copy", RunKind.REHEARSAL: "Rehearsal"}[RunKind(kind)]
    if status == Status.IN_PROGRESS:
        return f"{noun} is running"
    if status == Status.CANCELLED:
        return f"{noun} cancelled. {document.get('error_message') or ''}".strip()
    if status == Status.FAILED:
        said = document.error_message or "Nothing was written into the temple's database."
        return f"{noun} failed. {said}"
    safe = f" The safety backup {document.backup_id} holds what was there before." if kind == RunKind.RESTORE else ""
    if status == Status.SUCCESS:
        return f"{noun} completed: {said_sums(document)}.{safe}"
    return f"{noun} did not do everything: {document.get('error_message') or said_sums(document)}{safe}"


def said_sums(document: RunRecord) -> str:
    """Return the numbers of a restore in words: `1,240 added, 3 overwritten, 0 deleted, 11,990 the same`."""
    sums = document.restore.sums
    names = {"inserted": "added", "replaced": "overwritten", "deleted": "deleted", "unchanged": "the same"}
    said = [f"{formats.grouped(sums.get(key, 0))} {word}" for key, word in names.items()]
    more = {
        "kept": "kept in their own version",
        "newer": "edited meanwhile and kept",
        "clashes": "not added: a unique value is taken",
        "refused": "refused by the server",
        "differing": "not as planned afterwards",
    }
    said += [f"{formats.grouped(sums[key])} {word}" for key, word in more.items() if sums.get(key)]
    return ", ".join(said)
