"""What is wrong with the settings: all of it at once, by name, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from marshmallow import ValidationError

DATABASES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")
HOST = re.compile(r"\*|\.?[^\s:/@\[\]]+|\[[0-9a-fA-F:.]+\]")


def is_a_time_zone(name: str) -> None:
    """Raise ValidationError for a name that is none."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValidationError("Not a time zone. Names look like Asia/Kolkata.") from None


def are_hosts(names: Iterable[str]) -> None:
    """Raise ValidationError for an address that no request can bear: with a scheme, a port or a path."""
    wrong = [name.strip() for name in names if not HOST.fullmatch(name.strip())]
    if wrong:
        raise ValidationError(f"Not host names, separated by commas: {', '.join(wrong)}. No scheme, no port; [::1].")


def database_problem(database: Mapping[str, Any]) -> str | None:
    """Return what is wrong with Django's own database, as far as its address tells."""
    if database.get("ENGINE") not in DATABASES:
        return "Only sqlite:///path and postgres://user:password@host:5432/name are known."
    return None


def refuse(problems: Mapping[str, Iterable[object]]) -> None:
    """Raise ImproperlyConfigured with every problem by the name of its setting; do nothing where there is none."""
    if problems:
        named = "; ".join(f"{name}: {' '.join(map(str, said))}" for name, said in problems.items())
        raise ImproperlyConfigured(f"These settings are wrong (environment or .env): {named}")
