"""Kept versions: whole, once, in parts where they are large, and gone only when old and held by a backup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from backups_app.catalog.sync import sync_conflicts
from backups_app.catalog.sync.replaced_version import ReplacedVersion
from backups_app.mongo.raw_bson import text
from tests.sync.pairs import document, int32

Mongo = Database[dict[str, Any]]
NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def _replaced_version(number: int, *, fill: int = 0, other: bytes | None = None) -> ReplacedVersion:
    frame = document(("_id", int32(number)), ("fill", text("x" * fill)))
    return ReplacedVersion(collection="halls", side="remote", reason="conflict", why="newer", frame=frame, other=other)


def _keep(database: Mongo, *replaced_versions: ReplacedVersion, at: datetime = NOW) -> None:
    sync_conflicts.keep(database, replaced_versions=replaced_versions, run_id="r", now=at)


def test_a_version_is_kept_once_and_given_back_whole(local_db: Mongo) -> None:
    replaced = _replaced_version(1, other=document(("_id", int32(1))))

    _keep(local_db, replaced)
    _keep(local_db, replaced, at=NOW + timedelta(days=1))

    [kept] = sync_conflicts.newest(local_db, only_conflicts=True, limit=9)
    assert (kept["kept_at"], kept["kind"], kept["applied"], kept["document_id"]) == (NOW, "replaced", False, 1)
    found = sync_conflicts.get(local_db, conflict_id=replaced.id)
    assert found is not None
    assert (found["bytes"], found["other"]) == (replaced.frame, replaced.other)


def test_the_largest_document_is_kept_in_parts(local_db: Mongo) -> None:
    replaced = _replaced_version(1, fill=16 * 1024 * 1024 - 100)

    _keep(local_db, replaced, _replaced_version(2))

    found = sync_conflicts.get(local_db, conflict_id=replaced.id)
    assert found is not None
    assert found["bytes"] == replaced.frame
    assert found["kind"] == "deleted"
    assert len(sync_conflicts.newest(local_db, only_conflicts=False, limit=9)) == 2


def test_what_was_applied_and_put_back_is_marked(local_db: Mongo) -> None:
    first, second = _replaced_version(1), _replaced_version(2)
    _keep(local_db, first, second)

    sync_conflicts.mark_applied(local_db, ids=[first.id])
    sync_conflicts.mark_restored(local_db, conflict_id=first.id, now=NOW)

    marked = {one["_id"]: one for one in sync_conflicts.newest(local_db, only_conflicts=False, limit=9)}
    assert (marked[first.id]["applied"], marked[first.id]["put_back_at"]) == (True, NOW)
    assert marked[second.id]["applied"] is False


def _held(database: Mongo) -> list[bytes]:
    """Return the collection as a backup made now would hold it."""
    raw = sync_conflicts.collection(database).with_options(codec_options=CodecOptions(document_class=RawBSONDocument))
    return [bytes(one.raw) for one in raw.find()]


def test_a_version_expires_only_when_it_is_old_and_a_backup_holds_it(local_db: Mongo) -> None:
    _keep(local_db, _replaced_version(1), at=NOW - timedelta(days=91))
    _keep(local_db, _replaced_version(2), at=NOW - timedelta(days=89))
    backup = _held(local_db)
    _keep(local_db, _replaced_version(3), at=NOW - timedelta(days=200))

    assert sync_conflicts.has_expired(local_db, now=NOW)
    assert sync_conflicts.expire(local_db, held=lambda: iter([]), now=NOW) == 0
    assert sync_conflicts.expire(local_db, held=lambda: iter(backup), now=NOW) == 1
    assert sync_conflicts.expire(local_db, held=lambda: iter(backup), now=NOW) == 0

    assert {one["document_id"] for one in sync_conflicts.newest(local_db, only_conflicts=False, limit=9)} == {2, 3}


def test_a_version_marked_after_the_backup_does_not_expire(local_db: Mongo) -> None:
    replaced = _replaced_version(1)
    _keep(local_db, replaced, at=NOW - timedelta(days=200))
    backup = _held(local_db)
    sync_conflicts.mark_restored(local_db, conflict_id=replaced.id, now=NOW)

    assert sync_conflicts.expire(local_db, held=lambda: iter(backup), now=NOW) == 0
    assert sync_conflicts.get(local_db, conflict_id=replaced.id) is not None


def test_the_parts_of_a_version_go_with_it_and_not_without_it(local_db: Mongo) -> None:
    gone, stays = _replaced_version(1, fill=16 * 1024 * 1024 - 100), _replaced_version(2, fill=9 * 1024 * 1024)
    _keep(local_db, gone, stays, at=NOW - timedelta(days=200))
    backup = _held(local_db)
    sync_conflicts.mark_restored(local_db, conflict_id=stays.id, now=NOW)

    assert sync_conflicts.expire(local_db, held=lambda: iter(backup), now=NOW) == 1

    assert (sync_conflicts.get(local_db, conflict_id=stays.id) or {})["bytes"] == stays.frame
    assert sync_conflicts.collection(local_db).count_documents({}) == 2
