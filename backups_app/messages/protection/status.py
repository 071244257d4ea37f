"""Whether a backup can start."""

from __future__ import annotations

from backups_app.messages.message import Sentence

READY = Sentence("system_ready", "Backup system ready")
READY_FOR_INCREMENTAL = Sentence(
    "ready_for_incremental", "Ready for an incremental backup: the disk has no room for a full one"
)
RUNNING_BY = Sentence("status_running_by", "A backup by {by} is running")
