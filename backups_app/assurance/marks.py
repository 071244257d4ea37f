"""The four marks. A mark that is missing says why by a code, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backups_app.assurance.evidence import Evidence, Slots
from backups_app.messages import assurance as said
from backups_app.messages.message import Message

WITHOUT_A_SCHEDULE = timedelta(days=8)
SHORTEST_GRACE = timedelta(minutes=10)
TICK = timedelta(minutes=3)
UNDELIVERED = timedelta(hours=1)


class NextStep(StrEnum):
    """What mends a missing mark: the button beside the sentence."""

    BACK_UP = "back_up"
    ADD_COPY = "add_copy"
    COPY_NOW = "copy_now"
    TEST_KEY = "test_key"
    TEST_RESTORE = "test_restore"
    SET_SCHEDULE = "set_schedule"
    CHOOSE_CHANNEL = "choose_channel"
    NONE = ""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One mark. `message` is its evidence where it is there, and what is missing where it is not."""

    name: str
    message: Message
    since: datetime | None = None
    missing: NextStep = NextStep.NONE

    @property
    def ok(self) -> bool:
        return self.missing is NextStep.NONE

    @property
    def missing_code(self) -> str | None:
        return None if self.ok else self.message.code


def marks(evidence: Evidence) -> tuple[Mark, ...]:
    """Return recent, elsewhere, restorable, watched, in this order."""
    return recent(evidence), elsewhere(evidence), restorable(evidence), watched(evidence)


def recent(evidence: Evidence) -> Mark:
    """Recent: no slot of a schedule that makes backups is overdue; without a schedule, eight days."""
    if evidence.newest_at is None:
        return Mark(name="recent", message=said.NO_BACKUP(), missing=NextStep.BACK_UP)
    age = said_age(evidence.now - evidence.newest_at)
    if is_overdue(evidence):
        return Mark(name="recent", message=said.NOT_RECENT(age=age), missing=NextStep.BACK_UP)
    return Mark(name="recent", message=said.RECENT_EVIDENCE(age=age), since=evidence.newest_at)


def is_overdue(evidence: Evidence) -> bool:
    """Return whether a backup should have been made by now and was not. The same rule is the message *overdue*."""
    if not evidence.schedules:
        return evidence.newest_at is None or evidence.now - evidence.newest_at > WITHOUT_A_SCHEDULE
    return any(_is_overdue(slots, evidence) for slots in evidence.schedules)


def _is_overdue(slots: Slots, evidence: Evidence) -> bool:
    """A slot may wait a quarter of the time to the next one, ten minutes at least."""
    if slots.last is None or (evidence.newest_at is not None and evidence.newest_at >= slots.last):
        return False
    return evidence.now - slots.last > max((slots.next - slots.last) / 4, SHORTEST_GRACE)


def elsewhere(evidence: Evidence) -> Mark:
    """Elsewhere: the newest verified backup and every holder have a copy that counts, opened once if encrypted."""
    copies = evidence.copies
    if copies is None:
        return Mark(name="elsewhere", message=said.ONLY_HERE(), missing=NextStep.ADD_COPY)
    if copies.uncopied_documents:
        lacking = said.HOLDERS_ONLY_HERE(n=copies.uncopied_documents)
        return Mark(name="elsewhere", message=lacking, missing=NextStep.COPY_NOW)
    if not copies.newest_is_copied:
        return Mark(name="elsewhere", message=said.NEWEST_ONLY_HERE(), missing=NextStep.COPY_NOW)
    if not copies.opened:
        return Mark(name="elsewhere", message=said.KEY_NEVER_TRIED(), missing=NextStep.TEST_KEY)
    return Mark(name="elsewhere", message=said.ELSEWHERE_EVIDENCE(target=copies.target), since=copies.since)


def restorable(evidence: Evidence) -> Mark:
    """Restorable: a restore test ended well within `REHEARSAL_DAYS`."""
    test = evidence.rehearsal
    if test is None:
        return Mark(name="restorable", message=said.NEVER_REHEARSED(), missing=NextStep.TEST_RESTORE)
    age = said_age(evidence.now - test.at)
    if evidence.now - test.at > evidence.rehearsal_valid:
        return Mark(name="restorable", message=said.REHEARSED_LONG_AGO(age=age), missing=NextStep.TEST_RESTORE)
    source = said.FROM_COPY(target=test.target) if test.target else said.FROM_DISK()
    return Mark(name="restorable", message=said.RESTORABLE_EVIDENCE(age=age, source=source), since=test.at)


def watched(evidence: Evidence) -> Mark:
    """Watched: a schedule that makes backups, a worker that ticks, and a channel that delivers."""
    watch, now = evidence.watch, evidence.now
    if not evidence.schedules:
        return Mark(name="watched", message=said.NO_SCHEDULE(), missing=NextStep.SET_SCHEDULE)
    if watch.tick_at is None or now - watch.tick_at > TICK:
        return Mark(name="watched", message=said.NO_WORKER(), missing=NextStep.SET_SCHEDULE)
    if watch.undelivered_since is not None and now - watch.undelivered_since > UNDELIVERED:
        lacking = said.UNDELIVERED(age=said_age(now - watch.undelivered_since))
        return Mark(name="watched", message=lacking, missing=NextStep.CHOOSE_CHANNEL)
    if watch.accepted_at is None or now - watch.accepted_at > evidence.rehearsal_valid:
        return Mark(name="watched", message=said.NOT_WATCHED(), missing=NextStep.CHOOSE_CHANNEL)
    return Mark(name="watched", message=said.WATCHED_EVIDENCE(), since=watch.accepted_at)


def said_age(age: timedelta) -> Message:
    """Return an age as people say it: minutes up to two hours, hours up to two days, then days."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return said.MINUTES(n=minutes)
    return said.HOURS(n=minutes // 60) if minutes < 48 * 60 else said.DAYS(n=minutes // 1440)
