"""A copy is fetched from its target, opened, and every byte of it compared, before it is restored as a test."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app.messages import runs as messages
from backups_app.records import Phase, StepState
from backups_app.runs.context import Group, Run, StepResult
from backups_app.runs.copies import copy_source
from backups_app.runs.steps import restore_parts
from backups_app.verification import verdict

NAME = "fetch_copy"
TITLE = gettext_noop("Fetch the copy")
GROUP = Group.CHECK
PHASE = Phase.PREFLIGHT
CANCELLABLE = True


def perform(run: Run) -> StepResult:
    """Fetch and verify. Raise what `copy_source.fetch` raises, and `VerificationFailed`: nothing is written then."""
    manifest = copy_source.fetch(run)
    backup_id = restore_parts.choices(run).backup_id
    warnings = verdict.recheck(folder=copy_source.folder_of(run, backup_id), manifest=manifest, progress=run.progress)
    return StepResult(
        state=StepState.DONE,
        sentence=messages.COPY_FETCHED(target=run.document.restore.copy_at, n=manifest.documents),
        warnings=warnings,
    )
