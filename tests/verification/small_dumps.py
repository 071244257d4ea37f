"""Small copies as an engine leaves them, made without a server, and what the server would have stated of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bson

from backups_app.backup_files import layout
from backups_app.backup_files.reading import gzip_members
from backups_app.backup_files.reading.document_index import EVERY
from backups_app.records import CollectionInfo

DATABASE = "temple"


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What an engine reports: an `Expectation`."""

    expected: tuple[CollectionInfo, ...]
    after: tuple[CollectionInfo, ...]
    deleted_meanwhile: int | None = 0
    digests: Mapping[str, tuple[int, str]] = field(default_factory=dict)


def bookings(count: int = 3, *, start: int = 0) -> list[bytes]:
    """Return a few bookings, raw, with ObjectIds."""
    return [
        bson.encode({"_id": bson.ObjectId(f"{number:024x}"), "number": number, "name": f"Devotee {number}"})
        for number in range(start, start + count)
    ]


def write(
    folder: Path, collections: Mapping[str, Iterable[bytes]], *, compress: bool = False, views: tuple[str, ...] = ()
) -> Stated:
    """Write a dump of these collections below `folder`, and return the report of an engine that made it."""
    where = folder / DATABASE
    where.mkdir(mode=0o700)
    infos, digests = [], {}
    for number, (name, documents) in enumerate(collections.items()):
        frames = list(documents)
        data, suffix = _packed(frames) if compress else (b"".join(frames), "")
        path = where / f"{layout.file_base(name)}.bson{suffix}"
        _put(path, data)
        digests[f"{DATABASE}/{path.name}"] = len(data), hashlib.sha256(data).hexdigest()
        infos.append(_described(where, name, number, compress, len(frames), sum(map(len, frames))))
    for name in views:
        text = json.dumps({"options": {"viewOn": "x"}, "indexes": [], "collectionName": name, "type": "view"})
        _small(where, f"{layout.file_base(name)}.metadata.json", text, compress)
        infos.append(CollectionInfo(name=name, type="view"))
    _small(where, "prelude.json", '{"ServerVersion":"6.0.5","ToolVersion":"x"}', compress)
    return Stated(expected=tuple(infos), after=tuple(infos), digests=digests)


def _packed(frames: list[bytes]) -> tuple[bytes, str]:
    members = [gzip_members.member(b"".join(frames[at : at + EVERY])) for at in range(0, max(len(frames), 1), EVERY)]
    return b"".join(members), ".gz"


def _described(where: Path, name: str, number: int, compress: bool, documents: int, size: int) -> CollectionInfo:
    uuid = f"{number:032x}"
    metadata: dict[str, Any] = {"indexes": [], "uuid": uuid, "collectionName": name, "type": "collection"}
    _small(where, f"{layout.file_base(name)}.metadata.json", json.dumps(metadata), compress)
    return CollectionInfo(name=name, type="collection", uuid=uuid, documents=documents, size_bytes=size)


def _small(where: Path, name: str, text: str, compress: bool) -> None:
    data = text.encode()
    _put(where / (name + ".gz" if compress else name), gzip_members.member(data) if compress else data)


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o600)
