"""Proves that nothing was lost: every acknowledged version is live, or in a published backup that verifies, or kept.

A *version* is the bytes of one document as a server acknowledged them. A version that an application itself replaced or
deleted afterwards is not asked for. What a folder holds is read with pymongo's own decoder, not with ours.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from backups_app.backup_files import layout, manifest, metadata
from backups_app.backup_files.store.store import Store
from backups_app.errors import TempleOpsError
from backups_app.progress import Silent
from backups_app.records import INTERNAL
from backups_app.verification import verdict

RAW = CodecOptions[RawBSONDocument](document_class=RawBSONDocument)
TempleDatabase = Database[dict[str, Any]]
Version = tuple[str, bytes]
"""Collection and raw bytes."""


@dataclass(kw_only=True)
class Evidence:
    """Where versions were found. `unverifiable`: published folders that do not verify, and why."""

    live: set[Version] = field(default_factory=set)
    saved: set[Version] = field(default_factory=set)
    kept: set[Version] = field(default_factory=set)
    unverifiable: dict[str, str] = field(default_factory=dict)

    def lost(self, versions: Iterable[Version]) -> list[Version]:
        """Return those that are nowhere."""
        return [version for version in versions if version not in self.live | self.saved | self.kept]


class Acknowledged:
    """What applications were assured is stored: per side and document the newest version. Threads may share it."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str, bytes], bytes] = {}
        self._lock = threading.Lock()
        self.writes = 0

    def note(self, side: str, collection: str, frame: bytes) -> None:
        """A server acknowledged this version; what this application had written there before is replaced by it."""
        identity = bson.encode({"_id": RawBSONDocument(frame)["_id"]})
        with self._lock:
            self._newest[side, collection, identity] = frame
            self.writes += 1

    def note_database(self, side: str, database: TempleDatabase) -> None:
        """Everything that stands in a database now counts as acknowledged."""
        for collection, frame in versions_in(database):
            self.note(side, collection, frame)

    def versions(self) -> set[Version]:
        """Return every newest version."""
        with self._lock:
            return {(collection, frame) for (_, collection, _), frame in self._newest.items()}


def versions_in(database: TempleDatabase) -> Iterator[Version]:
    """Yield every document of the temple's own collections."""
    for name in database.list_collection_names():
        if name not in INTERNAL:
            documents: Any = database.get_collection(name, codec_options=RAW).find()
            for document in documents:
                yield name, bytes(document.raw)


def gather(*, local: TempleDatabase, remote: TempleDatabase | None, backup_dir: Path) -> Evidence:
    """Look everywhere that counts: both databases, every published backup that verifies, `sync_conflicts`."""
    evidence = Evidence()
    for database in (local, remote):
        if database is not None:
            evidence.live.update(versions_in(database))
    evidence.kept = set(_kept(local))
    store = Store(backup_dir)
    for backup_id in store.backups().ids:
        folder = store.folder(backup_id)
        problem = _problem(folder)
        if problem:
            evidence.unverifiable[backup_id] = problem
        else:
            evidence.saved.update(_saved(folder, local.name))
    return evidence


def _problem(folder: Path) -> str:
    try:
        written = metadata.read(folder) or {}
        verdict.recheck(folder=folder, manifest=manifest.from_json(written["manifest"]), progress=Silent())
    except (TempleOpsError, ValueError, KeyError) as error:
        return repr(error)
    return ""


def _saved(folder: Path, database: str) -> Iterator[Version]:
    """Of an incremental its own documents: those of its base are saved there."""
    own = folder / layout.DELTA / database
    for path in sorted((own if own.is_dir() else folder / database).iterdir()):
        if path.name.endswith((".bson", ".bson.gz")):
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for document in bson.decode_iter(data, codec_options=RAW):
                yield path.name.partition(".bson")[0], bytes(document.raw)


def _kept(local: TempleDatabase) -> Iterator[Version]:
    parts: dict[str, list[tuple[int, bytes]]] = {}
    for document in local["sync_conflicts"].find({"part_of": {"$exists": True}}):
        parts.setdefault(document["part_of"], []).append((int(document["_id"].rpartition(":")[2]), document["bytes"]))
    for document in local["sync_conflicts"].find({"part_of": {"$exists": False}}):
        whole = b"".join(part for _, part in sorted(parts.get(document["_id"], []))) or document["bytes"]
        yield document["collection"], bytes(whole)
        if document.get("other"):
            yield document["collection"], bytes(document["other"])
