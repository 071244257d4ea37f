"""The manifest: what a backup holds, written inside `metadata.json` when it was verified.

    {"version": 1, "database": "temple_db",
     "files": {"temple_db/bookings.bson": {"bytes": 812, "sha256": "…", "stream_bytes": 812, "stream_sha256": "…"}},
     "collections": {"bookings": {"type": "collection", "uuid": "…", "documents": 12, "bytes": 812,
                                  "file": "temple_db/bookings.bson", "metadata": "temple_db/bookings.metadata.json",
                                  "index": "temple_db/bookings.bson.idx", "duplicate_ids": 0}}}

`bytes` and `sha256` are of the file as it lies on disk; `stream_*` of its uncompressed content.

An incremental's collection is laid over a file of its base: `overlay` says which, and what of it is left out. Its
`documents` and `bytes` are those of the whole state; `file` holds what was added or changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from backups_app.backup_files import layout
from backups_app.messages import backup_files as messages
from backups_app.records import INTERNAL

VERSION = 1
_LARGEST = 2**63 - 1
_FILE_COUNTS = ("bytes", "stream_bytes")
_COUNTS = ("documents", "bytes", "duplicate_ids")
_OVERLAY_COUNTS = ("documents", "bytes", "gone_documents", "own_documents", "own_bytes")


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """One file of the backup, named relative to the backup's folder with forward slashes."""

    bytes: int
    sha256: str
    stream_bytes: int
    stream_sha256: str


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """What an incremental's collection is laid over: a file of its base, as the base's manifest describes it.

    `gone` is a file of the incremental: the numbers of the base's documents that were deleted or replaced (None: there
    are none; `gone_documents` counts them). `own_documents` and `own_bytes` are of the incremental's own file.
    """

    backup: str
    file: str
    index: str
    documents: int
    bytes: int
    stream_sha256: str
    gone: str | None
    gone_documents: int
    own_documents: int
    own_bytes: int


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
    overlay: Overlay | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the plain form; a full backup's entry says nothing of an overlay."""
        plain = asdict(self)
        if self.overlay is None:
            del plain["overlay"]
        return plain


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
    """`base` is the full backup that an incremental begins from, "" for a full one."""

    database: str
    base: str = ""
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    collections: Mapping[str, CollectionEntry] = field(default_factory=dict)

    @property
    def documents(self) -> int:
        return sum(entry.documents for entry in self.collections.values())

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.collections.values())

    @property
    def root(self) -> str:
        """The directory of the backup's folder in which the database's lies; "" for the folder itself."""
        return layout.DELTA if self.base else ""

    def content_hash(self, name: str) -> str:
        """Return what two collections have in common only if they hold the same documents in the same order; empty
        where nobody has verified them, and for a view."""
        entry = self.collections.get(name)
        own = self.files.get(entry.file) if entry is not None and entry.file else None
        if entry is None or own is None:
            return ""
        over = entry.overlay
        if over is None:
            return own.stream_sha256
        if not over.own_documents and not over.gone_documents:
            return over.stream_sha256
        gone = self.files[over.gone].stream_sha256 if over.gone else ""
        return hashlib.sha256(f"{over.stream_sha256} {gone} {own.stream_sha256}".encode()).hexdigest()

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
            **({"base": self.base} if self.base else {}),
            "files": {name: asdict(entry) for name, entry in sorted(self.files.items())},
            "collections": {name: entry.as_json() for name, entry in sorted(self.collections.items())},
        }


def from_json(plain: Mapping[str, Any]) -> Manifest:
    """Given the plain form, return the manifest. Raise ValueError when it is not one of ours."""
    try:
        if plain["version"] != VERSION:
            raise ValueError(messages.MANIFEST_VERSION_UNKNOWN(version=plain["version"]))
        manifest = Manifest(
            database=plain["database"],
            base=plain.get("base", ""),
            files={name: FileEntry(**_counted(entry, _FILE_COUNTS)) for name, entry in plain["files"].items()},
            collections={name: _entry(_counted(one, _COUNTS)) for name, one in plain["collections"].items()},
        )
        "".join([manifest.database, manifest.base, *manifest.files, *manifest.collections]).encode()
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError) as error:
        raise ValueError(messages.NOT_MANIFEST()) from error
    return manifest


def _counted(plain: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    """Return an entry. Raise TypeError where one of its numbers is none that could be added up and stored."""
    for name in names:
        value = plain.get(name, 0)
        if type(value) is not int or not 0 <= value <= _LARGEST:
            raise TypeError(name)
    return plain


def _entry(plain: Mapping[str, Any]) -> CollectionEntry:
    over = plain.get("overlay")
    return CollectionEntry(**{**plain, "overlay": None if over is None else Overlay(**_counted(over, _OVERLAY_COUNTS))})
