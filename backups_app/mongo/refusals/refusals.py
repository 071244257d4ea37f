"""What pymongo's errors are called here: which server, and for which reason it does not do what was asked.

The server's own message is read for its reason and never shown: it may quote documents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo.errors import ConfigurationError, ConnectionFailure, NotPrimaryError, OperationFailure, PyMongoError

from backups_app import errors
from backups_app.errors import DatabaseRefused, DatabaseUnreachable, RightMissing
from backups_app.messages import mongo as messages
from backups_app.mongo.refusals import refusal_signs as signs
from backups_app.records import Side

VARIABLE = {Side.LOCAL: "MONGODB_LOCAL_URL", Side.REMOTE: "MONGODB_CLOUD_URL"}

NOT_ALLOWED, LOGIN_FAILED, NO_MECHANISM, OUT_OF_DISK, ATLAS = 13, 18, 334, 14031, 8000

LIST, READ = messages.RIGHT_TO_LIST(), messages.RIGHT_TO_READ()
WRITE, REMOVE = messages.RIGHT_TO_WRITE(), messages.RIGHT_TO_REMOVE()
"""What a user of MongoDB may have no right to do, as sentences say it."""

_KIND = {
    **dict.fromkeys(
        ("listCollections", "listIndexes", "listDatabases", "dbStats", "collStats", "dbstats", "collstats"), LIST
    ),
    **dict.fromkeys(("find", "aggregate", "count", "distinct", "getMore", "changeStream"), READ),
    **dict.fromkeys(("delete", "remove"), REMOVE),
}
"""By command, and by the name that Atlas has for the action; every other one writes."""

_TLS_REASONS = (
    (signs.OTHER_HOST, messages.CERTIFICATE_OF_ANOTHER_HOST()),
    (signs.EXPIRED, messages.CERTIFICATE_EXPIRED()),
    (signs.NOT_YET_VALID, messages.CERTIFICATE_NOT_VALID_YET()),
    (signs.NOT_TRUSTED, messages.CERTIFICATE_NOT_TRUSTED()),
    (signs.WANTS_OURS, messages.CERTIFICATE_DEMANDED()),
    (signs.NO_TLS, messages.TLS_NOT_SPOKEN()),
)


def named(error: BaseException, *, side: Side) -> DatabaseUnreachable | DatabaseRefused | None:
    """Return what an error of this side's server is called: `DatabaseUnreachable` or one of its kind where it could not
    be spoken to (network, DNS, TLS, login, time limit), `DatabaseRefused` or one of its kind where it answered and
    refused (rights, quota). None for everything else."""
    if not isinstance(error, PyMongoError):
        return None
    facts = {"side": side.value, "variable": VARIABLE[side]}
    if isinstance(error, OperationFailure):
        return _answered(error, facts) or (DatabaseUnreachable(**facts) if error.timeout else None)
    if isinstance(error, ConnectionFailure | ConfigurationError):
        return _not_connected(error, facts)
    return DatabaseUnreachable(**facts) if error.timeout else None


def _answered(error: OperationFailure, facts: dict[str, str]) -> DatabaseUnreachable | DatabaseRefused | None:
    code, message = _code_and_message(error)
    if code in (LOGIN_FAILED, NO_MECHANISM) or (code == ATLAS and signs.BAD_LOGIN.search(message)):
        return errors.DatabaseLoginRefused(**facts)
    if code == OUT_OF_DISK or (code == ATLAS and signs.QUOTA in message):
        return errors.DatabaseOverQuota(**facts)
    if code in (NOT_ALLOWED, ATLAS) and signs.LOGIN_WANTED in message:
        return errors.DatabaseLoginMissing(**facts)
    if code in (NOT_ALLOWED, ATLAS) and (right := _right(message)):
        return RightMissing(**facts, **right)
    if code in (NOT_ALLOWED, ATLAS):
        return DatabaseRefused(**facts, reason=messages.SERVER_DOES_NOT_ALLOW(code=str(code)))
    return None


def _code_and_message(error: OperationFailure) -> tuple[int | None, str]:
    """Return the first refusal of a bulk write as well: its own code says nothing but that it was one."""
    details: dict[str, Any] = dict(error.details or {})
    inner = (details.get("writeErrors") or [details.get("writeConcernError")])[0]
    first = inner if isinstance(inner, dict) else details
    return first.get("code", error.code), str(first.get("errmsg") or error)


def _right(message: str) -> dict[str, str] | None:
    if found := signs.SERVER_SAYS.search(message):
        return {"database": found[1], "what": _KIND.get(found[2], WRITE)}
    if found := signs.ATLAS_SAYS.search(message):
        return {"database": found[2], "what": _KIND.get(found[1], WRITE)}
    return None


def _not_connected(error: PyMongoError, facts: dict[str, str]) -> DatabaseUnreachable:
    message = str(error).partition(signs.NOTHING_FOUND)[0] or str(error)
    looks: tuple[tuple[bool, Callable[[], DatabaseUnreachable]], ...] = (
        (signs.OTHER_SET in message, lambda: errors.ReplicaSetUnknown(**facts)),
        (isinstance(error, NotPrimaryError), lambda: errors.DatabaseHasNoPrimary(**facts)),
        (signs.NO_PRIMARY in message, lambda: errors.DatabaseHasNoPrimary(**facts)),
        (signs.OTHER_VERSION in message, lambda: errors.DatabaseVersionUnknown(**facts)),
        (bool(signs.TLS.search(message)), lambda: errors.DatabaseTlsFailed(**facts, reason=_tls_reason(message))),
        (bool(signs.NO_NAME.search(message)), lambda: errors.DatabaseHostUnknown(**facts)),
        (_closed_at_once(error, message), lambda: errors.DatabaseHangsUp(**facts)),
    )
    return next((make() for fits, make in looks if fits), DatabaseUnreachable(**facts))


def _closed_at_once(error: PyMongoError, message: str) -> bool:
    """No connection could be made at all, and each one was taken and closed. One that is lost in use is an outage."""
    return signs.CLOSED in message and signs.NOTHING_FOUND in str(error)


def _tls_reason(message: str) -> str:
    return next((reason for sign, reason in _TLS_REASONS if sign.search(message)), messages.CONNECTION_BROKEN_OFF())
