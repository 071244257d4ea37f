"""Theme and language, kept in two cookies: the server writes them into the page, so nothing flashes."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from backups_app.pages.guards import open_page
from backups_app.pages.requests import go_to, safe_next

THEME_COOKIE = "theme"
THEMES = ("system", "light", "dark")
ONE_YEAR_SECONDS = 365 * 24 * 3600


@open_page
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep a theme, a language, or both; anything unknown is left as it was."""
    response = go_to(request, safe_next(request, request.POST.get("next", "")))
    if request.POST.get("theme") in THEMES:
        _keep(response, THEME_COOKIE, request.POST["theme"], secure=request.is_secure())
    if request.POST.get("language") in dict(settings.LANGUAGES):
        _keep(response, settings.LANGUAGE_COOKIE_NAME, request.POST["language"], secure=request.is_secure())
    return response


def theme_of(request: HttpRequest) -> str:
    """Return `system`, `light` or `dark`."""
    wanted = request.COOKIES.get(THEME_COOKIE, "system")
    return wanted if wanted in THEMES else "system"


def _keep(response: HttpResponse, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=ONE_YEAR_SECONDS, samesite="Lax", httponly=True, secure=secure)
