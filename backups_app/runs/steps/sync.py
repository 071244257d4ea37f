"""Local and Atlas exchange their changes. A failed sync never stops the backup by default, and always the purge.

A sync that had to leave something over succeeded, and its step says what: the run is partial.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext_noop

from backups_app.catalog.run import runs
from backups_app.errors import OwnershipLost, RunCancelled, SyncAborted, TempleOpsError
from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.records import Phase, StepState, SyncStatus
from backups_app.runs import preparation
from backups_app.runs.context import Group, Run, StepResult
from backups_app.sync import engine

NAME = "sync"
TITLE = gettext_noop("Sync")
GROUP = Group.SYNC
PHASE = Phase.SYNCING
CANCELLABLE = True

LEFT_OVER = "sync_left_over"
NAMED = 10

logger = logging.getLogger(__name__)


def perform(run: Run) -> StepResult:
    """Sync both sides. Raise `SyncAborted` when it fails and `SYNC_FAILURE_POLICY=abort`."""
    if run.remote is None:
        return StepResult(
            state=StepState.SKIPPED,
            sentence=messages.SYNC_SKIPPED(),
            changes={"sync_status": SyncStatus.SKIPPED.value},
        )
    try:
        report = engine.synchronise(
            local=run.local,
            remote=run.remote,
            run_id=run.backup_id,
            options=preparation.sync_options(run.configuration),
            progress=run.progress,
            now=timezone.now(),  # the steps before it may have taken long
        )
    except (OwnershipLost, RunCancelled):
        raise
    except TempleOpsError as error:
        return _failed(run, error)
    run.sync_report, run.sync_succeeded = report, True
    left = report.left_over
    return StepResult(
        state=StepState.WARNING if left else StepState.DONE,
        sentence=messages.SYNCED_WITH_REST(counts=report.sentence, rest=_named(left)) if left else report.sentence,
        counts=report.counts | ({"error_code": LEFT_OVER} if left else {}),
        changes={"sync_status": SyncStatus.SUCCESS.value},
        warnings=tuple(report.warnings),
    )


def _named(left_over: Mapping[str, str]) -> Message:
    """Return which collections were not brought together whole; the warnings of the run say why, of each."""
    names = sorted(left_over)
    if len(names) > NAMED:
        return messages.NOT_BROUGHT_TOGETHER_AND_MORE(names=names[:NAMED], n=len(names) - NAMED)
    return messages.NOT_BROUGHT_TOGETHER(names=names)


def _failed(run: Run, error: TempleOpsError) -> StepResult:
    logger.warning("Sync failed", extra={"backup_id": run.backup_id, "code": error.code})
    if runs.cancelled_by(run.local, backup_id=run.backup_id):
        raise RunCancelled from error
    if not run.configuration.backs_up_without_atlas:
        run.document.apply({"sync_status": SyncStatus.FAILED.value})
        raise SyncAborted(reason=error.detail) from error
    return StepResult(
        state=StepState.FAILED,
        sentence=error.detail,
        counts={"error_code": error.code},
        changes={"sync_status": SyncStatus.FAILED.value},
    )
