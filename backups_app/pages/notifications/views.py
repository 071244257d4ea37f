"""Who is sent messages about backups, whether they arrive, and the outbox."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from backups_app import configuration
from backups_app.access.requests.visit import visit_of
from backups_app.errors import MailAddressInvalid, NotYours, TempleOpsError
from backups_app.models import Notification, User
from backups_app.notification import channels
from backups_app.notification.channels import Way
from backups_app.notification.wording import message_text
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.records import Origin
from backups_app.use_cases.notifications import notifications
from backups_app.use_cases.notifications.notifications import ChannelState, Overview

WISHES = (
    ("nothing", gettext_lazy("Nothing")),
    ("problems", gettext_lazy("Problems")),
    ("everything", gettext_lazy("Everything")),
)
STATES = {
    Notification.State.WAITING: gettext_lazy("Waiting"),
    Notification.State.SENDING: gettext_lazy("Being sent"),
    Notification.State.SENT: gettext_lazy("Accepted"),
    Notification.State.GIVEN_UP: gettext_lazy("Given up"),
}


@require_safe
@admin_page
def listing(request: AdminRequest) -> HttpResponse:
    """Show channels and outbox."""
    return _page(request, {})


@require_POST
@admin_page
def save(request: AdminRequest) -> HttpResponse:
    """Set a person's address, and what a channel is sent in which language."""
    facts, by = visit_of(request, origin=Origin.WEB), request.user
    person_id, channel = request.POST.get("person", ""), request.POST.get("channel", "")
    try:
        if person_id:
            notifications.set_address(
                person_id=person_id, address=request.POST.get("address", "").strip(), by=by, visit=facts
            )
            channel = f"mail:{person_id}" if request.POST.get("address", "").strip() else ""
        if channel:
            notifications.choose(
                configuration=configuration.current(), channel=channel, wish=request.POST.get("wish", ""),
                language=request.POST.get("language", ""), by=by, visit=facts,
            )  # fmt: skip
    except (MailAddressInvalid, NotYours) as refusal:
        field = f"address-{person_id}" if isinstance(refusal, MailAddressInvalid) else ""
        return _page(request, {field: message_text(refusal.detail)})
    return go_to(request, f"{reverse('pages:notifications')}?saved=1")


@require_POST
@admin_page
def send_test(request: AdminRequest) -> HttpResponse:
    """Send a test message through one channel, or through all, and show what became of it."""
    try:
        rows = notifications.send_test(
            configuration=configuration.current(), channel=request.POST.get("channel", ""), by=request.user,
            visit=visit_of(request, origin=Origin.WEB),
        )  # fmt: skip
    except TempleOpsError as refusal:
        return _page(request, {"": message_text(refusal.detail)})
    tested = rows[0].event.removeprefix("test:") if rows else ""
    return go_to(request, f"{reverse('pages:notifications')}?tested={tested}")


@require_POST
@admin_page
def retry(request: AdminRequest) -> HttpResponse:
    """Try every waiting message again now."""
    notifications.retry(by=request.user, visit=visit_of(request, origin=Origin.WEB))
    return go_to(request, f"{reverse('pages:notifications')}?retried=1")


@require_safe
@admin_page
def message(request: AdminRequest, number: str) -> HttpResponse:
    """Show one message as it is sent."""
    row, current = notifications.find(number), configuration.current()
    names = notifications.channel_names(current)
    context = {
        "place": "notifications",
        "entry": _entry(row, names),
        "sent": notifications.rendered(configuration=current, row=row),
    }
    return render(request, "notifications/message.html", context)


def _page(request: AdminRequest, problems: dict[str, str]) -> HttpResponse:
    current = configuration.current()
    overview = notifications.overview(configuration=current)
    names = {state.channel.key: state.channel.name for state in overview.channels}
    tested = request.GET.get("tested", "")
    context = {
        "place": "notifications",
        "problems": problems,
        "saved": "saved" in request.GET,
        "retried": "retried" in request.GET,
        "tested": [_entry(row, names) for row in overview.outbox if tested and row.event == f"test:{tested}"],
        "people": [_person(request, person, overview) for person in overview.people],
        "services": [_service(request, one) for one in overview.channels if one.channel.way is not Way.MAIL],
        "mail_is_on": overview.mail_is_on,
        "outbox": [_entry(row, names) for row in overview.outbox],
        "waiting": overview.waiting,
        "wishes": WISHES,
        "languages": settings.LANGUAGES,
        "any_channel": bool(overview.channels),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return render(request, "notifications/notifications.html", context, status=status)


def _person(request: AdminRequest, person: User, overview: Overview) -> dict[str, object]:
    key = channels.key_of_person(person)
    state = next((one for one in overview.channels if one.channel.key == key), None)
    typed = request.POST.get("address") if request.POST.get("person") == str(person.pk) else None
    return {
        "id": person.pk,
        "name": person.get_full_name() or person.get_username(),
        "address": person.email if typed is None else typed,
        "field": f"address-{person.pk}",
        "mine": request.user.role_id == User.SUPER_ADMIN or request.user.pk == person.pk,
        "wish": (state.channel.wish or "nothing") if state else "problems",
        "language": state.channel.language if state else settings.LANGUAGE_CODE,
        "state": state,
        "problem": _worded(state.problem) if state else None,
        "key": key,
    }


def _service(request: AdminRequest, state: ChannelState) -> dict[str, object]:
    is_ping = state.channel.way is Way.PING
    return {
        "name": state.channel.name,
        "key": state.channel.key,
        "is_ping": is_ping,
        "mine": request.user.role_id == User.SUPER_ADMIN and not is_ping,
        "wish": state.channel.wish or "nothing",
        "language": state.channel.language,
        "state": state,
        "problem": _worded(state.problem),
    }


def _entry(row: Notification, names: dict[str, str]) -> dict[str, object]:
    return {
        "row": row,
        "title": notifications.title_of(row),
        "channel": names.get(row.channel, row.channel),
        "state": STATES.get(Notification.State(row.state), row.state),
        "problem": _worded(notifications.problem_of(row)),
    }


def _worded(problem: TempleOpsError | None) -> dict[str, str] | None:
    return {"detail": message_text(problem.detail), "hint": message_text(problem.hint)} if problem else None
