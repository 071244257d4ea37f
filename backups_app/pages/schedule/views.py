"""Schedule & retention: what runs by itself, and the form that changes it."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups_app import configuration
from backups_app.access.signing_in import sessions
from backups_app.errors import ConfirmationMissing, InvalidInput, LoginRefused, RateLimited, RunActive, TempleOpsError
from backups_app.pages.account.login import problems_of
from backups_app.pages.backups import rows as backup_rows
from backups_app.pages.backups import size_chart
from backups_app.pages.guards import admin_page
from backups_app.pages.home import trigger
from backups_app.pages.requests import AdminRequest, go_to, show
from backups_app.pages.runs import views as run_pages
from backups_app.pages.schedule import calendar, form, retention, wording
from backups_app.pages.schedule.form import Filled
from backups_app.pages.shared.translation import translated
from backups_app.records import CONFIRMATION_PHRASE, Origin
from backups_app.use_cases.listing import listing
from backups_app.use_cases.retention import simulation
from backups_app.use_cases.schedules import changes, overview
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import PlannedSchedule

PAST_SLOTS = 30
PLACE = {"place": "schedule"}


@require_safe
@admin_page
def schedule(request: AdminRequest) -> HttpResponse:
    """The schedules, the month, sizes and durations."""
    return _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def new(request: AdminRequest) -> HttpResponse:
    """The form of a new schedule; or save it."""
    if request.method != "POST":
        return _form_page(request, Filled(time_zone=overview.house_zone()))
    return _save(request, None, form.of_fields(request.POST.dict()))


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@sensitive_post_parameters("password")
def edit(request: AdminRequest, name: str) -> HttpResponse:
    """The form of a schedule as it is; or change it. `resume` switches a paused one on."""
    before = overview.get(name, now=timezone.now())
    if request.method != "POST":
        return _form_page(request, form.of_wish(before.wish), name=name)
    enabled = before.row.enabled or request.POST.get("act") == "resume"
    return _save(request, name, form.of_fields(request.POST.dict(), enabled=enabled))


@require_safe
@admin_page
def preview(request: AdminRequest) -> HttpResponse:
    """The sentence and the next five runs of what is in the form now."""
    filled = form.of_fields(request.GET.dict())
    context = _form_context(request, filled, name=request.GET.get("changes") or None)
    return show(request, page="schedule/edit.html", fragment="schedule/_plan.html", context=context)


@require_POST
@admin_page
def act(request: AdminRequest, name: str) -> HttpResponse:
    """Pause, resume, remove a schedule, or run it now. What deletes bookings is switched on by its form alone."""
    wanted, who = request.POST.get("act", ""), _who(request)
    if wanted == "resume" and overview.get(name, now=who.now).wish.deletes:
        return go_to(request, reverse("pages:schedule_edit", args=[name]))
    try:
        if wanted in ("pause", "resume"):
            changes.switch(name, enabled=wanted == "resume", who=who)
        elif wanted == "remove":
            changes.remove(name, who=who)
        elif wanted == "run":
            slot = changes.run_now(name, who=who)
            return go_to(request, reverse("pages:run", args=[slot.run]) if slot.run else _home(done="queued"))
        else:
            raise InvalidInput(message="act must be pause, resume, remove or run")
    except RunActive as active:
        return run_pages.watch(request, active)
    return go_to(request, _home(done=wanted))


def _save(request: AdminRequest, name: str | None, filled: Filled) -> HttpResponse:
    if request.POST.get("act") == "preview":
        return _form_page(request, filled, name=name)
    try:
        wish = filled.wish()
        if changes.needs_confirmation(name, wish):
            trigger.require_confirmation(request)
        who = _who(request, confirm=request.POST.get("confirm", ""))
        if name is None:
            changes.add(wish, who=who)
        else:
            changes.change(name, wish, who=who)
    except (LoginRefused, RateLimited) as refusal:
        return _form_page(request, filled, name=name, problems=problems_of(refusal, field="password"))
    except ConfirmationMissing as refusal:
        return _form_page(request, filled, name=name, problems={"confirm": translated(refusal.detail)})
    except TempleOpsError as refusal:
        field = form.FIELDS.get(type(refusal), "")
        return _form_page(request, filled, name=name, problems={field: translated(refusal.detail)})
    return go_to(request, _home(done="saved"))


def _form_page(
    request: AdminRequest, filled: Filled, *, name: str | None = None, problems: dict[str, str] | None = None
) -> HttpResponse:
    context = _form_context(request, filled, name=name) | {"problems": problems or {}}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return render(request, "schedule/edit.html", context, status=status)


def _form_context(request: AdminRequest, filled: Filled, *, name: str | None) -> dict[str, Any]:
    now = timezone.now()
    return PLACE | {
        "filled": filled,
        "name": name,
        "choices": form.choices(),
        "zones": form.zones(),
        "phrase": CONFIRMATION_PHRASE,
        "ask_password": not sessions.is_fresh(request.login_session, now),
        **_plan(filled, name=name, now=now),
    }


def _plan(filled: Filled, *, name: str | None, now: datetime) -> dict[str, Any]:
    """Return the sentence, the next runs of what is filled in and what is kept in 30 days, or why there are none."""
    try:
        wish = filled.wish()
        times = overview.next_runs(wish, now=now)
    except TempleOpsError as refusal:
        return {"plan_problem": translated(refusal.detail)}
    if wish.do not in wording.WHAT:
        return {}
    zone = wish.time_zone or overview.house_zone()
    shown = {"sentence": wording.sentence(wish, now=now), "next_runs": wording.run_times(times, zone=zone)}
    return shown | (_later(wish, name=name, now=now) if wish.do in overview.MAKES_BACKUPS else {})


def _later(wish: overview.ScheduleWish, *, name: str | None, now: datetime) -> dict[str, Any]:
    """Return what is kept in 30 days with this schedule and the rules in force."""
    coming = overview.backup_slots(now=now, without=name, wish=wish)
    later, reach_now = simulation.with_schedules(configuration=configuration.current(), slots=coming.slots, now=now)
    days = {"later_days": later.reach.days, "days_now": reach_now.days}
    return days | {"later": later if coming.is_whole else None, "foretold": True}


def _page(request: AdminRequest) -> HttpResponse:
    now = timezone.now()
    local = timezone.localtime(now)
    zone = timezone.get_current_timezone()
    settings = configuration.current()
    runs = listing.list_runs(configuration=settings, every=True)
    rows = backup_rows.rows_of(runs)
    newest_at = overview.newest_good_at(runs, configuration=settings, now=now)
    planned = overview.every(now=now, newest_at=newest_at)
    first = calendar.first_day(request.GET.get("month", ""), today=local.date())
    since, until = calendar.bounds(first, zone=zone)
    past = overview.history(since=since, until=until)
    coming = overview.planned_days(since=max(now, since), until=until, zone=zone)
    marks = calendar.marks_of(rows, past, coming, zone=zone)
    context = PLACE | {
        "schedules": [_shown(one, now=now) for one in planned],
        "is_on": any(one.row.enabled for one in planned),
        "worker_is_away": any(one.row.enabled for one in planned) and overview.worker_is_away(now=now),
        "month": calendar.month_of(first, marks=marks, today=local.date()),
        "past": [(slot, wording.outcome(slot), wording.tone(slot)) for slot in past if slot.slot <= now][:PAST_SLOTS],
        "chart": size_chart.chart_of(rows),
        "durations": size_chart.chart_of(rows, value=size_chart.seconds),
        "done": request.GET.get("done", ""),
        "retention_done": request.GET.get("retention", ""),
        **retention.context(request),
    }
    return render(request, "schedule/schedule.html", context)


def _shown(planned: PlannedSchedule, *, now: datetime) -> dict[str, Any]:
    """Return a schedule as its block of the page shows it."""
    wish, last = planned.wish, planned.last
    return {
        "planned": planned,
        "row": planned.row,
        "sentence": wording.sentence(wish, now=now),
        "next_runs": wording.run_times(planned.next_runs, zone=wish.time_zone),
        "last": last,
        "outcome": wording.outcome(last) if last else "",
        "tone": wording.tone(last) if last else "",
    }


def _who(request: AdminRequest, *, confirm: str = "") -> Who:
    return Who(by=request.user.get_username(), origin=Origin.WEB, now=timezone.now(), confirm=confirm)


def _home(*, done: str) -> str:
    return f"{reverse('pages:schedule')}?done={done}"
