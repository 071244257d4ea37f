"""Why a request is refused."""

from __future__ import annotations

from backups_app.messages.message import Sentence

TOO_MANY_RUNS = Sentence("too_many_runs", "Too many runs were started in this second. Try again.")
INCREMENTALS_NEED_IT = Sentence(
    "incrementals_need_it",
    "{n} incremental backup begins from it and cannot be trusted either: {names}.",
    "{n} incremental backups begin from it and cannot be trusted either: {names}.",
)
INCREMENTAL_DELETES_NOTHING = Sentence(
    "incremental_deletes_nothing", "An incremental backup deletes nothing: leave delete_bookings out."
)
DELETE_BOOKINGS_NOT_BOOLEAN = Sentence("delete_bookings_not_boolean", "delete_bookings must be true or false")

DELETION_UNFINISHED_FIRST = Sentence(
    "deletion_unfinished_first", "its deletion is not finished: first resume it, or keep the documents after all"
)

URL_OPTION_NOT_OBEYED = Sentence(
    "url_option_not_obeyed", "{option} in {variable} is ignored: backups read from the primary."
)

EARLIER_VERSION_RESTORED = Sentence("earlier_version_restored", "{by} restored an earlier version")

KEPT_AFTER_ALL = Sentence("kept_after_all", "Kept after all: what had not been deleted stays.")

SCHEDULE_DOES_UNKNOWN = Sentence(
    "schedule_does_unknown", "A schedule does backup, backup_and_delete, incremental, sync, rehearse or verify."
)
SCHEDULE_MISSED_UNKNOWN = Sentence("schedule_missed_unknown", "A missed run is run late or skipped: run or skip.")
WISH_UNKNOWN = Sentence("wish_unknown", "wish must be nothing, problems or everything; language one of the site's")

MODE_UNKNOWN = Sentence("mode_unknown", "The mode is add, overwrite or replace.")
NO_COLLECTION_CHOSEN = Sentence("no_collection_chosen", "No collection was chosen.")
ONE_DOCUMENT_ONE_COLLECTION = Sentence(
    "one_document_one_collection", "One document is restored into exactly one collection: name it."
)
TEST_COPY_ONLY_ADDED_TO = Sentence(
    "test_copy_only_added_to", "A test copy is only added to. Remove it and make it again to replace it."
)

KEY_FILE_EXISTS = Sentence("key_file_exists", "That file exists already. Nothing was written. Name a new one.")
