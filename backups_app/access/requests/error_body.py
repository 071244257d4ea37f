"""The body of every refusal of the API, whether a view, the middleware or the last resort answers."""

from __future__ import annotations

from backups_app.access import request_context
from backups_app.access.secrecy import redaction


def error_body(*, code: str, detail: str, hint: str = "") -> dict[str, str]:
    """Return detail, code and request id; the hint where there is one. Secrets are taken out of the detail."""
    body = {"detail": redaction.scrub(detail), "code": code, "request_id": request_context.current().request_id}
    return {**body, "hint": hint} if hint else body
