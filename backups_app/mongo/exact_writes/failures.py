"""What a failed write means for the next step: unknown, busy, refused, or final."""

from __future__ import annotations

from enum import Enum

from bson.errors import InvalidDocument
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from backups_app.messages import mongo as messages

_NOT_ALLOWED = frozenset({13, 18, 8000})
_BUSY = frozenset({24, 112, 246, 251, 290})


class FailureKind(Enum):
    """UNKNOWN: it may have been done; read again. BUSY: it was not done; try again. REFUSED: the server will not take
    this statement. FINAL: nothing will change by trying."""

    UNKNOWN = "unknown"
    BUSY = "busy"
    REFUSED = "refused"
    FINAL = "final"


def kind(error: Exception) -> FailureKind:
    """Given what a read or write raised, return what it means."""
    if isinstance(error, InvalidDocument):  # too large for one message
        return FailureKind.REFUSED
    if not isinstance(error, PyMongoError):
        return FailureKind.FINAL
    if isinstance(error, ConnectionFailure | WriteConcernError) or error.timeout:
        return FailureKind.UNKNOWN
    if error.has_error_label("UnknownTransactionCommitResult"):
        return FailureKind.UNKNOWN
    code = _code(error)
    if code in _NOT_ALLOWED:
        return FailureKind.FINAL
    if error.has_error_label("TransientTransactionError") or code in _BUSY:
        return FailureKind.BUSY
    if isinstance(error, BulkWriteError) and code is None:  # the write concern alone failed
        return FailureKind.UNKNOWN
    return FailureKind.REFUSED if isinstance(error, OperationFailure) else FailureKind.FINAL


def reason(error: Exception) -> str:
    """Return in a few words why the server refused: its code's name, never its message, which may quote documents."""
    if isinstance(error, OperationFailure):
        name = (error.details or {}).get("codeName") or f"code {_code(error)}"
        return messages.SERVER_REFUSED_IT(error=name)
    return messages.TOO_LARGE_FOR_ONE_MESSAGE()


def _code(error: PyMongoError) -> int | None:
    if isinstance(error, BulkWriteError):
        errors = error.details.get("writeErrors") or [{"code": None}]
        code: int | None = errors[0]["code"]
        return code
    return error.code if isinstance(error, OperationFailure) else None
