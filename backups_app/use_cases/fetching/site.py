"""`site.json` of a copy comes back: the trail goes on by itself, the rest where somebody asks for it (`--site`)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction
from pyrage.x25519 import Identity

from backups_app.access import audit, carried_trail
from backups_app.errors import NameTaken, RecordsUnavailable, TempleOpsError
from backups_app.models import NotificationChoice, RetentionPolicy, User
from backups_app.records import Origin
from backups_app.storage import copy_reading
from backups_app.storage.target import StorageTarget
from backups_app.use_cases import copy_choices, site_content
from backups_app.use_cases.copy_choices import Choice
from backups_app.use_cases.schedules import changes
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import Wish

ACTION = "site.fetch"


@dataclass(kw_only=True)
class Site:
    """What came back. What was here already, or could not be made, is in `left_out`: nothing is replaced."""

    schedules: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    retention: bool = False
    recipients: tuple[str, ...] = ()
    left_out: list[str] = field(default_factory=list)


def content_of(
    target: StorageTarget, choices: Iterable[Choice], *, identities: Sequence[Identity]
) -> dict[str, Any] | None:
    """Return the content of `site.json` of the first of these copies that has one; None where none has. Raise
    `CopyUnreadable`, `CopyDamaged` and other kinds of `TargetFailed`."""
    for choice in choices:
        if choice.contents is not None and choice.contents.site is not None and choice.manifest is not None:
            data = io.BytesIO()
            copy_reading.receive(
                target,
                manifest=choice.manifest,
                file=choice.contents.site,
                into=data,
                identities=identities,
            )
            return site_content.read(data.getvalue())
    return None


def go_on_with_trail(target: StorageTarget, *, identities: Sequence[Identity]) -> int:
    """Where the audit trail here is empty, let it go on from that of the newest copy. Return how many rows came. A copy
    that cannot be opened leaves the trail empty: what is fetched is more important. Raise `RecordsUnavailable`."""
    if not carried_trail.is_empty():
        return 0
    try:
        content = content_of(target, copy_choices.every(target, identities=identities), identities=identities)
    except RecordsUnavailable:
        raise
    except TempleOpsError:
        return 0
    try:
        return carried_trail.go_on_from(content["audit"]) if content is not None else 0
    except (KeyError, ValueError, TypeError):
        return 0


def bring_in(content: Mapping[str, Any], *, requested_by: str, origin: Origin, now: datetime) -> Site:
    """Make what `site.json` tells and is not here yet: schedules, paused; the policy of retention, turned off; people,
    without a password, so that nobody can sign in before one is set. Nothing that is here is changed.

    Raise `CopyUnreadable` for what is no such content, `RecordsUnavailable`.
    """
    site = Site(recipients=tuple(map(str, content.get("recipients") or ())))
    who = Who(by=requested_by, origin=origin, now=now)
    try:
        with transaction.atomic():
            for plain in content["people"]:
                _each(site, site.people, str(plain["username"]), partial(_add_person, plain))
            for plain in content["schedules"]:
                _each(site, site.schedules, str(plain["name"]), partial(_add_schedule, plain, who))
            site.retention = _add_policy(content["retention"], requested_by, now)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise site_content.unreadable() from error
    except DatabaseError as error:
        raise RecordsUnavailable() from error
    audit.record(
        actor=requested_by, origin=origin, action=ACTION, result="success", now=now,
        details={"schedules": site.schedules, "people": site.people, "retention": site.retention},
    )  # fmt: skip
    return site


def _each(site: Site, made: list[str], name: str, make: Callable[[], None]) -> None:
    try:
        with transaction.atomic():
            make()
    except TempleOpsError as error:
        site.left_out.append(f"{name}: {error.detail}")
    else:
        made.append(name)


def _add_person(plain: Mapping[str, Any]) -> None:
    username = User.normalize_username(str(plain["username"]))
    if User.objects.filter(username__iexact=username).exists():
        raise NameTaken
    role = plain["role_id"]
    person = User(
        username=username[:150],
        first_name=str(plain["name"])[:150],
        role_id=role if type(role) is int else None,
        email=str(plain["email"])[:254],
        is_active=plain["is_active"] is True,
    )
    person.set_unusable_password()
    person.save()
    if plain.get("wish"):
        NotificationChoice.objects.update_or_create(
            channel=f"mail:{person.pk}",
            defaults={"wish": str(plain["wish"])[:10], "language": str(plain.get("language") or "en-in")[:10]},
        )


def _add_schedule(plain: Mapping[str, Any], who: Who) -> None:
    wish = Wish(**{name: plain[name] for name in site_content.SCHEDULE_FIELDS} | {"enabled": False, "target": ""})
    changes.add(wish, who=who)


def _add_policy(plain: Mapping[str, Any] | None, changed_by: str, now: datetime) -> bool:
    if plain is None or RetentionPolicy.objects.exists():
        return False
    numbers = {name: int(plain[name]) for name in site_content.POLICY_FIELDS if name != "enabled"}
    RetentionPolicy.objects.create(
        pk=RetentionPolicy.ONLY, enabled=False, changed_at=now, changed_by=changed_by[:150], **numbers
    )
    return True
