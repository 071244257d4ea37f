"""A small temple on both sides, and ways to look at what a run left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.records import INTERNAL, Origin
from backups_app.use_cases.backups import backups
from tests.conftest import Migrated

Db = Database[dict[str, Any]]
RAW = CodecOptions[RawBSONDocument](document_class=RawBSONDocument)
AT = datetime(2025, 1, 19, 9, 0, tzinfo=UTC)
PURGED = ("activities", "bookings", "employee_bookings")


@pytest.fixture
def environment(
    tmp_path: Path, local_server: EmbeddedServer, remote_server: EmbeddedServer, local_db: Db, remote_db: Db,
    migrated: Migrated,
) -> dict[str, str]:  # fmt: skip
    """What an operator with both servers has set."""
    found = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TERM": "xterm",
        "COLUMNS": "120",
        "MONGODB_LOCAL_URL": local_server.uri,
        "MONGODB_CLOUD_URL": remote_server.uri,
        "DATABASE_NAME": local_db.name,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "BACKUP_DIR": str(tmp_path / "backups"),
    }
    (tmp_path / "backups").mkdir(mode=0o700)
    migrated(tmp_path / "db.sqlite3")
    return found


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def seeded(configured: Configuration, local_db: Db, remote_db: Db, db: None) -> Iterator[Configuration]:
    """Bookings, employee bookings, activities, devotees: most on both sides, some on one side only."""
    local_db["devotees"].create_index("phone", unique=True)
    for side in (local_db, remote_db):
        side["bookings"].insert_many(_documents("bookings", range(40)))
        side["employee_bookings"].insert_many(_documents("employee", range(12)))
        side["activities"].insert_many(_documents("activities", range(25)))
        side["devotees"].insert_many([{"_id": n, "phone": f"98{n:08d}", "updatedAt": AT} for n in range(30)])
    local_db["bookings"].insert_many(_documents("local", range(5)))
    remote_db["bookings"].insert_many(_documents("remote", range(7)))
    yield configured


def _documents(kind: str, numbers: range) -> list[dict[str, Any]]:

    return [
        {"_id": f"{kind}-{n}", "name": f"பக்தர் {n}", "ritual": "पूजा", "amount": 501 + n, "updatedAt": AT}
        for n in numbers
    ]


def run_backup(*, delete_bookings: bool, **more: Any) -> RunRecord:
    """Carry a whole run out in this process, as backup_now does, and return its final document."""
    started = backups.start_backup(
        created_by="ananya",
        delete_bookings=delete_bookings,
        origin=Origin.COMMAND,
        now=now(),
        enqueue=False,
        **more,
    )
    return backups.execute(backup_id=started["backup_id"])


def contents(database: Db, *, without: frozenset[str] = INTERNAL) -> dict[str, dict[bytes, bytes]]:
    """Every document of the temple's collections: raw bytes by raw `_id`."""
    names = [name for name in database.list_collection_names() if name not in without]
    return {name: raw_documents(database, name) for name in sorted(names)}


def raw_documents(database: Db, name: str) -> dict[bytes, bytes]:
    found: Any = database.get_collection(name, codec_options=RAW).find()
    return {bson.encode({"_id": document["_id"]}): document.raw for document in found}


def saved_documents(folder: Path, database: str, name: str) -> dict[bytes, bytes]:
    """What a backup folder holds of one collection, read with pymongo's own decoder and not with ours."""
    with (folder / database / f"{name}.bson").open("rb") as file:
        frames = bson.decode_file_iter(file, codec_options=RAW)
        return {bson.encode({"_id": frame["_id"]}): bytes(frame.raw) for frame in frames}
