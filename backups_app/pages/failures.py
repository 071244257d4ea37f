"""The pages of last resort: 400, 403, 404, 500, and a form whose token is missing or old."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from backups_app.errors import ForeignOrigin
from backups_app.pages import guards, preferences


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return guards.whole(request, "errors/not_found.html", {}, status=HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return guards.whole(request, "errors/csrf.html", {}, status=HTTPStatus.FORBIDDEN)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Another site sent the form, as the browser itself says; or its token is old, missing, or of another address,
    which can be a proxy's doing. Nothing was done."""
    template = "errors/foreign_origin.html" if reason == ForeignOrigin.code else "errors/csrf.html"
    return guards.whole(request, template, {}, status=HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return guards.whole(request, "errors/not_found.html", {}, status=HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Stands on nothing that may be broken: no session, no database, no context."""
    facts = {
        "reference": getattr(request, "request_id", ""),
        "method": request.method,
        "path": request.path[:200],
        "at": timezone.now(),
        "theme": preferences.theme_of(request),
        "nothing_changed": request.method in guards.SHOWS,
    }
    template = "errors/_server_error.html" if "HX-Request" in request.headers else "errors/server_error.html"
    return HttpResponse(render_to_string(template, facts), status=HTTPStatus.INTERNAL_SERVER_ERROR)
