"""What pymongo raises while a copy is made, as the failures that an administrator knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import OperationFailure, PyMongoError

from backups_app.errors import DumpFailed, RightMissing
from backups_app.messages import dump as messages
from backups_app.mongo.refusals import refusals
from backups_app.records import Side

_UNAUTHORIZED = 13
LACKS_RIGHTS = messages.READ_RIGHT_MISSING()


@contextmanager
def translated() -> Iterator[None]:
    """Raise `DatabaseUnreachable` for a server that cannot be spoken to, `DumpFailed` for one that refuses."""
    try:
        yield
    except PyMongoError as error:
        named = refusals.named(error, side=Side.LOCAL)
        if named is not None and not isinstance(named, RightMissing):
            raise named from error
        details = error.details if isinstance(error, OperationFailure) else None
        name = (details or {}).get("codeName") or type(error).__name__
        if isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED:
            raise DumpFailed(reason=LACKS_RIGHTS) from error
        raise DumpFailed(reason=messages.READING_REFUSED(error=name)) from error
