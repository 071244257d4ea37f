"""Where a request comes from: what sessions, the throttle and the audit trail need to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from backups_app.records import Origin

LONGEST_HEADER = 512


@dataclass(frozen=True, kw_only=True)
class Visit:
    """`address` is the peer's own: `X-Forwarded-For` is whatever the sender likes, so it is not read.

    `device_id` is None when no `X-Device-Id` was sent.
    """

    origin: Origin
    address: str = ""
    user_agent: str = ""
    device_id: str | None = None
    request_id: str = ""


def visit_of(request: HttpRequest, *, origin: Origin) -> Visit:
    """Given a request, return the facts of it."""
    device_id = request.headers.get("X-Device-Id")
    return Visit(
        origin=origin,
        address=request.META.get("REMOTE_ADDR", "")[:45],
        user_agent=request.headers.get("User-Agent", "")[:LONGEST_HEADER],
        device_id=device_id[:LONGEST_HEADER] if device_id else None,
        request_id=getattr(request, "request_id", ""),
    )
