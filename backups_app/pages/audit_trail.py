"""The audit trail: who did what, when, from where, with what result. It is read here, and nowhere changed."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from backups_app.access import audit
from backups_app.models import AuditEvent
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, show
from backups_app.pages.viewer_place import whole_number

PER_PAGE = 50


@require_safe
@admin_page
def listing(request: AdminRequest) -> HttpResponse:
    """The rows that the form asks for, fifty a page."""
    rows = _asked(request.GET)
    page = max(1, whole_number(request.GET.get("page"), 1))
    total = rows.count()
    shown = list(rows[(page - 1) * PER_PAGE : page * PER_PAGE])
    for row in shown:
        row.told = json.dumps(row.details, ensure_ascii=False, indent=2) if row.details else ""  # type: ignore[attr-defined]
    asked = request.GET.copy()
    asked.pop("page", None)
    context = {
        "place": "audit",
        "rows": shown,
        "total": total,
        "page": page,
        "pages": max(1, -(-total // PER_PAGE)),
        "asked": request.GET,
        "query": asked.urlencode(),
        "actions": AuditEvent.objects.order_by("action").values_list("action", flat=True).distinct(),
        "people": AuditEvent.objects.order_by("actor").values_list("actor", flat=True).distinct(),
    }
    return show(request, page="backups/audit.html", fragment="backups/_audit.html", context=context)


def _asked(asked: QueryDict) -> QuerySet[AuditEvent]:
    """The rows of a person, an action, a span of days of the local zone. A date that is none is left out."""
    rows: QuerySet[AuditEvent] = AuditEvent.objects.order_by("-n")
    if asked.get("actor"):
        rows = rows.filter(actor=audit.storable(str(asked["actor"])))
    if asked.get("action"):
        rows = rows.filter(action=audit.storable(str(asked["action"])))
    first, last = _day(asked.get("from")), _day(asked.get("to"))
    if first:
        rows = rows.filter(at__gte=first)
    if last:
        rows = rows.filter(at__lt=last + timedelta(days=1))
    return rows


def _day(text: str | None) -> datetime | None:
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone()) if day else None
