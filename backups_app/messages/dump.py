"""Why a copy could not be made."""

from __future__ import annotations

from backups_app.messages.message import Sentence

ALL_READ = Sentence("all_read", "Everything was read, because {reason}.")
NO_SNAPSHOT = Sentence("no_snapshot", "the server gave no snapshot")
READ_FOR_ITS_COUNT = Sentence(
    "read_for_its_count", 'All of "{name}" was read: the change stream did not report every change.'
)

STRUCTURE_NOT_WRITABLE = Sentence(
    "structure_not_writable", 'the options or indexes of "{name}" cannot be written without a change'
)

READ_RIGHT_MISSING = Sentence(
    "read_right_missing",
    (
        'the user in MONGODB_LOCAL_URL may not read all of it; the role "read" on the database is enough, but'
        ' time-series collections need the role "backup" on admin'
    ),
)
READING_REFUSED = Sentence("reading_refused", "the server stopped the reading before its end ({error})")

MONGODUMP_WROTE_NOTHING = Sentence("mongodump_wrote_nothing", "mongodump reported success but wrote nothing")
MONGODUMP_SKIPPED_COLLECTION = Sentence(
    "mongodump_skipped_collection", 'mongodump reported success but did not write the collection "{name}"'
)
MONGODUMP_NOT_STARTED = Sentence("mongodump_not_started", "mongodump could not be started")

DATABASE_EMPTY = Sentence("database_empty", 'the database "{name}" holds no collection')
BUILT_IN_ENGINE = Sentence("built_in_engine", "The built-in engine")
MONGODUMP_ENDED = Sentence("mongodump_ended", "mongodump ended with code {code}")
MONGODUMP_ENDED_SAYING = Sentence("mongodump_ended_saying", "mongodump ended with code {code}: {output}")
MONGODUMP_KILLED = Sentence("mongodump_killed", "mongodump was ended by signal {signal}")
MONGODUMP_KILLED_SAYING = Sentence("mongodump_killed_saying", "mongodump was ended by signal {signal}: {output}")
MORE_SPACE = Sentence("more_space", "more space")
