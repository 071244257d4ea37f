"""Takes secrets out of text: the one place, behind the log lines, the exception reporter and the error mapper.

Two nets: the values that the settings hold, in every spelling they may turn up in; and whatever looks like a secret.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

from django.conf import settings

from backups_app.configuration import Configuration, Secret

GONE = "***"
SHORTEST = 6
"""A shorter password is a common word: taking it out of every text would hide more than it protects."""

KEYS_IN_THE_PATH = frozenset({"notify_urls", "healthcheck_url"})
"""Settings whose addresses are keys by themselves: whoever knows `slack://a/b/c` may write there."""

PATTERNS = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,30}://)[^\s\"'<>]*@"), rf"\1{GONE}@"),
    (re.compile(r"(?i)\bbearer\s+[a-z0-9._~+/=-]{8,}"), f"Bearer {GONE}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?"), GONE),
    (
        re.compile(
            r"(?i)(password|passwd|pwd|secret|access_?key|account_?key|sig)(\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s&\"',;}\\]+"
        ),
        rf"\1\2{GONE}",
    ),
)


def scrub(text: str) -> str:
    """Return the text without secrets. What is not one stays as it is."""
    known = _known((settings.SECRET_KEY, settings.AUDIT_KEY), _configuration(), _database_password())
    if known is not None:
        text = known.sub(GONE, text)
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def scrub_value(value: Any) -> Any:
    """Return a plain value with every text in it scrubbed, whatever it is nested in."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(str(key)): scrub_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub_value(item) for item in value]
    return value if value is None or isinstance(value, int | float) else scrub(str(value))


def is_too_short(uri: str) -> bool:
    """Return whether a password in this URI is too short to be looked for by its value. In a URI, or named as a
    password, it is taken out all the same."""
    _, *passwords = _parts(uri)
    return any(0 < len(password) < SHORTEST for password in passwords)


def _configuration() -> Configuration | None:
    found = getattr(settings, "TEMPLEOPS", None)
    return found if isinstance(found, Configuration) else None


def _database_password() -> str:
    return str(settings.DATABASES.get("default", {}).get("PASSWORD") or "")


@lru_cache(maxsize=8)
def _known(
    keys: tuple[str, ...], configuration: Configuration | None, database_password: str
) -> re.Pattern[str] | None:
    values = {*keys, database_password}
    for one in fields(configuration) if configuration is not None else ():
        value = getattr(configuration, one.name)
        for secret in value if isinstance(value, tuple) else (value,):
            if isinstance(secret, Secret):
                values.update(_parts(secret))
                values.update(_keys_in(secret) if one.name in KEYS_IN_THE_PATH else ())
    spellings = {spelling for value in values if len(value) >= SHORTEST for spelling in _spellings(value)}
    longest_first = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _parts(uri: str) -> Iterator[str]:
    """The whole value; and of a URI the password, also one that should have been percent-encoded, and the password of
    a key file in its options."""
    yield str(uri)
    _, _, rest = uri.partition("://")
    before, at, after = rest.rpartition("@")
    if at:
        password = before.partition(":")[2]
        yield from (password, unquote(password), unquote_plus(password))
    for name, value in parse_qsl((after or rest).partition("?")[2]):
        if "password" in name.lower() or "token" in name.lower():
            yield value


def _keys_in(url: str) -> Iterator[str]:
    """The pieces of an address that may be a key: of the path, and of the place of the host where that is none."""
    scheme, _, rest = str(url).partition("://")
    pieces = re.split(r"[/?&=:@#]", rest)
    yield from (unquote(piece) for piece in pieces[1 if scheme in ("http", "https") else 0 :] if len(piece) >= 8)


def _spellings(value: str) -> Iterable[str]:
    """The value as URLs, HTML, JSON, Python and Basic authentication write it."""
    encoded = value.encode("utf-8", "surrogatepass")
    yield from (value, quote(value, safe=""), quote(value), quote_plus(value), html.escape(value))
    yield from (quote(value, safe="").lower(), value.encode("unicode_escape").decode("ascii"), repr(value)[1:-1])
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield from (base64.b64encode(encoded).decode().rstrip("="), base64.urlsafe_b64encode(encoded).decode().rstrip("="))
