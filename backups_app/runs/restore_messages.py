"""What the end of a restore, a test copy or a rehearsal is called. First what is safe, then what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backups_app.catalog.run.run_parts import StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import RestoreStoppedFor, RestoreUnfinished, TempleOpsError
from backups_app.messages import restore_ends as messages
from backups_app.messages import runs as runs_messages
from backups_app.messages.message import Message, Sentence, as_sentence, together
from backups_app.records import MAKES_A_BACKUP, RunKind, Status, StepState


@dataclass(frozen=True)
class _Ends:
    """How the ends of one kind are called."""

    running: Sentence
    cancelled: Sentence
    failed: Sentence
    completed: Sentence
    partial: Sentence


_ENDS = {
    RunKind.RESTORE: _Ends(
        messages.RESTORE_RUNNING,
        messages.RESTORE_CANCELLED,
        messages.RESTORE_FAILED,
        messages.RESTORE_COMPLETED,
        messages.RESTORE_PARTIAL,
    ),
    RunKind.TEST_COPY: _Ends(
        messages.COPY_RUNNING,
        messages.COPY_CANCELLED,
        messages.COPY_FAILED,
        messages.COPY_COMPLETED,
        messages.COPY_PARTIAL,
    ),
    RunKind.REHEARSAL: _Ends(
        messages.REHEARSAL_RUNNING,
        messages.REHEARSAL_CANCELLED,
        messages.REHEARSAL_FAILED,
        messages.REHEARSAL_COMPLETED,
        messages.REHEARSAL_PARTIAL,
    ),
}
_ALWAYS = {
    "inserted": messages.ADDED,
    "replaced": messages.OVERWRITTEN,
    "deleted": messages.DELETED,
    "unchanged": messages.UNCHANGED,
}
_WHERE_ANY = {
    "kept": messages.KEPT,
    "newer": messages.NEWER,
    "clashes": messages.CLASHES,
    "refused": messages.REFUSED,
    "differing": messages.DIFFERING,
}
_RESULT = frozenset({StepState.DONE, StepState.SKIPPED, StepState.WARNING})


def has_result(document: RunRecord, steps: Sequence[StepRecord]) -> bool:
    """Return whether a run that publishes no backup came to its end: none of its steps failed or was left out."""
    return document.kind not in MAKES_A_BACKUP and all(step.state in _RESULT for step in steps)


def unfinished(document: RunRecord, *, refusal: TempleOpsError | None = None) -> RestoreUnfinished:
    """Return what became of a restore that stopped in the middle, by name: in place, at work, not begun. `refusal` is
    what the server does not do, where it is more than a lost line."""
    restored = document.restore
    finished, at_work = restored.names, restored.at_work
    waiting = [name for name in restored.taken if name not in finished and name not in at_work]
    in_place = document.kind == RunKind.RESTORE
    facts = {
        "done": messages.IN_PLACE(names=finished or runs_messages.NOTHING()),
        "left": _pending_message(at_work, waiting),
        "safe": (messages.SAFETY_HOLDS if in_place else messages.TEMPLE_UNTOUCHED)(),
    }
    if refusal is None:
        return RestoreUnfinished(**facts)
    return RestoreStoppedFor(**facts, reason=together(refusal.detail, as_sentence(refusal.hint)))


def _pending_message(at_work: Sequence[str], waiting: Sequence[str]) -> Message:
    now = messages.AT_WORK(name=tuple(at_work)) if at_work else None
    later = messages.HAD_NOT_BEGUN(names=waiting) if waiting else None
    if now and later:
        return messages.BOTH_LEFT(at_work=now, waiting=later)
    return now or later or messages.ONLY_END_NOT_WRITTEN()


def cancelled(by: str) -> Message:
    """Return the sentence of a restore that was stopped before it wrote anything."""
    return together(messages.STOPPED_BEFORE(by=by), messages.NOTHING_WRITTEN())


def message(document: RunRecord) -> Message:
    """Return the sentence that answers the one who started it."""
    status, kind = Status(document.status), RunKind(document.kind)
    ends, text = _ENDS[kind], document.error_message
    safe = messages.SAFETY_HOLDS_NAMED(backup=document.backup_id) if kind == RunKind.RESTORE else ""
    match status:
        case Status.IN_PROGRESS:
            return ends.running()
        case Status.CANCELLED:
            return together(ends.cancelled(), text)
        case Status.FAILED:
            return together(ends.failed(), text or messages.NOTHING_WRITTEN())
        case Status.SUCCESS:
            return together(ends.completed(sums=stated_sums(document)), safe)
    return together(ends.partial(reason=text or stated_sums(document)), safe)


def stated_sums(document: RunRecord) -> Message:
    """Return the numbers of a restore in words: `1,240 added, 3 overwritten, 0 deleted, 11,990 unchanged`."""
    sums = document.restore.sums
    counts = [sentence(n=sums.get(key, 0)) for key, sentence in _ALWAYS.items()]
    counts += [sentence(n=sums[key]) for key, sentence in _WHERE_ANY.items() if sums.get(key)]
    return messages.SUMS(counts=counts)
