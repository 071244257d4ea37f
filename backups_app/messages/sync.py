"""What a sync did, and what it left over."""

from __future__ import annotations

from backups_app.messages.message import Sentence

UNEXPECTED_ERROR = Sentence("unexpected_error", "an unexpected error ({error})")

COLLECTION_VANISHED = Sentence("collection_vanished", "the whole collection vanished from the {side} side")
DOCUMENTS_VANISHED = Sentence("documents_vanished", "{vanished} of {known} documents vanished from the {side} side")

SCAN_ASKED_FOR = Sentence("scan_asked_for", "an exact scan was requested")
NO_CHANGE_STREAM = Sentence("no_change_stream", "the {side} server is no replica set and has no change stream")
PAIR_NEVER_SYNCED = Sentence("pair_never_synced", "this pair was never synced to the end")
NO_STREAM_TOKEN = Sentence("no_stream_token", "no token of the {side} change stream was saved")
PROOF_DUE = Sentence("proof_due", "the periodic full comparison is due")
CHANGE_STREAM_BROKE = Sentence("change_stream_broke", "the change stream of the {side} side broke: {reason}")

WHY_DELETED_ON = Sentence("why_deleted_on", "it was deleted on the {side} side")
WHY_ONLY_INSERTS = Sentence("why_only_inserts", "both sides differ, and this collection only receives inserts")
WHY_EDITED_ON = Sentence("why_edited_on", "it was edited on the {side} side")
WHY_COPIED_BACK = Sentence("why_copied_back", "it was copied back")
WHY_EDIT_WON = Sentence("why_edit_won", "the edit beat the deletion")
WHY_NEW = Sentence("why_new", "it is new")

EXCLUDED = Sentence("excluded", "excluded by SYNC_EXCLUDE")
NOT_ASKED_FOR = Sentence("not_asked_for", "not requested")
VIEW_WITHOUT_DOCUMENTS = Sentence("view_without_documents", "a view holds no documents of its own")
TYPES_DIFFER = Sentence("types_differ", "it is a {local} here and a {remote} on Atlas")
CAPPED_ON_ONE_SIDE = Sentence("capped_on_one_side", "it is capped on one side only")
OPTION_DIFFERS = Sentence("option_differs", "option {name} differs between local and Atlas")
INDEX_MISSING_ON_ATLAS = Sentence("index_missing_on_atlas", "index {name} is missing on Atlas")
INDEX_MISSING_LOCALLY = Sentence("index_missing_locally", "index {name} is missing locally")
INDEX_DIFFERS = Sentence("index_differs", "index {name} differs")

WHY_NEWER = Sentence("why_newer", "the {side} version is newer")
WHY_TIE_WITHOUT_TIMES = Sentence("why_tie_without_times", "neither says when it was edited: a tie, local wins")
WHY_ONLY_REMOTE_TIMED = Sentence("why_only_remote_timed", "only the remote version says when it was edited")
WHY_ONLY_LOCAL_TIMED = Sentence("why_only_local_timed", "only the local version says when it was edited")
WHY_TIE_OF_TIMES = Sentence("why_tie_of_times", "edited within one second of each other: a tie, local wins")

THEY_WERE_NEVER_SYNCED = Sentence("they_were_never_synced", "they were never synced")
SAME_SERVER_TWICE = Sentence("same_server_twice", "both URLs lead to the same server")
ATLAS_PAIRED_OR_LOCAL_NEW = Sentence(
    "atlas_paired_or_local_new", "Atlas is paired with another local database, or this one was set up again"
)
ATLAS_UNMARKED = Sentence("atlas_unmarked", "the Atlas database is not marked as part of this pair")
ATLAS_PAIRED_ELSEWHERE = Sentence("atlas_paired_elsewhere", "Atlas is paired with another local database")
URLS_SWAPPED = Sentence("urls_swapped", "the two URLs are swapped")
SYNCED_UNDER_ANOTHER_NAME = Sentence(
    "synced_under_another_name", "the {side} side was synced under another database name"
)

BECAUSE_OF_ANOTHER_COLLECTION = Sentence("because_of_another_collection", "because {collection} was not synced")

WITHOUT_ID = Sentence("without_id", "they have no _id on the {side} side")
SHARED_ID = Sentence("shared_id", "several documents share one _id")
ID_NOT_FINDABLE = Sentence("id_not_findable", "no server finds a document by an _id of this type")

STREAM_DID_NOT_CATCH_UP = Sentence("stream_did_not_catch_up", "it did not catch up")
STREAM_NOT_ALLOWED = Sentence("stream_not_allowed", "the MongoDB user has no right to watch it")
STREAM_HISTORY_GONE = Sentence("stream_history_gone", "its history is gone (code {code})")
STREAM_UNREADABLE = Sentence("stream_unreadable", "it could not be read ({error})")
STREAM_REPORTED = Sentence("stream_reported", "it reported {event}")

INDEX_NOT_MADE_ON_SIDE = Sentence(
    "index_not_made_on_side", "index {name} could not be made on the {side} side ({reason})"
)
INDEXES_NOT_LISTED = Sentence("indexes_not_listed", "the indexes of the {side} side could not be listed ({reason})")

FAILED_COLLECTION = Sentence(
    "collection_not_brought_together",
    "{name}: not synced, {reason}. No version of it is lost, and the next sync tries again. If that does not help, "
    "tell your technician, or leave it out with SYNC_EXCLUDE.",
)
SKIPPED_COLLECTION = Sentence(
    "collection_not_synced",
    "{name}: not synced, {reason}. A backup holds only what is on this computer. Rename one of the two, or leave "
    "both out with SYNC_EXCLUDE.",
)
UNRESOLVED_ON_SIDE = Sentence("unresolved_on_side", "{side}: {reason}")
UNRESOLVED_IN = Sentence(
    "unresolved_in_collection",
    "{name}: {n} document could not be carried over.",
    "{name}: {n} documents could not be carried over.",
)
BLOCKED_IN = Sentence(
    "deletions_blocked", "{name}: its deletions were not carried over, {reason}. Decide with backup_sync."
)
HELD_IN = Sentence(
    "documents_held",
    "{name}: {n} document of an unfinished deletion was left alone.",
    "{name}: {n} documents of an unfinished deletion were left alone.",
)
UNFINISHED_IN = Sentence("collection_unfinished", "{name}: {reason}. The next sync tries again.")
BLOCKED = Sentence("left_over_blocked", "its deletions were not carried over, {reason}")
UNRESOLVED = Sentence(
    "left_over_unresolved", "{n} document could not be carried over", "{n} documents could not be carried over"
)
SEVERAL = Sentence("left_over_several", "{first}; {second}")
WITHHELD_UNSYNCED = Sentence("withheld_unsynced", "It was not synced: {reason}.")

COUNTS = Sentence("sync_counts", "{counts}")
PULLED = Sentence("pulled", "{n} pulled")
PUSHED = Sentence("pushed", "{n} pushed")
DELETED_COUNT = Sentence("sync_deleted", "{n} deleted")
CONFLICTS = Sentence("conflicts", "{n} conflict", "{n} conflicts")
TIES = Sentence("ties", "{n} tie: local won", "{n} ties: local won")
UNRESOLVED_COUNT = Sentence("unresolved", "{n} unresolved")
LEFT_OUT_COUNT = Sentence("left_out", "{n} collection left out", "{n} collections left out")
SYNC_WAS_INTERRUPTED = Sentence("sync_was_interrupted", "The sync was interrupted.")
