"""The chosen collections are put in place, each proven before the next begins."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app.messages import runs as messages
from backups_app.mongo import scratch
from backups_app.records import Phase, RunKind, StepState
from backups_app.runs import restore_messages
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.steps import restore_parts

NAME = "restore"
TITLE = gettext_noop("Restore")
GROUP = Group.WRITE
PHASE = Phase.RESTORING
CANCELLABLE = False


def perform(run: Run) -> StepResult:
    """Restore into the temple's database, or into a marked test copy. Raise `RestoreUnfinished` when the server is
    lost in between: the record says what is in place, and the same restore again goes on."""
    in_place = run.document.kind == RunKind.RESTORE
    target = run.local if in_place else restore_parts.marked_copy(run)
    assert in_place or scratch.is_copy(target, temple=run.local.name), (
        "only a marked database is written to without a safety backup"
    )
    outcomes = restore_parts.perform(run, target=target)
    incomplete = [name for name, outcome in outcomes.items() if not outcome.complete]
    message = restore_messages.stated_sums(run.document)
    if not run.document.restore.taken and not outcomes:
        return StepResult(
            state=StepState.WARNING, sentence=messages.NOTHING_TO_RESTORE(), counts={"error_code": "restore_differs"}
        )
    if not incomplete:
        return StepResult(state=StepState.DONE, sentence=message, counts=run.document.restore.sums)
    return StepResult(
        state=StepState.WARNING,
        sentence=messages.NOT_AS_PLANNED(names=incomplete, sums=message),
        counts={**run.document.restore.sums, "error_code": "restore_differs"},
    )
