"""The audit trail: who did what, when, from where, with what result. It is read here, and nowhere changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from http import HTTPStatus

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from backups_app.access.trail import audit
from backups_app.models import AuditEvent
from backups_app.pages.audit import audit_rows
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, is_htmx, show
from backups_app.pages.viewer.viewer_place import whole_number

PER_PAGE = 50
LOOKING = ("collection.view", "find", "restore.preview")
"""Actions that only read. They are shown when somebody asks for them."""
EARLIEST, LATEST = date(1970, 1, 1), date(9000, 1, 1)
"""A day before or after is taken for one of these: who types a year passes the year 2 on the way."""


@dataclass(frozen=True, kw_only=True)
class AuditFilters:
    """What the form asks for: the days of the local zone, both included. `looking`: entries that only read, too.
    `problems` are sentences by field."""

    actor: str
    action: str
    result: str
    first: date | None
    last: date | None
    looking: bool = False
    problems: dict[str, str] = field(default_factory=dict)


@require_safe
@admin_page
def listing(request: AdminRequest) -> HttpResponse:
    """The rows that the form asks for, fifty a page; none where it asks for what cannot be."""
    asked = read(request.GET)
    rows = AuditEvent.objects.none() if asked.problems else _rows(asked)
    total = rows.count()
    pages = max(1, -(-total // PER_PAGE))
    page = min(pages, max(1, whole_number(request.GET.get("page"), 1)))
    query = request.GET.copy()
    query.pop("page", None)
    shown = audit_rows.rows_of(list(rows[(page - 1) * PER_PAGE : page * PER_PAGE]))
    context = {
        "place": "audit",
        "rows": shown if asked.action or asked.result else audit_rows.folded(shown),
        "total": total,
        "page": page,
        "pages": pages,
        "asked": asked,
        "narrowed": any(value for name, value in query.items()),
        "query": query.urlencode(),
        "problems": asked.problems,
        "from_htmx": is_htmx(request),
        **_choices(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if asked.problems else HTTPStatus.OK
    return show(
        request,
        page="audit/audit.html",
        fragment="audit/_answer.html",
        context=context,
        status=status,
        titled=True,
    )


def read(query: QueryDict) -> AuditFilters:
    """Return what is asked for, and what is wrong with it."""
    problems: dict[str, str] = {}
    days: dict[str, date | None] = {}
    for name in ("from", "to"):
        try:
            days[name] = _day(query.get(name, ""))
        except ValueError:
            days[name] = None
            problems[name] = _("“%(day)s” is not a date. Write it as 2026-01-19.") % {"day": query[name][:20]}
    first, last = days["from"], days["to"]
    if first and last and first > last:
        problems["from"] = _("The first day comes after the last one.")
    chosen = {name: audit.storable(query.get(name, "")) for name in ("actor", "action", "result")}
    return AuditFilters(**chosen, first=first, last=last, looking="looking" in query, problems=problems)


def _rows(asked: AuditFilters) -> QuerySet[AuditEvent]:
    rows: QuerySet[AuditEvent] = AuditEvent.objects.order_by("-n")
    exact = {"actor": asked.actor, "action": asked.action, "result": asked.result}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if not asked.looking and not asked.action:
        rows = rows.exclude(action__in=LOOKING)
    if asked.first:
        rows = rows.filter(at__gte=_begin_of(asked.first))
    if asked.last:
        rows = rows.filter(at__lt=_begin_of(asked.last + timedelta(days=1)))
    return rows


def _choices() -> dict[str, list[str]]:
    """What the three lists offer: what stands in the trail."""
    return {
        name: list(AuditEvent.objects.order_by(column).values_list(column, flat=True).distinct())
        for name, column in (("people", "actor"), ("actions", "action"), ("results", "result"))
    }


def _day(text: str) -> date | None:
    """Return the day, None for nothing. Raise ValueError for what is none."""
    if not text:
        return None
    day = parse_date(text)
    if day is None:
        raise ValueError
    return min(max(day, EARLIEST), LATEST)


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
