"""What the files of past backups say about the status: none yet, gone by hand, a deletion without an end. Pure."""

from __future__ import annotations

from backups_app.browsing.whereabouts import Files
from backups_app.records import RunDocument

NO_BACKUP_YET = "Not protected: no backup yet."


def no_backup(ended: list[RunDocument]) -> tuple[str, str]:
    """Return why there is no backup to turn to, and what to do."""
    lost = _newest_lost(ended)
    if lost is not None:
        return f"Not protected: no good backup is here. {_files_gone(lost)}", "Make a backup now."
    return NO_BACKUP_YET, "Make your first backup now."


def _newest_lost(ended: list[RunDocument]) -> RunDocument | None:
    """Return the newest run whose backup is gone from the backup folder."""
    return next((run for run in ended if run.get("files") == Files.GONE), None)


def _files_gone(run: RunDocument) -> str:
    return f"The files of the backup of run {run['backup_id']} are gone from the backup folder."


def deletion_unfinished(ended: list[RunDocument]) -> tuple[str, str] | None:
    """Return what is said of a deletion that was not finished, and what to do; None without one."""
    run = unfinished(ended)
    if run is None:
        return None
    said = f"Needs attention: the deletion of run {run['backup_id']} is unfinished."
    if run.get("resume_available"):
        return said, "Resume it, or keep the documents after all."
    return f"{said} {_files_gone(run)}", "Keep the documents after all."


def newest_is_gone(ended: list[RunDocument], good: RunDocument) -> tuple[str, str] | None:
    """Return what is said where the newest backup is gone though the older `good` is here; None where it is not."""
    lost = _newest_lost(ended)
    if lost is None or lost["created_at"] < good["created_at"]:
        return None
    return f"Needs attention: {_files_gone(lost)}", "Make a backup now."


def unfinished(ended: list[RunDocument]) -> RunDocument | None:
    """Return the newest run whose deletion can be resumed, or what is left of it kept."""
    return next((run for run in ended if run.get("resume_available") or run.get("keep_available")), None)
