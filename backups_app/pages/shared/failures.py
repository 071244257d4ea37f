"""The pages of last resort: 400, 403, 404, 500, and a form whose token is missing or old."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from backups_app.errors import ForeignOrigin, HostNotAllowed, RecordsUnavailable
from backups_app.pages import guards
from backups_app.pages.shared import preferences
from backups_app.pages.shared.translation import translated


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return guards.whole(request, "errors/not_found.html", {}, status=HTTPStatus.BAD_REQUEST)


def host_not_allowed(request: HttpRequest) -> HttpResponse:
    error = HostNotAllowed()
    return guards.whole(request, "errors/host_not_allowed.html", {"error": error}, status=error.status)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return guards.whole(request, "errors/csrf.html", {}, status=HTTPStatus.FORBIDDEN)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Another site sent the form, as the browser itself says; or its token is old, missing, or of another address,
    which can be a proxy's doing. Nothing was done."""
    template = "errors/foreign_origin.html" if reason == ForeignOrigin.code else "errors/csrf.html"
    return guards.whole(request, template, {}, status=HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return guards.whole(request, "errors/not_found.html", {}, status=HTTPStatus.NOT_FOUND)


def not_understood(request: HttpRequest) -> HttpResponse:
    """400, standing on nothing: a cookie or an address holds what no text may hold."""
    message = _("The request could not be understood. Remove the cookies of this site and try again.")
    return HttpResponse(message, status=HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8")


def records_unavailable(error: RecordsUnavailable) -> HttpResponse:
    """503, standing on nothing: without its database nobody can be signed in."""
    message = f"{translated(error.detail)} {translated(error.hint)}"
    return HttpResponse(message, status=error.status, content_type="text/plain; charset=utf-8")


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
