"""Hands one message of the outbox to its channel."""

from __future__ import annotations

from dataclasses import dataclass

from backups_app.errors import ChannelGone
from backups_app.mail_url import MailServer
from backups_app.models import Notification
from backups_app.notification import mail, pings, services, wording
from backups_app.notification.channels import Channel, Way
from backups_app.notification.content import content_from


@dataclass(frozen=True, kw_only=True)
class MessageSender:
    """What e-mail is sent by and from, and where the site's pages are."""

    mail_server: MailServer | None
    mail_from: str
    site_url: str


def deliver(row: Notification, channel: Channel | None, *, sender: MessageSender) -> None:
    """Hand the message over. Return when the channel accepted it. Raise what `mail`, `services` and `pings` raise;
    `ChannelGone` where there is no such channel any more."""
    if channel is None:
        raise ChannelGone()
    message = wording.worded(
        content_from(row.content), kind=row.kind, language=row.language, site_url=sender.site_url,
        reason=channel.way.value,
    )  # fmt: skip
    if channel.way is Way.MAIL:
        mail.send(
            server=sender.mail_server, sender=sender.mail_from, address=channel.target, message=message,
            message_id=row.message_id,
        )  # fmt: skip
    elif channel.way is Way.SERVICE:
        services.send(url=channel.target, message=message)
    else:
        pings.ping(url=channel.target, what=row.kind.removeprefix("ping_"), text=message.text)
