"""What every request passes: an id, the headers, and the question who is asking."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import get_callable
from django.utils import timezone

from backups_app.access import request_context
from backups_app.access.requests import proxies, request_body, visit
from backups_app.access.requests.error_body import error_body
from backups_app.access.signing_in import page_login, sessions, tokens
from backups_app.errors import ForeignOrigin, HttpsRequired, NotAuthenticated, TempleOpsError
from backups_app.models import LoginSession
from backups_app.records import Origin

Handler = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger(__name__)

API = "/api/"
OPEN = frozenset({"/api/auth/login", "/api/auth/refresh", "/api/schema/", "/api/docs/"})
"""The only addresses under /api/ that need no access token. Refresh checks the token in its body."""

HOST_ONLY = "__Host-"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
FOREIGN = ("cross-site", "same-site")
"""`same-site` is another origin of the same site: a neighbour below the same domain, who is not us."""
CHALLENGE = 'Bearer realm="templeops"'
BEARER = re.compile(r"Bearer ([A-Za-z0-9._-]+)", re.ASCII)


class RequestIdMiddleware:
    """Gives the request its id, the response its headers, and trusts a forwarded protocol only from a trusted proxy.
    Outermost, so that errors and static files have them."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        proxies.accept_only_trusted(request)
        token = request_context.enter(address=request.META.get("REMOTE_ADDR", ""))
        request.request_id = request_context.current().request_id  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            request_context.leave(token)
        response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response.headers.setdefault("Permissions-Policy", "")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if page_login.current(request) is not None or request.path_info.startswith(API):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class BodyLimitMiddleware:
    """Refuses a body that is too large or of unknown length by its head, on every address, the one who sends it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request_body.require_small(request)
        except TempleOpsError as refusal:
            return refused(refusal) if request.path_info.startswith(API) else _in_plain_text(refusal)
        return self.get_response(request)


class PlainHttpMiddleware:
    """Refuses plain HTTP, except where ALLOW_PLAIN_HTTP allows it, or where it never leaves this machine.

    There the cookies lose their `__Host-` and `Secure`: Safari and curl would not send them back.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.PLAIN_HTTP or request.is_secure():
            return self.get_response(request)
        if not proxies.stays_on_this_machine(request):
            return _needs_https(request)
        request.COOKIES |= {f"{HOST_ONLY}{name}": value for name, value in request.COOKIES.items()}
        response = self.get_response(request)
        _loosen_cookies(response)
        return response


class ForeignOriginMiddleware:
    """Refuses an unsafe request of which the browser itself says that another site sent it, whatever else it carries.

    Beside the CSRF token and its check of `Origin`, and for `/api/` too. Who sends no `Sec-Fetch-Site` (an older
    browser, a program) is authenticated by those alone.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Authenticate it before any view does, Django's CSRF check included."""
        if request.method in SAFE or request.headers.get("Sec-Fetch-Site", "none") not in FOREIGN:
            return None
        logger.warning("Request of another site refused", extra={"path": request.path})
        if request.path_info.startswith(API):
            return refused(ForeignOrigin())
        failure: Callable[..., HttpResponse] = get_callable(settings.CSRF_FAILURE_VIEW)
        return failure(request, reason=ForeignOrigin.code)


class EnhancedJWTAuthMiddleware:
    """Guards `/api/`: no valid access token, no view (`OPEN` excepted).

    1. Cookies are not looked at, and a token is looked for in the `Authorization` header only.
    2. The token is verified (`access/signing_in/tokens.py`), then the login session and the user behind it are loaded
       and checked as they are now: revoked, idle, too old, disabled, another password, another device.
    3. The role is not checked here but by the view's permission: it needs the user, and has its own answer (403).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            return self.get_response(request)
        request.user = AnonymousUser()
        request.login_session = None  # type: ignore[attr-defined]
        if request.path_info not in OPEN:
            try:
                session = self._session(request)
            except NotAuthenticated as refusal:
                return refused(refusal, tried="Authorization" in request.headers)
            request.user = session.user
            request.login_session = session  # type: ignore[attr-defined]
            request_context.signed_in(session=session.sid)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Somebody is there, unless this view is only polled."""
        if request.path_info.startswith(API):
            _touch(request, view)

    def _session(self, request: HttpRequest) -> LoginSession:
        header = BEARER.fullmatch(request.headers.get("Authorization", "")[: tokens.LONGEST_TOKEN + 64])
        if header is None:
            raise NotAuthenticated
        facts = visit.visit_of(request, origin=Origin.API)
        return tokens.session_of(access=header.group(1), visit=facts, now=timezone.now())


class PageSessionMiddleware:
    """Guards everything outside `/api/`: a cookie is worth what the login session behind it is worth now.

    Sets `request.login_session`: None for a stranger, whose `request.user` is anonymous.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            session = page_login.authenticate(request, now=timezone.now())
            request.login_session = session  # type: ignore[attr-defined]
            if session is not None:
                request.user = session.user
                request_context.signed_in(session=session.sid)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Somebody is there, unless this view is only polled."""
        if not request.path_info.startswith(API):
            _touch(request, view)


def refused(refusal: TempleOpsError, *, tried: bool = False) -> HttpResponse:
    """Return the API's answer to a request that never reaches a view; to a 401 belongs the challenge of RFC 6750,
    which names an error only to who had `tried` a token."""
    body = error_body(code=refusal.code, detail=refusal.detail, hint=refusal.hint)
    response = JsonResponse(body, status=refusal.status)
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE + (', error="invalid_token"' if tried else "")
    return response


def _needs_https(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith(API):
        return refused(HttpsRequired())
    return _in_plain_text(HttpsRequired())


def _in_plain_text(refusal: TempleOpsError) -> HttpResponse:
    """The answer to a request that must not reach a session or a template."""
    message = f"{refusal.detail} {refusal.hint}."
    return HttpResponse(message, status=refusal.status, content_type="text/plain; charset=utf-8")


def _loosen_cookies(response: HttpResponseBase) -> None:
    for name in list(response.cookies):
        morsel = response.cookies.pop(name)
        plain = name.removeprefix(HOST_ONLY)
        response.cookies[plain] = morsel.value
        response.cookies[plain].update({**morsel, "secure": ""})


def _touch(request: HttpRequest, view: Any) -> None:
    session = page_login.current(request)
    polled = getattr(getattr(view, "cls", view), "polling", False)
    if session is not None and not polled:
        sessions.touch(session, now=timezone.now())
