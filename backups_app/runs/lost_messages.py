"""What is said of a run whose backup is not here, not good any more, or not verified: before what its record says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups_app.browsing.whereabouts import Files
from backups_app.errors import BackupElsewhere, BackupRemoved, StoreMissing, VerificationFailed
from backups_app.messages import runs as messages
from backups_app.messages.message import together
from backups_app.records import RunKind, Status


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
        return together(BackupRemoved().detail, *_consequences(run))
    if run.get("files") == Files.HERE and run.get("verified") is False and not run.get("damaged"):
        return _unverified(run)
    if run.get("damaged") or (run.get("status") == Status.PARTIAL and run.get("error_code") == VerificationFailed.code):
        return together(messages.FOUND_DAMAGED(), messages.NO_RESUME() if run.get("keep_available") else "")
    return ""


def _unverified(run: Mapping[str, Any]) -> str:
    """A safety backup is told of by its restore, which is what people look for there."""
    return "" if run.get("kind") in (RunKind.RESTORE, RunKind.TEST_COPY, RunKind.REHEARSAL) else messages.UNVERIFIED()


def _consequences(run: Mapping[str, Any]) -> list[str]:
    said: list[str] = [messages.NO_UNDO()] if run.get("kind") == RunKind.RESTORE else []
    if run.get("collections_deleted_local") or run.get("collections_deleted_remote"):
        said.append(messages.ONLY_ELSEWHERE())
    return said + ([messages.NO_RESUME()] if run.get("keep_available") else [])
