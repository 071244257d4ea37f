"""What a place for copies can do: create, look at, read, list and delete objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from backups_app.errors import ObjectUnreadable

NEVER = datetime.max.replace(tzinfo=UTC)
"""Of an object whose age is not known: it is never old enough to be removed."""
CHUNK_BYTES = 1 << 20
"""How much is handed on at a time, in bytes: memory stays flat."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ObjectHead:
    """What a target says about an object. `e_tag` is empty where it has none; what it proves: `etags.py`. `failure`:
    in a listing, why the object could not be looked at; then its size and its age are not known."""

    name: str
    size_bytes: int
    modified_at: datetime
    e_tag: str = ""
    failure: ObjectUnreadable | None = None


class StorageTarget(Protocol):
    """A place for copies. Names are those of `require_name`. Every method raises a kind of `TargetFailed`.

    A target is made where it is used, in the process that uses it: obstore must not be taken through a fork.
    """

    @property
    def name(self) -> str:
        """The name that `BACKUP_TARGETS` gives it."""
        ...

    def check(self) -> None:
        """Ask whether it can be used: it answers, is the prepared one, and may be listed. Writes nothing."""
        ...

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        """Create an object from its bytes. Raise `ObjectExists` where one of that name is there.

        An error that `chunks` raises goes through, and no object is left.
        """
        ...

    def head(self, name: str) -> ObjectHead:
        """Return what is known of an object. Raise `ObjectMissing`."""
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of an object, in pieces. Raise `ObjectMissing`."""
        ...

    def list_objects(self) -> Iterator[ObjectHead]:
        """Yield every object, in no order. What is not of ours (another form of name) is left out; one that cannot be
        looked at is listed with its `failure`."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object. One that is gone already is fine. Raise `TargetDenied` without the right."""
        ...


def is_name(name: str) -> bool:
    """Whether a name is one that we give to objects."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> str:
    """Return the name of an object: lower-case letters, digits and hyphens. Raise ValueError for any other."""
    if not is_name(name):
        raise ValueError("not the name of an object")
    return name
