"""What a MongoDB server refuses, and why."""

from __future__ import annotations

from backups_app.messages.message import Sentence

URL_NOT_PARSED = Sentence(
    "url_not_parsed", "it cannot be parsed; odd characters in user or password must be percent-encoded"
)
URL_FILE_UNREADABLE = Sentence("url_file_unreadable", "a file that it names, such as tlsCAFile, cannot be read")
URL_PORT_OR_OPTION_INVALID = Sentence("url_port_or_option_invalid", "its port or one of its options is not valid")
URL_SCHEME_UNKNOWN = Sentence("url_scheme_unknown", "it begins neither with mongodb:// nor with mongodb+srv://")

TWO_DOCUMENTS_ONE_ID = Sentence("two_documents_one_id", "two documents have the same _id")
OTHER_WORK_HOLDS_IT = Sentence("other_work_holds_it", "another operation was writing it")
SERVER_DOES_NOT_MATCH_IT = Sentence(
    "server_does_not_match_it", "the server does not match it, though its bytes are equal"
)

TOO_LARGE_FOR_ONE_MESSAGE = Sentence("too_large_for_one_message", "it is too large for one message")
SERVER_REFUSED_IT = Sentence("server_refused_it", "the server refused it ({error})")

NO_LITERAL_FORM = Sentence(
    "no_literal_form", "it has two fields of one name, and besides a Timestamp(0, 0) or a name that begins with $"
)

NOT_A_COLLECTION = Sentence("not_a_collection", "it is a {type}, not a collection")
COLLATION_NEEDS_TRANSACTION = Sentence(
    "collation_needs_transaction",
    "its default collation needs a transaction for an exact delete, which only a replica set offers",
)

ID_EQUAL_BY_COLLATION = Sentence(
    "id_equal_by_collation", "its _id is the same as another one for the collation of the collection there"
)
ONE_OF_BATCH_REFUSED = Sentence("one_of_batch_refused", "one document of the batch was refused")
UNIQUE_VALUE_TAKEN = Sentence(
    "unique_value_taken", "another document has the same value of {fields}, which must be unique"
)

RIGHT_TO_LIST = Sentence("right_to_list", "list collections")
A_UNIQUE_INDEX = Sentence("a_unique_index", "a unique index")
RIGHT_TO_READ = Sentence("right_to_read", "read")
RIGHT_TO_WRITE = Sentence("right_to_write", "write")
RIGHT_TO_REMOVE = Sentence("right_to_remove", "remove documents")
CERTIFICATE_OF_ANOTHER_HOST = Sentence("certificate_of_another_host", "its certificate is for another host name")
CERTIFICATE_EXPIRED = Sentence("certificate_expired", "its certificate has expired")
CERTIFICATE_NOT_VALID_YET = Sentence("certificate_not_valid_yet", "its certificate is not valid yet")
CERTIFICATE_NOT_TRUSTED = Sentence("certificate_not_trusted", "its certificate is not one that this computer trusts")
CERTIFICATE_DEMANDED = Sentence("certificate_demanded", "it requires a client certificate")
TLS_NOT_SPOKEN = Sentence("tls_not_spoken", "the URL asks for TLS, and the server does not offer it")
CONNECTION_BROKEN_OFF = Sentence("connection_broken_off", "the connection was broken off")
SERVER_DOES_NOT_ALLOW = Sentence("server_does_not_allow", "it does not allow what was asked (code {code})")

NOT_A_DATABASE_NAME = Sentence(
    "not_a_database_name", "That is not a database name: it has no spaces, dots or slashes, and at most 63 bytes."
)
TEST_COPY_NAME_IN_USE = Sentence(
    "test_copy_name_in_use", '"{name}" is not a name for a test copy: that database is in use.'
)
TEST_COPY_NAME_OF_RESTORE_TESTS = Sentence(
    "test_copy_name_of_restore_tests",
    '"{name}" is not a name for a test copy: restore tests use it, and remove it at their end.',
)

OPTION_DIFFERS_FROM_BACKUP = Sentence(
    "option_differs_from_backup", 'the option {option} of "{collection}" differs from the backup'
)
INDEX_MISSING = Sentence("index_missing", 'the index "{index}" of "{collection}" is not there')
INDEX_NOT_IN_BACKUP = Sentence("index_not_in_backup", 'the index "{index}" of "{collection}" is not in the backup')
OPTION_DROPPED = Sentence("option_dropped", 'the option {option} of "{collection}" is obsolete and was dropped')
TYPE_DIFFERS_FROM_BACKUP = Sentence(
    "type_differs_from_backup", '"{collection}" is a {type} now; in the backup it is a {in_backup}'
)
INDEX_DIFFERS_FROM_BACKUP = Sentence(
    "index_differs_from_backup", 'the index "{index}" of "{collection}" differs from the backup'
)
INDEX_VERSIONS_RAISED = Sentence(
    "index_versions_raised", 'version 1 became version 2 for {n} of the indexes of "{collection}"'
)
INDEX_OPTION_DROPPED = Sentence(
    "index_option_dropped", 'the option {option} of the index "{index}" is obsolete and was dropped'
)
VALIDATION_RULE_NOT_SET = Sentence(
    "validation_rule_not_set", 'the validation rule of "{collection}" could not be set ({reason})'
)
INDEX_NOT_MADE = Sentence("index_not_made", 'index "{index}" of "{collection}" could not be made ({reason})')
