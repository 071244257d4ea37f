"""A version that a sync is about to replace or delete, and the documents of `sync_conflicts` that keep it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.binary import Binary

from backups_app.messages import stored
from backups_app.mongo import raw_ids

PART_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ReplacedVersion:
    """A version that is about to be replaced (`other` holds what takes its place) or deleted (`other` is None)."""

    collection: str
    side: str
    reason: str
    why: str
    frame: bytes
    other: bytes | None

    @property
    def id(self) -> str:
        """Return the id under which this version is kept; the same for the same attempt."""
        parts = [
            self.collection.encode(),
            self.side.encode(),
            raw_ids.key(raw_ids.id_of(self.frame)),
            _hash(self.frame),
        ]
        parts.append(_hash(self.other) if self.other is not None else b"")
        return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()


def documents_of(replaced: ReplacedVersion, *, run_id: str, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the further parts first, so that a head never lacks one."""
    first, rest = replaced.frame[:PART_BYTES], replaced.frame[PART_BYTES:]
    parts = [rest[at : at + PART_BYTES] for at in range(0, len(rest), PART_BYTES)]
    for number, part in enumerate(parts):
        yield {"_id": f"{replaced.id}:{number}", "part_of": replaced.id, "bytes": Binary(part), "kept_at": now}
    raw_id = raw_ids.id_of(replaced.frame)
    fits = (
        replaced.other is not None and replaced.reason == "conflict" and len(replaced.other) + len(first) < PART_BYTES
    )
    yield {
        "_id": replaced.id,
        "run_id": run_id,
        "collection": replaced.collection,
        "document_id": raw_ids.decoded(raw_id),
        "key": Binary(raw_id),
        "side": replaced.side,
        "kind": "deleted" if replaced.other is None else "replaced",
        "reason": replaced.reason,
        **stored.with_details({"why": replaced.why}),
        "bytes": Binary(first),
        "sha256": hashlib.sha256(replaced.frame).hexdigest(),
        "other": Binary(replaced.other) if fits and replaced.other is not None else None,
        "other_sha256": None if replaced.other is None else hashlib.sha256(replaced.other).hexdigest(),
        "parts": len(parts),
        "kept_at": now,
        "applied": False,
    }


def _hash(frame: bytes) -> bytes:
    return hashlib.sha256(frame).digest()
