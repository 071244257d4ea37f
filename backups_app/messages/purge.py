"""Why nothing is deleted."""

from __future__ import annotations

from backups_app.messages.message import Sentence

NOT_DELETED_EXACTLY = Sentence("not_deleted_exactly", "It cannot be deleted exactly: {reason}.")
NEVER_PURGED = Sentence("never_purged", "{collection} is never deleted")

DELETION_DID_NOT_RUN = Sentence("deletion_did_not_run", "The deletion step did not run: {reason}.")
NOT_PURGEABLE = Sentence("not_purgeable", "It is not one of the collections that may be deleted.")
PURGE_NOT_A_COLLECTION = Sentence("purge_not_a_collection", "It is a {type}, not a collection.")
NO_DATA_FILE = Sentence("no_data_file", "The backup holds no data file of it.")
DOCUMENTS_UNRESOLVED = Sentence("documents_unresolved", "{n} of its documents could not be synced.")
BACKUP_NOT_PUBLISHED = Sentence("backup_not_published", "the backup is not published")
BACKUP_NOT_READ_BACK = Sentence("backup_not_read_back", "the backup was not read back and verified by this process")
SYNC_DID_NOT_SUCCEED = Sentence("sync_did_not_succeed", "the sync did not succeed")
NOT_THE_SYNCED_PAIR = Sentence("not_the_synced_pair", "local and Atlas are not the pair that was synced before")
DELETION_NOT_CONFIRMED = Sentence("deletion_not_confirmed", "the deletion was not confirmed")

MANIFEST_WITHOUT_DATA_FILE = Sentence("manifest_without_data_file", "the manifest names no data file of {collection}")
FILE_COUNT_DIFFERS = Sentence("file_count_differs", "{path} does not hold the documents that the manifest counts")
NOT_THE_VERIFIED_FILE = Sentence("not_the_verified_file", "{path} is not the file that was verified")
FILE_DAMAGED = Sentence("file_damaged", "{path} is damaged: {problem}")
