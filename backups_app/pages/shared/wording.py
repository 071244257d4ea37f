"""Template filters and tags: moments, numbers, sizes and durations as people read them, icons."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from backups_app import formats
from backups_app.records import is_ahead

register = template.Library()

ICON_NAME = re.compile(r"[a-z0-9-]+")


def aware(moment: datetime | str | None) -> datetime | None:
    """Return a moment with its zone: what MongoDB hands out is UTC, what `metadata.json` holds is ISO 8601."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return None
    if moment is None:
        return None
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)


def moment_of(backup_id: str) -> datetime | None:
    """Return the moment that a run's id names."""
    try:
        return datetime.strptime(backup_id[:15], "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


@register.filter
def when(moment: datetime | str | None) -> SafeString | str:
    """`19 Jan 2025, 14:30 IST`, in a `<time>` element."""
    return _time_element(moment, "j M Y, H:i")


@register.filter
def clock(moment: datetime | str | None) -> SafeString | str:
    """`16:44:20 IST`."""
    return _time_element(moment, "H:i:s")


@register.filter
def when_text(moment: datetime | str | None) -> str:
    """`19 Jan 2025, 14:30 IST` without an element: for options and titles."""
    at = aware(moment)
    return _shown(at, "j M Y, H:i", _place())[1] if at else ""


@register.filter
def ago(moment: datetime | str | None) -> str:
    """`3 min ago`, `2 h 14 min ago`: how long it is since `moment`, in whole minutes from one on."""
    at = aware(moment)
    if at is None:
        return ""
    now = timezone.now()
    if is_ahead(at, now=now):
        return _("dated in the future")
    seconds = (now - at).total_seconds()
    if seconds < 45:
        return _("a moment ago")
    return _("%(duration)s ago") % {"duration": _in_minutes(seconds)}


@register.filter
def ahead(moment: datetime | None) -> str:
    """`in 2 h 14 min`, `in 6 days`: how long it is until `moment`, in whole minutes from one on."""
    seconds = (moment - timezone.now()).total_seconds() if moment else 0
    if seconds < 45:
        return _("due now")
    return _("in %(duration)s") % {"duration": _in_minutes(seconds)}


def _in_minutes(seconds: float) -> str:
    return duration(seconds if seconds < 60 else seconds // 60 * 60)


@register.filter
def dated_ahead(moment: datetime | str | None) -> bool:
    """Whether a moment is dated in the future: a clock was wrong."""
    at = aware(moment)
    return at is not None and is_ahead(at, now=timezone.now())


@register.filter
def duration(seconds: float | timedelta | str | None) -> str:
    """`4.1 s`, `48 s`, `3 min 20 s`, `2 h 14 min`, `6 days`."""
    if seconds is None or isinstance(seconds, str):
        return ""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:
        return _("%(n)s s") % {"n": f"{max(seconds, 0):.1f}"}
    whole = round(seconds)
    if whole < 60:
        return _("%(n)s s") % {"n": whole}
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return _("%(m)s min %(s)s s") % {"m": minutes, "s": rest} if rest else _("%(m)s min") % {"m": minutes}
    if minutes < 60:
        return _("%(m)s min") % {"m": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}
    days = hours // 24
    return ngettext("%(d)s day", "%(d)s days", days) % {"d": days}


@register.filter
def number(value: int | str | None) -> str:
    """`1,23,45,678`; empty for what nobody knows: a template hands over as "" what a record does not hold."""
    return "" if value in (None, "") else formats.grouped(int(value))


@register.filter
def signed(value: int) -> str:
    """`+12` or `−3`."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{formats.grouped(abs(value))}"


@register.filter
def size(value: int | str | None) -> SafeString | str:
    """`12.4 MB`, the bytes in a title."""
    if value in (None, ""):
        return ""
    return format_html('<span title="{} B">{}</span>', formats.grouped(int(value)), size_text(value))


@register.filter
def size_text(value: int | str | None) -> str:
    """`12.4 MB`: 1,024 bytes to the KB, one decimal."""
    if value in (None, ""):
        return ""
    amount = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{int(amount)} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"


@register.filter
def marked(text: str, wanted: str) -> SafeString:
    """Return `text`, escaped, with every place where `wanted` stands (whatever the case) in a `<mark>`."""
    if not wanted:
        return escape(text)
    pieces = re.split(f"({re.escape(wanted)})", text, flags=re.IGNORECASE)
    return mark_safe(  # noqa: S308  (every piece is escaped)
        "".join(f"<mark>{escape(piece)}</mark>" if odd % 2 else escape(piece) for odd, piece in enumerate(pieces))
    )


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """Return `mapping[key]`, or None."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.simple_tag
@lru_cache(maxsize=1_000)  # a page has fifty
def icon(name: str, classes: str = "") -> SafeString:
    """An icon of the sprite. It is decoration: the words stand beside it."""
    assert ICON_NAME.fullmatch(name), name
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        classes, static("vendor/lucide/icons.svg"), name,
    )  # fmt: skip


@register.simple_tag
def integrity(file: str) -> str:
    """Return the `integrity` value of a vendored file, as `VENDOR.json` records it."""
    return f"sha384-{_vendored()[file]}"


@cache
def _vendored() -> dict[str, str]:
    record = json.loads((settings.BASE_DIR / "static" / "vendor" / "VENDOR.json").read_text())
    return {entry["file"]: entry["sha384"] for part in record["parts"] for entry in part["files"]}


def _time_element(moment: datetime | str | None, pattern: str) -> SafeString | str:
    at = aware(moment)
    return _shown(at, pattern, _place())[0] if at else ""


def _place() -> tuple[str | None, str]:
    """What the words of a moment depend on besides the moment: the language and the zone of the page."""
    return get_language(), timezone.get_current_timezone_name()


@lru_cache(maxsize=4_000)  # a list of backups shows each moment four times
def _shown(at: datetime, pattern: str, place: tuple[str | None, str]) -> tuple[SafeString, str]:
    """Return a moment in words, in a `<time>` element and without."""
    local = timezone.localtime(at)
    words = f"{date_format(local, pattern)} {local.tzname()}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), words), words
