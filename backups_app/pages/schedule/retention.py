"""The retention half of Schedule & retention: the rules, what they would keep and remove, and saving them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from backups_app import configuration
from backups_app.access.signing_in import sessions
from backups_app.errors import InvalidInput, StepUpNeeded
from backups_app.pages.backups import keeping
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, show
from backups_app.records import Origin
from backups_app.retention.decision import DecidedBackup
from backups_app.retention.policy import PERIODS, PROPOSED, Policy
from backups_app.use_cases.retention import policy, simulation
from backups_app.use_cases.retention.simulation import Simulation
from backups_app.use_cases.schedules import overview

RULES = {
    "last": gettext_lazy("Last"),
    "daily": gettext_lazy("Daily"),
    "weekly": gettext_lazy("Weekly"),
    "monthly": gettext_lazy("Monthly"),
    "yearly": gettext_lazy("Yearly"),
}


def context(request: AdminRequest) -> dict[str, Any]:
    """Return what `schedule/_retention.html` shows: of the numbers in the address, or those in force, or proposed."""
    in_force = policy.current()
    return {"retention_on": in_force is not None, **_shown(request.GET, in_force or policy.last_set() or PROPOSED)}


@require_safe
@admin_page
def preview(request: AdminRequest) -> HttpResponse:
    """What the numbers in the form would keep and remove; without htmx the whole page says it."""
    if not getattr(request, "htmx", False):
        return go_to(request, f"{reverse('pages:schedule')}?{request.GET.urlencode()}#retention")
    shown = {"retention_on": policy.current() is not None, **_shown(request.GET, PROPOSED)}
    return show(request, page="schedule/_simulation.html", fragment="schedule/_simulation.html", context=shown)


@require_POST
@admin_page
def save(request: AdminRequest) -> HttpResponse:
    """Put the numbers in force, or turn retention off. It wants a fresh login, and comes back with the numbers kept."""
    numbers = {name: request.POST.get(name, "") for name in RULES}
    here, now = reverse("pages:schedule"), timezone.now()
    try:
        wanted = None if request.POST.get("act") == "off" else _policy(numbers)
        sessions.require_fresh(request.login_session, now)
    except StepUpNeeded:
        following = f"{here}?{urlencode(numbers)}"
        return go_to(request, f"{reverse('pages:step_up')}?{urlencode({'next': following})}")
    except InvalidInput:
        return go_to(request, f"{here}?{urlencode(numbers)}#retention")
    policy.change(
        configuration=configuration.current(), policy=wanted, changed_by=request.user.get_username(),
        origin=Origin.WEB, now=now,
    )  # fmt: skip
    return go_to(request, f"{here}?retention={'off' if wanted is None else 'saved'}#retention")


def _policy(numbers: Mapping[str, str]) -> Policy:
    """Raise InvalidInput where a field is no number."""
    counts: dict[str, Any] = {}
    for name in ("last", *PERIODS):
        text = str(numbers.get(name, "")).strip() or "0"
        counts[name] = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else text
    return Policy(**counts)


def _shown(given: Mapping[str, str], otherwise: Policy) -> dict[str, Any]:
    typed = any(name in given for name in RULES)
    problem: InvalidInput | None = None
    rules = otherwise
    try:
        rules = _policy(given) if typed else otherwise
    except InvalidInput as refused:
        problem = refused
    values = {name: given.get(name, "") for name in RULES} if typed else rules.as_json()
    return {
        "rules": [(name, words, values[name]) for name, words in RULES.items()],
        "rules_problem": problem,
        "min_keep": configuration.current().min_keep,
        "simulated": None if problem else _rows(rules),
    }


def _rows(rules: Policy) -> dict[str, Any]:
    now = timezone.now()
    found = simulation.simulate(
        configuration=configuration.current(), policy=rules, now=now, coming=overview.backup_slots(now=now)
    )
    return {
        "kept": [_row(one) for one in found.decision.kept],
        "removed": [_row(one) for one in found.decision.removed],
        "held": sum("backup_held" in one.reasons for one in found.decision.kept),
        "pinned": sum("backup_pinned" in one.reasons for one in found.decision.kept),
        "shrinks": found.history_shrinks,
        "days_now": found.reach_now.days,
        "days_then": found.shortest.days,
        "later": found.in_30_days if found.counts_later else None,
        "later_days": found.in_30_days.reach.days,
        "activities": _activities(found),
        "complete": found.complete,
        "shrinkages": found.shrinkages,
    }


def _row(one: DecidedBackup) -> dict[str, Any]:
    return {
        "backup_id": one.backup.backup_id,
        "at": one.backup.taken_at,
        "reasons": [keeping.reason(code) for code in one.reasons],
    }


def _activities(found: Simulation) -> int:
    """Return how many of the backups that go hold activities: deleted ones live as long as their backups."""
    return sum(bool(one.backup.documents.get("activities")) for one in found.decision.removed)
