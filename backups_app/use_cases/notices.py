"""Messages about what is done outside runs: a sync by itself, a verification, a pass of retention.

What a schedule could not do is reported by its slot (`schedule_reports.py`). Messages never stand in the way of the
act: where the outbox cannot be written, the act's own record and the audit trail say the same.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.db import Error as DatabaseError

from backups_app.configuration import Configuration
from backups_app.errors import RunCancelled, TempleOpsError
from backups_app.messages.message import Sentence
from backups_app.messages.protection import notifications as wording
from backups_app.notification import channels, mail, reports
from backups_app.notification.content import Content
from backups_app.notification.states import Kind, Problem
from backups_app.records import Origin
from backups_app.runs.closing import reporting

logger = logging.getLogger(__name__)

SYNC, VERIFY, RETENTION = "sync", "verify", "retention"
SYNC_PATH, SCHEDULE_PATH = "/admin/backups/sync/", "/admin/backups/schedule/"


def sync_ended(
    *, configuration: Configuration, run_id: str, error: TempleOpsError | None, origin: Origin, by: str, now: datetime
) -> None:
    """Report that a sync failed, or that syncs work again."""
    if error is not None and (origin is Origin.SCHEDULE or isinstance(error, RunCancelled)):
        return
    present = {}
    if error is not None:
        facts = ((wording.RUN(), run_id), (wording.STARTED_BY(), by), (wording.CODE(), error.code))
        content = Content(title=wording.SYNC_FAILED(), lines=(error.detail,), facts=facts, path=SYNC_PATH)
        present = {Problem(kind=Kind.FAILED, cause=error.code): content}
    report(configuration, scope=SYNC, present=present, ended=Content(title=wording.SYNC_DONE()), now=now)


def verified(*, configuration: Configuration, backup_id: str, problem: str | None, now: datetime) -> None:
    """Report that a backup was found damaged, or that one is good again. Several may be damaged at the same
    time."""
    path = f"/admin/backups/runs/{backup_id}/"
    with _never_in_the_way():
        present = dict(reports.known_problems(VERIFY))
        mine = Problem(kind=Kind.FAILED, cause=backup_id)
        present.pop(mine, None)
        if problem is not None:
            facts = ((wording.BACKUP(), backup_id),)
            present[mine] = Content(title=wording.BACKUP_DAMAGED(), lines=(problem,), facts=facts, path=path)
        report(
            configuration,
            scope=VERIFY,
            present=present,
            ended=Content(title=wording.BACKUP_GOOD_AGAIN(), path=path),
            now=now,
        )


def retention_looked(*, configuration: Configuration, stopped: Mapping[str, str], now: datetime) -> None:
    """Report a pass of retention: by code what keeps backups that the rules would remove (`stopped`, each with its
    sentence), or that nothing does any more."""
    present = {
        Problem(kind=Kind.PARTIAL, cause=code): Content(
            title=wording.RETENTION_STOPPED(), lines=(line,), path=SCHEDULE_PATH
        )
        for code, line in stopped.items()
    }
    report(configuration, scope=RETENTION, present=present, ended=Content(title=wording.RETENTION_GOES_ON()), now=now)


def backups_removed(*, configuration: Configuration, removed: Collection[str], now: datetime) -> None:
    """Announce which backups the rules moved into the trash, to those who want everything."""
    _announce(
        configuration,
        what="removed",
        kind=Kind.SUCCESS,
        backups=removed,
        now=now,
        title=wording.BACKUPS_REMOVED,
        line=wording.BACKUPS_REMOVED_LINE,
    )


def emptied_early(*, configuration: Configuration, backups: Collection[str], now: datetime) -> None:
    """Announce which backups of the trash were deleted before their day was over, because the disk needs the room."""
    _announce(
        configuration,
        what="emptied",
        kind=Kind.DISK_LOW,
        backups=backups,
        now=now,
        title=wording.EMPTIED_EARLY,
        line=wording.EMPTIED_EARLY_LINE,
    )


def _announce(
    configuration: Configuration,
    *,
    what: str,
    kind: Kind,
    backups: Collection[str],
    title: Sentence,
    line: Sentence,
    now: datetime,
) -> None:
    if not backups:
        return
    facts = ((wording.BACKUP(), ", ".join(sorted(backups))),)
    content = Content(title=title(n=len(backups)), lines=(line(),), facts=facts, path="/admin/backups/list/")
    with _never_in_the_way():
        reports.announce(
            event=f"retention:{what}:{min(backups)}:{now:%Y%m%dT%H%M%S}",
            kind=kind,
            content=content,
            channels=channels.every(reporting.channel_settings(configuration)),
            sender_domain=mail.domain_of(configuration.default_from_email),
            now=now,
        )


def remind(*, configuration: Configuration, here: Collection[str] | None, now: datetime) -> None:
    """Report again what lasts. `here` are the ids of the backups that are here, None where the backup folder cannot be
    seen: a damaged one that was removed is no problem any more."""
    for scope in (SYNC, RETENTION):
        report(configuration, scope=scope, present=reports.known_problems(scope), ended=None, now=now)
    known = reports.known_problems(VERIFY)
    present = {problem: content for problem, content in known.items() if here is None or problem.cause in here}
    report(configuration, scope=VERIFY, present=present, ended=Content(title=wording.DAMAGED_IS_GONE()), now=now)


def report(
    configuration: Configuration,
    *,
    scope: str,
    present: Mapping[Problem, Content],
    ended: Content | None,
    now: datetime,
) -> None:
    with _never_in_the_way():
        reports.report(
            scope=scope,
            present=present,
            ended=ended,
            channels=channels.every(reporting.channel_settings(configuration)),
            sender_domain=mail.domain_of(configuration.default_from_email),
            now=now,
        )


@contextmanager
def _never_in_the_way() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        logger.warning("A message could not be written", extra={"reason": type(error).__name__})
