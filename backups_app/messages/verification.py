"""What verifying a backup finds."""

from __future__ import annotations

from backups_app.messages.message import Sentence

TOO_FEW_DOCUMENTS = Sentence(
    "too_few_documents", 'the copy of "{name}" has fewer documents than the database held: {found} instead of {floor}'
)
HOLDS_SOMETHING_ELSE = Sentence("holds_something_else", "it holds something that the database does not: {name}")
COLLECTION_MISSING = Sentence("collection_missing", 'the collection "{name}" is missing')
COLLECTION_DROPPED_MEANWHILE = Sentence(
    "collection_dropped_meanwhile", '"{name}" was dropped or renamed while the copy was made'
)
SAVED_AS_ANOTHER_TYPE = Sentence("saved_as_another_type", '"{name}" was saved as a {saved_as}, but it is a {type}')
DOCUMENTS_MISSING = Sentence("documents_missing", 'the documents of "{name}" are missing')
OPTIONS_INDEXES_MISSING = Sentence("options_indexes_missing", 'options and indexes of "{name}" are missing')
SAVED_FROM_ANOTHER_COLLECTION = Sentence(
    "saved_from_another_collection", '"{name}" was saved from another collection of that name'
)

STRAY_WITH_EFFECT = Sentence("stray_with_effect", "{what}. {effect}")
NOT_PART_OF_THE_BACKUP = Sentence("not_part_of_the_backup", "{path} is not part of the backup and was not read")
MORE_NOT_PART_OF_THE_BACKUP = Sentence(
    "more_not_part_of_the_backup",
    "{n} more entry is not part of the backup and was not read",
    "{n} more entries are not part of the backup and were not read",
)

FILE_DAMAGED_AT = Sentence("file_damaged_at", "{path} is damaged: {problem} (document {number}, byte {offset})")
PATH_NOT_OPENED = Sentence("path_not_opened", "{path} cannot be opened")

NO_METADATA = Sentence("no_metadata", '"{name}" has no metadata: options and indexes unknown')
DOCUMENTS_WITHOUT_ID = Sentence(
    "documents_without_id", '"{name}" holds documents without _id ({count}): a restore gives each one, always the same'
)
NO_DOCUMENTS_FILE = Sentence("no_documents_file", '"{name}" has no documents file')
TEXT_NOT_UTF8 = Sentence(
    "text_not_utf8",
    '"{name}" holds text that is not UTF-8 in {n} document: it is restored by its bytes',
    '"{name}" holds text that is not UTF-8 in {n} documents: they are restored by their bytes',
)
INDEXES_WITHOUT_NAME = Sentence(
    "indexes_without_name", '"{name}" has indexes without a name or a key ({count}): they are left out'
)

DOCUMENT_VALUES_LENGTH_WRONG = Sentence("document_values_length_wrong", "a document's values do not add up")

PAGE_INDEX_LOST = Sentence(
    "page_index_lost", 'the index of "{name}" is lost and cannot be made again: its pages open more slowly'
)
PAGE_INDEX_MADE_AGAIN = Sentence("page_index_made_again", 'the index of "{name}" was lost and was made again')
MANIFEST_AND_FILES_DIFFER = Sentence("manifest_and_files_differ", 'its manifest and its files differ about "{name}"')
MANIFEST_AND_INDEX_DIFFER = Sentence("manifest_and_index_differ", 'its manifest and the index of "{name}" differ')
FILE_MISSING = Sentence("file_missing", "{path} is missing")

COLLECTION_UNREADABLE = Sentence("collection_unreadable", "{name} cannot be read and was left out")
DUPLICATE_IDS = Sentence(
    "duplicate_ids",
    '"{name}" holds {count} _id more than once: they changed while the copy was made, and no deletion will touch them',
)
FILE_SIZE_DIFFERS = Sentence("file_size_differs", "{path} has {bytes} bytes instead of {expected}")
FILE_HASH_DIFFERS = Sentence("file_hash_differs", "{path} is not what was written: its SHA-256 differs")
DISK_READS_OTHER_BYTES = Sentence("disk_reads_other_bytes", "the disk does not give back what was written to {path}")
