"""Who was turned away at a door because of their role: on record, and not once for every reload."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.http import HttpRequest

from backups_app.access.trail import audit
from backups_app.errors import RecordsUnavailable
from backups_app.models import AuditEvent, User
from backups_app.records import Origin

ACTION = "access.denied"
ONE_ENTRY_PER = timedelta(minutes=10)

logger = logging.getLogger(__name__)


def note(request: HttpRequest, *, user: User, origin: Origin, now: datetime) -> None:
    """Put on record that this signed-in person was refused here: one entry per person, address and ten minutes, so
    that a page which asks again by itself cannot fill the trail.

    The address is the route with its places unfilled: what somebody types there is not written down. Where nothing can
    be recorded the refusal stands all the same, and the log has it.
    """
    found, actor = request.resolver_match, user.get_username()
    route = f"/{found.route}" if found else "(unknown)"
    logger.warning("Refused for the role", extra={"route": route, "user": actor})
    if _is_on_record(actor=actor, route=route, since=now - ONE_ENTRY_PER):
        return
    try:
        audit.record(
            actor=actor, origin=origin, action=ACTION, target=route, result="refused", now=now,
            details={"method": request.method},
        )  # fmt: skip
    except RecordsUnavailable:
        logger.exception("A refusal is not on record")


def _is_on_record(*, actor: str, route: str, since: datetime) -> bool:
    return AuditEvent.objects.filter(at__gt=since, action=ACTION, actor=actor, target=route).exists()
