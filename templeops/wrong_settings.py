"""What is wrong with the settings: all of it at once, by name, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from marshmallow import ValidationError

from backups_app import url_parts
from backups_app.schedule import slots

DATABASES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")
BROKERS = {
    "redis": ("celery", "redis"),
    "rediss": ("celery", "redis"),
    "amqp": ("celery", "amqp"),
    "amqps": ("celery", "amqp"),
}
"""Schemes of JOBS_BROKER_URL, and the libraries that each needs."""
HOST = re.compile(r"\*|\.?[^\s:/@\[\]]+|\[[0-9a-fA-F:.]+\]")


def is_a_time_zone(name: str) -> None:
    """Raise ValidationError for a name that is none."""
    if name not in slots.zone_names():
        raise ValidationError("Not a time zone. Names look like Asia/Kolkata.")


def are_hosts(names: Iterable[str]) -> None:
    """Raise ValidationError for an address that no request can bear: with a scheme, a port or a path."""
    wrong = [name.strip() for name in names if not HOST.fullmatch(name.strip())]
    if wrong:
        raise ValidationError(f"Not host names, separated by commas: {', '.join(wrong)}. No scheme, no port; [::1].")


def database_problem(database: Mapping[str, Any]) -> str | None:
    """Return what is wrong with Django's own database, as far as its address says."""
    if database.get("ENGINE") not in DATABASES:
        return "Only sqlite:///path and postgres://user:password@host:5432/name are known."
    if database["ENGINE"].endswith("postgresql") and find_spec("psycopg") is None:
        return "PostgreSQL needs psycopg, which is not installed. Run: pip install -r requirements.lock"
    return None


def broker_problem(url: str) -> str | None:
    """Return what is wrong with the broker of jobs, as far as its address and the installed libraries show."""
    try:
        parts = url_parts.split(url)
        is_known = parts.scheme in BROKERS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_known = False
    if not is_known:
        return "Only redis://, rediss://, amqp:// and amqps://user:password@host:port/ are known."
    missing = [name for name in BROKERS[parts.scheme] if find_spec(name) is None]
    if missing:
        return f"Not installed: {', '.join(missing)}. Run: pip install -r requirements-distributed.txt"
    return None


def refuse(problems: Mapping[str, Iterable[object]]) -> None:
    """Raise ImproperlyConfigured with every problem by the name of its setting; do nothing where there is none."""
    if problems:
        named = "; ".join(f"{name}: {' '.join(map(str, message))}" for name, message in problems.items())
        raise ImproperlyConfigured(f"These settings are wrong (environment or .env): {named}")
