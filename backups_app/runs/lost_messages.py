"""What is said of a run whose backup is not here, not good any more, or not verified: before what its record says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups_app.browsing.whereabouts import Files
from backups_app.errors import BackupElsewhere, BackupRemoved, StoreMissing, VerificationFailed
from backups_app.records import RunKind, Status

NO_UNDO = "It was the safety backup of a restore, which cannot be undone any more."
ONLY_ELSEWHERE = "What its run deleted can only come from another backup."
NO_RESUME = "Its deletion is not finished and cannot be resumed: keep what is left after all."
CLAIMS = ("The backup is complete and safe, but ", "The backup is complete and safe. ")
UNVERIFIED = "Nobody has verified these files as they are now. Verify this backup before you rely on it."
DAMAGED = "This backup was found damaged. Do not rely on it: look for what it held in another one."


def sentence(run: Mapping[str, Any]) -> str:
    """Return what is true of the files of an ended run, where they are not here, not good or not verified; else
    nothing.

    `files`, `verified`, `damaged` and `keep_available` are what `overview` found; a record alone has none of them.
    """
    if run.get("status") == Status.IN_PROGRESS:
        return ""
    if run.get("files") == Files.ELSEWHERE:
        return BackupElsewhere(host=str(run.get("host") or "unknown")).detail
    if run.get("files") == Files.UNMOUNTED:
        return StoreMissing().detail
    if run.get("files") == Files.GONE or run.get("error_code") == BackupRemoved.code:
        return " ".join([BackupRemoved.sentence, *_consequences(run)])
    if run.get("files") == Files.HERE and run.get("verified") is False and not run.get("damaged"):
        return _unverified(run)
    if run.get("damaged") or (run.get("status") == Status.PARTIAL and run.get("error_code") == VerificationFailed.code):
        return " ".join([DAMAGED, *([NO_RESUME] if run.get("keep_available") else [])])
    return ""


def _unverified(run: Mapping[str, Any]) -> str:
    """A safety backup is told of by its restore, which is what people look for there."""
    return "" if run.get("kind") in (RunKind.RESTORE, RunKind.TEST_COPY, RunKind.REHEARSAL) else UNVERIFIED


def without_claims(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in which a run said of its backup, when it ended, that it is safe: now without these words."""
    steps = [{**step, "sentence": without_claim(step["sentence"])} for step in run.get("steps") or ()]
    return {"steps": steps, "error_message": without_claim(run.get("error_message") or "") or None}


def without_claim(said: str) -> str:
    """Return a sentence that said that its backup is safe, without these words: what stood after them."""
    for claim in CLAIMS:
        before, found, after = said.partition(claim)
        if found:
            said = before + after[:1].upper() + after[1:]
    return said


def _consequences(run: Mapping[str, Any]) -> list[str]:
    said = [NO_UNDO] if run.get("kind") == RunKind.RESTORE else []
    if run.get("collections_deleted_local") or run.get("collections_deleted_remote"):
        said.append(ONLY_ELSEWHERE)
    return said + ([NO_RESUME] if run.get("keep_available") else [])
