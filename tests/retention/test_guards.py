"""Each guard alone keeps a backup: the reason it gives is the only one, so without it the backup would go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backups_app.retention import guards, shrinkage
from backups_app.retention.decision import AHEAD, FOR_UNDO, FOREIGN, UNDO_OVER, UNVERIFIED, RetentionDecision
from backups_app.retention.facts import Backup, Deletion, LostHolder, Maker
from backups_app.retention.policy import Policy
from tests.retention.histories import NOW, a_backup, decided, reasons, removed_ids

NEWER = (a_backup(days=0), a_backup(days=1))
YEARS = Policy(yearly=1)


def _old(**facts: Any) -> tuple[Backup, RetentionDecision]:
    old = a_backup(days=40, **facts)
    return old, decided(*NEWER, old)


def _newest_success() -> tuple[Backup, RetentionDecision]:
    old = a_backup(days=40)
    return old, decided(*(a_backup(days=day, success=False) for day in (0, 1)), old)


def _floor() -> tuple[Backup, RetentionDecision]:
    old = a_backup(days=40)
    return old, decided(*NEWER, old, min_keep=3)


def _needed() -> tuple[Backup, RetentionDecision]:
    old = a_backup(days=40)
    child = a_backup(days=39, base=old.backup_id, pinned=True)
    return old, decided(*NEWER, child, old)


def _shrunk() -> tuple[Backup, RetentionDecision]:
    old = a_backup(days=40, documents={"bookings": 100})
    return old, decided(*(a_backup(days=day, documents={"bookings": 49}) for day in (0, 1)), old)


def _holder_damaged() -> tuple[Backup, RetentionDecision]:
    old = a_backup(days=40)
    return old, decided(*NEWER, a_backup(days=30, verified=False, holds={"bookings": 3}), old)


SCENES: dict[str, Callable[[], tuple[Backup, RetentionDecision]]] = {
    guards.NEWEST: _newest_success,
    guards.FLOOR: _floor,
    guards.PINNED: lambda: _old(pinned=True),
    guards.HELD: lambda: _old(holds={"bookings": 7}),
    guards.NEEDED: _needed,
    guards.IN_USE: lambda: _old(in_use=True),
    guards.PURGE_UNFINISHED: lambda: _old(purge_unfinished=True),
    guards.COPY_MISSING: lambda: _old(holds={"bookings": 7}, released=True, copied=False),
    guards.SHRUNK: _shrunk,
    guards.HOLDER_DAMAGED: _holder_damaged,
    AHEAD: lambda: _old_ahead(),
    FOREIGN: lambda: _old(maker=Maker.FOREIGN),
    UNVERIFIED: lambda: _old(verified=False),
}


def _old_ahead() -> tuple[Backup, RetentionDecision]:
    ahead = a_backup(at=NOW + timedelta(minutes=11))
    return ahead, decided(*NEWER, ahead)


def test_every_guard_has_its_scene() -> None:
    assert set(guards.CODES) <= SCENES.keys()


@pytest.mark.parametrize("code", SCENES)
def test_a_guard_alone_keeps_a_backup(code: str) -> None:
    backup, decision = SCENES[code]()

    assert reasons(decision, backup) == (code,)


def test_without_any_reason_the_old_one_goes() -> None:
    old, decision = _old()

    assert removed_ids(decision) == {NEWER[1].backup_id, old.backup_id}


def test_what_holds_an_unknown_number_is_held() -> None:
    old, decision = _old(holds=None)

    assert reasons(decision, old) == (guards.HELD,)


def test_a_released_holder_goes() -> None:
    old, decision = _old(holds={"bookings": 7}, released=True)

    assert old.backup_id in removed_ids(decision)


def test_a_backup_dated_in_the_future_is_evidence_for_nothing() -> None:
    """A clock a month ahead for an hour: what it dated counts neither as the newest nor for the floor."""
    ahead = [a_backup(at=NOW + timedelta(days=30, hours=hour)) for hour in range(3)]
    real = [a_backup(days=day) for day in (1, 2, 3, 4)]

    decision = decided(*ahead, *real, min_keep=3)

    assert [reasons(decision, one) for one in ahead] == [(AHEAD,)] * 3
    assert removed_ids(decision) == {real[3].backup_id}


def test_the_day_of_arrival_decides_how_long_the_undo_of_a_restore_is_kept() -> None:
    fresh = a_backup(days=400, arrived_at=NOW - timedelta(days=1), maker=Maker.SAFETY)
    over = a_backup(days=41, maker=Maker.SAFETY)

    decision = decided(*NEWER, fresh, over)

    assert reasons(decision, fresh) == (FOR_UNDO,)
    assert next(one.reasons for one in decision.removed if one.backup == over) == (UNDO_OVER,)


def test_ten_restores_in_a_day_push_out_no_backup() -> None:
    asked_for = [a_backup(days=day) for day in range(1, 11)]
    safety = [a_backup(days=hour / 24, maker=Maker.SAFETY) for hour in range(10)]

    decision = decided(*asked_for, *safety, policy=Policy(last=10))

    assert removed_ids(decision) == set()


def test_two_losses_of_45_percent_are_seen_at_the_second() -> None:
    first, second, third = (
        a_backup(days=day, documents={"bookings": count}) for day, count in ((3, 100), (2, 55), (1, 30))
    )
    newer = a_backup(days=0, documents={"bookings": 30})

    decision = decided(first, second, third, newer)

    assert reasons(decision, first) == reasons(decision, second) == (guards.SHRUNK,)
    assert removed_ids(decision) == {third.backup_id}


def test_what_runs_deleted_is_no_loss() -> None:
    before = a_backup(days=40, documents={"bookings": 1_000})
    after = [a_backup(days=day, documents={"bookings": 10}) for day in (0, 1)]
    purge = Deletion(collection="bookings", at=before.taken_at + timedelta(minutes=1), documents=990)

    assert reasons(decided(before, *after), before) == (guards.SHRUNK,)
    assert before.backup_id in removed_ids(decided(before, *after, deletions=[purge]))


def test_what_a_run_deleted_for_an_earlier_one_before_it_read_is_no_loss() -> None:
    began = NOW - timedelta(days=1)
    before = a_backup(days=40, documents={"bookings": 100})
    finished = Deletion(collection="bookings", at=began + timedelta(seconds=9), documents=100)
    after = a_backup(at=began, read_at=began + timedelta(seconds=10), documents={"bookings": 0})

    assert shrinkages(before, after, deletions=[finished]) == [] != shrinkages(before, after)
    assert shrinkages(before, replace(after, read_at=None), deletions=[finished]) == [after.backup_id]


def test_what_a_cut_run_had_deleted_is_no_loss_in_a_backup_from_before_it_was_resumed() -> None:
    cut, between, newest = (
        a_backup(days=day, documents={"bookings": count}) for day, count in ((3, 100), (2, 40), (0, 0))
    )
    resumed = Deletion(collection="bookings", at=NOW - timedelta(days=1), documents=100, begun_at=cut.taken_at)

    assert shrinkages(cut, between, newest, deletions=[resumed]) == []
    assert shrinkages(cut, between, newest, deletions=[replace(resumed, begun_at=None)]) == [between.backup_id]


def test_a_loss_while_a_cut_run_waits_to_be_resumed_is_seen_at_the_latest_after_it() -> None:
    """Each document that the run deleted explains one that is missing, and no more."""
    cut, between, newest = (
        a_backup(days=day, documents={"bookings": count}) for day, count in ((3, 100), (2, 40), (0, 0))
    )
    resumed = Deletion(collection="bookings", at=NOW - timedelta(days=1), documents=40, begun_at=cut.taken_at)

    assert shrinkages(cut, between, newest, deletions=[resumed]) == [newest.backup_id]


def shrinkages(*backups: Backup, deletions: Sequence[Deletion] = ()) -> list[str]:
    return [one.backup_id for one in shrinkage.find(backups=backups, deletions=deletions, now=NOW)]


def test_a_shrinkage_that_an_admin_accepted_holds_nothing_back_and_later_ones_are_compared_with_it() -> None:
    before = a_backup(days=40, documents={"bookings": 1_000})
    accepted = a_backup(days=2, documents={"bookings": 100}, accepted=True)
    same = [a_backup(days=day, documents={"bookings": 100}) for day in (0, 1)]
    again = a_backup(at=NOW + timedelta(minutes=1), documents={"bookings": 10})

    assert removed_ids(decided(before, accepted, *same)) == {before.backup_id, accepted.backup_id, same[1].backup_id}
    assert reasons(decided(before, accepted, *same, again), before) == (guards.SHRUNK,)


def test_the_only_witness_of_a_loss_stays_when_the_collection_has_grown_again() -> None:
    """Without it the next pass would not know of the loss and remove what is older."""
    before, lost = a_backup(days=40, documents={"bookings": 100}), a_backup(days=30, documents={"bookings": 10})
    still_lost = a_backup(days=20, documents={"bookings": 10})
    again = [a_backup(days=day, documents={"bookings": 100}) for day in (0, 1)]

    decision = decided(*again, still_lost, lost, before)

    assert reasons(decision, lost) == reasons(decision, before) == (guards.SHRUNK,)
    assert removed_ids(decision) == {again[1].backup_id, still_lost.backup_id}
    assert removed_ids(decided(*[one.backup for one in decision.kept])) == set()


def test_a_dropped_collection_is_a_loss_and_a_capped_one_is_not() -> None:
    old = a_backup(days=40, documents={"bookings": 10, "log": 1_000}, limited=frozenset({"log"}))
    capped = [a_backup(days=d, documents={"bookings": 10, "log": 1}, limited=frozenset({"log"})) for d in (0, 1)]
    dropped = [a_backup(days=d, documents={"log": 1_000}, limited=frozenset({"log"})) for d in (0, 1)]

    assert old.backup_id in removed_ids(decided(old, *capped))
    assert reasons(decided(old, *dropped), old) == (guards.SHRUNK,)


def test_nothing_older_than_a_holder_that_is_gone_is_removed() -> None:
    older, younger = a_backup(days=40), a_backup(days=20)
    gone = LostHolder(backup_id="20261029_120000", taken_at=NOW - timedelta(days=30))

    decision = decided(*NEWER, younger, older, lost_holders=[gone])

    assert reasons(decision, older) == (guards.HOLDER_DAMAGED,)
    assert younger.backup_id in removed_ids(decision)


def test_what_is_removed_before_it_was_copied_says_so() -> None:
    old, decision = _old(copied=False)

    assert next(one.reasons for one in decision.removed if one.backup == old) == ("policy", "removed_before_copy")


def test_a_copy_on_this_computer_is_named_as_one_that_does_not_count() -> None:
    old, decision = _old(copied=False, copied_here=True)

    assert next(one.reasons for one in decision.removed if one.backup == old) == ("policy", "copy_on_this_computer")


def test_a_copy_at_a_target_that_does_not_answer_is_named_as_such() -> None:
    old, decision = _old(copied=False, copied_silent=True)

    assert next(one.reasons for one in decision.removed if one.backup == old) == ("policy", "copy_target_silent")
