"""The copy is read back from the disk, every byte of it, before anybody may call it a backup."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app import formats
from backups_app.dump.report import DumpReport
from backups_app.messages import runs as messages
from backups_app.messages import words
from backups_app.records import Phase, StepState
from backups_app.runs import incremental_base
from backups_app.runs.closing import closing
from backups_app.runs.context import Group, Run, StepResult
from backups_app.verification import incremental, verdict
from backups_app.verification.verdict import Verdict

NAME = "verify"
TITLE = gettext_noop("Verify")
GROUP = Group.BACKUP
PHASE = Phase.VERIFYING
CANCELLABLE = True


def perform(run: Run) -> StepResult:
    """Verify the dump against what the server listed. Raise `VerificationFailed`."""
    assert run.dump is not None, "the dump comes before its verification"
    verified = _verified(run, run.dump)
    run.manifest = verified.manifest
    run.verified_here = True
    names = closing.temple_collections(verified.manifest)
    held = verified.manifest.counts()
    documents, size_bytes, own = held.documents, held.bytes, held.own_collections
    message = messages.VERIFIED(
        n=len(names), own=own, documents=words.documents(documents), size=formats.size(size_bytes)
    )
    return StepResult(
        state=StepState.DONE,
        sentence=message,
        counts={"collections": len(names), "own_collections": own, "documents": documents, "bytes": size_bytes},
        changes={"collections_backed_up": names, "documents": documents, "bytes": size_bytes},
        warnings=verified.warnings,
    )


def _verified(run: Run, report: DumpReport) -> Verdict:
    if run.base is not None:
        base = incremental.VerifiedBase(backup_id=run.base.backup_id, manifest=run.base.manifest)
        return incremental.verify(
            folder=run.partial, database=run.local.name, report=report, changes=report.changes, base=base,
            progress=run.progress,
        )  # fmt: skip
    verified = verdict.verify(folder=run.partial, database=run.local.name, report=report, progress=run.progress)
    if run.document.incremental.requested:  # the next one begins from it
        incremental_base.digests(folder=run.partial, manifest=verified.manifest, progress=run.progress)
    return verified
