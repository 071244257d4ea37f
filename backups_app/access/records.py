"""What a failure of Django's own database means: it cannot be used, or it cannot keep what somebody sent."""

from __future__ import annotations

from django.db import DataError, Error, IntegrityError, ProgrammingError


def cannot_be_kept(error: BaseException | None) -> bool:
    """Whether a text was sent that no row can hold: PostgreSQL knows no NUL."""
    return isinstance(error, DataError) or (isinstance(error, ValueError) and "NUL" in str(error))


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the database does not answer, is full, locked or not migrated."""
    return isinstance(error, Error) and not isinstance(error, DataError | IntegrityError) and not _is_ours(error)


def _is_ours(error: BaseException) -> bool:
    """A statement that no database would take is a defect of ours; a table that is missing is a migration's."""
    return isinstance(error, ProgrammingError) and "exist" not in str(error)
