"""A sync that broke off: the next one goes on where it was, repeats nothing wrongly, and is not kept waiting by the
transaction that a dead one left open."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pymongo.client_session import ClientSession

from backups_app.catalog.sync import sync_base, sync_logs
from backups_app.catalog.sync.sync_record import SyncRecord
from backups_app.errors import RunCancelled
from backups_app.mongo.exact_writes import encoding, orphans
from backups_app.progress import Silent
from backups_app.records import Side
from backups_app.sync import apply_batch
from tests.sync.faults import Crash, Fault, Kind, injected
from tests.sync.pairs import Pair, contents, first_documents, seed, version


class StopsWhen(Silent):
    """Cancels as soon as a condition holds."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self.condition = condition

    def checkpoint(self) -> None:
        if self.condition():
            raise RunCancelled


def _count(pair: Pair, side: Side) -> int:
    return pair.side(side)["bookings"].count_documents({})


def test_it_goes_on_where_it_was(any_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_batch, "BATCH_DOCUMENTS", 50)
    monkeypatch.setattr("backups_app.sync.collection_sync.BATCH_DOCUMENTS", 50)
    seed(any_pair, [version(key) for key in range(300)], sides=[Side.REMOTE])

    with pytest.raises(RunCancelled):
        any_pair.sync(progress=StopsWhen(lambda: _count(any_pair, Side.LOCAL) >= 150), run_id="cancelled")

    log = sync_logs.of_run(any_pair.local, run_id="cancelled") or SyncRecord()
    assert (log["status"], log["error_code"], log["half_way"]) == ("failed", "cancelled", True)
    assert log["totals"]["pulled"] == _count(any_pair, Side.LOCAL) == 150
    base = sync_base.SyncBase(any_pair.local, name="bookings", generation=None, expected=300)
    assert base.count() == 150, "the base was committed batch by batch"

    assert any_pair.sync().counts["pulled"] == 150
    any_pair.assert_converged()
    assert any_pair.kept() == set()


def test_a_deletion_after_a_crash_between_write_and_base_is_undone_once_and_nothing_is_lost(pair: Pair) -> None:
    """The limit that `docs/sync.md` names: without an entry in the base nobody can know a document that was deleted
    here from one that is new there, and what is not certain is never deleted."""
    seed(pair, list(first_documents()))
    pair.sync()
    new = version(20)
    pair.put(Side.LOCAL, new)
    _crash_when(pair, lambda: pair.get(Side.REMOTE, 20) is not None)
    assert (pair.get(Side.LOCAL, 20), pair.get(Side.REMOTE, 20)) == (new, new)
    pair.delete(Side.LOCAL, 20)

    pair.sync()
    assert (pair.get(Side.LOCAL, 20), pair.get(Side.REMOTE, 20)) == (new, new), "it came back, byte for byte"
    pair.assert_nothing_lost(resurrection=True)

    pair.delete(Side.LOCAL, 20)
    pair.sync()
    assert (pair.get(Side.LOCAL, 20), pair.get(Side.REMOTE, 20)) == (None, None), "the second time it stays away"
    assert new in pair.kept()


def test_a_deletion_after_a_crash_behind_the_base_is_carried_over(pair: Pair) -> None:
    seed(pair, list(first_documents()))
    pair.sync()
    pair.put(Side.LOCAL, version(20))
    base = sync_base.SyncBase(pair.local, name="bookings", generation=None, expected=20)
    before = base.count()
    _crash_when(pair, lambda: base.count() > before)
    pair.delete(Side.LOCAL, 20)

    pair.sync()

    assert (pair.get(Side.LOCAL, 20), pair.get(Side.REMOTE, 20)) == (None, None)


def _crash_when(pair: Pair, condition: Callable[[], bool]) -> None:
    """Let a sync die after the first command after which the condition holds."""

    class CrashesWhen(Fault):
        def after(self, address: object, number: int, connection: object) -> None:
            if not self._dead and condition():
                self._dead = self.happened = True
                raise Crash

    fault = CrashesWhen(kind=Kind.CRASH_AFTER)
    with injected(fault), pytest.raises(Crash):
        pair.sync()
    assert fault.happened
    for side in Side:
        pair.application[side].client.admin.command({"killAllSessions": []})


# ── transactions that nobody will end ───────────────────────────────────────────


def _hold(pair: Pair, side: Side, session: ClientSession, key: int) -> None:
    """Leave a transaction open that wrote one document."""
    session.start_transaction()
    session.client[pair.local.name]["bookings"].replace_one(
        {"_id": key}, encoding.Whole(version(key, minutes=50)), session=session
    )


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_the_transaction_of_a_dead_sync_does_not_keep_the_next_one_waiting(
    pair: Pair, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "IDLE_SECONDS", 0.2)
    seed(pair, list(first_documents()))
    pair.sync()
    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
    new = version(1, minutes=1)
    pair.put(other, new)
    with pair.side(side).client.start_session() as dead:
        _hold(pair, side, dead, 1)
        started = time.monotonic()

        pair.sync()

        assert time.monotonic() - started < 30, "a server would have kept it for a minute"
        assert pair.get(side, 1) == new
    pair.assert_converged()
    pair.assert_nothing_lost()


def test_a_transaction_of_the_application_is_waited_for_and_never_ended(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "IDLE_SECONDS", 0.0)
    seed(pair, list(first_documents()))
    pair.sync()
    pair.put(Side.LOCAL, version(1, minutes=1))
    application = pair.application[Side.REMOTE].client
    with application.start_session() as theirs:
        _hold(pair, Side.REMOTE, theirs, 1)

        ended = orphans.end_idle_transactions(pair.remote.client)

        assert ended == 0
        theirs.commit_transaction()
    pair.sync()
    assert contents(pair.local) == contents(pair.remote)
    assert pair.get(Side.LOCAL, 1) is not None
