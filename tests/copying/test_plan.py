"""In which order copies are made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backups_app.copying import plan
from backups_app.copying.plan import Candidate

NOW = datetime(2025, 1, 19, 15, 0, tzinfo=UTC)


def candidate(name: str, *, days: float, base: str | None = None, is_holder: bool = False) -> Candidate:
    return Candidate(backup_id=name, taken_at=NOW - timedelta(days=days), base=base, is_holder=is_holder)


BACKUPS = [
    candidate("old", days=9),
    candidate("holder", days=8, is_holder=True),
    candidate("base", days=3),
    candidate("newest", days=1, base="base"),
]


def lacking(copied: set[str]) -> list[str]:
    present = {one: frozenset([""]) for one in copied}
    return plan.lacking(candidates=BACKUPS, copied_to=present, removed=(), recipients="")


def test_each_backup_goes_to_every_target_before_the_next_one() -> None:
    plans = {"nas": lacking(set()), "bucket": lacking({"old"}), "usb": lacking({"holder", "base"})}

    order = plan.over_targets(plans, candidates=BACKUPS)

    assert order == [
        ("holder", "nas"), ("holder", "bucket"),
        ("base", "nas"), ("base", "bucket"),
        ("newest", "nas"), ("newest", "bucket"), ("newest", "usb"),
        ("old", "nas"), ("old", "usb"),
    ]  # fmt: skip


def test_no_target_lacks_anything() -> None:
    assert plan.over_targets({"nas": [], "bucket": []}, candidates=BACKUPS) == []
