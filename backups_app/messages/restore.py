"""What a restore's preview and result name."""

from __future__ import annotations

from backups_app.messages.message import Sentence

STAYS_EMPTY = Sentence("stays_empty", "its documents are removed, the collection itself stays")
NOT_EMPTIED = Sentence("not_emptied", "this {kind} was not there before and cannot be emptied: drop it by hand")
CAPPED_COLLECTION = Sentence("capped_collection", "capped collection")
CAPPED_NOT_RESTORED = Sentence(
    "capped_not_restored",
    "it is capped and holds documents that older ones would push out: restore it into a test copy",
)
TIME_SERIES_NOT_RESTORED = Sentence(
    "time_series_not_restored", "it is a time-series that holds measurements: restore it into a test copy"
)
WAS_NOT_THERE_BEFORE = Sentence("was_not_there_before", '"{name}" was not there before: {consequence}.')
SERVER_DOES_NOT_MAKE_IT = Sentence("server_does_not_make_it", "the server does not make it ({reason})")
CHANGED_MEANWHILE = Sentence(
    "changed_meanwhile",
    "{n} document was changed by others meanwhile and stays as they left it.",
    "{n} documents were changed by others meanwhile and stay as they left them.",
)

OWN_RECORDS = Sentence("own_records", "one of this product's own records")
EMPTIED_BY_RUN = Sentence("emptied_by_run", "emptied on purpose by run {run}")
OWN_RECORDS_ONLY_ADDED = Sentence(
    "own_records_only_added", "This product's own records are only ever added to, never overwritten."
)
OWN_RECORDS_STAY = Sentence(
    "own_records_stay", "this product's own records are never deleted: what the restore added stays"
)
OWN_RECORDS_STAYED = Sentence(
    "own_records_stayed",
    "What the undone restore added to {names} stays: this product's own records are never deleted.",
)
ONE_DOCUMENT_ADD_OR_OVERWRITE = Sentence(
    "one_document_add_or_overwrite", "One document is restored into one collection, by add or overwrite."
)
ONE_DOCUMENT_OF_ORDINARY_COLLECTION = Sentence(
    "one_document_of_ordinary_collection", "One document can only be restored from an ordinary collection."
)

SERVER_DISK_TOO_FULL = Sentence(
    "server_disk_too_full", "About {wanted} would be written, and only {free} are free on the server's disk."
)
INDEX_EXPIRES_DOCUMENTS = Sentence(
    "index_expires_documents",
    (
        'The index "{name}" makes the server delete documents {seconds} seconds after their time; older ones '
        "will not stay."
    ),
)
OLDER_VERSIONS_IN_BACKUP = Sentence(
    "older_versions_in_backup",
    "{n} document is in the backup twice; the later version is restored.",
    "{n} documents are in the backup twice; the later version is restored.",
)
DOCUMENTS_NOT_STORABLE = Sentence(
    "documents_not_storable",
    "{n} document cannot be stored unchanged by any server (two fields of one name, with a Timestamp(0, 0) or a name "
    "that begins with $); it is left out and named.",
    "{n} documents cannot be stored unchanged by any server (two fields of one name, with a Timestamp(0, 0) or a name "
    "that begins with $); they are left out and named.",
)

DOCUMENT_OF_COLLECTION_DAMAGED = Sentence("document_of_collection_damaged", 'a document of "{name}" is damaged')
DOCUMENTS_UNREADABLE = Sentence("documents_unreadable", 'the documents of "{name}" cannot be read')
DOCUMENTS_NOT_VERIFIED = Sentence(
    "documents_not_verified", 'the documents of "{name}" are not those that were verified'
)
STRUCTURE_UNREADABLE = Sentence("structure_unreadable", 'the options and indexes of "{name}" cannot be read')

NOTHING_DELETABLE = Sentence("nothing_deletable", "Nothing could be deleted: {reason}.")
UNIQUE_INDEX_VALUE_TAKEN = Sentence("unique_index_value_taken", "another document has the same value of a unique index")

UNIQUE_VALUES_TAKEN = Sentence(
    "unique_values_taken",
    '{n} document has a value of the unique index "{index}" that another document holds now; it is left out unless '
    "that one goes.",
    '{n} documents have a value of the unique index "{index}" that another document holds now; they are left out '
    "unless that one goes.",
)
RULE_BROKEN = Sentence(
    "validation_rule_broken",
    "{n} document breaks the collection's validation rule; the server refuses it.",
    "{n} documents break the collection's validation rule; the server refuses them.",
)
UNCHECKED_INDEX = Sentence("unchecked_index", 'The unique index "{index}" could not be checked beforehand.')
UNCHECKED_LISTS = Sentence(
    "unchecked_lists", 'Some documents with lists under the unique index "{index}" could not be checked beforehand.'
)
UNCHECKED_AMONG_THEMSELVES = Sentence(
    "unchecked_among_themselves",
    "The documents of the backup were compared with those that are there, not with one another: the unique index "
    '"{index}", which the backup does not have, may refuse some of them.',
)
UNCHECKED_DUPLICATES = Sentence(
    "unchecked_duplicate_names",
    "The validation rule for documents with two fields of one name could not be checked beforehand.",
)
UNCHECKED_RULE = Sentence("unchecked_rule", "The validation rule could not be checked beforehand.")
