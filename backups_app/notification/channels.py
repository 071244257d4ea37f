"""Who is sent messages: people by e-mail, the services of `NOTIFY_URLS`, and `HEALTHCHECK_URL`.

A channel is named by its key, which holds no address: `mail:<person>`, `url:<fingerprint>`, `healthcheck`. The address
is looked up when a message is sent, so that outbox, log and page never hold it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from backups_app.models import NotificationChoice, User
from backups_app.notification.states import ChannelWish

HEALTHCHECK = "healthcheck"
MANAGERS = (User.SUPER_ADMIN, User.ADMIN)


class Way(StrEnum):
    """How a channel is reached."""

    MAIL = "mail"
    SERVICE = "service"
    PING = "ping"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One channel. `target` is an address or key of it and is never shown; `wish` is None for nothing at all."""

    key: str
    way: Way
    name: str
    wish: ChannelWish | None
    language: str
    target: str = field(default="", repr=False)
    person: User | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator set: addresses that are keys, and the language of the site."""

    mail_is_on: bool
    notify_urls: tuple[str, ...] = field(repr=False)
    healthcheck_url: str = field(repr=False)
    language: str


def every(settings: Settings) -> list[Channel]:
    """Return the channels that exist, switched off or not: people who may manage backups, services, the healthcheck."""
    choices = {choice.channel: choice for choice in NotificationChoice.objects.all()}
    found = [*(_people(settings) if settings.mail_is_on else ()), *_services(settings.notify_urls, settings.language)]
    chosen = [_with_choice(channel, choices.get(channel.key)) for channel in found]
    if settings.healthcheck_url:
        chosen.append(
            Channel(
                key=HEALTHCHECK, way=Way.PING, name="HEALTHCHECK_URL", wish=ChannelWish.EVERYTHING,
                language=settings.language, target=settings.healthcheck_url,
            )
        )  # fmt: skip
    return chosen


def by_key(settings: Settings, key: str) -> Channel | None:
    """Return the channel of this key, or None where it is gone: no address, another role, another setting."""
    return next((channel for channel in every(settings) if channel.key == key), None)


def is_an_address(address: str) -> bool:
    """Return whether mail can be sent there: one plain address, and nothing that could begin a header."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return address.isascii() and address.isprintable() and len(address) <= 254


def key_of_person(person: User) -> str:
    """Return the key of a person's e-mail."""
    return f"mail:{person.pk}"


def key_of_url(url: str) -> str:
    """Return the key of a service: a fingerprint, from which nobody finds the address."""
    return f"url:{hashlib.sha256(f'templeops channel {url}'.encode()).hexdigest()[:16]}"


def _people(settings: Settings) -> Iterator[Channel]:
    """Everybody who may manage backups and has an address. From the start Super Admins are sent problems."""
    people = User.objects.filter(is_active=True, role_id__in=MANAGERS).exclude(email="")
    for person in people.order_by("role_id", "username"):
        if is_an_address(person.email):
            yield Channel(
                key=key_of_person(person), way=Way.MAIL, name=person.get_full_name() or person.get_username(),
                wish=ChannelWish.PROBLEMS if person.role_id == User.SUPER_ADMIN else None, language=settings.language,
                target=person.email, person=person,
            )  # fmt: skip


def _services(urls: Sequence[str], language: str) -> Iterator[Channel]:
    """The services, named by their kind alone, and numbered where there are several of one kind."""
    kinds = [url.partition("://")[0].lower()[:20] for url in urls]
    for place, (url, kind) in enumerate(zip(urls, kinds, strict=True)):
        number = f" {kinds[: place + 1].count(kind)}" if kinds.count(kind) > 1 else ""
        yield Channel(
            key=key_of_url(url), way=Way.SERVICE, name=f"{kind}{number}", wish=ChannelWish.PROBLEMS, language=language,
            target=url,
        )  # fmt: skip


def _with_choice(channel: Channel, choice: NotificationChoice | None) -> Channel:
    if choice is None:
        return channel
    wish = ChannelWish(choice.wish) if choice.wish in set(ChannelWish) else None
    return Channel(**{**vars(channel), "wish": wish, "language": choice.language})
