"""How a restore, a test copy and a rehearsal end."""

from __future__ import annotations

from backups_app.messages.message import Sentence

IN_PLACE = Sentence("in_place", "In place: {names}")
AT_WORK = Sentence("at_work", '"{name}" was in progress')
HAD_NOT_BEGUN = Sentence("had_not_begun", "{names} had not begun")
BOTH_LEFT = Sentence("both_left", "{at_work}; {waiting}")
ONLY_END_NOT_WRITTEN = Sentence("only_end_not_written", "only its end was not recorded")
SAFETY_HOLDS = Sentence("safety_backup_holds", "The safety backup holds what was there before.")
SAFETY_HOLDS_NAMED = Sentence("safety_backup_holds_named", "The safety backup {backup} holds what was there before.")
TEMPLE_UNTOUCHED = Sentence("temple_untouched", "The temple's database was not touched.")
NOTHING_WRITTEN = Sentence("nothing_written", "Nothing was written into the temple's database.")
STOPPED_BEFORE = Sentence("stopped_before_restoring", "Stopped by {by} before anything was restored.")

RESTORE_RUNNING = Sentence("restore_running", "Restore is running")
RESTORE_CANCELLED = Sentence("restore_cancelled", "Restore cancelled.")
RESTORE_FAILED = Sentence("restore_failed", "Restore failed.")
RESTORE_COMPLETED = Sentence("restore_completed", "Restore completed: {sums}.")
RESTORE_PARTIAL = Sentence("restore_partial", "Restore not complete: {reason}")
COPY_RUNNING = Sentence("test_copy_running", "Test copy is running")
COPY_CANCELLED = Sentence("test_copy_cancelled", "Test copy cancelled.")
COPY_FAILED = Sentence("test_copy_failed", "Test copy failed.")
COPY_COMPLETED = Sentence("test_copy_completed", "Test copy completed: {sums}.")
COPY_PARTIAL = Sentence("test_copy_partial", "Test copy not complete: {reason}")
REHEARSAL_RUNNING = Sentence("rehearsal_running", "Restore test is running")
REHEARSAL_CANCELLED = Sentence("rehearsal_cancelled", "Restore test cancelled.")
REHEARSAL_FAILED = Sentence("rehearsal_ended_failed", "Restore test failed.")
REHEARSAL_COMPLETED = Sentence("rehearsal_completed", "Restore test completed: {sums}.")
REHEARSAL_PARTIAL = Sentence("rehearsal_partial", "Restore test not complete: {reason}")

SUMS = Sentence("restore_sums", "{counts}")
ADDED = Sentence("documents_added", "{n} added")
OVERWRITTEN = Sentence("documents_overwritten", "{n} overwritten")
DELETED = Sentence("documents_deleted", "{n} deleted")
UNCHANGED = Sentence("documents_unchanged", "{n} unchanged")
KEPT = Sentence("documents_kept", "{n} kept as they were")
NEWER = Sentence("documents_newer", "{n} edited meanwhile and kept")
CLASHES = Sentence("documents_clashing", "{n} not added: a unique value is taken")
REFUSED = Sentence("documents_refused", "{n} refused by the server")
DIFFERING = Sentence("documents_differing", "{n} not as planned")
