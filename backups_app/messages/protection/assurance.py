"""How well the data is protected: the sentence on the card, its four marks, what to do next, what would be lost."""

from __future__ import annotations

from backups_app.messages.message import Sentence

OFF = Sentence("assurance_off", "Backups are off on this installation.")
NO_BACKUP = Sentence("assurance_no_backup", "Not protected: no backup yet.")
NO_GOOD_BACKUP = Sentence("assurance_no_good_backup", "Not protected: {reason}")
TWO_FAILED = Sentence("assurance_two_failed", "Not protected: the last two runs failed. {reason}")
LOCAL_AWAY = Sentence("assurance_local_away", "Backups are not possible now: the local MongoDB does not answer.")
LOCAL_AWAY_KEPT = Sentence(
    "assurance_local_away_kept",
    "Backups are not possible now: the local MongoDB does not answer. Your {n} backup is safe.",
    "Backups are not possible now: the local MongoDB does not answer. Your {n} backups are safe.",
)
NOT_POSSIBLE = Sentence("assurance_not_possible", "Not protected: {reason}")
NEEDS_ATTENTION = Sentence("assurance_needs_attention", "Needs attention: {reason}")
PROTECTED = Sentence("assurance_protected", "Your data is protected.")
RUNNING_TOO = Sentence("assurance_running", "A backup is running.")

NOT_RECENT = Sentence("not_recent", "The last good backup is {age} old.")
ONLY_HERE = Sentence("not_elsewhere", "Backed up, but only on this computer's disk.")
ONLY_ON_HOST = Sentence("only_on_host", "Backed up, but only on the disk of host {host}.")
NEWEST_ONLY_ON_HOST = Sentence("newest_only_on_host", "The newest backup exists only on the disk of host {host}.")
HOLDERS_ONLY_HERE = Sentence(
    "holders_only_here",
    "{n} deleted document exists only on this disk.",
    "{n} deleted documents exist only on this disk.",
)
HOLDERS_ONLY_ON_HOSTS = Sentence(
    "holders_only_on_hosts",
    "{n} deleted document exists only on the disk of one host: {hosts}.",
    "{n} deleted documents exist only on the disk of one host: {hosts}.",
)
OBJECTS_KEPT = Sentence(
    "objects_kept",
    "{n} object at {target} stays: another copy there consists of it.",
    "{n} objects at {target} stay: other copies there consist of them.",
)
COPIES_AWAY = Sentence(
    "copies_away", "The copies at {target} do not count: it has not answered for at least {age}. {reason}"
)
COPIES_UNREAD = Sentence(
    "copies_unread", "Copies at {target} do not count: they could not be read back for at least {age}. {reason}"
)
COPIES_HERE = Sentence("copies_on_this_computer", "Backed up; the copies are on this computer too.")
HOLDER_ONLY_HERE = Sentence("holder_only_here", "A backup that may hold deleted documents exists only on this disk.")
HOLDER_ONLY_ON_HOSTS = Sentence(
    "holder_only_on_hosts", "A backup that may hold deleted documents exists only on the disk of one host: {hosts}."
)
NEWEST_ONLY_HERE = Sentence("newest_only_here", "The newest backup exists only on this disk.")
KEY_NEVER_TRIED = Sentence("key_never_tried", "Copies exist, but no key has opened one yet.")
NEVER_REHEARSED = Sentence("never_rehearsed", "Backed up; a restore was never tested.")
TEST_FAILED = Sentence("restore_test_failed", "Backed up; the restore test from {source} failed {age} ago.")
REHEARSED_LONG_AGO = Sentence("rehearsed_long_ago", "Backed up; a restore was last tested {age} ago.")
NOT_WATCHED = Sentence("not_watched", "Backed up, but nobody is notified when it stops.")
NO_SCHEDULE = Sentence("no_schedule", "Backed up, but no schedule makes the next backup.")
NO_WORKER = Sentence("no_worker", "The scheduler is not running: planned backups will not happen.")
UNDELIVERED = Sentence("undelivered", "Messages have not been delivered for {age}.")

