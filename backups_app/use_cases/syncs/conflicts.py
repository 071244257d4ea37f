"""Versions that a sync replaced or deleted: listing them, looking at one, putting one back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from pymongo.errors import PyMongoError

from backups_app.access.trail import audit
from backups_app.browsing.compare import differences
from backups_app.browsing.compare.differences import FieldChange
from backups_app.catalog import purge_ledger
from backups_app.catalog.sync import sync_conflicts
from backups_app.catalog.sync.replaced_version import ReplacedVersion
from backups_app.configuration import Configuration
from backups_app.errors import DocumentChanged, KeptVersionNotFound, PutBackRefused, TempleOpsError
from backups_app.messages import use_cases as messages
from backups_app.mongo import availability, connections, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.connections import MongoDatabase
from backups_app.mongo.exact_writes import insert, live_collection, live_documents, replace
from backups_app.mongo.exact_writes.replace import Replacement
from backups_app.mongo.exact_writes.write_outcome import WriteOutcome
from backups_app.records import Origin, Side
from backups_app.runs import lease, preparation
from backups_app.use_cases.readiness import mode

COUNT_SECONDS = 2
NOTHING = "nothing"
"""Stands for the hash of a document that is not there."""


@dataclass(frozen=True, kw_only=True)
class ConflictVersion:
    """A kept version. `frame` is what lost its place, `live` what this computer holds now, or None."""

    record: dict[str, Any]
    frame: bytes
    live: bytes | None

    @property
    def live_hash(self) -> str:
        """What the page showed, so that a click on an old page does nothing."""
        return hashed(self.live)

    def changes(self, *, zone: tzinfo = UTC) -> tuple[FieldChange, ...]:
        """Return what putting it back would change here, field by field; nothing where nothing is live."""
        return differences.fields(self.live, self.frame, zone=zone) if self.live is not None else ()


def hashed(frame: bytes | None) -> str:
    """Return a document's SHA-256 in hex, `nothing` for none."""
    return NOTHING if frame is None else hashlib.sha256(frame).hexdigest()


def newest(
    *, configuration: Configuration, only_conflicts: bool, limit: int, offset: int = 0, run_id: str = ""
) -> list[dict[str, Any]]:
    """Return kept versions without their bytes, newest first; with `run_id` those of one sync. Raise
    `DatabaseUnreachable`."""
    with connections.reachable(Side.LOCAL):
        return sync_conflicts.newest(
            preparation.local_database(configuration),
            only_conflicts=only_conflicts,
            limit=limit,
            offset=offset,
            run_id=run_id,
        )


def count(*, configuration: Configuration) -> dict[str, int] | None:
    """Return how many kept versions there are, by reason; None where the local server does not answer."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=COUNT_SECONDS):
            return sync_conflicts.count(preparation.local_database(configuration))
    except (PyMongoError, TempleOpsError):
        return None


def get(*, configuration: Configuration, conflict_id: str) -> ConflictVersion:
    """Return one kept version beside what is live. Raise `KeptVersionNotFound`, `DatabaseUnreachable`."""
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        record = sync_conflicts.get(database, conflict_id=conflict_id)
        if record is None:
            raise KeptVersionNotFound()
        frame = bytes(record["bytes"])
        live = live_document(configuration=configuration, collection=record["collection"], raw_id=raw_ids.id_of(frame))
    return ConflictVersion(record=record, frame=frame, live=live)


def live_document(*, configuration: Configuration, collection: str, raw_id: bytes) -> bytes | None:
    """Return the bytes that this computer's database holds under an `_id` now, or None."""
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        found = live_documents.read(collection=collection_of(database, collection), ids=[raw_id])
    return found.get(raw_ids.key(raw_id))


def restore_version(
    *, configuration: Configuration, conflict_id: str, seen: str, requested_by: str, origin: Origin, now: datetime
) -> None:
    """Put a kept version back on this computer; the next sync carries it to Atlas as any other edit.

    1. what is live is kept first, in `sync_conflicts`, so that this can be taken back too;
    2. it is replaced only if it is still what the person saw (`seen`, its SHA-256 or `nothing`).

    Raise `DocumentChanged` when it is not, `PutBackRefused`, `KeptVersionNotFound`, `RunActive`, `ModeNotLocal`.
    """
    mode.require_local(configuration)
    database = preparation.local_database(configuration)
    with lease.held(database, seconds=configuration.lease_seconds):
        version = get(configuration=configuration, conflict_id=conflict_id)
        if version.live_hash != seen:
            raise DocumentChanged()
        _refuse_if_purged(database, version)
        _audit(version, result=audit.STARTED, requested_by=requested_by, origin=origin, now=now)
        _write(database, version, requested_by=requested_by, now=now)
        sync_conflicts.mark_restored(database, conflict_id=conflict_id, now=now)
        _audit(version, result="success", requested_by=requested_by, origin=origin, now=now)


def _refuse_if_purged(database: MongoDatabase, version: ConflictVersion) -> None:
    name, raw_id = version.record["collection"], raw_ids.id_of(version.frame)
    if purge_ledger.open_ids(database, collection=name, ids=[raw_id]):
        raise PutBackRefused(reason=messages.DELETION_UNFINISHED_FIRST())


def _write(database: MongoDatabase, version: ConflictVersion, *, requested_by: str, now: datetime) -> None:
    name = version.record["collection"]
    if version.live == version.frame:
        return
    if version.live is not None:
        why = messages.EARLIER_VERSION_RESTORED(by=requested_by)
        replaced = ReplacedVersion(
            collection=name, side="local", reason="put_back", why=why, frame=version.live, other=version.frame
        )
        sync_conflicts.keep(database, replaced_versions=[replaced], run_id="put_back", now=now)
    outcome = _exactly(database, name, version)
    if outcome.refused or outcome.clashes:
        raise PutBackRefused(reason=next(iter([*outcome.refused.values(), *outcome.clashes.values()])))
    if not outcome.done:
        raise DocumentChanged()
    if version.live is not None:
        sync_conflicts.mark_applied(database, ids=[replaced.id])


def _exactly(database: MongoDatabase, name: str, version: ConflictVersion) -> WriteOutcome:
    live = live_collection.inspect(collection=collection_of(database, name))
    with database.client.start_session() as session:
        used = session if live.transactions else None
        if version.live is None:
            return insert.insert_missing(collection=live.collection, frames=[version.frame], session=used)
        change = Replacement(expected=version.live, new=version.frame)
        return replace.replace_equal(collection=live.collection, replacements=[change], session=used)


def _audit(version: ConflictVersion, *, result: str, requested_by: str, origin: Origin, now: datetime) -> None:
    audit.record(
        actor=requested_by, origin=origin, action="conflict.put_back", target=str(version.record["_id"]),
        result=result, now=now,
        details={"collection": version.record["collection"], "document_id": str(version.record["document_id"])},
    )  # fmt: skip
