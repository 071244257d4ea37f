"""What a failure of Django's own database means: it cannot be used, or it cannot keep what somebody sent."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.db import DataError, Error, IntegrityError, ProgrammingError, close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor

from backups_app.errors import RecordsBusy, RecordsCrowded, RecordsReadOnly, RecordsUnavailable, RecordsUnreachable

CROWDED = ("too many clients", "too many connections", "connection slots")
"""What PostgreSQL says where it has no connection left: a refused one bears no SQLSTATE."""
BUSY = ("lock timeout", "database is locked", "database table is locked")
"""What PostgreSQL and SQLite say where another process keeps them from it."""
READ_ONLY = ("read-only transaction", "readonly database")
"""What PostgreSQL and SQLite say of a change that they do not take."""
WAITS_SECONDS = (1.0, 3.0, 10.0)
"""The pauses between the tries of `with_patience`: a server that is restarted is back within them."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


def cannot_be_kept(error: BaseException | None) -> bool:
    """Whether a text was sent that no row can hold: PostgreSQL knows no NUL."""
    return isinstance(error, DataError) or (isinstance(error, ValueError) and "NUL" in str(error))


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the database does not answer, is full, locked or not migrated."""
    return isinstance(error, Error) and not isinstance(error, DataError | IntegrityError) and not _is_ours(error)


def failure(error: BaseException | None) -> RecordsUnavailable:
    """Return the named failure of a database that `is_unavailable`: whether it can be reached, and written."""
    refusal = str(error)
    opened = connection.connection  # None where it could not be made; PostgreSQL's knows that it was cut
    if opened is None or bool(getattr(opened, "closed", False)):
        return RecordsCrowded() if any(word in refusal for word in CROWDED) else RecordsUnreachable()
    for words, named in ((READ_ONLY, RecordsReadOnly), (BUSY, RecordsBusy)):
        if any(word in refusal for word in words):
            return named()
    return RecordsUnavailable()


def with_patience(write: Callable[[], T]) -> T:
    """Write how long work ended, and return what `write` returns. Its connection may have been cut meanwhile: each try
    has one that answers, and a server that is away is asked again for about 15 seconds. Raise what the last try raised,
    Django's `Error` or `RecordsUnavailable`."""
    for seconds in WAITS_SECONDS:
        let_go_of_a_cut_connection()
        try:
            return write()
        except (Error, RecordsUnavailable) as error:
            logger.warning("The end of work is not on record yet", extra={"reason": type(error).__name__})
            time.sleep(seconds)
    let_go_of_a_cut_connection()
    return write()


def let_go_of_a_cut_connection() -> None:
    """Close a connection that does not answer any more, so that the next statement opens another one. Within a
    transaction it stays: what was not committed would be gone with it."""
    if not connection.in_atomic_block:
        close_old_connections()


def refusals() -> tuple[RecordsUnavailable, ...]:
    """Return why nothing can be put on record now: no answer, a migration of this version is missing, read-only."""
    try:
        if unapplied_migrations():
            return (RecordsUnavailable(),)
        return (RecordsReadOnly(),) if is_read_only() else ()
    except Error as error:
        return (failure(error),)


def is_read_only() -> bool:
    """Whether the database takes no changes: a standby, a role that may only read. Raise Django's `Error`."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return bool(cursor.fetchone() == ("on",))


def unapplied_migrations() -> list[str]:
    """Return the migrations of this version that the database has not seen, oldest first. Raise Django's `Error`."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label} {migration.name}" for migration, _ in plan]


def why_closed() -> str | None:
    """Return why the database cannot be opened, None where it can. An SQLite file that is not there yet is not made."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not connection.is_in_memory_db() and not Path(name).exists():  # type: ignore[attr-defined]
        return None if Path(name).parent.is_dir() else f"there is no folder {Path(name).parent}"
    try:
        connection.ensure_connection()
    except Error as error:
        return reason(error)
    return None


def reason(error: BaseException) -> str:
    """Return the message of a database, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _is_ours(error: BaseException) -> bool:
    """A statement that no database would take is a defect of ours; a table that is missing is a migration's."""
    return isinstance(error, ProgrammingError) and "exist" not in str(error)
