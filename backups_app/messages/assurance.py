"""How well the data is protected: the sentence on the card, its four marks, and what to do next."""

from __future__ import annotations

from backups_app.messages.message import Sentence

OFF = Sentence("assurance_off", "Backups are off on this installation.")
NO_BACKUP = Sentence("assurance_no_backup", "Not protected: no backup yet.")
TWO_FAILED = Sentence("assurance_two_failed", "Not protected: the last two runs failed. {reason}")
NOT_POSSIBLE = Sentence("assurance_not_possible", "Backups are not possible now: {reason}")
NOT_POSSIBLE_KEPT = Sentence(
    "assurance_not_possible_kept", "Backups are not possible now: {reason} Your {backups} are safe."
)
BACKUPS = Sentence("assurance_backups", "{n} backup", "{n} backups")
PROTECTED = Sentence("assurance_protected", "Your data is protected.")
RUNNING_TOO = Sentence("assurance_running", "A backup is running.")

NOT_RECENT = Sentence("not_recent", "The last good backup is {age} old.")
ONLY_HERE = Sentence("not_elsewhere", "Backed up, but only on this computer's disk.")
HOLDERS_ONLY_HERE = Sentence(
    "holders_only_here",
    "{n} deleted document exists only on this disk.",
    "{n} deleted documents exist only on this disk.",
)
NEWEST_ONLY_HERE = Sentence("newest_only_here", "The newest backup exists only on this disk.")
KEY_NEVER_TRIED = Sentence("key_never_tried", "Copies exist, but no key has opened one yet.")
NEVER_REHEARSED = Sentence("never_rehearsed", "Backed up; a restore was never tested.")
REHEARSED_LONG_AGO = Sentence("rehearsed_long_ago", "Backed up; a restore was last tested {age} ago.")
NOT_WATCHED = Sentence("not_watched", "Backed up, but nobody is told when it stops.")
NO_SCHEDULE = Sentence("no_schedule", "Backed up, but no schedule makes the next backup.")
NO_WORKER = Sentence("no_worker", "The scheduler is not running: planned backups will not happen.")
UNDELIVERED = Sentence("undelivered", "Messages have not been delivered for {age}.")

RECENT_EVIDENCE = Sentence("recent_evidence", "verified {age} ago")
ELSEWHERE_EVIDENCE = Sentence("elsewhere_evidence", "on {target}")
RESTORABLE_EVIDENCE = Sentence("restorable_evidence", "restore tested {age} ago, from {source}")
WATCHED_EVIDENCE = Sentence("watched_evidence", "scheduled; failures are reported")
FROM_DISK = Sentence("from_this_disk", "this disk")
FROM_COPY = Sentence("from_the_copy", "the copy on {target}")

MINUTES = Sentence("age_minutes", "{n} minute", "{n} minutes")
HOURS = Sentence("age_hours", "{n} hour", "{n} hours")
DAYS = Sentence("age_days", "{n} day", "{n} days")
