"""Backups to look into: generated ones with a manifest and an index, and the folders of a real mongodump."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
import pytest

from backups_app.backup_files import layout, metadata
from backups_app.backup_files.manifest import CollectionEntry, FileEntry, Manifest
from backups_app.backup_files.reading import document_index, gzip_members
from backups_app.backup_files.reading.document_index import EVERY, DocumentIndex
from backups_app.backup_files.store.store import Store

FIXTURES = Path(__file__).parent.parent / "fixtures"
DATABASE = "temple_db"


@pytest.fixture
def store(a_folder: Path) -> Store:
    """A prepared, empty store."""
    store = Store(a_folder)
    store.prepare()
    return store


@dataclass
class Maker:
    """Makes published backups of generated documents, as verification would leave them."""

    store: Store

    def __call__(
        self,
        backup_id: str,
        collections: dict[str, Iterable[bytes]],
        *,
        compressed: bool = False,
        record: dict[str, Any] | None = None,
    ) -> Path:
        folder = self.store.root / layout.published_name(backup_id)
        (folder / DATABASE).mkdir(mode=0o700, parents=True)
        made = {name: self._collection(folder, name, frames, compressed) for name, frames in collections.items()}
        manifest = Manifest(
            database=DATABASE,
            files={file: entry for _, files in made.values() for file, entry in files.items()},
            collections={name: entry for name, (entry, _) in made.items()},
        )
        status = {"status": "success", "sync_status": "success", "created_by": "ananya"}
        metadata.write(folder, {"backup_id": backup_id, **status, **(record or {}), "manifest": manifest.as_json()})
        return folder

    def _collection(
        self, folder: Path, name: str, frames: Iterable[bytes], compressed: bool
    ) -> tuple[CollectionEntry, dict[str, FileEntry]]:
        base = f"{DATABASE}/{layout.file_base(name)}"
        file = base + (".bson.gz" if compressed else ".bson")
        index, size, digest, on_disk = _write(folder / file, frames, compressed)
        document_index.write(folder / f"{file}.idx", index)
        text = {"indexes": [{"v": {"$numberInt": "2"}, "key": {"_id": {"$numberInt": "1"}}, "name": "_id_"}]}
        described = {**text, "collectionName": name, "type": "collection"}
        (folder / f"{base}.metadata.json").write_text(json.dumps(described))
        entry = CollectionEntry(
            type="collection",
            uuid="",
            documents=index.documents,
            bytes=size,
            file=file,
            metadata=f"{base}.metadata.json",
            index=f"{file}.idx",
        )
        on_disk_digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        files = {file: FileEntry(bytes=on_disk, sha256=on_disk_digest, stream_bytes=size, stream_sha256=digest)}
        return entry, files


def _write(path: Path, frames: Iterable[bytes], compressed: bool) -> tuple[DocumentIndex, int, str, int]:
    offsets, members = array("Q"), array("Q")
    digest, size, count, on_disk = hashlib.sha256(), 0, 0, 0
    waiting: list[bytes] = []
    with path.open("wb") as file:

        def flush() -> None:
            nonlocal on_disk
            if waiting:
                data = b"".join(waiting)
                on_disk += file.write(gzip_members.member(data) if compressed else data)
                waiting.clear()

        for frame in frames:
            if count % EVERY == 0:
                flush()
                offsets.append(size)
                members.append(on_disk)
            waiting.append(frame)
            digest.update(frame)
            size += len(frame)
            count += 1
        flush()
    index = DocumentIndex(
        documents=count, stream_bytes=size, offsets=offsets, members=members if compressed else array("Q")
    )
    return index, size, digest.hexdigest(), on_disk


@pytest.fixture
def a_backup(store: Store) -> Maker:
    """Call it with an id and frames by collection."""
    return Maker(store)


@pytest.fixture
def a_foreign_backup(store: Store) -> Callable[[str, str], Path]:
    """Call it with an id and the name of a fixture: puts that folder of a real mongodump into the store."""

    def put(backup_id: str, fixture: str) -> Path:
        folder = store.root / layout.published_name(backup_id)
        shutil.copytree(FIXTURES / fixture, folder)
        return folder

    return put


def bookings(count: int, *, first: int = 0) -> Iterable[bytes]:
    """Yield bookings with `_id` from `first` on; about 300 bytes each."""
    template = bson.encode({"_id": 0, "name": "Devotee 0000000", "ritual": "Puja", "amount": 501, "note": "x" * 200})
    marker = template.index(b"0000000")
    for number in range(first, first + count):
        frame = bytearray(template)
        frame[9:13] = struct.pack("<i", number)
        frame[marker : marker + 7] = b"%07d" % number
        yield bytes(frame)
