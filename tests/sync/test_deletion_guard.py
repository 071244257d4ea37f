"""The deletion guard, blocked collections, what an admin decides, and the purge ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backups_app.catalog import purge_ledger
from backups_app.catalog.sync import sync_state
from backups_app.records import Side
from backups_app.sync.decisions import deletion_guard
from tests.sync.pairs import NOW, Pair, contents, date, document, int32, seed, version


def _hundred(pair: Pair) -> None:
    seed(pair, [version(key) for key in range(100)])
    pair.sync()


@pytest.mark.parametrize(
    ("vanished", "known", "blocked"),
    [(20, 20, False), (21, 21, True), (29, 100, False), (30, 100, False), (31, 100, True), (21, 70, False)],
)
def test_more_than_thirty_percent_and_more_than_twenty(vanished: int, known: int, blocked: bool) -> None:
    assert deletion_guard.blocks(vanished=vanished, known=known) is blocked


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
@pytest.mark.parametrize(("count", "passes"), [(29, True), (31, False), (100, False)])
def test_so_many_deletions_pass_or_do_not(any_pair: Pair, side: Side, count: int, passes: bool) -> None:
    _hundred(any_pair)
    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
    any_pair.application[side]["bookings"].delete_many({"_id": {"$lt": count}})
    any_pair.put(other, version(500))

    report = any_pair.sync()

    left = len(contents(any_pair.side(other))["bookings"])
    assert left == (101 - count if passes else 101)
    assert bool(report.blocked) is not passes
    assert any_pair.get(side, 500) is not None, "everything else flows"
    if not passes:
        assert any_pair.sync().blocked, "it stays blocked until somebody decides"


def test_an_admin_may_let_the_deletions_through_or_have_them_copied_back(any_pair: Pair) -> None:
    _hundred(any_pair)
    any_pair.application[Side.REMOTE]["bookings"].delete_many({"_id": {"$lt": 50}})
    any_pair.sync()

    back = any_pair.sync(decided={"bookings": "keep"})
    assert back.counts["kept_back"] == 50

    any_pair.application[Side.REMOTE]["bookings"].delete_many({"_id": {"$lt": 50}})
    gone = any_pair.sync(decided={"bookings": "delete"})
    assert gone.counts["deleted_local"] == 50
    any_pair.assert_converged()


def test_a_decision_about_one_collection_unblocks_that_one(any_pair: Pair) -> None:
    for name in ("bookings", "halls"):
        seed(any_pair, [version(key) for key in range(50)], name=name)
    any_pair.sync()
    for name in ("bookings", "halls"):
        any_pair.application[Side.REMOTE][name].delete_many({})
    any_pair.sync()
    assert _blocked(any_pair) == {"bookings", "halls"}

    any_pair.sync(decided={"bookings": "keep"}, only=frozenset({"bookings"}))

    assert _blocked(any_pair) == {"halls"}
    assert any_pair.sync().blocked.keys() == {"halls"}


def _blocked(pair: Pair) -> set[str]:
    return {one["name"] for one in (sync_state.read(pair.local) or {})["blocked"]}


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
@pytest.mark.parametrize("how", ["drop", "rename"])
def test_a_collection_that_vanished_is_blocked_whatever_its_size(any_pair: Pair, side: Side, how: str) -> None:
    seed(any_pair, [version(key) for key in range(3)])
    any_pair.sync()
    vanished = any_pair.application[side]["bookings"]
    vanished.drop() if how == "drop" else vanished.rename("old_bookings")

    report = any_pair.sync()

    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
    assert len(contents(any_pair.side(other))["bookings"]) == 3
    assert "bookings" not in contents(any_pair.side(side))
    assert "vanished" in report.blocked["bookings"]
    assert any(sentence.startswith("bookings") for sentence in report.warnings)

    any_pair.sync(decided={"bookings": "keep"})
    assert len(contents(any_pair.side(side))["bookings"]) == 3


def test_documents_past_their_time_to_live_do_not_count(any_pair: Pair) -> None:
    frames = [document(("_id", int32(key)), ("at", date(NOW - timedelta(days=2)))) for key in range(60)]
    for side in Side:
        # So far away that the server's own TTL monitor stays out of it; the test's clock is 50 days later.
        any_pair.application[side]["bookings"].create_index("at", expireAfterSeconds=50 * 86_400)
    seed(any_pair, frames)
    any_pair.sync()
    any_pair.application[Side.LOCAL]["bookings"].delete_many({})

    report = any_pair.sync(now=NOW + timedelta(days=50))

    assert not report.blocked
    assert contents(any_pair.remote)["bookings"] == {}


def test_what_the_purge_ledger_holds_is_neither_copied_nor_deleted(any_pair: Pair) -> None:
    frames = [version(key) for key in range(4)]
    seed(any_pair, frames, name="activities")
    any_pair.sync()
    purge_ledger.ensure_indexes(any_pair.local)
    entry = purge_ledger.open_batch(
        any_pair.local,
        run_id="20260110_110000",
        collection="activities",
        first=0,
        frames=frames[:2],
        sides=list(Side),
        now=NOW,
    )
    for key in (0, 1):
        any_pair.application[Side.REMOTE]["activities"].delete_one({"_id": key})
    any_pair.put(Side.LOCAL, version(3, minutes=1), name="activities")

    for _ in range(2):
        report = any_pair.sync()

    assert len(contents(any_pair.local)["activities"]) == 4
    assert len(contents(any_pair.remote)["activities"]) == 2
    assert report.log["totals"]["held"] == 2
    assert entry

    purge_ledger.close_all_for_run(any_pair.local, run_id="20260110_110000")
    any_pair.application[Side.LOCAL]["backup_sync_base"].delete_many({})
    any_pair.sync()
    assert len(contents(any_pair.remote)["activities"]) == 4, "kept after all: an ordinary document again"