RECENT_EVIDENCE = Sentence("recent_evidence", "verified {age} ago")
ELSEWHERE_EVIDENCE = Sentence("elsewhere_evidence", "on {target}")
RESTORABLE_EVIDENCE = Sentence("restorable_evidence", "restore tested {age} ago, from {source}, with backup {backup}")
RESTORABLE_OLDER = Sentence(
    "restorable_older",
    "restore tested {age} ago, from {source}, with backup {backup}, {old} old now; {n} newer backup was not tested",
    "restore tested {age} ago, from {source}, with backup {backup}, {old} old now; {n} newer backups were not tested",
)
RESTORABLE_NOT_NEWEST = Sentence(
    "restorable_not_newest",
    "restore tested {age} ago, from {source}, with backup {backup}; {n} newer backup was not tested",
    "restore tested {age} ago, from {source}, with backup {backup}; {n} newer backups were not tested",
)
WATCHED_EVIDENCE = Sentence("watched_evidence", "scheduled; failures are reported")
NO_GOOD_EVIDENCE = Sentence("no_good_evidence", "no good backup")
OLD_EVIDENCE = Sentence("old_evidence", "the last one is {age} old")
ONLY_HERE_EVIDENCE = Sentence("only_here_evidence", "not configured")
COPIES_HERE_EVIDENCE = Sentence("copies_here_evidence", "on this computer only")
COPIES_AWAY_EVIDENCE = Sentence("copies_away_evidence", "{target} has not answered for {age}")
COPIES_UNREAD_EVIDENCE = Sentence("copies_unread_evidence", "{target} could not be read back for {age}")
HOLDERS_EVIDENCE = Sentence("holders_evidence", "{n} deleted document not copied", "{n} deleted documents not copied")
HOLDER_EVIDENCE = Sentence("holder_evidence", "a backup with deleted documents is not copied")
NEWEST_EVIDENCE = Sentence("newest_evidence", "the newest is not copied")
KEY_EVIDENCE = Sentence("key_evidence", "no key was tried")
TEST_FAILED_EVIDENCE = Sentence("restore_test_failed_evidence", "the test from {source} failed {age} ago")
NEVER_REHEARSED_EVIDENCE = Sentence("never_rehearsed_evidence", "never tested")
REHEARSED_EVIDENCE = Sentence("rehearsed_evidence", "last tested {age} ago")
NO_SCHEDULE_EVIDENCE = Sentence("no_schedule_evidence", "no schedule")
NO_WORKER_EVIDENCE = Sentence("no_worker_evidence", "the scheduler is not running")
UNDELIVERED_EVIDENCE = Sentence("undelivered_evidence", "not delivered for {age}")
NOT_WATCHED_EVIDENCE = Sentence("not_watched_evidence", "nobody is notified")
FROM_DISK = Sentence("from_this_disk", "this disk")
FROM_COPY = Sentence("from_the_copy", "the copy on {target}")

HINT_BACK_UP = Sentence("hint_back_up", "Make a backup now.")
HINT_ADD_COPY = Sentence(
    "hint_add_copy", "Name a bucket or another disk in BACKUP_TARGETS: every backup is copied there."
)
HINT_COPY_NOW = Sentence("hint_copy_now", "Copy it to another place now.")
HINT_TEST_KEY = Sentence("hint_test_key", "Open one copy with the key.")
HINT_TEST_RESTORE = Sentence("hint_test_restore", "Test a restore now: it changes nothing in the temple's data.")
HINT_SET_SCHEDULE = Sentence("hint_set_schedule", "Set a schedule that makes backups.")
HINT_START_WORKER = Sentence("hint_start_worker", "Start it: manage.py serve, or manage.py worker.")
HINT_CHOOSE_CHANNEL = Sentence("hint_choose_channel", "Choose who is notified, and send a test.")

LOST_EVERYTHING = Sentence("lost_everything", "Everything would be lost: there is no copy elsewhere and no sync.")
LOST_EVERYTHING_SO_FAR = Sentence(
    "lost_everything_so_far", "Everything would be lost: there is no copy elsewhere and no sync yet."
)
LOST_ALL_HERE = Sentence(
    "lost_all_here", "Everything on this computer would be lost: there is no copy at a target and no sync."
)
LOST_ALL_HERE_SO_FAR = Sentence(
    "lost_all_here_so_far",
    "Everything on this computer would be lost: there is no copy at a target and no sync yet.",
)
LOST_BACKUPS_HERE = Sentence(
    "lost_backups_here",
    "Up to {age} of changes and every backup on this computer would be lost. Atlas keeps the live data.",
)
ON_OTHER_HOSTS = Sentence(
    "on_other_hosts", "{n} more backup is on another host: {hosts}.", "{n} more backups are on other hosts: {hosts}."
)
LOST_UNLESS_OPENED = Sentence(
    "lost_unless_opened", "Everything may be lost: no key has opened a copy elsewhere yet, and there is no sync."
)
LOST_UNLESS_OPENED_SO_FAR = Sentence(
    "lost_unless_opened_so_far",
    "Everything may be lost: no key has opened a copy elsewhere yet, and there is no sync yet.",
)
LOST_BACKUPS = Sentence(
    "lost_backups",
    "Up to {age} of changes and every backup would be lost. Atlas keeps the live data.",
)
LOST_CHANGES = Sentence("lost_changes", "Up to {age} of changes would be lost.")
LOST_COLLECTIONS = Sentence("lost_collections", "What Atlas does not hold would be lost too: {collections}.")
LOST_DELETED = Sentence(
    "lost_deleted",
    "{n} deleted document would be lost: only this disk holds it.",
    "{n} deleted documents would be lost: only this disk holds them.",
)
LOST_DELETED_ON_HOSTS = Sentence(
    "lost_deleted_on_hosts",
    "{n} deleted document would be lost with the disk of one host: {hosts}.",
    "{n} deleted documents would be lost with the disk of one host: {hosts}.",
)
RESTORE_TOOK = Sentence("restore_took", "A restore took {duration} in the last test.")

SECONDS = Sentence("duration_seconds", "{n} second", "{n} seconds")
MINUTES = Sentence("age_minutes", "{n} minute", "{n} minutes")
HOURS = Sentence("age_hours", "{n} hour", "{n} hours")
DAYS = Sentence("age_days", "{n} day", "{n} days")
