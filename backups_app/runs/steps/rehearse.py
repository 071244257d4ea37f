"""A backup is restored into a scratch database, compared document by document, and the scratch is removed."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app.errors import RehearsalFailed
from backups_app.messages import runs as messages
from backups_app.messages import words
from backups_app.records import Phase, StepState
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.steps import restore_parts

NAME = "rehearse"
TITLE = gettext_noop("Restore into a scratch database")
GROUP = Group.WRITE
PHASE = Phase.RESTORING
CANCELLABLE = False


def perform(run: Run) -> StepResult:
    """Prove that the backup can be restored. Raise `RehearsalFailed` with what does not come back."""
    restore_parts.remove_old_scratch(run)
    with restore_parts.lent_scratch(run) as target:
        outcomes = restore_parts.perform(run, target=target)
    if not outcomes:
        raise RehearsalFailed(problem=messages.REHEARSAL_HOLDS_NOTHING())
    problems = [outcome for outcome in outcomes.values() if not outcome.complete or outcome.sentences]
    if problems:
        first = problems[0]
        reasons = [first.withheld, *first.sentences, *first.reasons]
        reason = next((message for message in reasons if message), messages.DOCUMENTS_DIFFER())
        raise RehearsalFailed(
            problem=messages.REHEARSAL_DIFFERS(name=first.name, reason=reason, count=len(problems), all=len(outcomes))
        )
    sums = run.document.restore.sums
    return StepResult(
        state=StepState.DONE,
        sentence=messages.REHEARSED(n=len(outcomes), all=len(outcomes), documents=words.documents(sums["proven"])),
        counts=sums,
    )
