"""The decision table on two real servers, both directions: the exact winner, the exact `sync_conflicts`."""

from __future__ import annotations

import time
from collections import Counter
from types import SimpleNamespace

import pytest

from backups_app.catalog.sync import sync_base, sync_conflicts
from backups_app.records import Side
from backups_app.sync import edit_time
from tests.sync.pairs import Pair, cents, contents, document, double, first_documents, int32, seed, state_pairs, version


@pytest.fixture
def synced(any_pair: Pair) -> Pair:
    """A pair whose documents are equal and have a base."""
    seed(any_pair, list(first_documents()))
    any_pair.sync()
    return any_pair


def test_all_rows_at_once(synced: Pair) -> None:
    state_pairs(synced)

    report = synced.sync()

    assert contents(synced.local) == contents(synced.remote)
    synced.assert_nothing_lost()
    totals = report.log["totals"]
    assert totals["conflicts"] == 4
    assert totals["edit_beat_deletion"] == 2
    assert (totals["deleted_local"], totals["deleted_remote"]) == (1, 1)
    assert synced.get(Side.LOCAL, 6) is None
    assert synced.get(Side.LOCAL, 8) is not None
    synced.assert_converged()


@pytest.mark.parametrize(("edited", "other"), [(Side.LOCAL, Side.REMOTE), (Side.REMOTE, Side.LOCAL)])
def test_an_edit_is_carried_over_and_what_it_replaced_is_kept(synced: Pair, edited: Side, other: Side) -> None:
    before = synced.get(other, 1)
    new = version(1, minutes=1)
    synced.put(edited, new)

    report = synced.sync()

    assert synced.get(other, 1) == new
    assert synced.kept() == {before}
    assert report.counts["pushed" if edited is Side.LOCAL else "pulled"] == 1
    assert report.counts["conflicts"] == 0


@pytest.mark.parametrize(("edited", "other"), [(Side.LOCAL, Side.REMOTE), (Side.REMOTE, Side.LOCAL)])
def test_an_edit_that_changes_only_cents_and_bumps_no_date_is_carried_over(
    synced: Pair, edited: Side, other: Side
) -> None:
    for amount in (10.10, 10.90):
        new = document(("_id", int32(1)), ("amount", double(amount)))
        synced.put(edited, new)

        synced.sync()

        assert synced.get(other, 1) == new


def test_an_int64_that_became_an_equal_double_is_an_edit(synced: Pair) -> None:
    new = document(("_id", int32(15)), ("n", double(7.0)))
    synced.put(Side.LOCAL, new)

    synced.sync()

    assert synced.get(Side.REMOTE, 15) == new


@pytest.mark.parametrize(
    ("local_minutes", "remote_minutes", "winner"),
    [(2, 1, Side.LOCAL), (1, 2, Side.REMOTE), (1, 1, Side.LOCAL), (None, 1, Side.REMOTE), (None, None, Side.LOCAL)],
)
def test_a_conflict_keeps_the_replaced_version_and_the_winner_stands_on_both_sides(
    synced: Pair, local_minutes: int | None, remote_minutes: int | None, winner: Side
) -> None:
    versions = {
        Side.LOCAL: version(1, minutes=local_minutes),
        Side.REMOTE: version(1, minutes=remote_minutes),
    }
    for side, frame in versions.items():
        synced.put(side, frame)

    report = synced.sync()

    replaced = Side.REMOTE if winner is Side.LOCAL else Side.LOCAL
    assert synced.get(Side.LOCAL, 1) == synced.get(Side.REMOTE, 1) == versions[winner]
    [kept] = sync_conflicts.newest(synced.local, only_conflicts=True, limit=10)
    assert (kept["kind"], kept["side"], kept["applied"], kept["document_id"]) == ("replaced", replaced.value, True, 1)
    assert sync_conflicts.get(synced.local, conflict_id=kept["_id"])["bytes"] == versions[replaced]  # type: ignore[index]
    assert report.counts["conflicts"] == 1


@pytest.mark.parametrize("side", list(Side))
def test_a_deletion_is_carried_over_and_the_document_is_kept(synced: Pair, side: Side) -> None:
    before = synced.get(side, 1)
    synced.delete(side, 1)

    synced.sync()

    assert synced.get(Side.LOCAL, 1) is None
    assert synced.get(Side.REMOTE, 1) is None
    assert synced.kept() == {before}


@pytest.mark.parametrize("side", list(Side))
def test_with_keep_what_vanished_is_copied_back(synced: Pair, side: Side) -> None:
    before = synced.get(side, 1)
    synced.delete(side, 1)

    report = synced.sync(deletes="keep")

    assert synced.get(side, 1) == before
    assert report.counts["kept_back"] == 1


def test_a_document_deleted_and_made_again_is_new(synced: Pair) -> None:
    again = synced.get(Side.LOCAL, 1)
    assert again is not None
    synced.delete(Side.LOCAL, 1)
    synced.sync()
    synced.put(Side.LOCAL, again)

    synced.sync()

    assert synced.get(Side.REMOTE, 1) == again


def test_without_a_base_nothing_is_deleted(synced: Pair) -> None:
    state_pairs(synced)
    before = {side: set(contents(synced.side(side))["bookings"]) for side in Side}
    sync_base.clear(synced.local)

    report = synced.sync()

    assert (report.log["totals"]["deleted_local"], report.log["totals"]["deleted_remote"]) == (0, 0)
    assert set(contents(synced.local)["bookings"]) == before[Side.LOCAL] | before[Side.REMOTE]
    synced.assert_nothing_lost(resurrection=True)
    synced.assert_converged()


def test_a_repeated_attempt_keeps_a_version_once(synced: Pair) -> None:
    before = synced.get(Side.REMOTE, 1)
    assert before is not None
    new = version(1)
    for _ in range(2):
        synced.put(Side.LOCAL, new)
        synced.sync()
        for side in Side:
            synced.put(side, before)
        synced.sync()

    found = Counter(one["_id"] for one in sync_conflicts.collection(synced.local).find({}, {"_id": 1}))
    assert len(found) == 1


def test_several_fields_of_one_fraction(synced: Pair) -> None:
    both = {side: cents(synced.get(side, 2) or b"") for side in Side}
    for side, frame in both.items():
        synced.put(side, frame)

    synced.sync()

    assert synced.get(Side.REMOTE, 2) == both[Side.LOCAL]
    assert synced.kept() == {both[Side.REMOTE]}


def test_what_is_edited_while_a_long_sync_goes_on_is_not_dated_in_the_future(
    any_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has gone on for a quarter of an hour when it comes to the document."""
    later = SimpleNamespace(time=time.time, monotonic=lambda: time.monotonic() + 15 * 60)
    monkeypatch.setattr(edit_time, "time", later)
    edited = version(1, minutes=14)
    any_pair.put(Side.LOCAL, version(1, minutes=-24 * 60))
    any_pair.put(Side.REMOTE, edited)

    any_pair.sync()

    assert any_pair.get(Side.LOCAL, 1) == any_pair.get(Side.REMOTE, 1) == edited
