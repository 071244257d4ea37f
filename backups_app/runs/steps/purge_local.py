"""Delete on this computer, only after Atlas is finished."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app.messages import runs as messages
from backups_app.records import Phase, Side, StepState
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.steps import purge_sides

NAME = "purge_local"
TITLE = gettext_noop("Delete on this computer")
GROUP = Group.PURGE_LOCAL
PHASE = Phase.PURGING_LOCAL
CANCELLABLE = False


def perform(run: Run) -> StepResult:
    """Delete on the local side, unless the remote one is unfinished: then this side stays whole."""
    withheld = purge_sides.decide(run)
    if withheld is not None:
        return withheld
    if not purge_sides.remote_is_finished(run):
        return StepResult(
            state=StepState.CANCELLED,
            sentence=messages.REMOTE_FIRST(),
        )
    return purge_sides.perform_side(run, side=Side.LOCAL, database=run.local)
