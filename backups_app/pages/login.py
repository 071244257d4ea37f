"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backups_app.access import page_login
from backups_app.errors import LoginRefused, RateLimited, TempleOpsError
from backups_app.pages.guards import open_page
from backups_app.pages.requests import go_to, safe_next


@open_page
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Show the form; or take it, and lead on to `next`. Wrong: the form again, the name kept, the password emptied."""
    following = safe_next(request, request.POST.get("next", request.GET.get("next", "")))
    if request.method != "POST":
        return _form(request, following=following)
    username = request.POST.get("username", "")
    try:
        page_login.log_in(request, username=username, password=request.POST.get("password", ""), now=timezone.now())
    except (LoginRefused, RateLimited) as refusal:
        return _form(request, following=following, username=username, refusal=refusal)
    return go_to(request, following)


@open_page
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session, here and behind the cookie."""
    page_login.log_out(request, now=timezone.now())
    return go_to(request, "/login/")


def _form(
    request: HttpRequest, *, following: str, username: str = "", refusal: TempleOpsError | None = None
) -> HttpResponse:
    limited = isinstance(refusal, RateLimited)
    again_at = timezone.now() + timedelta(seconds=refusal.facts["seconds"]) if refusal and limited else None
    context = {
        "following": following,
        "username": username,
        "refusal": refusal,
        "again_at": again_at,
        "session_ended": "ended" in request.GET and request.method != "POST",
    }
    return render(request, "login.html", context, status=429 if limited else 200)
