"""The four marks. A mark that is missing says why by a code, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backups_app.assurance.evidence import Evidence, Slots
from backups_app.messages import assurance as said
from backups_app.messages.message import Message
from backups_app.records import is_ahead

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
    START_WORKER = "start_worker"
    CHOOSE_CHANNEL = "choose_channel"
    NONE = ""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One mark. `evidence` is what was found, in a few words; `message` the sentence where it is missing."""

    name: str
    evidence: Message
    since: datetime | None = None
    message: Message | None = None
    missing: NextStep = NextStep.NONE

    @property
    def ok(self) -> bool:
        return self.message is None

    @property
    def missing_code(self) -> str | None:
        return None if self.message is None else self.message.code


def _missing(name: str, message: Message, evidence: Message, *, mended_by: NextStep) -> Mark:
    return Mark(name=name, evidence=evidence, message=message, missing=mended_by)


def marks(evidence: Evidence) -> tuple[Mark, ...]:
    """Return recent, elsewhere, restorable, watched, in this order."""
    return recent(evidence), elsewhere(evidence), restorable(evidence), watched(evidence)


def recent(evidence: Evidence) -> Mark:
    """Recent: no slot of a schedule that makes backups is overdue; without a slot so far, eight days."""
    if evidence.newest_at is None:
        return _missing("recent", said.NO_BACKUP(), said.NO_GOOD_EVIDENCE(), mended_by=NextStep.BACK_UP)
    age = age_message(evidence.now - evidence.newest_at)
    if is_overdue(evidence):
        return _missing("recent", said.NOT_RECENT(age=age), said.OLD_EVIDENCE(age=age), mended_by=NextStep.BACK_UP)
    return Mark(name="recent", evidence=said.RECENT_EVIDENCE(age=age), since=evidence.newest_at)


def is_overdue(evidence: Evidence) -> bool:
    """Return whether a backup should have been made by now and was not. The same rule is the message *overdue*."""
    newest_at = evidence.newest_at
    if not evidence.schedules:
        return newest_at is None or evidence.now - newest_at > WITHOUT_A_SCHEDULE
    if newest_at is not None and all(slots.last is None for slots in evidence.schedules):
        return evidence.now - newest_at > WITHOUT_A_SCHEDULE  # a schedule that was never due proves nothing yet
    return any(_is_overdue(slots, evidence) for slots in evidence.schedules)


def _is_overdue(slots: Slots, evidence: Evidence) -> bool:
    """A slot may wait a quarter of the time to the next one, ten minutes at least."""
    if slots.last is None or (evidence.newest_at is not None and evidence.newest_at >= slots.last):
        return False
    return evidence.now - slots.last > max((slots.next - slots.last) / 4, SHORTEST_GRACE)


def elsewhere(evidence: Evidence) -> Mark:
    """Elsewhere: the newest verified backup and every holder have a copy that counts, opened once if encrypted."""
    name, copies = "elsewhere", evidence.copies
    if copies is None:
        return _missing(name, said.ONLY_HERE(), said.ONLY_HERE_EVIDENCE(), mended_by=NextStep.ADD_COPY)
    if copies.only_on_this_computer:
        return _missing(name, said.COPIES_HERE(), said.COPIES_HERE_EVIDENCE(), mended_by=NextStep.ADD_COPY)
    if copies.uncopied_documents:
        n = copies.uncopied_documents
        return _missing(name, said.HOLDERS_ONLY_HERE(n=n), said.HOLDERS_EVIDENCE(n=n), mended_by=NextStep.COPY_NOW)
    if not copies.holders_are_copied:
        return _missing(name, said.HOLDER_ONLY_HERE(), said.HOLDER_EVIDENCE(), mended_by=NextStep.COPY_NOW)
    if not copies.newest_is_copied:
        return _missing(name, said.NEWEST_ONLY_HERE(), said.NEWEST_EVIDENCE(), mended_by=NextStep.COPY_NOW)
    if not copies.opened:
        return _missing(name, said.KEY_NEVER_TRIED(), said.KEY_EVIDENCE(), mended_by=NextStep.TEST_KEY)
    return Mark(name=name, evidence=said.ELSEWHERE_EVIDENCE(target=copies.target), since=copies.since)


def restorable(evidence: Evidence) -> Mark:
    """Restorable: a restore test ended well within `REHEARSAL_DAYS`."""
    name, test = "restorable", evidence.rehearsal
    if test is None or is_ahead(test.at, now=evidence.now):
        never = said.NEVER_REHEARSED_EVIDENCE()
        return _missing(name, said.NEVER_REHEARSED(), never, mended_by=NextStep.TEST_RESTORE)
    age = age_message(evidence.now - test.at)
    if evidence.now - test.at > evidence.rehearsal_valid:
        long_ago = said.REHEARSED_EVIDENCE(age=age)
        return _missing(name, said.REHEARSED_LONG_AGO(age=age), long_ago, mended_by=NextStep.TEST_RESTORE)
    source = said.FROM_COPY(target=test.target) if test.target else said.FROM_DISK()
    return Mark(name=name, evidence=said.RESTORABLE_EVIDENCE(age=age, source=source), since=test.at)


def watched(evidence: Evidence) -> Mark:
    """Watched: a schedule that makes backups, a worker that ticks, and a channel that delivers."""
    name, watch, now = "watched", evidence.watch, evidence.now
    if not evidence.schedules:
        return _missing(name, said.NO_SCHEDULE(), said.NO_SCHEDULE_EVIDENCE(), mended_by=NextStep.SET_SCHEDULE)
    if not _is_within(TICK, watch.tick_at, now=now):
        return _missing(name, said.NO_WORKER(), said.NO_WORKER_EVIDENCE(), mended_by=NextStep.START_WORKER)
    if watch.undelivered_since is not None and now - watch.undelivered_since > UNDELIVERED:
        age = age_message(now - watch.undelivered_since)
        waits = said.UNDELIVERED_EVIDENCE(age=age)
        return _missing(name, said.UNDELIVERED(age=age), waits, mended_by=NextStep.CHOOSE_CHANNEL)
    if not _is_within(evidence.rehearsal_valid, watch.accepted_at, now=now):
        return _missing(name, said.NOT_WATCHED(), said.NOT_WATCHED_EVIDENCE(), mended_by=NextStep.CHOOSE_CHANNEL)
    return Mark(name=name, evidence=said.WATCHED_EVIDENCE(), since=watch.accepted_at)


def _is_within(age: timedelta, at: datetime | None, *, now: datetime) -> bool:
    """Whether a moment is known and no older than `age`. One that a clock ahead left in the future proves nothing."""
    return at is not None and not is_ahead(at, now=now) and now - at <= age


def age_message(age: timedelta) -> Message:
    """Return an age as people say it: minutes (one at least) up to two hours, hours up to two days, then days."""
    minutes = max(1, int(age.total_seconds() // 60))
    if minutes < 120:
        return said.MINUTES(n=minutes)
    return said.HOURS(n=minutes // 60) if minutes < 48 * 60 else said.DAYS(n=minutes // 1440)


def duration_message(seconds: float) -> Message:
    """Return a duration as people say it: seconds up to two minutes, then as an age."""
    whole = max(1, round(seconds))
    return said.SECONDS(n=whole) if whole < 120 else age_message(timedelta(seconds=whole))
