"""The twelve states of the card, and no way to "protected" without each piece of evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups_app.assurance.evidence import Away, Copies, Evidence, Finding, Rehearsal, Slots, Watch
from backups_app.assurance.marks import NextStep, is_overdue
from backups_app.assurance.sentence import Level, conclude
from backups_app.messages.message import plain

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHTLY = Slots(last=NOW - 10 * HOUR, next=NOW + 14 * HOUR)
OVERDUE = replace(NIGHTLY, unserved=(NOW - 8 * DAY - 10 * HOUR, NOW - 7 * DAY - 10 * HOUR))
COPIES = Copies(target="offsite", newest_is_copied=True, uncopied_documents=0, opened=True)
UNREAD = Away(target="nas", since=NOW - 9 * DAY, reason=plain("Refused."))
TESTED = "20261112_020000"
WELL = Evidence(
    now=NOW,
    backups=5,
    newest_at=NOW - 10 * HOUR,
    schedules=(NIGHTLY,),
    copies=COPIES,
    rehearsal=Rehearsal(at=NOW - 6 * DAY, seconds=12.0, backup_id=TESTED),
    watch=Watch(tick_at=NOW, accepted_at=NOW - DAY),
)
SILENT = Finding(message=plain("The local MongoDB cannot be reached."))
ATLAS = Finding(message=plain("Atlas cannot be reached."))
FULL = Finding(message=plain("The disk is full."))

STATES: dict[str, tuple[dict[str, Any], str, Level]] = {
    "cloud": ({"is_local": False}, "Backups are off on this installation.", Level.OFF),
    "local server away": (
        {"refusal": SILENT, "local_away": True},
        "Backups are not possible now: the local MongoDB does not answer. Your 5 backups are safe.",
        Level.NOT_PROTECTED,
    ),
    "local server away and no backup": (
        {"refusal": SILENT, "local_away": True, "backups": 0, "newest_at": None},
        "Backups are not possible now: the local MongoDB does not answer.",
        Level.NOT_PROTECTED,
    ),
    "no room": ({"refusal": FULL}, "Not protected: The disk is full.", Level.NOT_PROTECTED),
    "the backup is gone": (
        {"newest_at": None, "none_good": Finding(message=plain("no good backup is here."))},
        "Not protected: no good backup is here.",
        Level.NOT_PROTECTED,
    ),
    "no verified backup": ({"newest_at": None}, "Not protected: no backup yet.", Level.NOT_PROTECTED),
    "two runs failed": (
        {"two_failed": Finding(message=plain("mongodump was not found."))},
        "Not protected: the last two runs failed. mongodump was not found.",
        Level.NOT_PROTECTED,
    ),
    "not recent": (
        {"newest_at": NOW - 9 * DAY, "schedules": (OVERDUE,)},
        "The last good backup is 9 days old.",
        Level.NEEDS_ATTENTION,
    ),
    "nothing elsewhere": (
        {"copies": None}, "Backed up, but only on this computer's disk.", Level.NEEDS_ATTENTION),
    "nothing at a target, the newest on another host": (
        {"copies": None, "newest_on": "temple-a"},
        "Backed up, but only on the disk of host temple-a.",
        Level.NEEDS_ATTENTION,
    ),
    "the newest uncopied on another host": (
        {"copies": replace(COPIES, newest_is_copied=False), "newest_on": "temple-a"},
        "The newest backup exists only on the disk of host temple-a.",
        Level.NEEDS_ATTENTION,
    ),
    "holders uncopied": (
        {"copies": replace(COPIES, uncopied_documents=1_552)},
        "1,552 deleted documents exist only on this disk.",
        Level.NEEDS_ATTENTION,
    ),
    "holders uncopied on another host": (
        {"copies": replace(COPIES, uncopied_documents=1_552, uncopied_on=("temple-a",))},
        "1,552 deleted documents exist only on the disk of one host: temple-a.",
        Level.NEEDS_ATTENTION,
    ),
    "a holder of nobody knows what uncopied on another host": (
        {"copies": replace(COPIES, holders_are_copied=False, uncopied_on=("temple-a", "temple-b"))},
        "A backup that may hold deleted documents exists only on the disk of one host: temple-a, temple-b.",
        Level.NEEDS_ATTENTION,
    ),
    "a holder of nobody knows what uncopied": (
        {"copies": replace(COPIES, holders_are_copied=False)},
        "A backup that may hold deleted documents exists only on this disk.",
        Level.NEEDS_ATTENTION,
    ),
    "copies that cannot be read back": (
        {"copies": replace(COPIES, newest_is_copied=False, unread=UNREAD)},
        "Copies at nas do not count: they could not be read back for at least 9 days. Refused.",
        Level.NEEDS_ATTENTION,
    ),
    "copies on this computer": (
        {"copies": replace(COPIES, only_on_this_computer=True)},
        "Backed up; the copies are on this computer too.",
        Level.NEEDS_ATTENTION,
    ),
    "newest uncopied": (
        {"copies": replace(COPIES, newest_is_copied=False)},
        "The newest backup exists only on this disk.",
        Level.NEEDS_ATTENTION,
    ),
    "key never tried": (
        {"copies": replace(COPIES, opened=False)},
        "Copies exist, but no key has opened one yet.",
        Level.NEEDS_ATTENTION,
    ),
    "never restored": ({"rehearsal": None}, "Backed up; a restore was never tested.", Level.NEEDS_ATTENTION),
    "restored long ago": (
        {"rehearsal": Rehearsal(at=NOW - 45 * DAY, seconds=1.0, backup_id=TESTED)},
        "Backed up; a restore was last tested 45 days ago.",
        Level.NEEDS_ATTENTION,
    ),
    "nobody is notified": (
        {"watch": Watch(tick_at=NOW)}, "Backed up, but nobody is notified when it stops.", Level.NEEDS_ATTENTION),
    "no worker": (
        {"watch": replace(WELL.watch, tick_at=NOW - timedelta(minutes=4))},
        "The scheduler is not running: planned backups will not happen.",
        Level.NEEDS_ATTENTION,
    ),
    "undelivered": (
        {"watch": replace(WELL.watch, undelivered_since=NOW - 3 * HOUR)},
        "Messages have not been delivered for 3 hours.",
        Level.NEEDS_ATTENTION,
    ),
    "no schedule": ({"schedules": ()}, "Backed up, but no schedule makes the next backup.", Level.NEEDS_ATTENTION),
    "an amber": (
        {"attention": (ATLAS,)}, "Needs attention: Atlas cannot be reached.", Level.NEEDS_ATTENTION),
    "all well": ({}, "Your data is protected.", Level.PROTECTED),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_sentence(state: str) -> None:
    changes, sentence, level = STATES[state]

    assurance = conclude(replace(WELL, **changes))

    assert assurance.steps[0].message.english == sentence
    assert assurance.level is level
    assert assurance.exit_code == {Level.PROTECTED: 0, Level.NEEDS_ATTENTION: 6}.get(level, 1)


def test_the_first_two_missing_marks_are_stated_each_with_what_mends_it() -> None:
    assurance = conclude(replace(WELL, copies=None, rehearsal=None, watch=Watch()))

    assert [step.next_step for step in assurance.steps] == [NextStep.ADD_COPY, NextStep.TEST_RESTORE]
    assert [mark.ok for mark in assurance.marks] == [True, False, False, False]


def test_a_mark_that_is_there_names_its_evidence() -> None:
    text = {mark.name: mark.evidence.english for mark in conclude(WELL).marks}

    assert text == {
        "recent": "verified 10 hours ago",
        "elsewhere": "on offsite",
        "restorable": f"restore tested 6 days ago, from this disk, with backup {TESTED}",
        "watched": "scheduled; failures are reported",
    }


@pytest.mark.parametrize(
    ("newer", "backup_at", "words"),
    [
        (1, NOW - 17 * DAY, ", 17 days old now; 1 newer backup was not tested"),
        (3, NOW - 17 * DAY, ", 17 days old now; 3 newer backups were not tested"),
        (3, None, "; 3 newer backups were not tested"),
        (1, None, "; 1 newer backup was not tested"),
    ],
)
def test_newer_backups_than_the_tested_one_are_counted_and_take_nothing_away(
    newer: int, backup_at: datetime | None, words: str
) -> None:
    test = Rehearsal(at=NOW - DAY, seconds=1.0, backup_id=TESTED, target="nas", backup_at=backup_at, newer=newer)

    assurance = conclude(replace(WELL, rehearsal=test))

    (mark,) = (one for one in assurance.marks if one.name == "restorable")
    assert mark.ok and assurance.level is Level.PROTECTED
    assert mark.evidence.english == f"restore tested 24 hours ago, from the copy on nas, with backup {TESTED}{words}"


@pytest.mark.parametrize(
    ("since_slot", "to_next", "overdue"),
    [
        (timedelta(minutes=9), timedelta(minutes=15), False),  # ten minutes at least
        (timedelta(minutes=11), timedelta(minutes=15), True),
        (5 * HOUR, DAY, False),  # a quarter of the time to the next slot
        (7 * HOUR, DAY, True),
    ],
)
def test_a_slot_may_wait_a_quarter_of_the_time_to_the_next(
    since_slot: timedelta, to_next: timedelta, overdue: bool
) -> None:
    last = NOW - since_slot
    served = Slots(last=last, next=last + to_next)
    unserved = replace(served, unserved=(last, last + to_next))

    assert is_overdue(replace(WELL, schedules=(unserved,))) is overdue
    assert not is_overdue(replace(WELL, schedules=(served,)))


def test_one_overdue_schedule_is_enough() -> None:
    weekly = Slots(last=NOW - 5 * DAY, next=NOW + 2 * DAY, unserved=(NOW - 5 * DAY, NOW + 2 * DAY))

    assert is_overdue(replace(WELL, schedules=(weekly, NIGHTLY)))
    assert is_overdue(replace(WELL, schedules=(NIGHTLY, weekly)))


@pytest.mark.parametrize(("days", "overdue"), [(8, False), (8.01, True)])
def test_without_a_schedule_eight_days(days: float, overdue: bool) -> None:
    assert is_overdue(replace(WELL, schedules=(), newest_at=NOW - timedelta(days=days))) is overdue


@pytest.mark.parametrize(("days", "overdue"), [(8, False), (8.01, True)])
def test_a_schedule_that_was_not_due_yet_proves_nothing(days: float, overdue: bool) -> None:
    """Whether it was just added, or paused and resumed."""
    new = Slots(last=None, next=NOW + 300 * DAY)

    assert is_overdue(replace(WELL, schedules=(new,), newest_at=NOW - timedelta(days=days))) is overdue


AHEAD: dict[str, tuple[dict[str, Any], str]] = {
    "a worker's tick": ({"watch": replace(WELL.watch, tick_at=NOW + 30 * DAY)}, "no_worker"),
    "an accepted message": ({"watch": replace(WELL.watch, accepted_at=NOW + 30 * DAY)}, "not_watched"),
    "an undelivered message": ({"watch": replace(WELL.watch, undelivered_since=NOW + 30 * DAY)}, "undelivered"),
    "a restore test": ({"rehearsal": Rehearsal(at=NOW + 30 * DAY, seconds=12.0, backup_id=TESTED)}, "never_rehearsed"),
}


@pytest.mark.parametrize("case", AHEAD)
def test_what_is_dated_in_the_future_proves_nothing(case: str) -> None:
    """A clock that ran a month ahead must not vouch for a month in which no worker runs."""
    changes, code = AHEAD[case]

    assurance = conclude(replace(WELL, **changes))

    assert (assurance.code, assurance.level) == (code, Level.NEEDS_ATTENTION)


def test_what_needs_attention_is_not_hidden_behind_a_missing_mark() -> None:
    beside = conclude(replace(WELL, copies=None, attention=(ATLAS,)))
    alone = conclude(replace(WELL, attention=(ATLAS, FULL)))

    assert (beside.code, beside.attention) == ("not_elsewhere", (ATLAS,))
    assert (alone.code, alone.attention) == ("assurance_needs_attention", (FULL,))


@pytest.mark.parametrize("state", STATES)
def test_a_running_backup_keeps_the_sentence_and_adds_that_it_runs(state: str) -> None:
    changes, sentence, level = STATES[state]

    assurance = conclude(replace(WELL, running=True, **changes))

    assert (assurance.sentence, assurance.level) == (f"{sentence} A backup is running.", level)


LOSSES: dict[str, tuple[dict[str, Any], float | None, tuple[str, ...]]] = {
    "a copy": (
        {"copies": replace(COPIES, since=NOW - 3 * HOUR)}, 3.0,
        ("Up to 3 hours of changes would be lost.",),
    ),
    "a copy of an older backup": (
        {"copies": replace(COPIES, since=NOW - 30 * HOUR, newest_is_copied=False)}, 30.0,
        ("Up to 30 hours of changes would be lost.",),
    ),
    "a copy, and a sync after it": (
        {"copies": replace(COPIES, since=NOW - 30 * HOUR), "synced_at": NOW - 3 * HOUR}, 3.0,
        ("Up to 3 hours of changes would be lost.",),
    ),
    "deleted documents without a copy come with the window": (
        {"copies": replace(COPIES, since=NOW - 3 * HOUR, uncopied_documents=1_552)}, 3.0,
        ("1,552 deleted documents would be lost: only this disk holds them.",
         "Up to 3 hours of changes would be lost."),
    ),
    "deleted documents that another host alone has": (
        {"copies": replace(COPIES, since=NOW - 3 * HOUR, uncopied_documents=7, uncopied_on=("temple-a",))}, 3.0,
        ("7 deleted documents would be lost with the disk of one host: temple-a.",
         "Up to 3 hours of changes would be lost."),
    ),
    "deleted documents that another host alone has, without targets": (
        {"copies": None, "synced_at": NOW - 3 * HOUR, "held_documents": 1, "held_on": ("temple-a",)}, 3.0,
        ("1 deleted document would be lost with the disk of one host: temple-a.",
         "Up to 3 hours of changes and every backup would be lost. Atlas keeps the live data."),
    ),
    "a copy that no key has opened is none": (
        {"copies": replace(COPIES, since=NOW - 3 * HOUR, opened=False)}, None,
        ("Everything may be lost: no key has opened a copy elsewhere yet, and there is no sync.",),
    ),
    "a copy that no key has opened, and a sync that never ran": (
        {"copies": replace(COPIES, since=NOW - 3 * HOUR, opened=False), "sync_enabled": True}, None,
        ("Everything may be lost: no key has opened a copy elsewhere yet, and there is no sync yet.",),
    ),
    "a sync that never ran": (
        {"copies": None, "sync_enabled": True}, None,
        ("Everything would be lost: there is no copy elsewhere and no sync yet.",),
    ),
    "no sync is set up": (
        {"copies": None}, None,
        ("Everything would be lost: there is no copy elsewhere and no sync.",),
    ),
    "only a sync": (
        {"copies": None, "synced_at": NOW - 3 * HOUR, "held_documents": 1, "unsynced": ("halls", "x")}, 3.0,
        ("1 deleted document would be lost: only this disk holds it.",
         "Up to 3 hours of changes and every backup would be lost. Atlas keeps the live data.",
         "What Atlas does not hold would be lost too: halls, x."),
    ),
    "a sync dated in the future is none": (
        {"copies": None, "synced_at": NOW + 3 * HOUR, "sync_enabled": True}, None,
        ("Everything would be lost: there is no copy elsewhere and no sync yet.",),
    ),
    "nobody knows": ({"copies": None, "sync_known": False}, None, ()),
    "no copy, and backups on another host": (
        {"copies": None, "others": 6, "other_hosts": ("temple-a",)}, None,
        ("Everything on this computer would be lost: there is no copy at a target and no sync.",
         "6 more backups are on other hosts: temple-a."),
    ),
    "only a sync, and a backup on another host": (
        {"copies": None, "synced_at": NOW - 3 * HOUR, "others": 1, "other_hosts": ("temple-a",)}, 3.0,
        ("Up to 3 hours of changes and every backup on this computer would be lost. Atlas keeps the live data.",
         "1 more backup is on another host: temple-a."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOSSES)
def test_what_would_be_lost(case: str) -> None:
    changes, hours, messages = LOSSES[case]

    loss = conclude(replace(WELL, **changes)).loss

    assert loss.window == (None if hours is None else timedelta(hours=hours))
    assert tuple(message.english for message in loss.messages) == messages


@pytest.mark.parametrize(
    ("changes", "everything", "documents"),
    [
        ({}, True, None),
        ({"copies": None}, True, None),
        ({"copies": None, "held_documents": 7}, True, 7),
        ({"copies": None, "newest_at": None}, True, None),
        ({"copies": None, "sync_known": False}, None, None),
        ({"copies": None, "is_local": False}, None, None),
        ({"copies": None, "synced_at": NOW}, False, 0),
        ({"copies": None, "synced_at": NOW, "held_unknown": True}, False, None),
        ({"copies": replace(COPIES, since=NOW)}, False, 0),
        ({"copies": replace(COPIES, since=NOW, uncopied_documents=7)}, False, 7),
        ({"copies": replace(COPIES, since=NOW, holders_are_copied=False)}, False, None),
    ],
)
def test_everything_and_what_nobody_counted_is_never_the_figure_0(
    changes: dict[str, Any], everything: bool | None, documents: int | None
) -> None:
    loss = conclude(replace(WELL, **changes)).loss

    assert (loss.everything, loss.known_documents) == (everything, documents)
