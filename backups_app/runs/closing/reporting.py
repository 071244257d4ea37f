"""Puts the beginning and the end of a run into the outbox of messages, in the place where they are put on record.

Messages never decide about a run: where the outbox cannot be written the run goes on, and the worker's next minute
reports it (`catch_up`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.catalog.run import runs, unreported_runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, current
from backups_app.messages.protection import notifications as wording
from backups_app.notification import channels, mail, outbox, reports
from backups_app.notification.channels import Way
from backups_app.notification.content import Content
from backups_app.notification.states import Kind as Notice
from backups_app.notification.states import Problem
from backups_app.records import RunKind, Status
from backups_app.runs.closing import report_content
from backups_app.runs.closing.report_content import DELETION, RunReport, deletion_scope

logger = logging.getLogger(__name__)

CAUGHT_UP_WITHIN = timedelta(days=1)


def channel_settings(configuration: Configuration) -> channels.Settings:
    """Return what the operator set about messages."""
    return channels.Settings(
        mail_is_on=bool(configuration.email_url),
        notify_urls=configuration.notify_urls,
        healthcheck_url=configuration.healthcheck_url,
        language=settings.LANGUAGE_CODE,
    )


def run_began(document: RunRecord) -> None:
    """Let the healthcheck know that a backup begins."""
    if document.kind == RunKind.BACKUP:
        with _never_in_the_way(document):
            _ping(document, what="start", content=Content(title=wording.STARTED()), now=timezone.now())


def run_ended(database: Database[Any], *, document: RunRecord) -> None:
    """Report the end of a run, once: messages by state, the healthcheck by run. Then mark the run as reported."""
    with _never_in_the_way(document):
        now = timezone.now()
        report(document, now=now)
        unreported_runs.remember_reported(database, backup_id=document.id, now=now)


def catch_up(database: Database[Any], *, now: datetime) -> int:
    """Report the runs that a killed process left unreported. Return how many."""
    found = unreported_runs.find(database, since=now - CAUGHT_UP_WITHIN)
    for document in found:
        run_ended(database, document=document)
    return len(found)


def report(document: RunRecord, *, now: datetime) -> None:
    """Write what is to be sent of a run that ended into the outbox. What is there already is not written again."""
    found, configuration = report_content.of_run(document), current()
    every = channels.every(channel_settings(configuration))
    domain = mail.domain_of(configuration.default_from_email)
    if found is not None and document.kind == RunKind.RESTORE:  # somebody asked for it once: it begins no state
        kind = found.problem.kind if found.problem else Notice.SUCCESS
        reports.announce(
            event=found.event, kind=kind, content=found.content, channels=every, sender_domain=domain, now=now
        )
    elif found is not None:
        for scope, problem, announced in _scopes(document, found):
            good = (found.event, found.content) if announced and document.status == Status.SUCCESS else None
            reports.report(
                scope=scope, present={problem: found.content} if problem else {}, good=good,
                ended=found.content if found.deletion else None,
                channels=every, sender_domain=domain, now=now,
            )  # fmt: skip
    if document.kind == RunKind.BACKUP:
        made = document.status in (Status.SUCCESS, Status.PARTIAL)
        content = (
            found.content if found else Content(title=wording.BACKUP_FAILED(), lines=(report_content.reason(document),))
        )
        _ping(document, what="success" if made else "fail", content=content, now=now)


def _scopes(document: RunRecord, found: RunReport) -> Iterator[tuple[str, Problem | None, bool]]:
    """Yield the scopes that this end belongs to, each with its problem and whether a success is announced in it.

    An unfinished deletion is a state of its own run: a later backup does not end it. The backup of that run is made.
    A run that ends once more, after Resume or "keep after all", states nothing about backups: newer ones may have
    failed meanwhile.
    """
    if document.kind != RunKind.BACKUP:
        yield found.scope, found.problem, True
        return
    again = unreported_runs.was_reported(document)
    if not again:
        yield found.scope, None if found.deletion else found.problem, True
    yield deletion_scope(document.backup_id), found.problem if found.deletion else None, again


def end_deletions(database: Database[Any], *, now: datetime) -> None:
    """Report the end of reported deletions whose runs, by their records, have none open any more. One whose run has no
    record, or is in progress, lasts."""
    known = [scope.removeprefix(DELETION) for scope in reports.known_scopes(DELETION)]
    for document in runs.whole_runs(database, backup_ids=known).values() if known else ():
        if not (document.in_progress or document.resume_available):
            report(document, now=now)


def _ping(document: RunRecord, *, what: str, content: Content, now: datetime) -> None:
    """One beginning and one end for each run: a deletion that is finished later makes no second backup."""
    configuration = current()
    every = channels.every(channel_settings(configuration)) if configuration.healthcheck_url else []
    outbox.enqueue(
        event=f"ping:{document.backup_id}:{'start' if what == 'start' else 'end'}",
        kind=f"ping_{what}",
        content=content,
        channels=[channel for channel in every if channel.way is Way.PING],
        sender_domain=mail.domain_of(configuration.default_from_email),
        now=now,
    )


@contextmanager
def _never_in_the_way(document: RunRecord) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, PyMongoError) as error:
        extra = {"backup_id": document.backup_id, "reason": type(error).__name__}
        logger.warning("A run is not reported yet", extra=extra)
