"""The id that a response, its error, its log lines and its audit rows share."""

from __future__ import annotations

import secrets
from contextvars import ContextVar

CURRENT: ContextVar[str] = ContextVar("request_id", default="")


def new() -> str:
    """Return a new id of 12 hex digits and make it the one of this context. What a client sends is not taken over."""
    request_id = secrets.token_hex(6)
    CURRENT.set(request_id)
    return request_id
