"""Messages, as every face shows and asks for them: channels, the outbox, tests, what a channel is sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings
from django.utils import timezone

from backups_app import errors, formats
from backups_app.access import people
from backups_app.access.requests.visit import Visit
from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.errors import (
    ChannelNotFound,
    InvalidInput,
    MailAddressInvalid,
    NoChannel,
    NotificationNotFound,
    NotYours,
    PersonNotFound,
    TempleOpsError,
)
from backups_app.messages import use_cases as messages
from backups_app.messages.protection import notifications as wording
from backups_app.models import Notification, NotificationChoice, User
from backups_app.notification import channels, mail, outbox, services
from backups_app.notification.channels import MANAGERS, Channel, Way
from backups_app.notification.content import Content, content_from
from backups_app.notification.states import ChannelWish
from backups_app.notification.wording import Worded, message_text, worded
from backups_app.runs.closing import reporting
from backups_app.use_cases.notifications import notification_work

NOTHING = "nothing"
WISHES = (NOTHING, ChannelWish.PROBLEMS.value, ChannelWish.EVERYTHING.value)
TEST = "test"


@dataclass(frozen=True, kw_only=True)
class ChannelState:
    """A channel and how it does. `problem` is why a message could not even be tried, or the last try's failure."""

    channel: Channel
    accepted_at: datetime | None
    waiting: int
    problem: TempleOpsError | None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What the page shows. `people` are those who may manage backups; who has no address has no channel."""

    channels: tuple[ChannelState, ...]
    people: tuple[User, ...]
    mail_is_on: bool
    outbox: tuple[Notification, ...]
    waiting: int


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Whether messages arrive: when one was last accepted, and since when one waits."""

    accepted_at: datetime | None
    undelivered_since: datetime | None


def overview(*, configuration: Configuration, limit: int = 50) -> Overview:
    """Return channels and the newest messages."""
    accepted, rows = outbox.last_accepted(), outbox.newest(limit=limit)
    every = channels.every(reporting.channel_settings(configuration))
    waiting = outbox.waiting_by_channel()
    return Overview(
        channels=tuple(
            ChannelState(
                channel=channel, accepted_at=accepted.get(channel.key), waiting=waiting.get(channel.key, 0),
                problem=_not_ready(channel) or _last_problem(channel, rows),
            )
            for channel in every
        ),
        people=tuple(
            User.objects.filter(is_active=True, role_id__in=MANAGERS).order_by("role_id", "username")
        ),
        mail_is_on=bool(configuration.email_url),
        outbox=tuple(rows),
        waiting=sum(waiting.values()),
    )  # fmt: skip


def outbox_by_state() -> tuple[dict[str, int], datetime | None]:
    """Return how many messages the outbox holds by state, and since when the oldest one waits."""
    return outbox.by_state(), outbox.undelivered_since()


def delivery(*, configuration: Configuration) -> Delivery:
    """Return what the mark *watched* rests on: only channels that exist, are sent messages and accepted the last one
    count."""
    every = channels.every(reporting.channel_settings(configuration))
    used = {channel.key for channel in every if channel.wish is not None}
    accepted = [at for key, at in outbox.delivering().items() if key in used]
    return Delivery(accepted_at=max(accepted, default=None), undelivered_since=outbox.undelivered_since())


def send_test(
    *, configuration: Configuration, channel: str, by: User | None, visit: Visit, actor: str = ""
) -> list[Notification]:
    """Send a test message through one channel, or with "" through each that is sent messages, now. Return the rows:
    `state` says whether it was accepted, `problem_code` why not; what was not is tried again like any other message.

    Raise `NoChannel`, `ChannelNotFound`.
    """
    now = timezone.now()
    every = channels.every(reporting.channel_settings(configuration))
    chosen = [one for one in every if channel == one.key or (not channel and one.wish is not None)]
    if not chosen:
        raise ChannelNotFound() if channel else NoChannel()
    event = f"test:{uuid.uuid4().hex}"
    content = Content(title=wording.TEST(), lines=(wording.TEST_LINE(),), path="/admin/backups/notifications/")
    outbox.enqueue(
        event=event, kind=TEST, content=content, channels=chosen,
        sender_domain=mail.domain_of(configuration.default_from_email), now=now,
    )  # fmt: skip
    notification_work.deliver(configuration=configuration, only=event)
    rows = list(Notification.objects.filter(event=event).order_by("id"))
    for row in rows:
        _record("notification.test", row.channel, result=row.problem_code or "success", by=by, visit=visit, actor=actor)
    return rows


