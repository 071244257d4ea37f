"""What the steps of a run, and its end, say."""

from __future__ import annotations

from backups_app.messages.message import Sentence

NO_DUMP_OF_MONGODUMP = Sentence("no_dump_of_mongodump", "it holds no dump of mongodump")
DUMP_ONE_FOLDER_TOO_DEEP = Sentence("dump_one_folder_too_deep", 'its dump lies one folder too deep, in "{folder}"')

METADATA_JSON_NOT_OURS = Sentence("metadata_json_not_ours", "metadata.json does not hold what we wrote")
METADATA_JSON_FIELD_WRONG = Sentence(
    "metadata_json_field_wrong", "the field {field} of metadata.json does not hold what we wrote"
)
MANIFEST_MISSING_OR_DAMAGED = Sentence("manifest_missing_or_damaged", "its manifest is missing or damaged")

FILES_NOT_WHAT_WAS_VERIFIED = Sentence("files_not_what_was_verified", "its files are not what was verified")
VERIFICATION_FOUND_DAMAGE = Sentence("verification_found_damage", "a verification found it damaged")

ROOM = Sentence("room_for_the_backup", "Room for the backup, engine {engine}")
FULL_WITHOUT_BASE = Sentence("full_without_base", "A full backup is made: there is no good one to begin from.")
FULL_AFTER_NEW_KEYS = Sentence(
    "full_after_new_keys", "A full backup is made: copies are encrypted to other keys than the last one."
)
FULL_AFTER_A_DAY = Sentence("full_after_a_day", "A full backup is made: the last one is a day old.")
FULL_AFTER_MANY = Sentence(
    "full_after_many",
    "A full backup is made: {n} incremental begins from the last one.",
    "A full backup is made: {n} incrementals begin from the last one.",
)
FULL_AFTER_MUCH = Sentence(
    "full_after_much", "A full backup is made: more than a fifth has changed since the last one."
)
FULL_FOR_DAMAGE = Sentence(
    "full_for_damage", "A full backup is made: the last one, {backup_id}, is not good: {problem}."
)
BASE_NOT_ON_RECORD = Sentence(
    "base_not_on_record",
    "the record of the run of backup {backup_id} has changed: the database was restored or rolled back",
)
ANOTHER_REPLICA_SET = Sentence("another_replica_set", "this is another replica set, or its id cannot be read")
PROOF_IS_DUE = Sentence(
    "proof_is_due", "everything is compared once in {n} day", "everything is compared once in {n} days"
)
PURGES_STAY_OPEN = Sentence(
    "purges_stay_open",
    "{n} deletion of earlier runs is unfinished; an incremental backup deletes nothing, so it stays unfinished.",
    "{n} deletions of earlier runs are unfinished; an incremental backup deletes nothing, so they stay unfinished.",
)
COPIED_CHANGES = Sentence(
    "copied_changes",
    "{n} document changed or new, {gone} deleted or replaced since backup {backup_id}",
    "{n} documents changed or new, {gone} deleted or replaced since backup {backup_id}",
)
DISK_NEARLY_FULL = Sentence("disk_nearly_full", "Less than a fifth of the backup disk stays free ({size}).")
SYNC_SKIPPED = Sentence("sync_skipped", "Skipped: sync is off")
SYNCED_WITH_REST = Sentence("synced_with_rest", "Synced: {counts}. {rest}")
NOT_BROUGHT_TOGETHER = Sentence("not_brought_together", "Not fully synced: {names}.")
NOT_BROUGHT_TOGETHER_AND_MORE = Sentence("not_brought_together_and_more", "Not fully synced: {names} and {n} more.")
COPIED = Sentence(
    "copied",
    "{n} collection of the temple, {own} of our own records copied",
    "{n} collections of the temple, {own} of our own records copied",
)
VERIFIED = Sentence(
    "verified",
    "{n} collection of the temple, {own} of our own records; {documents}, {size} verified",
    "{n} collections of the temple, {own} of our own records; {documents}, {size} verified",
)
PUBLISHED = Sentence("published", "Published")
AS_VERIFIED = Sentence(
    "backup_as_verified",
    "{n} document of the backup is as it was verified",
    "{n} documents of the backup are as they were verified",
)
NOTHING_UNFINISHED = Sentence("no_unfinished_deletion", "No unfinished deletion")
EARLIER_LEFT = Sentence(
    "earlier_deletions_left",
    "{n} deletion of earlier runs is unfinished and not asked for by this run",
    "{n} deletions of earlier runs are unfinished and not asked for by this run",
)
EARLIER_FINISHED = Sentence(
    "earlier_deletions_finished",
    "{n} unfinished deletion of earlier runs finished",
    "{n} unfinished deletions of earlier runs finished",
)
EARLIER_NOT_HERE = Sentence(
    "earlier_deletion_not_here",
    "The deletion of run {run} cannot be finished: the files of its backup are not here. Open that run and keep its "
    "documents after all.",
)
EARLIER_STILL_OPEN = Sentence(
    "earlier_deletion_still_open", "The deletion of run {run} is still unfinished. Open that run and resume it."
)
NOTHING_TO_RESTORE = Sentence("nothing_to_restore", "It holds no collection that a restore writes")
NOT_AS_PLANNED = Sentence("not_as_planned", "Not as planned: {names}. {sums}.")
COPY_FETCHED = Sentence(
    "copy_fetched",
    'Fetched from "{target}" and opened; {n} document is as it was verified',
    'Fetched from "{target}" and opened; {n} documents are as they were verified',
)
REHEARSED = Sentence(
    "rehearsed", "{n} of {all} collection matches, {documents}", "{n} of {all} collections match, {documents}"
)
REHEARSAL_HOLDS_NOTHING = Sentence("rehearsal_holds_nothing", "it holds no collection that a restore writes")
REHEARSAL_DIFFERS = Sentence("rehearsal_differs", '"{name}": {reason} ({count} of {all} collections)')
DOCUMENTS_DIFFER = Sentence("documents_differ", "documents differ")

