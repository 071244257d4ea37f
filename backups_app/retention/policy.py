"""The rules of a retention policy: which backups each rule keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from backups_app.errors import InvalidInput
from backups_app.messages.protection import retention as messages
from backups_app.retention.facts import Backup, newest_first

RECENT = timedelta(hours=24)
"""Incrementals, and full backups that begin a chain, are all kept for so long."""

LARGEST = 10_000

PERIODS: Mapping[str, Callable[[datetime], object]] = {
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: at.year,
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How many to keep by each rule. A policy states all five; 0 means that the rule keeps none."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    def __post_init__(self) -> None:
        for name, count in self.as_json().items():
            if type(count) is not int or not 0 <= count <= LARGEST:
                raise InvalidInput(message=messages.RULE_OUT_OF_RANGE(rule=name, most=LARGEST))
        if not any(self.as_json().values()):
            raise InvalidInput(message=messages.POLICY_KEEPS_NOTHING())

    def as_json(self) -> dict[str, int]:
        """Return `{last, daily, weekly, monthly, yearly}`."""
        return {"last": self.last, **{name: getattr(self, name) for name in PERIODS}}


PROPOSED = Policy(last=10, daily=7, weekly=4, monthly=6)
"""What the page proposes while no policy is on."""


def kept_by_rules(*, backups: Iterable[Backup], policy: Policy, now: datetime, zone: tzinfo) -> dict[str, list[str]]:
    """Return the names of the rules that keep each backup, by id. What no rule keeps is not in the answer.

    1. `last` counts full backups that were asked for as such;
    2. `recent`: incrementals and the full ones that begin a chain, for 24 hours;
    3. `daily` to `yearly` keep the newest backup of each of the newest n periods that have one, in `zone`.
    """
    counted = sorted((one for one in backups if one.counts(now=now)), key=newest_first, reverse=True)
    reasons: dict[str, list[str]] = {}
    for one in [full for full in counted if full.is_full and not full.chained][: policy.last]:
        reasons.setdefault(one.backup_id, []).append("last")
    for one in counted:
        if (one.base is not None or one.chained) and now - one.arrived_at < RECENT:
            reasons.setdefault(one.backup_id, []).append("recent")
    for name, period in PERIODS.items():
        for one in _newest_of_each(counted, period, zone)[: getattr(policy, name)]:
            reasons.setdefault(one.backup_id, []).append(name)
    return reasons


def _newest_of_each(counted: Sequence[Backup], period: Callable[[datetime], object], zone: tzinfo) -> list[Backup]:
    """Given backups newest first, return the newest of each period, newest period first."""
    newest: dict[object, Backup] = {}
    for one in counted:
        newest.setdefault(period(one.taken_at.astimezone(zone)), one)
    return list(newest.values())
