"""`site.json`: what a site is besides its backups. It travels with each copy, encrypted like the rest.

    {"format": "templeops-site", "version": 1, "made_at": "2025-01-19T14:40:00Z", "site_id": "4f0c…",
     "schedules": [{"name", "do", "cron", "time_zone", "if_missed", "enabled", "target"}],
     "retention": {"enabled", "last", "daily", "weekly", "monthly", "yearly"} or null,
     "recipients": ["age1…"],
     "people": [{"username", "name", "role_id", "email", "is_active", "wish", "language"}],
     "audit": [every row so far]}

No password, no session, no key and no address of a channel is in it. It is stored compressed (`site.json.gz`).
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError

from backups_app import formats
from backups_app.access import records
from backups_app.access.trail import carried_trail
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.gzip_members import Decompressed
from backups_app.configuration import Configuration
from backups_app.errors import SiteUnreadable
from backups_app.messages.protection import storage as messages
from backups_app.models import NotificationChoice, RetentionPolicy, Schedule, User

FILE = "site.json.gz"
FORMAT, VERSION = "templeops-site", 1
LARGEST_BYTES = 256 * 1024 * 1024
"""So much is read at most, unpacked: an audit trail of about 600,000 rows. Somebody else may have written it."""
_PIECE = 1 << 20
SCHEDULE_FIELDS = ("name", "do", "cron", "time_zone", "if_missed", "enabled", "target")
POLICY_FIELDS = ("enabled", "last", "daily", "weekly", "monthly", "yearly")


def made(*, configuration: Configuration, now: datetime, site_id: str = "") -> bytes:
    """Return the compressed content as it is at this moment. `site_id` names the site; empty: none is known. Raise
    `RecordsUnavailable`."""
    try:
        content = {
            "format": FORMAT,
            "version": VERSION,
            "made_at": formats.utc_seconds(now),
            "site_id": site_id,
            "schedules": list(Schedule.objects.order_by("name").values(*SCHEDULE_FIELDS)),
            "retention": RetentionPolicy.objects.values(*POLICY_FIELDS).first(),
            "recipients": list(configuration.copy_recipients),
            "people": _people(),
            "audit": list(carried_trail.rows()),
        }
    except DatabaseError as error:
        raise records.failure(error) from error
    return gzip.compress(json.dumps(content, ensure_ascii=False, allow_nan=False).encode(), compresslevel=6, mtime=0)


def read(data: bytes) -> dict[str, Any]:
    """Given the compressed content, return it. Raise `SiteUnreadable`, also for one larger than any that is read."""
    try:
        content = json.loads(_unpacked(data))
    except (ValueError, RecursionError) as error:
        raise unreadable() from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise unreadable()
    if content.get("version") != VERSION:
        raise SiteUnreadable(problem=messages.COPY_MANIFEST_VERSION())
    return content


def require_size(size_bytes: int) -> None:
    """Raise `SiteUnreadable` for a content, compressed or not, that is larger than any that is read."""
    if size_bytes > LARGEST_BYTES:
        raise SiteUnreadable(problem=messages.SITE_CONTENT_TOO_LARGE())


def _unpacked(data: bytes) -> bytearray:
    stream, clear = Decompressed(io.BytesIO(data)), bytearray()
    try:
        while piece := stream.read(_PIECE):
            require_size(len(clear) + len(piece))
            clear += piece
    except InvalidFrame as error:
        raise unreadable() from error
    return clear


def unreadable() -> SiteUnreadable:
    """Return the failure of a content that is none."""
    return SiteUnreadable(problem=messages.SITE_CONTENT_INVALID())


def _people() -> list[dict[str, Any]]:
    choices = {one.channel: one for one in NotificationChoice.objects.all()}
    return [_person(one, choices) for one in User.objects.order_by("username")]


def _person(person: User, choices: Mapping[str, NotificationChoice]) -> dict[str, Any]:
    choice = choices.get(f"mail:{person.pk}")
    return {
        "username": person.get_username(),
        "name": person.get_full_name(),
        "role_id": person.role_id,
        "email": person.email,
        "is_active": person.is_active,
        "wish": choice.wish if choice else None,
        "language": choice.language if choice else None,
    }
