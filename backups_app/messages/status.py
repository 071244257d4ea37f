"""Whether a backup can start."""

from __future__ import annotations

from backups_app.messages.message import Sentence

READY = Sentence("system_ready", "Backup system ready")
RUNNING_BY = Sentence("status_running_by", "A backup by {by} is running")
