"""The four marks. A mark that is missing says why by a code, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backups_app.assurance.evidence import Away, Evidence, FailedTest, Rehearsal, Slots
from backups_app.messages.message import Message, Sentence
from backups_app.messages.protection import assurance as wording
from backups_app.records import is_ahead, is_recent

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
        return _missing("recent", wording.NO_BACKUP(), wording.NO_GOOD_EVIDENCE(), mended_by=NextStep.BACK_UP)
    age = age_message(evidence.now - evidence.newest_at)
    if is_overdue(evidence):
        return _missing(
            "recent", wording.NOT_RECENT(age=age), wording.OLD_EVIDENCE(age=age), mended_by=NextStep.BACK_UP
        )
    return Mark(name="recent", evidence=wording.RECENT_EVIDENCE(age=age), since=evidence.newest_at)


def is_overdue(evidence: Evidence) -> bool:
    """Return whether a backup should have been made by now and was not. The same rule is the message *overdue*."""
    newest_at = evidence.newest_at
    if not evidence.schedules:
        return newest_at is None or evidence.now - newest_at > WITHOUT_A_SCHEDULE
    if newest_at is not None and all(slots.last is None for slots in evidence.schedules):
        return evidence.now - newest_at > WITHOUT_A_SCHEDULE  # a schedule that was never due proves nothing yet
    return any(_is_overdue(slots, now=evidence.now) for slots in evidence.schedules)


def _is_overdue(slots: Slots, *, now: datetime) -> bool:
    """A slot may wait a quarter of the time to the next one, ten minutes at least."""
    if slots.unserved is None:
        return False
    slot, following = slots.unserved
    return now - slot > max((following - slot) / 4, SHORTEST_GRACE)


def elsewhere(evidence: Evidence) -> Mark:
    """Elsewhere: the newest verified backup and every holder have a copy that counts, opened once if encrypted."""
    name, copies = "elsewhere", evidence.copies
    if copies is None:
        only = wording.ONLY_ON_HOST(host=evidence.newest_on) if evidence.newest_on else wording.ONLY_HERE()
        return _missing(name, only, wording.ONLY_HERE_EVIDENCE(), mended_by=NextStep.ADD_COPY)
    if copies.away is not None and not copies.is_whole:
        return _do_not_count(copies.away, wording.COPIES_AWAY, wording.COPIES_AWAY_EVIDENCE, now=evidence.now)
    if copies.unread is not None and not copies.is_whole:
        return _do_not_count(copies.unread, wording.COPIES_UNREAD, wording.COPIES_UNREAD_EVIDENCE, now=evidence.now)
    if copies.only_on_this_computer:
        return _missing(name, wording.COPIES_HERE(), wording.COPIES_HERE_EVIDENCE(), mended_by=NextStep.ADD_COPY)
    if copies.uncopied_documents:
        n, hosts = copies.uncopied_documents, copies.uncopied_on
        only = wording.HOLDERS_ONLY_ON_HOSTS(n=n, hosts=hosts) if hosts else wording.HOLDERS_ONLY_HERE(n=n)
        return _missing(name, only, wording.HOLDERS_EVIDENCE(n=n), mended_by=NextStep.COPY_NOW)
    if not copies.holders_are_copied:
        hosts = copies.uncopied_on
        only = wording.HOLDER_ONLY_ON_HOSTS(hosts=hosts) if hosts else wording.HOLDER_ONLY_HERE()
        return _missing(name, only, wording.HOLDER_EVIDENCE(), mended_by=NextStep.COPY_NOW)
    if not copies.newest_is_copied:
        host = evidence.newest_on
        newest = wording.NEWEST_ONLY_ON_HOST(host=host) if host else wording.NEWEST_ONLY_HERE()
        return _missing(name, newest, wording.NEWEST_EVIDENCE(), mended_by=NextStep.COPY_NOW)
    if not copies.opened:
        return _missing(name, wording.KEY_NEVER_TRIED(), wording.KEY_EVIDENCE(), mended_by=NextStep.TEST_KEY)
    return Mark(name=name, evidence=wording.ELSEWHERE_EVIDENCE(target=copies.target), since=copies.since)


def _do_not_count(away: Away, sentence: Sentence, evidence: Sentence, *, now: datetime) -> Mark:
    age = age_message(now - away.since)
    return _missing(
        "elsewhere",
        sentence(target=away.target, age=age, reason=away.reason),
        evidence(target=away.target, age=age),
        mended_by=NextStep.COPY_NOW,
    )


def restorable(evidence: Evidence) -> Mark:
    """Restorable: a restore test ended well within `REHEARSAL_DAYS`, and none of the same source failed since. Which
    backup it restored stands in the evidence; newer ones are counted there, and take nothing away: the next test is
    theirs."""
    name, test, failed = "restorable", evidence.rehearsal, evidence.failed_test
    if failed is not None and (test is None or evidence.now - test.at > evidence.rehearsal_valid):
        return _test_failed(failed, now=evidence.now)
    if test is None or is_ahead(test.at, now=evidence.now):
        never = wording.NEVER_REHEARSED_EVIDENCE()
        return _missing(name, wording.NEVER_REHEARSED(), never, mended_by=NextStep.TEST_RESTORE)
    age = age_message(evidence.now - test.at)
    if evidence.now - test.at > evidence.rehearsal_valid:
        long_ago = wording.REHEARSED_EVIDENCE(age=age)
        return _missing(name, wording.REHEARSED_LONG_AGO(age=age), long_ago, mended_by=NextStep.TEST_RESTORE)
    return Mark(name=name, evidence=_tested(test, now=evidence.now), since=test.at)


def _tested(test: Rehearsal, *, now: datetime) -> Message:
    """Return when what was restored from where, and whether that is the newest backup."""
    age, source, backup = age_message(now - test.at), _source(test.target), test.backup_id
    if not test.newer:
        return wording.RESTORABLE_EVIDENCE(age=age, source=source, backup=backup)
    if test.backup_at is None:
        return wording.RESTORABLE_NOT_NEWEST(age=age, source=source, backup=backup, n=test.newer)
    old = age_message(now - test.backup_at)
    return wording.RESTORABLE_OLDER(age=age, source=source, backup=backup, old=old, n=test.newer)


def _test_failed(failed: FailedTest, *, now: datetime) -> Mark:
    age, source = age_message(now - failed.at), _source(failed.target)
    return _missing(
        "restorable",
        wording.TEST_FAILED(age=age, source=source),
        wording.TEST_FAILED_EVIDENCE(age=age, source=source),
        mended_by=NextStep.TEST_RESTORE,
    )


def _source(target: str) -> Message:
    return wording.FROM_COPY(target=target) if target else wording.FROM_DISK()


def watched(evidence: Evidence) -> Mark:
    """Watched: a schedule that makes backups, a worker that ticks, and a channel that delivers."""
    name, watch, now = "watched", evidence.watch, evidence.now
    if not evidence.schedules:
        return _missing(name, wording.NO_SCHEDULE(), wording.NO_SCHEDULE_EVIDENCE(), mended_by=NextStep.SET_SCHEDULE)
    if not is_recent(watch.tick_at, within=TICK, now=now):
        return _missing(name, wording.NO_WORKER(), wording.NO_WORKER_EVIDENCE(), mended_by=NextStep.START_WORKER)
    undelivered = watch.undelivered_since
    if undelivered is not None and not is_recent(undelivered, within=UNDELIVERED, now=now):
        age = age_message(max(now - undelivered, UNDELIVERED))
        waits = wording.UNDELIVERED_EVIDENCE(age=age)
        return _missing(name, wording.UNDELIVERED(age=age), waits, mended_by=NextStep.CHOOSE_CHANNEL)
    if not is_recent(watch.accepted_at, within=evidence.rehearsal_valid, now=now):
        return _missing(name, wording.NOT_WATCHED(), wording.NOT_WATCHED_EVIDENCE(), mended_by=NextStep.CHOOSE_CHANNEL)
    return Mark(name=name, evidence=wording.WATCHED_EVIDENCE(), since=watch.accepted_at)


def age_message(age: timedelta) -> Message:
    """Return an age as people say it: minutes (one at least) up to two hours, hours up to two days, then days."""
    minutes = max(1, int(age.total_seconds() // 60))
    if minutes < 120:
        return wording.MINUTES(n=minutes)
    return wording.HOURS(n=minutes // 60) if minutes < 48 * 60 else wording.DAYS(n=minutes // 1440)


def duration_message(seconds: float) -> Message:
    """Return a duration as people say it: seconds up to two minutes, then as an age."""
    whole = max(1, round(seconds))
    return wording.SECONDS(n=whole) if whole < 120 else age_message(timedelta(seconds=whole))
