"""Takes the secrets of a MongoDB URI out of text that others wrote: a tool's log, a driver's error."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus, unquote

_USER_INFO = re.compile(r"(mongodb(?:\+srv)?://)[^\s\"'/?#]*@", re.IGNORECASE)
_SECRET_OPTIONS = re.compile(r"(?i)((?:\w*password|authMechanismProperties|\w*token)=)[^&\s\"']+")
_HIDDEN = "***"
_TOO_SHORT = 3
"""A password of two letters would blot out half the text; the user info of the URI hides it where it matters."""


class Redactor:
    """Knows the secrets of one URI in every form in which programs print them."""

    def __init__(self, uri: str) -> None:
        self._known = sorted(_forms(_secrets(uri)), key=len, reverse=True)

    def clean(self, text: str) -> str:
        """Return `text` without the URI's password, whatever form it has there, and without any URI's user info."""
        for secret in self._known:
            text = text.replace(secret, _HIDDEN)
        text = _USER_INFO.sub(rf"\1{_HIDDEN}@", text)
        return _SECRET_OPTIONS.sub(rf"\1{_HIDDEN}", text)


def _secrets(uri: str) -> set[str]:
    found = set()
    user_info, at, _ = uri.partition("://")[2].partition("?")[0].rpartition("@")
    if at and ":" in user_info:
        found.add(user_info.partition(":")[2])
    found |= {match.group(0).partition("=")[2] for match in _SECRET_OPTIONS.finditer(uri.partition("?")[2])}
    return {secret for secret in found if secret}


def _forms(secrets: set[str]) -> set[str]:
    forms = set()
    for secret in secrets:
        plain = unquote(secret)
        forms |= {secret, plain, quote(plain, safe=""), quote_plus(plain), repr(plain)[1:-1]}
        forms |= {
            b64encode(plain.encode()).decode().rstrip("="),
            urlsafe_b64encode(plain.encode()).decode().rstrip("="),
        }
        forms.add(plain.replace("\\", "\\\\").replace('"', '\\"'))
    return {form for form in forms if len(form) >= _TOO_SHORT}
