"""What the worker does about messages: each minute it looks for problems, every few seconds it sends what is due.

Any number of workers may do it: a state is reported by the one that writes it, a message is sent by the one that
claims it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from django.utils import timezone
from pymongo.errors import PyMongoError

from backups_app import formats, mail_url
from backups_app.assurance import marks
from backups_app.assurance.evidence import Evidence
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import ChannelGone, MailLoginRefused, MailServerUnreachable, MailTlsFailed, TempleOpsError
from backups_app.messages.message import Sentence
from backups_app.messages.protection import notifications as wording
from backups_app.models import Notification, NotificationState
from backups_app.mongo import connections
from backups_app.notification import channels, delivery, mail, outbox, reports
from backups_app.notification.channels import Channel
from backups_app.notification.content import Content
from backups_app.notification.delivery import MessageSender
from backups_app.notification.states import Kind, Problem
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.runs.closing import reporting
from backups_app.runs.closing.report_content import DELETION
from backups_app.use_cases import notices, status_of_files
from backups_app.use_cases.attention import ROOM_FOR_BACKUPS, room_for
from backups_app.use_cases.copies import notices as copy_notices
from backups_app.use_cases.listing import listing, other_stores
from backups_app.use_cases.notifications import schedule_reports
from backups_app.use_cases.schedules import overview

logger = logging.getLogger(__name__)

AT_ONCE = 50
OF_THE_SERVER = frozenset({MailServerUnreachable.code, MailLoginRefused.code, MailTlsFailed.code})
"""Problems that every e-mail would meet, the one who it is for."""
HOME = "/admin/backups/"


def report_silent_problems(*, configuration: Configuration, now: datetime) -> None:
    """Report what nobody reports in passing: a backup that is overdue, a disk that fills, runs whose end was not
    reported, problems that last. Nothing is raised for a server or disk that does not answer."""
    outbox.expire(now=now)
    if not configuration.is_local:
        return
    _catch_up(configuration, now=now)
    try:
        every = listing.list_runs(configuration=configuration, every=True)
    except (TempleOpsError, PyMongoError) as error:
        logger.warning("Problems could not be looked for", extra={"reason": type(error).__name__})
    else:
        _report_store(configuration, every, now=now)
        ended = [run for run in every if run.kind == "backup" and not run.in_progress]
        dated = status_of_files.dated(ended, now=now)
        good = status_of_files.newest_good(dated, database=configuration.database_name)
        _report(
            configuration, scope="overdue", present=_overdue(good, now=now), solved=wording.NO_LONGER_OVERDUE, now=now
        )
        _report(configuration, scope="disk", present=_disk_low(configuration, good), solved=wording.ROOM_AGAIN, now=now)
    schedule_reports.report_schedules(
        channels=channels.every(reporting.channel_settings(configuration)),
        sender_domain=mail.domain_of(configuration.default_from_email), now=now,
    )  # fmt: skip
    copy_notices.looked(configuration=configuration, now=now)
    notices.remind(configuration=configuration, here=_here(configuration), now=now)
    for scope in ("backup", "rehearsal", *reports.known_scopes(DELETION)):
        _report(configuration, scope=scope, present=reports.known_problems(scope), solved=None, now=now)


def deliver(*, configuration: Configuration, only: str = "") -> int:
    """Send what is due, or only the rows of one event. Return how many were accepted.

    A failure is recorded in the row by its name. The other messages of a channel that failed, or of a mail server that
    is down, wait for the next try of that one.
    """
    outbox.release_interrupted(now=timezone.now())
    rows = [row for row in outbox.due(now=timezone.now(), limit=AT_ONCE) if only in ("", row.event)]
    if not rows:
        return 0
    known = {channel.key: channel for channel in channels.every(reporting.channel_settings(configuration))}
    sender = MessageSender(
        mail_server=mail_url.parse(configuration.email_url),
        mail_from=configuration.default_from_email,
        site_url=configuration.site_url,
    )
    accepted, down = 0, dict[str, datetime]()
    for row in rows:
        channel = known.get(row.channel)
        names = (row.channel, channel.way.value if channel else "")
        until = next((down[name] for name in names if name in down), None)
        if until is not None:
            outbox.postpone(row, until=until)
        elif outbox.claim(row, now=timezone.now()):
            accepted += _send(row, channel, sender)
            if row.next_attempt_at is not None:
                down[names[row.problem_code in OF_THE_SERVER]] = row.next_attempt_at
    return accepted


def _send(row: Notification, channel: Channel | None, sender: MessageSender) -> bool:
    try:
        if channel is not None and channel.wish is None and row.kind != "test":
            raise ChannelGone()  # switched off meanwhile
        delivery.deliver(row, channel, sender=sender)
    except ChannelGone as gone:
        outbox.give_up(row, gone)
        return False
    except TempleOpsError as error:
        outbox.failed(row, error, now=timezone.now())
        logger.warning(
            "A message was not delivered", extra={"channel": row.channel, "code": error.code, "attempts": row.attempts}
        )
        return False
    outbox.sent(row, now=timezone.now())
    return True


def _catch_up(configuration: Configuration, *, now: datetime) -> None:
    with suppress(TempleOpsError), connections.reachable(Side.LOCAL):
        database = preparation.local_database(configuration)
        reporting.catch_up(database, now=now)
        reporting.end_deletions(database, now=now)


def _report_store(configuration: Configuration, every: Sequence[RunRecord], *, now: datetime) -> None:
    """Let other hosts know which backups of this folder are good."""
    with suppress(TempleOpsError):
        store_id = preparation.store(configuration).store_id()
        if store_id is not None:
            other_stores.report(store_id=store_id, runs=every, now=now)


def _here(configuration: Configuration) -> Collection[str] | None:
    """Return the ids of the backups that are here; None where the folder is not the known one, as without its disk."""
    store = preparation.store(configuration)
    try:
        return store.backups().ids if store.store_id() is not None else None
    except (TempleOpsError, OSError):
        return None


def _overdue(good: RunRecord | None, *, now: datetime) -> Mapping[Problem, Content]:
    """The same rule as the mark *recent*. Where there never was a backup and no schedule promises one, none is overdue:
    the card says that there is none."""
    newest_at = good.created_at if good else None
    schedules = overview.assurance_slots(now=now, newest_at=newest_at)
    never_due = newest_at is None and not schedules
    if never_due or not marks.is_overdue(Evidence(now=now, newest_at=newest_at, schedules=schedules)):
        return {}
    facts = ((wording.LAST_GOOD(), newest_at),) if newest_at else ()
    content = Content(title=wording.OVERDUE(), lines=(wording.OVERDUE_LINE(),), facts=facts, path=HOME)
    return {Problem(kind=Kind.OVERDUE, cause="backup"): content}


def _disk_low(configuration: Configuration, good: RunRecord | None) -> Mapping[Problem, Content]:
    """Low: room for fewer than five backups like the last one. It ends with room for one more than that."""
    try:
        free = preparation.store(configuration).usage().free_bytes
    except (TempleOpsError, OSError):
        return reports.known_problems("disk")
    room = room_for(backup=good, free_bytes=free) if good else None
    is_known = NotificationState.objects.filter(scope="disk").exists()
    if room is None or room >= ROOM_FOR_BACKUPS + is_known:
        return {}
    content = Content(
        title=wording.DISK_LOW(), lines=(wording.DISK_LOW_LINE(n=room),),
        facts=((wording.FREE(), formats.size(free)),), path=HOME,
    )  # fmt: skip
    return {Problem(kind=Kind.DISK_LOW, cause="room"): content}


def _report(
    configuration: Configuration,
    *,
    scope: str,
    present: Mapping[Problem, Content],
    solved: Sentence | None,
    now: datetime,
) -> None:
    reports.report(
        scope=scope,
        present=present,
        ended=Content(title=solved(), path=HOME) if solved else None,
        channels=channels.every(reporting.channel_settings(configuration)),
        sender_domain=mail.domain_of(configuration.default_from_email),
        now=now,
    )
