"""GET /health/live and /health/ready: for load balancers, service managers and monitoring.

Everybody may ask, by any host name and over plain HTTP: the answer to a stranger is one word. The reasons are for the
readers of `/metrics`. Nothing is written, and no session is looked at or kept alive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from backups_app import configuration
from backups_app.access import records
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.metrics import views
from backups_app.use_cases.readiness import readiness

FRESH_SECONDS = 2.0
"""Many who ask at once share one look at the servers: strangers must not be able to keep them busy."""


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200: this process serves requests. It looks at nothing else."""
    return _answer("live")


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 where a backup can be started now or is at work, else 503; in cloud mode 200 where the Django
    database answers. Readers of `/metrics` see every reason as `problems`, a list of `{code, detail, hint}`."""
    problems = _LOOK.problems()
    word = "not_ready" if problems else "ready"
    if not _may_see_why(request):
        return _answer(word, status=503 if problems else 200)
    return _answer(word, status=503 if problems else 200, problems=[one.as_json() for one in problems])


PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {"/health/live": live, "/health/ready": ready}


class ProbeMiddleware:
    """Answers `PROBES` before anything that asks for a host name, HTTPS or a session: a load balancer asks by address,
    over plain HTTP, without a cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        return self.get_response(request) if probe is None else probe(request)


class _LastLook:
    """The last look of this process, and one look at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: Sequence[TempleOpsError] = ()
        self._of: Configuration | None = None
        self._until = 0.0

    def problems(self) -> Sequence[TempleOpsError]:
        """Return why no backup can be started now; empty where one can."""
        with self._lock:
            current = configuration.current()
            if self._of != current or time.monotonic() >= self._until:
                self._problems = _problems(current)
                self._of, self._until = current, time.monotonic() + FRESH_SECONDS
            return self._problems

    def forget(self) -> None:
        """Look again at the next request."""
        self._of = None


_LOOK = _LastLook()
forget = _LOOK.forget


def _problems(current: Configuration) -> Sequence[TempleOpsError]:
    if refusals := records.refusals():
        return refusals
    return readiness.check_readiness(configuration=current).refusals if current.is_local else ()


def _may_see_why(request: HttpRequest) -> bool:
    try:
        return views.is_allowed(request)
    except DisallowedHost:  # asked by address: somebody else's machine
        return False


def _answer(word: str, *, status: int = 200, **more: object) -> JsonResponse:
    return JsonResponse({"status": word, **more}, status=status, headers={"Cache-Control": "no-store"})
