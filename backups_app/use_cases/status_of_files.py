"""What past backups and their files say about the status: none yet, dated in the future, gone by hand, a deletion
without an end. Pure."""

from __future__ import annotations

from datetime import datetime

from backups_app.browsing.whereabouts import Files
from backups_app.records import RunDocument, is_ahead
from backups_app.runs import lost_messages

NO_BACKUP_YET = "Not protected: no backup yet."


def dated(runs: list[RunDocument], *, now: datetime) -> list[RunDocument]:
    """Return the runs whose time can be trusted: those that are not dated in the future."""
    return [run for run in runs if not is_ahead(run["created_at"], now=now)]


def newest_good(dated_runs: list[RunDocument], *, database: str) -> RunDocument | None:
    """Return the newest verified backup of this database that is here; None without one."""
    good = (run for run in dated_runs if run["published"] and run["verified"])
    return next((run for run in good if (run.get("database") or database) == database), None)


def no_backup(ended: list[RunDocument], *, dated: list[RunDocument]) -> tuple[str, str]:
    """Return why there is no backup to turn to, and what to do. `dated` are those whose time can be trusted."""
    ahead = next((run for run in ended if run not in dated and run.get("published")), None)
    if ahead is not None:
        said = f"Not protected: the backup {ahead['backup_id']} is dated in the future, so nobody knows how old it is."
        return said, "Set the clock of this computer right, and make a backup now."
    lost = _newest_lost(dated)
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
    why = lost_messages.DAMAGED if run.get("damaged") else _files_gone(run)
    return f"{said} {why}", "Keep the documents after all."


def newest_is_gone(ended: list[RunDocument], good: RunDocument) -> tuple[str, str] | None:
    """Return what is said where the newest backup is gone though the older `good` is here; None where it is not."""
    lost = _newest_lost(ended)
    if lost is None or lost["created_at"] < good["created_at"]:
        return None
    return f"Needs attention: {_files_gone(lost)}", "Make a backup now."


def unfinished(ended: list[RunDocument]) -> RunDocument | None:
    """Return the newest run whose deletion can be resumed, or what is left of it kept."""
    return next((run for run in ended if run.get("resume_available") or run.get("keep_available")), None)
