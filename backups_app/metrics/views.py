"""GET /metrics: for the one who has `METRICS_TOKEN`, or from this machine itself. Everybody else gets 403."""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from backups_app import configuration
from backups_app.access.requests import proxies
from backups_app.metrics import figures
from backups_app.mongo import availability
from backups_app.use_cases.status import status

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto", "Via")
BEARER = "Bearer "


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the figures of this moment. Reading changes nothing and keeps no session alive."""
    if not is_allowed(request):
        refusal = "Send METRICS_TOKEN as a Bearer token. Without one, only this machine may read this.\n"
        return HttpResponse(refusal, status=403, content_type="text/plain; charset=utf-8")
    with availability.asked_once():
        found, runs = status.status_and_runs(configuration=configuration.current(), now=timezone.now())
        text = figures.text(found, runs=runs)
    response = HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response.headers["Cache-Control"] = "no-store"
    return response


def is_allowed(request: HttpRequest) -> bool:
    """Return whether a request bears the token, or, where no token is set, comes from this machine and from no proxy.

    A proxy on this machine has its address too, so a forwarded request is not this machine's own.
    """
    token = configuration.current().metrics_token
    if token:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"{BEARER}{token}".encode())
    return proxies.stays_on_this_machine(request) and not any(name in request.headers for name in FORWARDED)
