"""The sentences about a run whose backup is not here, not good any more, or not verified: before what its record
says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.listed_runs import ListedRun
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupElsewhere, BackupRemoved, StoreMissing, VerificationFailed
from backups_app.messages import runs as messages
from backups_app.messages.message import together
from backups_app.records import RunKind, Status

CLAIMS = ("The backup is complete and safe, but ", "The backup is complete and safe. ")


def sentence(run: RunRecord) -> str:
    """Return what is true of the files of an ended run, where they are not here, not good or not verified; else
    nothing.

    `files`, `verified`, `damaged` and `keep_available` are what `description.described` found; a record alone has none
    of them.
    """
    if run.in_progress:
        return ""
    if run.files == Files.ELSEWHERE:
        return BackupElsewhere(host=run.host or "unknown").detail
    if run.files == Files.UNMOUNTED:
        return StoreMissing().detail
    if run.files == Files.GONE or run.error_code == BackupRemoved.code:
        return together(BackupRemoved().detail, *_consequences(run))
    if run.files == Files.HERE and not run.verified and not run.damaged:
        return _unverified(run)
    if run.damaged or (run.status == Status.PARTIAL and run.error_code == VerificationFailed.code):
        return together(messages.FOUND_DAMAGED(), messages.NO_RESUME() if run.keep_available else "")
    return ""


def _unverified(run: RunRecord) -> str:
    """A safety backup is described by its restore, which is what people look for there."""
    return "" if run.is_restore else messages.UNVERIFIED()


def without_claims(run: RunRecord) -> dict[str, Any]:
    """Return the fields in which a record from before codes says that its backup is safe, without these words. A
    sentence that has a code does not say it, and a run that was only listed has none."""
    if isinstance(run, ListedRun):
        return {}
    steps = [replace(step, sentence=_without_claim(step.sentence)).as_document() for step in run.steps]
    return {"steps": steps, "error_message": _without_claim(run.error_message) or None}


def _without_claim(sentences: str) -> str:
    for claim in CLAIMS:
        before, found, after = sentences.partition(claim)
        if found:
            sentences = before + after[:1].upper() + after[1:]
    return sentences


def _consequences(run: RunRecord) -> list[str]:
    sentences: list[str] = [messages.NO_UNDO()] if run.kind == RunKind.RESTORE else []
    if run.collections_deleted_local or run.collections_deleted_remote:
        sentences.append(messages.ONLY_ELSEWHERE())
    return sentences + ([messages.NO_RESUME()] if run.keep_available else [])
