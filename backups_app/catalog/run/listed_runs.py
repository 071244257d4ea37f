"""All runs as a list reads them: one question, and of a successful backup only what lists show and rules decide by.

A process that lists again decodes only what has changed: a run is known by its bytes. Only the runs of the last look
are kept, each without the steps, sentences and places in streams that make most of a record.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pymongo.collection import Collection
from pymongo.database import Database

from backups_app.catalog.run import run_moments, runs
from backups_app.catalog.run.run_parts import IncrementalRecord, StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.records import RunKind, Status

_PLAIN = {"status": Status.SUCCESS.value, "kind": RunKind.BACKUP.value, "purge": {"$type": "object"}}
"""A run of which nothing is left to do or to explain: its steps say no more than that each was done."""
_FIELDS = dict.fromkeys(
    (
        "backup_id", "kind", "database", "host", "store_id", "backup_path", "created_by", "origin", "note",
        "backup_timestamp", "created_at", "finished_at", "status", "sync_status", "phase", "delete_bookings_requested",
        "incremental", "incremental_requested", "collections_backed_up", "collections_deleted_local",
        "collections_deleted_remote", "documents", "bytes", "engine", "purge", "kept_changed.count", "resume_available",
        "error_code", "verification", "fetched", "pinned", "released", "removed",
    ),
    1,
)  # fmt: skip
_STEPS = dict.fromkeys(("steps.name", "steps.started_at"), 1)
"""Read for one moment alone, `run_moments.READ_AT`."""
_KEPT = {name.partition(".")[0] for name in _FIELDS} | {"_id"}
_LENGTH = struct.Struct("<i")
_AT_ONCE = 2_000

_known: tuple[CodecOptions[Any], dict[bytes, RunRecord]] = (CodecOptions(), {})


class ListedRun(RunRecord):
    """A successful backup run as lists have it. What was not read is refused, not missing: `runs.get` reads it whole.

    `shown` is what a reader made of it last, and by what: made again only when that is another, or the record. It never
    changes (`|` makes another), so what every list asks of each is read once."""

    shown: tuple[object, RunRecord]

    @cached_property
    def created_at(self) -> datetime:
        return super().created_at

    @cached_property
    def incremental(self) -> IncrementalRecord:
        return super().incremental

    def apply(self, changes: Mapping[str, Any]) -> None:
        raise RuntimeError("a change of a run that was only listed")

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        raise RuntimeError("the steps of a run that was only listed")

    @property
    def warnings(self) -> list[str]:
        raise RuntimeError("the warnings of a run that was only listed")

    @property
    def audit(self) -> Mapping[str, Any] | None:
        raise RuntimeError("the audit trail's end of a run that was only listed")


def every(database: Database[Any]) -> dict[str, RunRecord]:
    """Return all runs by id, successful backups as `ListedRun`. They are kept and handed out again: change a copy."""
    global _known
    records, options = runs.collection(database), database.codec_options
    # A run that ends between the two questions is answered by both: it was not a success before.
    whole = list(_read(records, {"$nor": [_PLAIN]}))
    plain = list(_read(records, _PLAIN, _FIELDS | _STEPS))
    known = _known[1] if _known[0] == options else {}
    found = {raw: known.get(raw) or _decoded(raw, options, RunRecord) for raw in whole}
    found |= {raw: known.get(raw) or _decoded(raw, options, ListedRun) for raw in plain}
    _known = (options, found)
    return {run.id: run for run in found.values()}


def shortened(run: RunRecord) -> RunRecord:
    """Return a run, of a successful backup only what `every` reads."""
    is_plain = run.status == Status.SUCCESS and run.kind == RunKind.BACKUP and run.purge.planned
    return _without_steps(run) if is_plain else run


def _without_steps(run: RunRecord) -> ListedRun:
    kept = {name: run[name] for name in run if name in _KEPT}
    return ListedRun({**kept, run_moments.READ_AT: run_moments.contents_read_at(run)})


def _read(
    records: Collection[Any], wanted: Mapping[str, Any], fields: Mapping[str, Any] | None = None
) -> Iterator[bytes]:
    for batch in records.find_raw_batches(wanted, fields, batch_size=_AT_ONCE):
        yield from _cut(batch)


def _cut(batch: bytes) -> Iterator[bytes]:
    at, end = 0, len(batch)
    while at < end:
        start, at = at, at + _LENGTH.unpack_from(batch, at)[0]
        yield batch[start:at]


def _decoded(raw: bytes, options: CodecOptions[Any], kind: type[RunRecord]) -> RunRecord:
    """Thousands of records have the same names and, mostly, the same texts: each is in memory once."""
    run = runs.readable(bson.decode(raw, options))
    listed = _without_steps(run) if kind is ListedRun else run
    return kind({sys.intern(name): _shared(value) for name, value in listed.items()})


def _shared(value: Any) -> Any:
    if type(value) is str:
        return sys.intern(value)
    return list(map(_shared, value)) if type(value) is list else value
