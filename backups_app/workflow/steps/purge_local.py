"""Delete on this computer, only after Atlas is finished."""

from __future__ import annotations

from backups_app.records import Phase, Side, StepState
from backups_app.workflow import purging
from backups_app.workflow.run import Run, StepResult

NAME = "purge_local"
PHASE = Phase.PURGING_LOCAL


def perform(run: Run) -> StepResult:
    """Delete on the local side, unless the remote one is unfinished: then this side stays whole."""
    withheld = purging.decide(run)
    if withheld is not None:
        return withheld
    if not purging.remote_is_settled(run):
        return StepResult(
            state=StepState.CANCELLED,
            sentence="Not begun: the deletion on Atlas is not finished, and it comes first.",
        )
    return purging.perform_side(run, side=Side.LOCAL, database=run.local)
