"""What is wrong with the files of a backup."""

from __future__ import annotations

from backups_app.messages.message import Sentence

DOCUMENT_LENGTH_IMPOSSIBLE = Sentence("document_length_impossible", "a document's length is impossible")
NAME_NOT_UTF8 = Sentence("name_not_utf8", "a name or a string is not UTF-8")
DOCUMENT_LENGTH_OR_END_WRONG = Sentence("document_length_or_end_wrong", "a document's length or end mark is wrong")
NESTED_DOCUMENT_TOO_LONG = Sentence("nested_document_too_long", "a nested document runs over the end of its parent")
DOCUMENT_NO_END_MARK = Sentence("document_no_end_mark", "a document has no end mark")
CODE_WITH_SCOPE_LENGTH = Sentence("code_with_scope_length", "code with scope does not fill its length")
NAME_NO_END = Sentence("name_no_end", "a name has no end")
STRING_LENGTH_WRONG = Sentence("string_length_wrong", "a string's length is wrong")
VALUE_TOO_LONG = Sentence("value_too_long", "a value runs over the end of its document")
BOOLEAN_WRONG = Sentence("boolean_wrong", "a boolean is neither true nor false")
BINARY_LENGTH_WRONG = Sentence("binary_length_wrong", "a binary value's length is wrong")
BINARY_INNER_LENGTH_WRONG = Sentence("binary_inner_length_wrong", "a binary value's inner length is wrong")
LAST_DOCUMENT_CUT_OFF = Sentence("last_document_cut_off", "the last document is cut off")
DOCUMENT_TOO_MANY_VALUES = Sentence("document_too_many_values", "a document has more than {most} values")
DOCUMENT_TOO_DEEP = Sentence("document_too_deep", "a document is nested deeper than {most} levels")
VALUE_TYPE_UNKNOWN = Sentence("value_type_unknown", "a value has a type that BSON does not know")

METADATA_FILE_NOT_JSON_OBJECT = Sentence("metadata_file_not_json_object", "its metadata file is not a JSON object")
METADATA_FILE_MISSING = Sentence("metadata_file_missing", "its metadata file is missing")
METADATA_FILE_UNREADABLE = Sentence("metadata_file_unreadable", "its metadata file cannot be read")
FILE_UNREADABLE = Sentence("file_unreadable", "{path} cannot be read")

GONE_LIST_UNREADABLE = Sentence(
    "gone_list_unreadable", "{path}, the list of what this incremental leaves out of its base, is missing or damaged"
)
BASE_NOT_THERE = Sentence("base_not_there", "its base, the backup {backup_id}, is not in the backup folder")
BASE_NOT_THE_ONE = Sentence(
    "base_not_the_one", 'its base, the backup {backup_id}, holds another "{name}" than the one it was made from'
)
BASE_IS_DAMAGED = Sentence("base_is_damaged", "its base, the backup {backup_id}, is not good: {problem}")

NAMED_NOT_PLAIN_FILE = Sentence("named_not_plain_file", '"{name}" is not a plain file')
FOLDER_NOT_OPENED = Sentence("folder_not_opened", "its folder cannot be opened")
FILE_NOT_OPENED_AS_PLAIN = Sentence(
    "file_not_opened_as_plain", '"{name}" cannot be opened as a plain file of this backup'
)

OPLOG_LEFT_OUT = Sentence("oplog_left_out", "oplog.bson was left out: it is for mongorestore --oplogReplay alone")
NO_DATABASE_FOLDER = Sentence("no_database_folder", 'it holds no folder "{database}"')
FILE_TWICE = Sentence("file_twice", "{path} is there twice, plain and compressed")
PLAIN_AND_COMPRESSED_MIXED = Sentence(
    "plain_and_compressed_mixed", "plain and compressed files are mixed, and stock tools would restore half"
)
TWO_FILES_OF_ONE_COLLECTION = Sentence("two_files_of_one_collection", "two files say that they are the same collection")
TIME_SERIES_BUCKETS_ONLY = Sentence(
    "time_series_buckets_only", '"{series}" is a time-series of which only the buckets are here, without its options'
)
FOLDER_UNREADABLE = Sentence("folder_unreadable", "its folder cannot be read")
OTHER_DATABASE_LEFT_OUT = Sentence(
    "other_database_left_out", 'the database "{name}" of this dump was left out, "{database}" was read'
)
FILE_IS_LINK = Sentence("file_is_link", "{path} is a link or no plain file")
COLLECTION_LEFT_OUT = Sentence("collection_left_out", '"{name}" was left out: {reason}')

NOT_PLAIN_FILE = Sentence("not_plain_file", "not a plain file")

MONGORESTORE_RESTORES_IT = Sentence("mongorestore_restores_it", "Stock mongorestore would restore it")
MONGORESTORE_STOPS_AT_IT = Sentence("mongorestore_stops_at_it", "Stock mongorestore would stop at it")
NAME_NO_SERVER_TAKES = Sentence("name_no_server_takes", "no server takes such a name")
USERS_AND_ROLES_NOT_RESTORED = Sentence(
    "users_and_roles_not_restored", "users and roles of the server are no part of a restore"
)
SERVER_KEEPS_IT = Sentence("server_keeps_it", "the server keeps it itself")

GZIP_TOO_LONG = Sentence("gzip_too_long", "the gzip data holds more than it should")
GZIP_CUT_OFF = Sentence("gzip_cut_off", "the gzip data is cut off")
GZIP_TRAILING_BYTES = Sentence("gzip_trailing_bytes", "there are bytes behind the end of the gzip data")
GZIP_BROKEN = Sentence("gzip_broken", "the gzip data is broken")

MANIFEST_VERSION_UNKNOWN = Sentence("manifest_version_unknown", "manifest version {version} is not known here")
NOT_MANIFEST = Sentence("not_manifest", "not a manifest")

METADATA_JSON_TOO_LARGE = Sentence("metadata_json_too_large", "metadata.json is larger than 64 MB")
METADATA_JSON_NOT_JSON_OBJECT = Sentence("metadata_json_not_json_object", "metadata.json is not a JSON object")
METADATA_JSON_INVALID = Sentence("metadata_json_invalid", "metadata.json is not valid JSON")

FOLDER_IS_LINK = Sentence("folder_is_link", "it is a link, or no folder")
DIRECTORY_IS_LINK = Sentence("directory_is_link", "it is a link or no directory")
NAME_OF_NO_BACKUP = Sentence("name_of_no_backup", "its name is not a backup's")
FOLDER_EMPTY = Sentence("folder_empty", "it is empty")
