"""The names of test copies and scratch databases: which a copy may bear, and which are proposed beside the temple's."""

from __future__ import annotations

import hashlib

from backups_app.errors import InvalidInput
from backups_app.messages import mongo as messages

SERVERS_OWN = frozenset({"admin", "local", "config"})
_LONGEST_BYTES = 63
_FORBIDDEN = frozenset('/\\. "$\0')
"""What no server takes. One on Windows refuses more of them, itself."""

NOT_A_NAME = messages.NOT_A_DATABASE_NAME()


def check_name(name: str, *, temple: str) -> str:
    """Return the name if a copy may bear it. Raise InvalidInput for the temple's own database (in any case of letters),
    the server's own ones, names that MongoDB does not take, and letters that nobody sees, unless the temple's has them.
    """
    if name.lower() == temple.lower() or name.lower() in SERVERS_OWN:
        raise InvalidInput(message=messages.TEST_COPY_NAME_IN_USE(name=name))
    unseen = {letter for letter in name if not letter.isprintable()} - set(temple)
    if not name or _bytes(name) > _LONGEST_BYTES or set(name) & _FORBIDDEN or unseen:
        raise InvalidInput(message=NOT_A_NAME)
    return name


def check_copy_name(name: str, *, temple: str) -> str:
    """Return the name if a test copy may bear it. Raise InvalidInput as `check_name`, and for the name that restore
    tests use, in any case of letters: the next one would drop the copy."""
    if name.lower() == rehearsal_name(temple).lower():
        raise InvalidInput(message=messages.TEST_COPY_NAME_OF_RESTORE_TESTS(name=name))
    return check_name(name, temple=temple)


def name_beside(temple: str, *, ending: str) -> str:
    """Return the name of a database that belongs to the temple's: `temple_db_rehearsal`. Of a long name only the
    beginning, and a hash that distinguishes it from others with the same beginning."""
    if _bytes(temple + ending) <= _LONGEST_BYTES:
        return temple + ending
    mark = "_" + hashlib.sha256(temple.encode()).hexdigest()[:6]
    room = _LONGEST_BYTES - _bytes(mark + ending)
    return temple.encode()[:room].decode(errors="ignore") + mark + ending


def rehearsal_name(temple: str) -> str:
    """Return the name of the database that restore tests of a temple use."""
    return name_beside(temple, ending="_rehearsal")


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
