"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TypeGuard

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backups_app.access.demo_people import PEOPLE, known_password
from backups_app.access.signing_in import page_login
from backups_app.errors import LoginRefused, RateLimited
from backups_app.pages.guards import open_page
from backups_app.pages.requests import go_to, safe_next


@open_page
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Show the form; or take it, and lead on to `next`. Wrong: the form again, the name kept, the password emptied.

    Who is signed in already has nothing to do here and arrives at the dashboard, not at `next`: the page that sent
    them here may be one that their role does not open.
    """
    following = safe_next(request, request.POST.get("next", request.GET.get("next", "")))
    if request.method != "POST":
        signed_in = page_login.current(request) is not None
        return go_to(request, reverse("pages:dashboard")) if signed_in else _login_form(request, following=following)
    username = request.POST.get("username", "")
    try:
        page_login.log_in(request, username=username, password=request.POST.get("password", ""), now=timezone.now())
    except (LoginRefused, RateLimited) as refusal:
        return _login_form(request, following=following, username=username, refusal=refusal)
    return go_to(request, following)


@open_page
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session, here and behind the cookie."""
    page_login.log_out(request, now=timezone.now())
    return go_to(request, "/login/")


def _login_form(
    request: HttpRequest, *, following: str, username: str = "", refusal: LoginRefused | RateLimited | None = None
) -> HttpResponse:
    context = {
        "following": following,
        "username": username,
        "refusal": refusal,
        "problems": problems_of(refusal, field="username"),
        "session_ended": "ended" in request.GET and request.method != "POST",
        "demo_people": [(name, known_password(name), title) for name, title, role in PEOPLE] if settings.DEMO else [],
    }
    response = render(
        request, "account/login.html", context, status=refusal.status if _is_locked(refusal) else HTTPStatus.OK
    )
    if _is_locked(refusal):
        response.headers["Retry-After"] = str(refusal.facts["seconds"])
    return response


def _is_locked(refusal: LoginRefused | RateLimited | None) -> TypeGuard[RateLimited]:
    return isinstance(refusal, RateLimited)


def problems_of(refusal: LoginRefused | RateLimited | None, *, field: str) -> dict[str, str]:
    """Return what went wrong, by field: one sentence for a wrong name and a wrong password, so nobody learns who
    exists. Where only the password was asked for it is named alone."""
    if refusal is None:
        return {}
    if not _is_locked(refusal):
        return {field: _("Wrong password.") if field == "password" else _("Wrong user name or password.")}
    return {"": _("Too many tries. Try again at %(time)s.") % {"time": _next_minute(refusal.facts["seconds"])}}


def _next_minute(seconds: int) -> str:
    """The first whole minute, `15:10 IST`, at which `seconds` will have passed."""
    local = timezone.localtime(timezone.now() + timedelta(seconds=seconds, minutes=1))
    return f"{date_format(local, 'H:i')} {local.tzname()}"