NOT_BEGUN = Sentence("not_begun", "Not begun")
NOT_BEGUN_CANCELLED = Sentence("not_begun_cancelled", "Not begun: cancelled")
CANCELLED_STEP = Sentence("step_cancelled", "Cancelled")
INTERRUPTED_STEP = Sentence("step_interrupted", "Interrupted")

REMOTE_FIRST = Sentence(
    "remote_deletion_first", "Not begun: the deletion on Atlas is not finished, and it comes first."
)
SYNC_NOT_KNOWN = Sentence("sync_not_known", "it is not known which documents its sync left unresolved")
DELETED = Sentence("deleted", "Deleted: {counts}")
DELETED_NONE = Sentence("deleted_none", "No documents were deleted")
DELETED_SO_FAR = Sentence("deleted_so_far", "{reason} Deleted so far: {counts}.")
DELETED_OF = Sentence("deleted_of_collection", "{collection} {n}")
DELETED_DOCUMENTS = Sentence("deleted_documents", "{collection} ({documents})")
CHANGED_AND_KEPT = Sentence("changed_and_kept", "{deleted}; {documents} changed meanwhile and kept")
RESTORED_AND_KEPT = Sentence("restored_and_kept", "{deleted}; {documents} restored meanwhile and kept")
WITHHELD = Sentence("withheld", "{deleted}. Withheld: {reasons}")
WITHHELD_COLLECTION = Sentence("withheld_collection", "{collection}: {reason}")
NOTHING = Sentence("nothing", "nothing")

COPY_STAYS = Sentence(
    "unfinished_copy_stays",
    "The unfinished copy could not be removed from the backup disk. The next run removes it.",
)
OUTCOME_NOT_MIRRORED = Sentence(
    "outcome_not_mirrored", "The outcome could not be written beside the backup. The record of the run has it."
)
DIGEST_NOT_BESIDE = Sentence(
    "digest_not_beside",
    "The digest of the audit trail could not be written beside the backup. The record of the run has it.",
)
WITHOUT_THE_NEWEST_BECAUSE = Sentence(
    "without_the_newest_because", "Backup made without the newest changes from Atlas: {reason}"
)
SAFE = Sentence("backup_verified", "Your backup is complete and verified.")
STOPPED_BY = Sentence("stopped_by", "Stopped by {by}.")
AN_ADMINISTRATOR = Sentence("an_administrator", "an administrator")
COPY_REMOVED = Sentence("unfinished_copy_removed", "The unfinished copy was removed.")
STEP_DID_NOT_RUN = Sentence("deletion_step_did_not_run", "The deletion step did not run.")
STEP_DID_NOT_RUN_WITHOUT_ATLAS = Sentence(
    "deletion_step_without_atlas", "The deletion step did not run, because Atlas could not be reached."
)
NOTHING_DELETED = Sentence("nothing_deleted", "Nothing was deleted by this run.")
KEPT = Sentence(
    "replaced_versions_kept",
    "Replaced and deleted versions are kept: page Sync, Conflicts, Edits and deletions too.",
)
WITHOUT_THE_NEWEST = Sentence("without_the_newest", "The backup was made without the newest changes from Atlas.")
SYNC_BEFORE_UNKNOWN = Sentence("sync_before_unknown", "How much the sync before it had changed is not on record.")
SYNC_BEFORE = Sentence(
    "sync_before",
    "The sync before it pulled {pulled} and pushed {pushed} document.",
    "The sync before it pulled {pulled} and pushed {pushed} documents.",
)
SYNC_BEFORE_DELETED = Sentence(
    "sync_before_deleted",
    "The sync before it pulled {pulled} and pushed {pushed} document, and deleted {here} on this computer and "
    "{there} on Atlas.",
    "The sync before it pulled {pulled} and pushed {pushed} documents, and deleted {here} on this computer and "
    "{there} on Atlas.",
)
BEFORE_THAT = Sentence(
    "before_that",
    "Before that, this sync pulled {pulled} and pushed {pushed} document.",
    "Before that, this sync pulled {pulled} and pushed {pushed} documents.",
)
BEFORE_THAT_DELETED = Sentence(
    "before_that_deleted",
    "Before that, this sync pulled {pulled} and pushed {pushed} document, and deleted {here} on this computer and "
    "{there} on Atlas.",
    "Before that, this sync pulled {pulled} and pushed {pushed} documents, and deleted {here} on this computer and "
    "{there} on Atlas.",
)
NEXT_SYNC_GOES_ON = Sentence("next_sync_goes_on", "The next sync goes on from there.")

COMPLETED = Sentence("backup_completed", "Backup completed successfully")
RUNNING = Sentence("backup_running", "Backup is running")
FAILED = Sentence("backup_failed", "Backup failed. The deletion step did not run.")

NO_UNDO = Sentence("no_undo", "It was the safety backup of a restore. That restore can no longer be undone.")
ONLY_ELSEWHERE = Sentence("only_elsewhere", "The documents that its run deleted can only come from another backup.")
NO_RESUME = Sentence(
    "no_resume", ("Its deletion is not finished and cannot be resumed: keep the remaining documents after all.")
)
UNVERIFIED = Sentence(
    "backup_unverified",
    "Nobody has verified these files as they are now. Verify this backup before you rely on it.",
)
FOUND_DAMAGED = Sentence(
    "backup_found_damaged",
    "This backup is damaged. Do not rely on it: look for its documents in another one.",
)
