"""Takes the secrets that the settings hold out of text, for log lines, the exception reporter and the error mapper."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import lru_cache
from typing import Any

from django.conf import settings

from backups_app import redaction
from backups_app.configuration import Configuration, Secret

SHORTEST = 6
"""A shorter password is a common word: taking it out of every text would hide more than it protects."""

KEYS_IN_THE_PATH = frozenset({"notify_urls", "healthcheck_url"})
"""Settings whose addresses are keys by themselves: with `slack://a/b/c` anybody may write there."""


def scrub(text: str) -> str:
    """Return the text without secrets. Everything else stays as it is."""
    keys = (settings.SECRET_KEY, settings.AUDIT_KEY, _database_password(), *_broker_passwords())
    return _redactor(keys, _configuration()).clean(text)


def scrub_value(value: Any) -> Any:
    """Return a plain value with every text in it scrubbed, whatever it is nested in. NaN and infinity become texts:
    JSON has no number for them."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(str(key)): scrub_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub_value(item) for item in value]
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if value is None or is_number else scrub(str(value))


def is_too_short(uri: str) -> bool:
    """Return whether a password in this URI is too short to be looked for by its value. In a URI, or named as a
    password, it is taken out all the same."""
    return any(0 < len(password) < SHORTEST for password in redaction.passwords(uri))


def _configuration() -> Configuration | None:
    found = getattr(settings, "TEMPLEOPS", None)
    return found if isinstance(found, Configuration) else None


def _database_password() -> str:
    return str(settings.DATABASES.get("default", {}).get("PASSWORD") or "")


def _broker_passwords() -> tuple[str, ...]:
    return tuple(redaction.passwords(getattr(settings, "JOBS_BROKER_URL", "")))


@lru_cache(maxsize=8)
def _redactor(keys: tuple[str, ...], configuration: Configuration | None) -> redaction.Redactor:
    values = set(keys)
    for target in configuration.targets if configuration is not None else ():
        values |= set(target.secrets)
    for one in fields(configuration) if configuration is not None else ():
        value = getattr(configuration, one.name)
        for secret in value if isinstance(value, tuple) else (value,):
            if isinstance(secret, Secret):
                values |= {str(secret), *redaction.passwords(secret)}
                values |= set(redaction.keys_in(secret)) if one.name in KEYS_IN_THE_PATH else set()
    return redaction.Redactor(values, shortest=SHORTEST)
