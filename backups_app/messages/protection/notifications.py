"""What messages say: titles, sentences and the labels of their facts."""

from __future__ import annotations

from backups_app.messages.message import Sentence

BACKUP_DONE = Sentence("notify_backup_done", "Backup completed")
BACKUP_DONE_LINE = Sentence("notify_backup_done_line", "The backup was read back from the disk and verified.")
BACKUP_PARTIAL = Sentence("notify_backup_partial", "Backup saved, but not everything was done")
BACKUP_FAILED = Sentence("notify_backup_failed", "Backup failed")
RESTORE_DONE = Sentence("notify_restore_done", "Restore completed")
RESTORE_PARTIAL = Sentence("notify_restore_partial", "Restore not complete")
RESTORE_FAILED = Sentence("notify_restore_failed", "Restore failed")
REHEARSAL_DONE = Sentence("notify_rehearsal_done", "Restore test passed")
REHEARSAL_FAILED = Sentence("notify_rehearsal_failed", "Restore test failed")
SYNC_FAILED = Sentence("notify_sync_failed", "Sync failed")
SYNC_DONE = Sentence("notify_sync_done", "Sync completed")
BACKUP_DAMAGED = Sentence("notify_backup_damaged", "A backup is damaged")
NOT_VERIFIED = Sentence("notify_not_verified", "Verification could not be done")
BACKUP_GOOD = Sentence("notify_backup_good", "Backups checked: all are good")
BACKUP_GOOD_AGAIN = Sentence("notify_backup_good_again", "The backup was read again and is good.")
DAMAGED_IS_GONE = Sentence("notify_damaged_is_gone", "The damaged backup is no longer here.")
BACKUPS_REMOVED = Sentence(
    "notify_backups_removed", "The rules removed {n} old backup", "The rules removed {n} old backups"
)
BACKUPS_REMOVED_LINE = Sentence(
    "notify_backups_removed_line", "For one day they can be brought back from the trash, below the list of backups."
)
EMPTIED_EARLY = Sentence(
    "notify_emptied_early", "{n} old backup was deleted to make room", "{n} old backups were deleted to make room"
)
EMPTIED_EARLY_LINE = Sentence(
    "notify_emptied_early_line",
    "The rules had removed them, and the next backup would have lacked space. They cannot be brought back. Backups "
    "that a person removed stay in the trash for their day.",
)
RETENTION_STOPPED = Sentence("notify_retention_stopped", "Old backups are not removed")
RETENTION_GOES_ON = Sentence("notify_retention_goes_on", "The rules remove old backups again.")
RETENTION_SHRUNK = Sentence(
    "notify_retention_shrunk",
    'The collection "{collection}" shrank from {before} documents to {after} in backup {backup_id}. No older backup '
    "is removed until somebody accepts this.",
)
RETENTION_HOLDER = Sentence(
    "notify_retention_holder",
    "Backup {backup_id} held deleted documents and is damaged or gone. No older backup is removed until it is "
    "released.",
)
COPY_FAILED = Sentence("notify_copy_failed", "Copying a backup failed")
COPIES_AGAIN = Sentence("notify_copies_again", "Backups are copied again")
COPY_UNREAD = Sentence("notify_copy_unread", "A copy could not be read back")
COPIES_READ = Sentence("notify_copies_read", "The copies were read back, or made again")
TARGET = Sentence("notify_target", "Target")

OVERDUE = Sentence("notify_overdue", "Backup overdue")
OVERDUE_LINE = Sentence(
    "notify_overdue_line",
    "A backup should have been made by now. Open Backup Management to see why it was not, and make one.",
)
NO_LONGER_OVERDUE = Sentence("notify_no_longer_overdue", "A recent backup exists again.")
SLOT_MISSED = Sentence("notify_slot_missed", "Planned run missed: {schedule}")
SLOT_MISSED_LINE = Sentence("notify_slot_missed_line", "Nothing was deleted. The schedule goes on with its next time.")

DISK_LOW = Sentence("notify_disk_low", "The backup disk is almost full")
DISK_LOW_LINE = Sentence(
    "notify_disk_low_line",
    "There is room for {n} more backup like the last one. Free some space, or remove old backups.",
    "There is room for {n} more backups like the last one. Free some space, or remove old backups.",
)
ROOM_AGAIN = Sentence("notify_room_again", "The backup disk has room again.")

STILL = Sentence("notify_still", "Still: {title}")
SOLVED = Sentence("notify_solved", "Solved: {title}")
TEST = Sentence("notify_test", "Test message")
TEST_LINE = Sentence("notify_test_line", "This channel works. Messages about backups will arrive here.")
STARTED = Sentence("notify_started", "Backup started")

SINCE = Sentence("notify_label_since", "Since")
SOLVED_AT = Sentence("notify_label_solved_at", "Solved")
RUN = Sentence("notify_label_run", "Run")
BACKUP = Sentence("notify_label_backup", "Backup")
STARTED_AT = Sentence("notify_label_started_at", "Started")
FINISHED_AT = Sentence("notify_label_finished_at", "Finished")
SAVED = Sentence("notify_label_saved", "Saved")
SAVED_VALUE = Sentence("notify_saved_value", "{collections}, {documents}, {size}")
COLLECTIONS = Sentence("notify_collections", "{n} collection", "{n} collections")
DOCUMENTS = Sentence("notify_documents", "{n} document", "{n} documents")
DELETED_HERE = Sentence("notify_label_deleted_here", "Deleted on this computer")
DELETED_ATLAS = Sentence("notify_label_deleted_atlas", "Deleted on Atlas")
DELETED_VALUE = Sentence("notify_deleted_value", "{collections}")
CONFLICTS = Sentence("notify_label_conflicts", "Sync conflicts")
STARTED_BY = Sentence("notify_label_started_by", "Started by")
COMPUTER = Sentence("notify_label_computer", "Computer")
SCHEDULE = Sentence("notify_label_schedule", "Schedule")
PLANNED_FOR = Sentence("notify_label_planned_for", "Planned for")
LAST_GOOD = Sentence("notify_label_last_good", "Last good backup")
FREE = Sentence("notify_label_free", "Free on the backup disk")
CODE = Sentence("notify_label_code", "Code")
