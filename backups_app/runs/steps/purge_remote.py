"""Delete on Atlas: exactly what the verified backup holds, byte for byte. Remote first, local last."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app.records import Phase, Side
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.steps import purge_sides

NAME = "purge_remote"
TITLE = gettext_noop("Delete on Atlas")
GROUP = Group.PURGE_REMOTE
PHASE = Phase.PURGING_REMOTE
CANCELLABLE = False


def perform(run: Run) -> StepResult:
    """Pass the gates, then delete on the remote side. A failure leaves the local side whole."""
    withheld = purge_sides.decide(run)
    if withheld is not None:
        return withheld
    if run.remote is None:
        return purge_sides.skipped_without_remote()
    return purge_sides.perform_side(run, side=Side.REMOTE, database=run.remote)
