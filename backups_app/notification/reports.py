"""What happened, compared with what was reported before, goes into the outbox in one transaction.

A problem is a state: reported when it begins, once a day while it lasts, and when it ends (`states.py`). What is
checked together is a scope: the newest backup run, the newest rehearsal, the disk … A problem that ends because another
one of its scope took its place is not called solved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from backups_app.access.trail.audit import storable
from backups_app.messages.protection import notifications as messages
from backups_app.models import NotificationState
from backups_app.notification import outbox, states
from backups_app.notification.channels import Channel, Way
from backups_app.notification.content import Content, content_from
from backups_app.notification.states import Kind, Problem, ProblemState


def report(
    *,
    scope: str,
    present: Mapping[Problem, Content],
    good: tuple[str, Content] | None = None,
    ended: Content | None = None,
    channels: Sequence[Channel],
    sender_domain: str,
    now: datetime,
) -> None:
    """Compare the problems of a scope with those that were reported, and enqueue what is new.

    `good` is the event and content of a success, for those who want everything; where a problem ends with it, they are
    sent that it is solved instead. `ended` is the sentences about a problem's end where no success ended it. Two
    workers that find the same report it once.
    """
    with transaction.atomic():
        rows = {_problem(row): row for row in NotificationState.objects.select_for_update().filter(scope=scope)}
        known = [
            ProblemState(problem=one, began_at=row.began_at, reported_at=row.reported_at) for one, row in rows.items()
        ]
        found = states.compare(known=known, present=present, now=now)
        try:
            with transaction.atomic():
                for problem in found.begun:
                    _begin(scope, problem, present[problem], channels, sender_domain, now)
        except IntegrityError:  # another worker was first with one of them
            return
        for state in found.lasting:
            _remind(scope, rows[state.problem], channels, sender_domain, now)
        solved = [rows[state.problem] for state in found.ended]
        for row in solved:
            if not present:
                _solve(scope, row, good[1] if good else ended, channels, sender_domain, now)
            row.delete()
        if good is not None and not solved and not present:
            event, content = good
            announce(
                event=event, kind=Kind.SUCCESS, content=content, channels=channels, sender_domain=sender_domain, now=now
            )


def announce(
    *, event: str, kind: Kind, content: Content, channels: Iterable[Channel], sender_domain: str, now: datetime
) -> None:
    """Enqueue one event for those who want to be sent its kind, once."""
    wanted = [
        channel
        for channel in channels
        if channel.way is not Way.PING and channel.wish and states.is_wanted(kind, channel.wish)
    ]
    outbox.enqueue(event=event, kind=kind.value, content=content, channels=wanted, sender_domain=sender_domain, now=now)


def known_problems(scope: str) -> dict[Problem, Content]:
    """Return the problems of a scope that were reported and not solved, with what was stated."""
    return {_problem(row): content_from(row.content) for row in NotificationState.objects.filter(scope=scope)}


def known_scopes(prefix: str) -> list[str]:
    """Return the scopes that begin so and have problems that were reported and not solved."""
    found = NotificationState.objects.filter(scope__startswith=prefix).order_by("scope")
    return list(found.values_list("scope", flat=True).distinct())


def forget(scope: str) -> None:
    """Forget the problems of a scope without a message: nobody looks for them any more."""
    NotificationState.objects.filter(scope=scope).delete()


def _problem(row: NotificationState) -> Problem:
    return Problem(kind=Kind(row.kind), cause=row.cause)


def _begin(
    scope: str, problem: Problem, content: Content, channels: Sequence[Channel], domain: str, now: datetime
) -> None:
    NotificationState.objects.create(
        scope=scope, kind=problem.kind, cause=storable(problem.cause)[:150], began_at=now, reported_at=now,
        content=content.as_document(),
    )  # fmt: skip
    announce(
        event=_event(scope, problem, "begun", now), kind=problem.kind, content=content, channels=channels,
        sender_domain=domain, now=now,
    )  # fmt: skip


def _remind(scope: str, row: NotificationState, channels: Sequence[Channel], domain: str, now: datetime) -> None:
    fresh = NotificationState.objects.filter(pk=row.pk, reported_at=row.reported_at).update(reported_at=now)
    if fresh:
        content = content_from(row.content)
        again = Content(
            title=messages.STILL(title=content.title), lines=content.lines, path=content.path,
            facts=((messages.SINCE(), row.began_at), *content.facts),
        )  # fmt: skip
        announce(
            event=_event(scope, _problem(row), "lasting", now), kind=Kind(row.kind), content=again, channels=channels,
            sender_domain=domain, now=now,
        )  # fmt: skip


def _solve(
    scope: str,
    row: NotificationState,
    end: Content | None,
    channels: Sequence[Channel],
    domain: str,
    now: datetime,
) -> None:
    was = content_from(row.content)
    solved = Content(
        title=messages.SOLVED(title=was.title),
        lines=(end.title, *end.lines) if end else (),
        path=end.path if end else was.path,
        facts=((messages.SINCE(), row.began_at), (messages.SOLVED_AT(), now), *(end.facts if end else ())),
    )
    announce(
        event=_event(scope, _problem(row), "solved", now), kind=Kind.RECOVERED, content=solved, channels=channels,
        sender_domain=domain, now=now,
    )  # fmt: skip


def _event(scope: str, problem: Problem, what: str, now: datetime) -> str:
    return f"{scope}:{problem.kind}:{problem.cause[:100]}:{what}:{now:%Y%m%dT%H%M%S}"
