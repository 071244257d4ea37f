"""Takes one guard of the product away: a plugin for pytest, given by the environment which one.

    GUARD_REMOVED=predicate python -m pytest -p tests.faults.guards_removed tests/…

Each guard is one of those by which no booking is lost (`docs/reliability.md`); `test_guards.py` shows that a test turns
red without it. The processes that `forking.py` makes lack it too.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import pytest

from backups_app.backup_files import durable
from backups_app.catalog import lease, purge_ledger
from backups_app.catalog.run import run_writers, runs
from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import delete, filters, live_collection, live_documents
from backups_app.mongo.exact_writes.delete import DeleteOutcome
from backups_app.purge import plan, verified_file
from backups_app.sync import pair
from backups_app.verification import verdict

VARIABLE = "GUARD_REMOVED"


def predicate() -> None:
    """The delete says which ids, and no longer which bytes."""
    filters.by_ids_and_bytes = lambda frames: filters.by_ids(list(frames))


def byte_compare() -> None:
    """What is there is left to the server's own comparison, which finds 1 equal to 1.0."""

    def trusting(live: Any, window: Any, sent: Any, session: Any) -> tuple[DeleteOutcome, dict[bytes, bytes]]:
        there = live_documents.read(collection=live.collection, ids=list(window), session=session)
        same = {raw_id: frame for raw_id, frame in window.items() if raw_ids.key(raw_id) in there}
        absent = [raw_id for raw_id in window if raw_id not in same]
        deleted = [raw_id for raw_id in absent if raw_id in sent]
        return DeleteOutcome(deleted=deleted, already_absent=[raw_id for raw_id in absent if raw_id not in sent]), same

    delete._classify = trusting


def simple_collation() -> None:
    """The collection's own collation compares, and nobody asks for a transaction because of it."""
    look = live_collection.inspect

    def blind(*, collection: Any) -> Any:
        return dataclasses.replace(look(collection=collection), own_collation=None, transactions=False)

    live_collection.inspect = blind
    delete.SIMPLE = None  # type: ignore[assignment]


def ledger() -> None:
    """Sync does not ask what a purge is about to delete."""
    purge_ledger.open_ids = lambda *_, **__: set()


def pairs_marks() -> None:
    """Whatever two databases the settings name, they are taken for a pair."""
    begin = pair.begin
    pair.begin = lambda *, local, remote, adopt: begin(local=local, remote=remote, adopt=True)


def sync_gate() -> None:
    """A failed sync does not stop the purge."""
    refusals = plan.refusals
    open_gates = ("sync_not_succeeded", "pair_unknown")
    plan.refusals = lambda gates: {k: v for k, v in refusals(gates).items() if k not in open_gates}
    pair.require_known = lambda **_: None


def fsync() -> None:
    """Files are closed and renamed, and never asked to be on the disk."""
    notify = durable.notify_listeners

    def forgetful(kind: str, path: Any, **more: object) -> None:
        if kind != "fsync":
            notify(kind, path, **more)

    os.fsync = lambda fd: None
    durable.notify_listeners = forgetful


def manifest_check() -> None:
    """Whatever lies under the right name is taken for the file that was verified."""

    class Whatever(tuple):  # type: ignore[type-arg]
        def __ne__(self, other: object) -> bool:
            return False

    verified_file._size_and_hash = lambda *_: Whatever()
    verdict.recheck = lambda **_: ()


def fence() -> None:
    """A process that was the owner once may write the run's record, and needs no lease."""

    def write(self: run_writers.Ownership, *, phase: Any, changes: Any, warnings: Any = (), **_: Any) -> bool:
        update: dict[str, Any] = {"$set": dict(changes)}
        if warnings:
            update["$push"] = {"warnings": {"$each": list(warnings)}}
        runs.collection(self.database).update_one({"_id": self.backup_id}, update)
        return True

    run_writers.Ownership.write = write  # type: ignore[method-assign]
    run_writers.Ownership.beat = lambda self: False  # type: ignore[method-assign]
    lease.renew = lambda *_, **__: True


GUARDS: dict[str, Callable[[], None]] = {
    guard.__name__: guard
    for guard in (
        predicate, byte_compare, simple_collation, ledger, pairs_marks, sync_gate, fsync, manifest_check, fence,
    )
}  # fmt: skip


def remove_the_named_one() -> None:
    """Take the guard away that the environment names, if it names one."""
    if name := os.environ.get(VARIABLE):
        GUARDS[name]()


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin, before any test is collected."""
    remove_the_named_one()
