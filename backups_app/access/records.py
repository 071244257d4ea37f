"""What a failure of Django's own database means: it cannot be used, or it cannot keep what somebody sent."""

from __future__ import annotations

from pathlib import Path

from django.db import DataError, Error, IntegrityError, ProgrammingError, connection

from backups_app.errors import RecordsUnavailable, RecordsUnreachable


def cannot_be_kept(error: BaseException | None) -> bool:
    """Whether a text was sent that no row can hold: PostgreSQL knows no NUL."""
    return isinstance(error, DataError) or (isinstance(error, ValueError) and "NUL" in str(error))


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the database does not answer, is full, locked or not migrated."""
    return isinstance(error, Error) and not isinstance(error, DataError | IntegrityError) and not _is_ours(error)


def failure(error: BaseException | None) -> RecordsUnavailable:
    """Return the named failure of a database that `is_unavailable`: whether it can be reached at all."""
    opened = connection.connection  # None where it could not be made; PostgreSQL's knows that it was cut
    is_closed = opened is None or bool(getattr(opened, "closed", False))
    return RecordsUnreachable() if is_closed else RecordsUnavailable()


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
