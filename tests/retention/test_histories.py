"""Random histories: whatever the policy, nothing that must stay goes, and every decision has its reason."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backups_app.retention.decision import RetentionDecision, decide
from backups_app.retention.facts import Backup, Deletion, Maker
from backups_app.retention.policy import Policy
from tests.retention.histories import KOLKATA, NOW, a_backup, removed_ids

HISTORIES = 5_000 if os.environ.get("TEMPLEOPS_LONG") else 200
YEARS = 10

policies = st.builds(
    Policy, last=st.integers(0, 4), daily=st.integers(0, 3), weekly=st.integers(0, 3), monthly=st.integers(0, 2),
    yearly=st.integers(1, 2),
)  # fmt: skip
facts: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "maker": st.sampled_from([Maker.REQUESTED] * 6 + [Maker.SAFETY, Maker.FOREIGN]),
        "verified": st.sampled_from([True] * 6 + [False]),
        "success": st.booleans(),
        "pinned": st.sampled_from([False] * 9 + [True]),
        "in_use": st.sampled_from([False] * 9 + [True]),
        "purge_unfinished": st.sampled_from([False] * 9 + [True]),
        "holds": st.sampled_from([{}, {}, {}, {}, {}, {}, {"bookings": 0}, {"bookings": 3}, None]),
        "released": st.booleans(),
        "chained": st.booleans(),
        "documents": st.fixed_dictionaries({"bookings": st.sampled_from([0, 10, 40, 60, 100])}),
        "accepted": st.sampled_from([False, False, True]),
    }
)


@st.composite
def histories(draw: st.DrawFn) -> list[Backup]:
    at, backups = NOW + timedelta(minutes=draw(st.sampled_from([0, 0, 0, 60 * 24 * 30]))), []
    for known in draw(st.lists(facts, max_size=40)):
        at -= timedelta(hours=draw(st.sampled_from([0.25, 6, 24, 24 * 7, 24 * 90])))
        backups.append(a_backup(at=at, **known))
    return [_perhaps_incremental(draw, one, older=backups[n + 1 :]) for n, one in enumerate(backups)]


def _perhaps_incremental(draw: st.DrawFn, one: Backup, *, older: list[Backup]) -> Backup:
    """An incremental begins from an older full backup: one that is marked as the begin of a chain."""
    full = [base.backup_id for base in older if base.chained]
    incremental = bool(full) and not one.chained and draw(st.booleans())
    return replace(one, base=draw(st.sampled_from(full))) if incremental else one


def check(backups: list[Backup], decision: RetentionDecision, *, min_keep: int, now: datetime) -> None:
    """What must hold of every decision, stated without the decision's own means."""
    gone = removed_ids(decision)
    kept = {one.backup.backup_id for one in decision.kept}
    trusted = [
        one
        for one in sorted(backups, key=lambda one: (one.taken_at, one.backup_id), reverse=True)
        if one.maker is Maker.REQUESTED and one.verified and one.taken_at <= now + timedelta(minutes=10)
    ]

    assert kept | gone == {one.backup_id for one in backups}
    assert not kept & gone
    assert all(one.reasons for one in (*decision.kept, *decision.removed))
    assert not gone & {one.backup_id for one in trusted[:min_keep]}
    assert not gone & {one.backup_id for one in [good for good in trusted if good.success][:1]}
    for one in backups:
        if one.pinned or one.in_use or one.purge_unfinished or not one.verified or one.maker is Maker.FOREIGN:
            assert one.backup_id in kept
        if not one.released and (one.holds is None or one.holds.get("bookings", 0) > 0):
            assert one.backup_id in kept
        if one.base is not None and one.backup_id in kept:
            assert one.base not in gone


@given(backups=histories(), policy=policies, min_keep=st.integers(1, 4))
@settings(max_examples=HISTORIES, deadline=None)
def test_nothing_that_must_stay_goes(backups: list[Backup], policy: Policy, min_keep: int) -> None:
    decision = decide(backups=backups, policy=policy, min_keep=min_keep, now=NOW, zone=KOLKATA)

    check(backups, decision, min_keep=min_keep, now=NOW)


@given(backups=histories(), policy=policies)
@settings(max_examples=HISTORIES, deadline=None)
def test_a_second_pass_removes_nothing_more(backups: list[Backup], policy: Policy) -> None:
    first = decide(backups=backups, policy=policy, min_keep=3, now=NOW, zone=KOLKATA)
    left = [one.backup for one in first.kept]

    second = decide(backups=left, policy=policy, min_keep=3, now=NOW, zone=KOLKATA)

    assert removed_ids(second) == set()


@given(
    policy=policies,
    weeks=st.lists(st.tuples(facts, st.integers(0, 3)), min_size=52 * YEARS // 4, max_size=52 * YEARS // 4),
)
@settings(max_examples=max(1, HISTORIES // 40), deadline=None)
def test_ten_years_of_runs_and_passes(policy: Policy, weeks: list[tuple[dict[str, Any], int]]) -> None:
    """Each fourth week a backup, sometimes a deletion; after each a pass. Holders stay all ten years."""
    backups: list[Backup] = []
    deletions: list[Deletion] = []
    holders: set[str] = set()
    for number, (known, deleted) in enumerate(weeks):
        now = NOW + timedelta(weeks=4 * number)
        one = a_backup(at=now, **{**known, "purge_unfinished": False, "in_use": False, "pinned": False})
        backups.append(one)
        deletions.append(Deletion(collection="bookings", at=now + timedelta(minutes=5), documents=deleted))
        if not one.released and (one.holds is None or any(one.holds.values())):
            holders.add(one.backup_id)
        decision = decide(backups=backups, policy=policy, min_keep=3, now=now, zone=KOLKATA, deletions=deletions)
        check(backups, decision, min_keep=3, now=now)
        backups = [verified.backup for verified in decision.kept]

    assert holders <= {one.backup_id for one in backups}
