"""What needs attention though a good backup is there. Each is a clause that stands after "Needs attention:"."""

from __future__ import annotations

from backups_app.messages.message import Sentence

DELETION_UNFINISHED = Sentence("deletion_unfinished", "the deletion of the run of {run} is unfinished.")
DELETION_UNFINISHED_WHY = Sentence(
    "deletion_unfinished_why", "the deletion of the run of {run} is unfinished. {reason}"
)
FILES_GONE = Sentence("newest_files_gone", "The files of the backup of {run} are gone from the backup folder.")
NEWEST_DAMAGED = Sentence("newest_backup_damaged", "the newest backup, {run}, is damaged.")
HOLDER_DAMAGED = Sentence(
    "held_documents_damaged",
    "the backup {run} is damaged, and may be the only one with what its run deleted.",
)
HOLDER_GONE = Sentence(
    "held_documents_gone",
    "the files of the backup {run} are gone, and it may have been the only one with what its run deleted.",
)
RUN_FAILED = Sentence("last_run_failed", "the last run failed. {reason}")
RUN_PARTIAL = Sentence("last_run_partial", "the last run was partial. {reason}")
RUN_CANCELLED = Sentence("last_run_cancelled", "the last run was cancelled. {reason}")
LEFT_OVER = Sentence("sync_left_something", "the last sync left something over. {collection}: {reason}.")
ANOTHER_ATLAS = Sentence("synced_with_another_atlas", "the last sync was with another Atlas than the present one.")
TEST_FAILED = Sentence("last_restore_test_failed", "the last restore test failed. {reason}")
TEST_OF_COPY_FAILED = Sentence(
    "last_test_of_copy_failed", "the last restore test of the copy at {target} failed. {reason}"
)
LITTLE_ROOM = Sentence(
    "little_room",
    "the backup disk has room for {n} more backup like the last one.",
    "the backup disk has room for {n} more backups like the last one.",
)
NO_ROOM_FOR_FULL = Sentence("no_room_for_full", "the backup disk has no room for the next full backup.")
ATLAS_AWAY = Sentence("atlas_away", "Atlas can't be reached. Backups still work; sync waits.")
ATLAS_AWAY_NO_BACKUP = Sentence(
    "atlas_away_no_backup",
    "Atlas can't be reached, and no backup is made until it answers: SYNC_FAILURE_POLICY is abort.",
)
CLOCKS_APART = Sentence("clocks_apart", "the clocks of the two databases are {n} seconds apart.")

DATED_IN_FUTURE = Sentence(
    "newest_dated_in_future", "the backup {run} is dated in the future, so its age is not known."
)
NOT_CONFIRMED = Sentence(
    "newest_not_confirmed", "no worker on {host} has confirmed the backup of {run}, which is there, for ten minutes."
)
NONE_IS_HERE = Sentence("no_good_backup_is_here", "no good backup is here. {reason}")

LOOK_THERE = Sentence("hint_look_there", "Start manage.py worker on {host}, and look at the backup there.")
RESUME = Sentence("hint_resume", "Resume it, or keep the documents after all.")
KEEP = Sentence("hint_keep", "Keep the documents after all.")
BACK_UP = Sentence("hint_back_up_again", "Make a backup now.")
FIRST_BACKUP = Sentence("hint_first_backup", "Make your first backup now.")
SET_CLOCK = Sentence("hint_set_clock", "Set the clock of this computer right, and make a backup now.")
BRING_BACK_FILES = Sentence(
    "hint_bring_back_files", "Put its files back from a copy; or release it, if nobody needs those documents any more."
)
COPY_AGAIN = Sentence("hint_copy_again", "Copy now, on the page Copies; then test that copy again.")
TEST_ANOTHER = Sentence("hint_test_another", "Verify the backup, make a new one, and test the restore again.")
READ_LOG = Sentence("hint_read_sync_log", "The last sync's log names everything and what to do.")
SET_ATLAS_BACK = Sentence(
    "hint_set_atlas_back",
    "Set MONGODB_CLOUD_URL back, or sync with this Atlas. Until then nothing counts as being there.",
)
FREE_SPACE = Sentence("hint_free_space", "Free some space, or remove old backups.")
SET_TIME = Sentence("hint_set_time", "Sync may keep the older of two edits. Switch on time synchronisation (NTP).")
