"""Deletions that earlier runs left unfinished and that this run's own request covers are finished first."""

from __future__ import annotations

import dataclasses
import logging

from django.utils.translation import gettext_noop

from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.run.run_writers import Amendment
from backups_app.errors import OwnershipLost, RunCancelled, TempleOpsError
from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.records import Phase, StepState, purgeable
from backups_app.runs.closing import closing, outcome, reporting
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.steps import purge_local, purge_remote

NAME = "settle"
TITLE = gettext_noop("Earlier deletions")
GROUP = Group.SYNC
PHASE = Phase.SYNCING
CANCELLABLE = True

logger = logging.getLogger(__name__)


def perform(run: Run) -> StepResult:
    """Finish what is open of earlier runs, as far as this run's request covers it.

    An earlier run that cannot be finished, or that this request does not cover, is left open and named: its keys stay
    untouched by sync, and its own Resume remains.
    """
    earlier = runs.resumable(run.local)
    if not earlier:
        return StepResult(state=StepState.SKIPPED, sentence=messages.NOTHING_UNFINISHED())
    covered = [document for document in earlier if _covered(run, document)]
    finished = {document.id for document in covered if _finish(run, document)}
    warnings = tuple(_still_open(run, document.id) for document in earlier if document.id not in finished)
    if not covered:
        return StepResult(
            state=StepState.SKIPPED, sentence=messages.EARLIER_LEFT(n=len(earlier)), warnings=warnings
        )  # fmt: skip
    return StepResult(state=StepState.DONE, sentence=messages.EARLIER_FINISHED(n=len(finished)), warnings=warnings)


def _still_open(run: Run, backup_id: str) -> Message:
    here = backup_id in run.store.backups().ids
    return (messages.EARLIER_STILL_OPEN if here else messages.EARLIER_NOT_HERE)(run=backup_id)


def _covered(run: Run, document: RunRecord) -> bool:
    """Whether something is open of an earlier run, and everything that it has not finished is asked for by this one.

    Not only what its ledger has open: finishing it goes on with the collections that it had not begun, and a run that
    keeps bookings must never delete them because an earlier one had been asked to.
    """
    asked = purgeable(delete_bookings=run.deletes_bookings)
    if not purge_ledger.open_collections(run.local, run_id=document.id):
        return False
    return set(outcome.unfinished_collections(document)) <= set(asked)


def _finish(run: Run, document: RunRecord) -> bool:
    try:
        again = dataclasses.replace(
            run,
            document=document,
            ownership=Amendment(database=run.local, backup_id=document.id, fence=run.ownership.fence),
            manifest=None,
            published=True,
            verified_here=False,
        )
        for step in (purge_remote, purge_local):
            result = step.perform(again)
            closing.replace_step(document, name=step.NAME, result=result)
    except (OwnershipLost, RunCancelled):
        raise
    except TempleOpsError as error:
        logger.warning("An earlier purge stays open", extra={"backup_id": document.id, "code": error.code})
        return False
    changes = closing.closing_changes(document, published=True, error=None)
    document.apply(changes)
    runs.amend(run.local, backup_id=document.id, changes=changes)
    closing.seal(run.local, run.store, document=document)
    reporting.run_ended(run.local, document=document)
    return not document.resume_available
