"""What is stated when nothing else could say it: JSON under /api/, a page everywhere else."""

from __future__ import annotations

import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from backups_app.access import records
from backups_app.api.shared import errors
from backups_app.errors import HostNotAllowed
from backups_app.middleware import API
from backups_app.pages.shared import failures


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a host name that is not ours, a request too large or malformed."""
    if isinstance(exception, DisallowedHost):
        return errors.of_last_resort(HostNotAllowed()) if _is_api(request) else failures.host_not_allowed(request)
    return errors.last_resort(400) if _is_api(request) else failures.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return errors.last_resort(403) if _is_api(request) else failures.forbidden(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return errors.last_resort(404) if _is_api(request) else failures.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: something failed. 503 where it was Django's own database, 400 where what was sent cannot be kept in it."""
    error = sys.exc_info()[1]
    if records.cannot_be_kept(error):
        return errors.last_resort(400) if _is_api(request) else failures.not_understood(request)
    if records.is_unavailable(error):
        named = records.failure(error)
        return errors.of_last_resort(named) if _is_api(request) else failures.records_unavailable(named)
    return errors.last_resort(500) if _is_api(request) else failures.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)
