"""The backup that is to be restored is read again, every byte of it, before anything else is done."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app.messages import runs as messages
from backups_app.records import Phase, StepState
from backups_app.runs import preparation
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.steps import restore_parts
from backups_app.verification import verdict

NAME = "check"
TITLE = gettext_noop("Check the backup")
GROUP = Group.CHECK
PHASE = Phase.PREFLIGHT
CANCELLABLE = True


def perform(run: Run) -> StepResult:
    """Compare the backup with its manifest. Raise `VerificationFailed`, `BackupRemoved`: nothing is written then."""
    backup_id = restore_parts.choices(run).backup_id
    manifest = preparation.manifest_of(run.store, backup_id=backup_id)
    warnings = verdict.recheck(folder=run.store.folder(backup_id), manifest=manifest, progress=run.progress)
    return StepResult(
        state=StepState.DONE,
        sentence=messages.AS_VERIFIED(n=manifest.documents),
        warnings=warnings,
    )
