"""The manifest: what a backup holds, written inside `metadata.json` when it was verified.

    {"version": 1, "database": "temple_db",
     "files": {"temple_db/bookings.bson": {"bytes": 812, "sha256": "…", "stream_bytes": 812, "stream_sha256": "…"}},
     "collections": {"bookings": {"type": "collection", "uuid": "…", "documents": 12, "bytes": 812,
                                  "file": "temple_db/bookings.bson", "metadata": "temple_db/bookings.metadata.json",
                                  "index": "temple_db/bookings.bson.idx", "duplicate_ids": 0}}}

`bytes` and `sha256` are of the file as it lies on disk; `stream_*` of its uncompressed content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from backups_app.messages import backup_files as messages
from backups_app.records import INTERNAL

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """One file of the backup, named relative to the backup's folder with forward slashes."""

    bytes: int
    sha256: str
    stream_bytes: int
    stream_sha256: str


@dataclass(frozen=True, kw_only=True)
class CollectionEntry:
    """One collection. `file` and `index` are None for a view; `bytes` is uncompressed.

    `duplicate_ids` counts `_id`s that stand more than once in the file (a document deleted and inserted again while
    the scan ran): all their versions stay in the backup, and the purge leaves every one of them alone.
    """

    type: str
    uuid: str
    documents: int
    bytes: int
    file: str | None
    metadata: str | None
    index: str | None
    duplicate_ids: int = 0


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a backup holds, counted once for all: the temple's collections, views among them, their documents and bytes;
    and our own records beside them."""

    collections: int
    documents: int
    bytes: int
    own_collections: int
    own_documents: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    database: str
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    collections: Mapping[str, CollectionEntry] = field(default_factory=dict)

    @property
    def documents(self) -> int:
        return sum(entry.documents for entry in self.collections.values())

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.collections.values())

    def counts(self) -> Counts:
        """Return what it holds of the temple's, and what of our own records."""
        temple = [entry for name, entry in self.collections.items() if name not in INTERNAL]
        own = [entry for name, entry in self.collections.items() if name in INTERNAL]
        return Counts(
            collections=len(temple),
            documents=sum(entry.documents for entry in temple),
            bytes=sum(entry.bytes for entry in temple),
            own_collections=len(own),
            own_documents=sum(entry.documents for entry in own),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the plain form that stands in `metadata.json` under `manifest`."""
        return {
            "version": VERSION,
            "database": self.database,
            "files": {name: asdict(entry) for name, entry in sorted(self.files.items())},
            "collections": {name: asdict(entry) for name, entry in sorted(self.collections.items())},
        }


def from_json(plain: Mapping[str, Any]) -> Manifest:
    """Given the plain form, return the manifest. Raise ValueError when it is not one of ours."""
    try:
        if plain["version"] != VERSION:
            raise ValueError(messages.MANIFEST_VERSION_UNKNOWN(version=plain["version"]))
        return Manifest(
            database=plain["database"],
            files={name: FileEntry(**entry) for name, entry in plain["files"].items()},
            collections={name: CollectionEntry(**entry) for name, entry in plain["collections"].items()},
        )
    except (KeyError, TypeError) as error:
        raise ValueError(messages.NOT_MANIFEST()) from error
