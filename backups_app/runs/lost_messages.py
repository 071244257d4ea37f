"""What is said of a run whose backup is not here, not good any more, or not verified: before what its record says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backups_app.browsing.whereabouts import Files
from backups_app.catalog.run_record import RunRecord
from backups_app.errors import BackupElsewhere, BackupRemoved, StoreMissing, VerificationFailed
from backups_app.records import RunKind, Status

NO_UNDO = "It was the safety backup of a restore, which cannot be undone any more."
ONLY_ELSEWHERE = "What its run deleted can only come from another backup."
NO_RESUME = "Its deletion is not finished and cannot be resumed: keep what is left after all."
CLAIMS = ("The backup is complete and safe, but ", "The backup is complete and safe. ")
UNVERIFIED = "Nobody has verified these files as they are now. Verify this backup before you rely on it."
DAMAGED = "This backup was found damaged. Do not rely on it: look for what it held in another one."


def sentence(run: RunRecord) -> str:
    """Return what is true of the files of an ended run, where they are not here, not good or not verified; else
    nothing.

    `files`, `verified`, `damaged` and `keep_available` are what `overview` found; a record alone has none of them.
    """
    if run.in_progress:
        return ""
    if run.files == Files.ELSEWHERE:
        return BackupElsewhere(host=run.host or "unknown").detail
    if run.files == Files.UNMOUNTED:
        return StoreMissing().detail
    if run.files == Files.GONE or run.error_code == BackupRemoved.code:
        return " ".join([BackupRemoved.sentence, *_consequences(run)])
    if run.files == Files.HERE and not run.verified and not run.damaged:
        return _unverified(run)
    if run.damaged or (run.status == Status.PARTIAL and run.error_code == VerificationFailed.code):
        return " ".join([DAMAGED, *([NO_RESUME] if run.keep_available else [])])
    return ""


def _unverified(run: RunRecord) -> str:
    """A safety backup is told of by its restore, which is what people look for there."""
    return "" if run.is_restore else UNVERIFIED


def without_claims(run: RunRecord) -> dict[str, Any]:
    """Return the fields in which a run said of its backup, when it ended, that it is safe: now without these words."""
    steps = [replace(step, sentence=without_claim(step.sentence)).as_document() for step in run.steps]
    return {"steps": steps, "error_message": without_claim(run.error_message) or None}


def without_claim(said: str) -> str:
    """Return a sentence that said that its backup is safe, without these words: what stood after them."""
    for claim in CLAIMS:
        before, found, after = said.partition(claim)
        if found:
            said = before + after[:1].upper() + after[1:]
    return said


def _consequences(run: RunRecord) -> list[str]:
    said = [NO_UNDO] if run.kind == RunKind.RESTORE else []
    if run.collections_deleted_local or run.collections_deleted_remote:
        said.append(ONLY_ELSEWHERE)
    return said + ([NO_RESUME] if run.keep_available else [])
