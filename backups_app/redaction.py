"""Takes secrets out of text that others wrote: a driver's error, a tool's log line, a request.

Two nets: known secrets in every spelling in which programs print them, and whatever looks like a secret.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"
_SCHEME = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,30}://")
_TOKEN_BEGINS = re.compile(r"\beyJ[A-Za-z0-9_-]{5}")


def _without_user_info(found: re.Match[str]) -> str:
    """Given a text without spaces, hide what stands between its first `scheme://` and its last `@`."""
    text = found[0]
    end = text.rfind("@")
    scheme = _SCHEME.search(text, 0, end) if end > 0 else None
    return f"{text[: scheme.end()]}{HIDDEN}{text[end:]}" if scheme else text


def _without_tokens(found: re.Match[str]) -> str:
    """Given parts with dots between them, hide every JSON web token: a part that begins with `eyJ`, and the two after
    it, of which the last may be missing."""
    parts = found[0].split(".")
    shown: list[str] = []
    at = 0
    while at < len(parts):
        begins = _TOKEN_BEGINS.search(parts[at])
        is_token = begins is not None and at + 1 < len(parts) and parts[at + 1] != ""
        shown.append(f"{parts[at][: begins.start()]}{HIDDEN}" if begins and is_token else parts[at])
        at += 3 if is_token else 1
    return ".".join(shown)


PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[^\s\"'<>]+"), _without_user_info),
    (re.compile(r"(?i)\bbearer\s+[a-z0-9._~+/=-]{8,}"), f"Bearer {HIDDEN}"),
    (re.compile(r"[A-Za-z0-9_.-]+"), _without_tokens),
    (re.compile(r"(?i)AGE-SECRET-KEY-[A-Z0-9-]+"), HIDDEN),
    (re.compile(r"(?i)((?:authMechanismProperties|session_token)=)[^&\s\"']+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)(password|passwd|pwd|secret|access_?key|account_?key|sig)(\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s&\"',;}\\]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
)
"""Each takes time in proportion to the text: functions take addresses and tokens apart, because one pattern would look
for their end again from each beginning."""
_SECRET_OPTION = re.compile(r"(?i)password|token|authMechanismProperties")


class Redactor:
    """Knows some secrets in every spelling. One shorter than `shortest` is hidden only where a pattern finds it."""

    def __init__(self, secrets: Iterable[str], *, shortest: int) -> None:
        spellings = {spelling for secret in secrets if len(secret) >= shortest for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def clean(self, text: str) -> str:
        """Return the text without secrets. Everything else stays as it is."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def passwords(uri: str) -> Iterator[str]:
    """Yield the secrets of a URI: its password, also one that should have been percent-encoded, and secret options."""
    _, _, rest = uri.partition("://")
    before, at, after = rest.rpartition("@")
    if at:
        yield from _decoded(before.partition(":")[2])
    for option in (after or rest).partition("?")[2].split("&"):
        name, _, value = option.partition("=")
        if _SECRET_OPTION.search(name):
            yield from _decoded(value)


def keys_in(url: str) -> Iterator[str]:
    """Yield the pieces of an address that may be a key: of its path, and of its host where the scheme is no HTTP."""
    scheme, _, rest = url.partition("://")
    pieces = re.split(r"[/?&=:@#]", rest)
    yield from (unquote(piece) for piece in pieces[1 if scheme in ("http", "https") else 0 :] if len(piece) >= 8)


def _decoded(secret: str) -> tuple[str, str, str]:
    return secret, unquote(secret), unquote_plus(secret)


def _spellings(value: str) -> Iterator[str]:
    """Yield the value as URLs, HTML, JSON, Python, logs and Basic authentication write it."""
    encoded = value.encode("utf-8", "surrogatepass")
    yield from (value, quote(value, safe=""), quote(value), quote_plus(value), html.escape(value))
    yield from (quote(value, safe="").lower(), value.encode("unicode_escape").decode("ascii"), repr(value)[1:-1])
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield from (base64.b64encode(encoded).decode().rstrip("="), base64.urlsafe_b64encode(encoded).decode().rstrip("="))
