"""People, for Super Admins: list, add, role, disable, new password. Each act asks for one's own password."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backups_app.access import people
from backups_app.access.requests import visit
from backups_app.access.signing_in import page_login
from backups_app.errors import InvalidInput, LoginRefused, NameTaken, PasswordTooWeak, RateLimited, TempleOpsError
from backups_app.models import User
from backups_app.pages.account.login import problems_of
from backups_app.pages.guards import super_admin_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.pages.shared.shell import role_name
from backups_app.records import Origin

FIELDS: dict[type[TempleOpsError], str] = {NameTaken: "username", PasswordTooWeak: "new_password"}


@require_http_methods(["GET", "HEAD", "POST"])
@super_admin_page
@sensitive_post_parameters()
def listing(request: AdminRequest) -> HttpResponse:
    """Show everybody; or add a person."""
    if request.method != "POST":
        return _page(request, {})

    def add() -> None:
        people.add(
            username=request.POST.get("username", "").strip(), full_name=request.POST.get("full_name", "").strip(),
            role_id=_role(request), password=request.POST.get("new_password", ""), by=request.login_session.user,
            visit=visit.visit_of(request, origin=Origin.WEB), now=timezone.now(),
        )  # fmt: skip

    return _act(request, add)


@require_POST
@super_admin_page
@sensitive_post_parameters()
def person(request: AdminRequest, person_id: str) -> HttpResponse:
    """Change one person: `act` is role, disable, enable or password."""
    found = people.find(person_id)
    by, facts, now = request.login_session.user, visit.visit_of(request, origin=Origin.WEB), timezone.now()
    acts: dict[str, Callable[[], None]] = {
        "role": lambda: people.set_role(found, role_id=_role(request), by=by, visit=facts, now=now),
        "disable": lambda: people.set_active(found, active=False, by=by, visit=facts, now=now),
        "enable": lambda: people.set_active(found, active=True, by=by, visit=facts, now=now),
        "password": lambda: people.set_password(
            found, password=request.POST.get("new_password", ""), by=by, visit=facts, now=now
        ),
    }
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        raise InvalidInput(message="act must be role, disable, enable or password")
    return _act(request, act)


def _act(request: AdminRequest, act: Callable[[], None]) -> HttpResponse:
    """Take the password, act, and lead back to the list; a refusal stands above it, and nothing was done."""
    try:
        page_login.reauthenticate(request, password=request.POST.get("password", ""), now=timezone.now())
        act()
    except (LoginRefused, RateLimited) as refusal:
        return _page(request, problems_of(refusal, field="password"))
    except TempleOpsError as refusal:
        return _page(request, {FIELDS.get(type(refusal), ""): refusal.detail})
    return go_to(request, f"{reverse('pages:people')}?done=1")


def _role(request: AdminRequest) -> int:
    text = request.POST.get("role_id", "")
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise InvalidInput(message="role_id must be a whole number from 0 on")
    return int(text)


def _page(request: AdminRequest, problems: dict[str, str]) -> HttpResponse:
    context = {
        "place": "people",
        "problems": problems,
        "done": "done" in request.GET,
        "people": [(one, role_name(one.role_id)) for one in people.every()],
        "roles": [(role_id, role_name(role_id)) for role_id in people.ROLES],
        "username": request.POST.get("username", ""),
        "full_name": request.POST.get("full_name", ""),
        "chosen": request.POST.get("role_id", str(User.STAFF)),
        "shortest": people.SHORTEST_PASSWORD,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return render(request, "account/people.html", context, status=status)
