"""The outbox: one row for each event and channel, in the Django database. Times are aware and in UTC.

A row is claimed by compare-and-set, so that one sender has it. A sender that is killed leaves the row claimed; after
`SENDING_AT_MOST` it waits again, and says that it may arrive twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F

from backups_app.access.trail.audit import storable
from backups_app.errors import ChannelGone, SenderInterrupted, TempleOpsError
from backups_app.models import Notification
from backups_app.notification import retries
from backups_app.notification.channels import HEALTHCHECK, Channel
from backups_app.notification.content import Content

SENDING_AT_MOST = timedelta(minutes=5)
KEPT = timedelta(days=90)
PINGS_KEPT_TRYING = timedelta(hours=12)
"""A call of the healthcheck says that a backup was made just now: half a day later that is not true any more."""
OPEN = (Notification.State.WAITING, Notification.State.SENDING)
CLOSED = (Notification.State.SENT, Notification.State.GIVEN_UP)


def enqueue(
    *, event: str, kind: str, content: Content, channels: Iterable[Channel], sender_domain: str, now: datetime
) -> int:
    """Write the event for each channel, once: what is there already stays as it is. Return how many were new."""
    document = _storable(content.as_document())
    new = [
        Notification(
            event=event[:200], channel=channel.key, kind=kind, language=channel.language, content=document,
            created_at=now, next_attempt_at=now, message_id=f"<{uuid.uuid4().hex}@{sender_domain}>",
        )
        for channel in channels
    ]  # fmt: skip
    there = set(Notification.objects.filter(event=event[:200]).values_list("channel", flat=True))
    new = [row for row in new if row.channel not in there]
    Notification.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def due(*, now: datetime, limit: int) -> list[Notification]:
    """Return the rows that may be sent now, the oldest first."""
    waiting = Notification.objects.filter(state=Notification.State.WAITING, next_attempt_at__lte=now)
    return list(waiting.order_by("next_attempt_at", "id")[:limit])


def claim(row: Notification, *, now: datetime) -> bool:
    """Take a waiting row for sending. Return False when somebody else has it."""
    mine = Notification.objects.filter(pk=row.pk, state=Notification.State.WAITING, attempts=row.attempts)
    changes: dict[str, Any] = {"state": Notification.State.SENDING, "claimed_at": now, "attempts": row.attempts + 1}
    if not mine.update(**changes):
        return False
    for name, value in changes.items():
        setattr(row, name, value)
    return True


def sent(row: Notification, *, now: datetime) -> None:
    """Record that the channel accepted the message."""
    _close(row, state=Notification.State.SENT, sent_at=now, problem_code="", problem_facts={}, next_attempt_at=None)


def failed(row: Notification, error: TempleOpsError, *, now: datetime) -> None:
    """Record why a try failed, and when the next one is; after three days the message is given up."""
    at = retries.next_try(attempts=row.attempts, created_at=row.created_at, now=now)
    if row.channel == HEALTHCHECK and now - row.created_at > PINGS_KEPT_TRYING:
        at = None
    state = Notification.State.GIVEN_UP if at is None else Notification.State.WAITING
    _close(row, state=state, next_attempt_at=at, problem_code=error.code, problem_facts=_storable(error.facts))


def postpone(row: Notification, *, until: datetime) -> None:
    """Let a waiting message wait longer, without a try: what it would meet is known."""
    Notification.objects.filter(pk=row.pk, state=Notification.State.WAITING).update(next_attempt_at=until)


def give_up(row: Notification, error: TempleOpsError) -> None:
    """Record that a message is not sent at all."""
    _close(row, state=Notification.State.GIVEN_UP, next_attempt_at=None, problem_code=error.code, problem_facts={})


def _close(row: Notification, **changes: Any) -> None:
    """Only while the row is still ours: a sender that was silent for long has lost it."""
    Notification.objects.filter(pk=row.pk, state=Notification.State.SENDING, attempts=row.attempts).update(
        claimed_at=None, **changes
    )
    row.refresh_from_db()


def release_interrupted(*, now: datetime) -> int:
    """Let rows wait again whose sender was killed. Each is sent once more, and says so. Return how many."""
    dead = Notification.objects.filter(state=Notification.State.SENDING, claimed_at__lt=now - SENDING_AT_MOST)
    return dead.update(
        state=Notification.State.WAITING, claimed_at=None, next_attempt_at=now, problem_facts={},
        problem_code=SenderInterrupted.code, interruptions=F("interruptions") + 1,
    )  # fmt: skip


def retry_now(*, now: datetime) -> int:
    """Make every waiting message due. Return how many."""
    return Notification.objects.filter(state=Notification.State.WAITING).update(next_attempt_at=now)


def expire(*, now: datetime) -> None:
    """Remove what was sent or given up long ago."""
    Notification.objects.exclude(state__in=OPEN).filter(created_at__lt=now - KEPT).delete()


def newest(*, limit: int) -> list[Notification]:
    """Return the newest rows."""
    return list(Notification.objects.all()[:limit])


def last_accepted() -> dict[str, datetime]:
    """Return when each channel last accepted a message or a test."""
    rows = Notification.objects.filter(state=Notification.State.SENT).order_by("sent_at")
    return {channel: at for channel, at in rows.values_list("channel", "sent_at") if at is not None}


def delivering() -> dict[str, datetime]:
    """Return when each channel that delivers last accepted a message: one whose newest message that is not waiting was
    accepted. What was given up because the channel was switched off or gone says nothing of it."""
    closed = Notification.objects.filter(state__in=CLOSED).exclude(problem_code=ChannelGone.code)
    newest = dict(closed.order_by("id").values_list("channel", "state"))
    return {channel: at for channel, at in last_accepted().items() if newest.get(channel) == Notification.State.SENT}


def waiting_by_channel() -> dict[str, int]:
    """Return how many messages of each channel are not delivered yet."""
    rows = Notification.objects.filter(state__in=OPEN).order_by().values_list("channel").annotate(count=Count("id"))
    return dict(rows)


def by_state() -> dict[str, int]:
    """Return how many messages are kept, by state; 0 for a state that none is in."""
    rows = Notification.objects.order_by().values_list("state").annotate(count=Count("id"))
    return dict.fromkeys(Notification.State.values, 0) | dict(rows)


def undelivered_since() -> datetime | None:
    """Return since when a message waits to be delivered; None when none does."""
    return (
        Notification.objects.filter(state__in=OPEN).order_by("created_at").values_list("created_at", flat=True).first()
    )


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _storable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(one) for one in value]
    return value if value is None or isinstance(value, int | float) else storable(str(value))
