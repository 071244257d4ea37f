"""`site.json` of a copy comes back: the trail goes on by itself, the rest where somebody asks for it (`--site`)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db import Error as DatabaseError
from pyrage.x25519 import Identity

from backups_app.access import records
from backups_app.access.trail import audit, carried_trail
from backups_app.copying import damage
from backups_app.errors import (
    CopyDamaged,
    CopyUnreadable,
    KeyMissing,
    NameTaken,
    ObjectMissing,
    ObjectUnreadable,
    TempleOpsError,
    WrongKey,
)
from backups_app.models import NotificationChoice, RetentionPolicy, User
from backups_app.records import Origin, is_ahead
from backups_app.storage import copy_reading
from backups_app.storage.target import StorageTarget
from backups_app.use_cases import site_content
from backups_app.use_cases.copy_choices import CopyChoice
from backups_app.use_cases.schedules import changes
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import ScheduleWish

ACTION = "site.fetch"
UNFORESEEN = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What the odd content of one copy may raise."""
OF_ONE_SITE = (CopyDamaged, CopyUnreadable, ObjectMissing, ObjectUnreadable, KeyMissing, WrongKey)
"""What is wrong with the `site.json` of one copy: the next older one may be good."""


@dataclass(kw_only=True)
class Site:
    """What came back, and of which backup's copy; of none where each was unusable: `problems` says why. What was here
    already, or could not be made, is in `left_out`: nothing is replaced."""

    backup_id: str | None = None
    problems: dict[str, TempleOpsError] = field(default_factory=dict)
    schedules: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    retention: bool = False
    recipients: tuple[str, ...] = ()
    left_out: list[str] = field(default_factory=list)


def is_offered(choice: CopyChoice, *, database: str) -> bool:
    """Return whether a copy has a `site.json` and says that it is of this database: that of another temple is not
    ours, whatever its backup is."""
    return choice.contents is not None and choice.contents.site is not None and choice.run.database == database


def newest_first(choice: CopyChoice, *, now: datetime) -> tuple[bool, datetime, str]:
    """Return the key that orders copies by their recorded time, those that are dated in the future as the oldest."""
    at = choice.run.created_at
    return not is_ahead(at, now=now), at, choice.backup_id


def content_of(target: StorageTarget, choice: CopyChoice, *, identities: Sequence[Identity]) -> dict[str, Any]:
    """Return the content of `site.json` of a copy that has one. Raise what stands in `OF_ONE_SITE`, and other kinds of
    `TargetFailed`."""
    assert choice.manifest is not None and choice.contents is not None and choice.contents.site is not None
    file, data = choice.contents.site, io.BytesIO()
    site_content.require_size(file.size_bytes)
    with damage.noted(target, choice.found):
        copy_reading.receive(target, manifest=choice.manifest, file=file, into=data, identities=identities)
    return site_content.read(data.getvalue())


def go_on_from(content: Mapping[str, Any]) -> int:
    """Let the empty audit trail here go on from that of a `site.json`. Return how many rows came. Raise
    `CopyUnreadable`, after which it is empty still, `RecordsUnavailable`."""
    try:
        return carried_trail.go_on_from(content["audit"])
    except UNFORESEEN as error:
        raise site_content.unreadable() from error


def bring_newest(
    target: StorageTarget,
    choices: Sequence[CopyChoice],
    *,
    identities: Sequence[Identity],
    requested_by: str,
    origin: Origin,
    now: datetime,
) -> Site | None:
    """Bring in the newest good `site.json` of these copies. Return None where none has one. Raise `RecordsUnavailable`
    and kinds of `TargetFailed` that are no matter of one copy."""
    problems: dict[str, TempleOpsError] = {}
    for choice in sorted(choices, key=partial(newest_first, now=now), reverse=True):
        try:
            content = content_of(target, choice, identities=identities)
            site = bring_in(content, requested_by=requested_by, origin=origin, now=now)
        except OF_ONE_SITE as error:
            problems[choice.backup_id] = error
        else:
            site.backup_id, site.problems = choice.backup_id, problems
            return site
    return Site(problems=problems) if problems else None


def bring_in(content: Mapping[str, Any], *, requested_by: str, origin: Origin, now: datetime) -> Site:
    """Make what `site.json` says and is not here yet: schedules, paused; the policy of retention, turned off; people,
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
    except (*UNFORESEEN, IntegrityError, DataError) as error:
        raise site_content.unreadable() from error
    except DatabaseError as error:
        raise records.failure(error) from error
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
    wish = ScheduleWish(
        **{name: plain[name] for name in site_content.SCHEDULE_FIELDS} | {"enabled": False, "target": ""}
    )
    changes.add(wish, who=who)


def _add_policy(plain: Mapping[str, Any] | None, changed_by: str, now: datetime) -> bool:
    if plain is None or RetentionPolicy.objects.exists():
        return False
    numbers = {name: int(plain[name]) for name in site_content.POLICY_FIELDS if name != "enabled"}
    RetentionPolicy.objects.create(
        pk=RetentionPolicy.ONLY, enabled=False, changed_at=now, changed_by=changed_by[:150], **numbers
    )
    return True