def choose(*, configuration: Configuration, channel: str, wish: str, language: str, by: User, visit: Visit) -> None:
    """Set what a channel is sent, and in which language. An Admin may set their own e-mail; a Super Admin everything.

    Raise `ChannelNotFound`, `InvalidInput`, `NotYours`.
    """
    found = channels.by_key(reporting.channel_settings(configuration), channel)
    if found is None or found.way is Way.PING:
        raise ChannelNotFound()
    if wish not in WISHES or language not in dict(django_settings.LANGUAGES):
        raise InvalidInput(message=messages.WISH_UNKNOWN())
    if by.role_id != User.SUPER_ADMIN and (found.person is None or found.person.pk != by.pk):
        raise NotYours()
    NotificationChoice.objects.update_or_create(channel=channel, defaults={"wish": wish, "language": language})
    _record("notification.change", channel, by=by, visit=visit, details={"wish": wish, "language": language})


def set_address(*, person_id: str, address: str, by: User, visit: Visit) -> None:
    """Set a person's e-mail address; empty takes it away. Raise `PersonNotFound`, `MailAddressInvalid`, `NotYours`."""
    found = people.find(person_id)
    if not found.is_active or found.role_id not in MANAGERS:
        raise PersonNotFound()
    if by.role_id != User.SUPER_ADMIN and found.pk != by.pk:
        raise NotYours()
    if address and not channels.is_an_address(address):
        raise MailAddressInvalid()
    found.email = address
    found.save(update_fields=["email"])
    _record("person.change", found.get_username(), by=by, visit=visit, details={"changed": "email"})


def newest(*, configuration: Configuration, limit: int) -> list[dict[str, Any]]:
    """Return the newest messages of the outbox as API and `--json` show them."""
    names = channel_names(configuration)
    return [public(row, names=names) for row in outbox.newest(limit=limit)]


def retry(*, by: User, visit: Visit) -> int:
    """Make every waiting message due now. Return how many."""
    count = outbox.retry_now(now=timezone.now())
    _record("notification.retry", "", by=by, visit=visit, details={"count": count})
    return count


def rendered(*, configuration: Configuration, row: Notification) -> Worded:
    """Return a message of the outbox as its channel is sent it."""
    return worded(
        content_from(row.content), kind=row.kind, language=row.language, site_url=configuration.site_url,
        reason="mail" if row.channel.startswith("mail:") else "service",
    )  # fmt: skip


def find(number: str) -> Notification:
    """Return a message of the outbox by its number. Raise `NotificationNotFound`."""
    ok = number.isascii() and number.isdecimal() and len(number) < 18
    row = Notification.objects.filter(pk=int(number)).first() if ok else None
    if row is None:
        raise NotificationNotFound()
    return row


def problem_of(row: Notification) -> TempleOpsError | None:
    """Return why the last try of a message failed; None without one."""
    kind = errors.by_code().get(row.problem_code)
    try:
        return kind(**row.problem_facts) if kind else None
    except (KeyError, IndexError):  # written by a version that had other facts
        return errors.NotifyFailed()


def public(row: Notification, *, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a message as API and `--json` show it. `names` are the channels' names by key."""
    problem = problem_of(row)
    return {
        "id": row.pk, "event": row.event, "kind": row.kind, "channel": row.channel,
        "channel_name": names.get(row.channel, row.channel), "state": row.state, "attempts": row.attempts,
        "may_arrive_twice": row.interruptions > 0, "title": content_from(row.content).title,
        "problem_code": row.problem_code or None, "problem": problem.detail if problem else None,
        "created_at": formats.utc(row.created_at),
        "next_attempt_at": formats.utc(row.next_attempt_at) if row.next_attempt_at else None,
        "sent_at": formats.utc(row.sent_at) if row.sent_at else None,
    }  # fmt: skip


def title_of(row: Notification) -> str:
    """Return the title of a message in the language in force."""
    return message_text(content_from(row.content).title)


def channel_names(configuration: Configuration) -> dict[str, str]:
    """Return the channels' names by key."""
    return {one.key: one.name for one in channels.every(reporting.channel_settings(configuration))}


def _not_ready(channel: Channel) -> TempleOpsError | None:
    """A setting that no message can get past."""
    if channel.way is Way.SERVICE:
        try:
            services.require(channel.target)
        except TempleOpsError as error:
            return error
    return None


def _last_problem(channel: Channel, rows: Sequence[Notification]) -> TempleOpsError | None:
    newest = next((row for row in rows if row.channel == channel.key and row.attempts), None)
    return problem_of(newest) if newest and newest.problem_code else None


def _record(
    action: str,
    target: str,
    *,
    result: str = "success",
    by: User | None,
    visit: Visit,
    actor: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        actor=by.get_username() if by else actor, origin=visit.origin, address=visit.address, action=action,
        target=target, result=result, request_id=visit.request_id, now=timezone.now(), details=details,
    )  # fmt: skip
