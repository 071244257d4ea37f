"""What the restore tests of the record prove: of this disk, and of each target that one began from. Pure.

A later failure of the same source takes back what a test proved. A test that could not be carried out, for want of a
key, of an answer or of room, proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backups_app.assurance.evidence import FailedTest, Finding, Rehearsal
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import (
    BaseMissing,
    CopyDamaged,
    CopyNotFound,
    CopyUnreadable,
    FileNotReadable,
    ObjectMissing,
    ObjectUnreadable,
    RehearsalFailed,
    RestoreDiffers,
    RestoreUnfinished,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.messages.message import as_message
from backups_app.messages.protection import attention as wording
from backups_app.records import RunKind, Status
from backups_app.use_cases import status_of_files

OF_THE_COPY = frozenset(
    one.code for one in (CopyDamaged, CopyNotFound, CopyUnreadable, ObjectMissing, ObjectUnreadable)
)
"""What is wrong with a copy at a target. The backup on this computer was not read."""
FAILURES = OF_THE_COPY | frozenset(
    one.code
    for one in (
        BaseMissing, FileNotReadable, RehearsalFailed, RestoreDiffers, RestoreUnfinished, VerificationFailed,
        TempleOpsError,
    )
)  # fmt: skip
"""What proves that a backup does not come back from where it was read. All others prove nothing."""


def failed(run: RunRecord) -> bool:
    """Return whether a run is a restore test that proves that something does not come back."""
    is_test = run.kind == RunKind.REHEARSAL and run.status in (Status.FAILED, Status.PARTIAL)
    return is_test and run.error_code in FAILURES


def last_proven(dated: Sequence[RunRecord]) -> RunRecord | None:
    """Return the last restore test that ended well and whose source has not failed since, of the runs given newest
    first; None without one."""
    refuted = set[str]()
    for run in dated:
        if failed(run):
            refuted.add(run.restore.copy_at)
        elif run.kind == RunKind.REHEARSAL and run.status == Status.SUCCESS and run.restore.copy_at not in refuted:
            return run
    return None


def rehearsal(dated: Sequence[RunRecord], *, database: str) -> Rehearsal | None:
    """Return what `last_proven` is evidence of: which backup of this database it restored, how long that took, how many
    newer ones there are; None without one."""
    proven = last_proven(dated)
    step = proven.step("rehearse") if proven else None
    if proven is None or step is None or step.started_at is None or step.finished_at is None:
        return None
    seconds = (step.finished_at - step.started_at).total_seconds()
    at = proven.finished_at or step.finished_at
    backup_id = str(proven.restore.choices.get("backup_id") or "")
    tested = next((run for run in dated if run.id == backup_id), None)
    return Rehearsal(
        at=at,
        seconds=max(seconds, 0.0),
        target=proven.restore.copy_at,
        backup_id=backup_id,
        backup_at=tested.created_at if tested else None,
        newer=sum(1 for run in _good_backups(dated, database) if _is_newer(run, tested, backup_id)),
    )


def _good_backups(dated: Sequence[RunRecord], database: str) -> Iterator[RunRecord]:
    return (run for run in status_of_files.good(dated, database=database) if run.kind == RunKind.BACKUP)


def _is_newer(run: RunRecord, tested: RunRecord | None, backup_id: str) -> bool:
    """Whether a backup is newer than the tested one. Where the record of that one is gone, its id is its time."""
    return run.created_at > tested.created_at if tested else run.id > backup_id


def standing_failures(dated: Sequence[RunRecord]) -> Iterator[RunRecord]:
    """Yield, of each source, the last restore test where that one failed, the newest first."""
    seen = set[str]()
    for run in dated:
        ended_well = run.kind == RunKind.REHEARSAL and run.status == Status.SUCCESS
        if (ended_well or failed(run)) and run.restore.copy_at not in seen:
            seen.add(run.restore.copy_at)
            if not ended_well:
                yield run


def last_failure(dated: Sequence[RunRecord]) -> FailedTest | None:
    """Return the newest restore test that failed and that no later one of its source has refuted; None without one."""
    run = next(standing_failures(dated), None)
    return None if run is None else FailedTest(at=run.finished_at or run.created_at, target=run.restore.copy_at)


def findings(dated: Sequence[RunRecord]) -> Iterator[Finding]:
    """Yield what the failed restore tests say, each with the run that says it."""
    for run in standing_failures(dated):
        reason, target = as_message(run.error_message or run.message), run.restore.copy_at
        message = (
            wording.TEST_OF_COPY_FAILED(target=target, reason=reason) if target else wording.TEST_FAILED(reason=reason)
        )
        hint = wording.COPY_AGAIN() if run.error_code in OF_THE_COPY else wording.TEST_ANOTHER()
        yield Finding(message=message, hint=hint, backup_id=run.backup_id)
