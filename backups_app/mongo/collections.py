"""The one door to collections of the temple: it opens every name that a server takes.

pymongo refuses names that MongoDB allows: dots at the end, doubled dots. Which names exist is the server's to say, so
nothing is checked here; a name that the server does not take, it refuses itself, in each command.
"""

from __future__ import annotations

from typing import Any

from bson.codec_options import CodecOptions
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

_TAKEN_BY_PYMONGO = "any"


def collection_of(database: Database[Any], name: str) -> Collection[Any]:
    """Return the collection of this name, whatever the name, with the guarantees of its database."""
    return _Collection(database, name)


class _Collection(Collection[Any]):
    """A collection of any name. pymongo checks a name where a collection is made, and makes another for other options:
    both happen here. Everything else of pymongo takes the name as it is (`tests/mongo/test_collections.py`)."""

    def __init__(
        self,
        database: Database[Any],
        name: str,
        codec_options: CodecOptions[Any] | None = None,
        read_preference: Any = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> None:
        super().__init__(
            database,
            _TAKEN_BY_PYMONGO,
            codec_options=codec_options,
            read_preference=read_preference,
            write_concern=write_concern,
            read_concern=read_concern,
        )
        self._name = name
        self._full_name = f"{database.name}.{name}"

    def with_options(
        self,
        codec_options: CodecOptions[Any] | None = None,
        read_preference: Any = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> Collection[Any]:
        return _Collection(
            self.database,
            self.name,
            codec_options or self.codec_options,
            read_preference or self.read_preference,
            write_concern or self.write_concern,
            read_concern or self.read_concern,
        )
