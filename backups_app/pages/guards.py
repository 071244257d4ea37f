"""The door of every page: sign-in, then role, then mode. What has no guard is refused by a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, cast, overload
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backups_app import configuration
from backups_app.access import roles
from backups_app.access.trail import denials
from backups_app.errors import (
    BackupElsewhere,
    BackupNotFound,
    BackupRemoved,
    ModeNotLocal,
    NotAuthenticated,
    SuperAdminRequired,
    TempleOpsError,
)
from backups_app.models import User
from backups_app.mongo import availability, connections
from backups_app.pages import known_status
from backups_app.pages.requests import AdminRequest, go_to, here, is_htmx
from backups_app.records import Origin, Side
from backups_app.use_cases.copies import fetchable
from backups_app.use_cases.listing import lost_backups

P = ParamSpec("P")
View = Callable[Concatenate[AdminRequest, P], HttpResponse]
Guarded = Callable[Concatenate[HttpRequest, P], HttpResponse]

SHOWS = ("GET", "HEAD")
"""What only shows something may take a server for as lost as it was a moment ago."""


@overload
def admin_page(view: View[P]) -> Guarded[P]: ...
@overload
def admin_page(*, polled: bool = False, in_any_mode: bool = False) -> Callable[[View[P]], Guarded[P]]: ...
def admin_page(view: Any = None, *, polled: bool = False, in_any_mode: bool = False) -> Any:
    """Let only Super Admin and Admin in, and only in local mode.

    1. nobody signed in: to the login page, with the way back (the whole page, also when htmx asked for a piece);
    2. another role: 403, and nothing of the page's data;
    3. cloud mode: 403, unless `in_any_mode`.

    A named failure of the view becomes its page, with its status. `polled` views do not keep an idle session alive.
    """

    def decorate(inner: View[P]) -> Guarded[P]:
        @wraps(inner)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if getattr(request, "login_session", None) is None:
                return to_login(request)
            if not roles.may_manage_backups(request.user):
                return denied(request)
            if not in_any_mode and not configuration.current().is_local:
                return problem(request, ModeNotLocal())
            with availability.cached_failures() if request.method in SHOWS else _done():
                return answered(request, *args, **kwargs)

        def answered(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                # What is asked of Atlas is asked by its name: any other failure of a server is the local one's.
                with connections.reachable(Side.LOCAL):
                    return inner(cast(AdminRequest, request), *args, **kwargs)
            except NotAuthenticated:
                return to_login(request)
            except (BackupNotFound, BackupRemoved, BackupElsewhere) as error:
                return gone_page(request, error, _asked_for(request, kwargs))
            except TempleOpsError as error:
                return problem(request, error)

        _declare(guarded, door="admin", polled=polled)
        return cast("Guarded[P]", guarded)

    return decorate(view) if view is not None else decorate


@contextmanager
def _done() -> Iterator[None]:
    """Whatever is done in the block, the next page looks whether the temple is still protected."""
    try:
        with availability.early_probe():
            yield
    finally:
        known_status.forget()


def signed_in_page(view: View[P]) -> Guarded[P]:
    """Let in the one who is signed in, whatever the role: for one's own things."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if getattr(request, "login_session", None) is None:
            return to_login(request)
        try:
            return view(cast(AdminRequest, request), *args, **kwargs)
        except TempleOpsError as error:
            return problem(request, error)

    _declare(guarded, door="signed_in", polled=False)
    return cast("Guarded[P]", guarded)


def super_admin_page(view: View[P]) -> Guarded[P]:
    """Let only Super Admins in, in any mode: people are no backups."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if getattr(request, "login_session", None) is None:
            return to_login(request)
        if not roles.may_manage_backups(request.user):
            return denied(request)
        if not roles.may_manage_people(request.user):
            denials.note(request, user=cast(User, request.user), origin=Origin.WEB, now=timezone.now())
            return problem(request, SuperAdminRequired())
        try:
            return view(cast(AdminRequest, request), *args, **kwargs)
        except TempleOpsError as error:
            return problem(request, error)

    _declare(guarded, door="super_admin", polled=False)
    return cast("Guarded[P]", guarded)


def open_page(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Guarded[P]:
    """Say that this page is for everybody, and that somebody meant it."""
    _declare(view, door="open", polled=False)
    return view


def to_login(request: HttpRequest) -> HttpResponse:
    """Lead to the login page and, after it, back. Say that a session ended when the browser still had its cookie."""
    query = {"next": here(request)}
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        query["ended"] = "1"
    return go_to(request, f"{reverse('pages:login')}?{urlencode(query)}")


def denied(request: HttpRequest) -> HttpResponse:
    """403: name the person's role and the roles needed. Inside a page this replaces all of its content."""
    denials.note(request, user=cast(User, request.user), origin=Origin.WEB, now=timezone.now())
    return whole(request, "errors/denied.html", {}, status=HTTPStatus.FORBIDDEN)


def problem(request: HttpRequest, error: TempleOpsError) -> HttpResponse:
    """Answer with a named failure: what is safe, what to do. For htmx it comes where the answer was to stand."""
    template = "errors/_problem.html" if is_htmx(request) else "errors/problem.html"
    return render(request, template, {"error": error}, status=error.status)


def gone_page(request: HttpRequest, error: TempleOpsError, backup_ids: Sequence[str]) -> HttpResponse:
    """A backup that is not here, as an old link may name it: what is still known of it. Of two that are compared, it is
    the one of which there is something to say."""
    backup_id, error = lost_backups.first_named(error, configuration=configuration.current(), backup_ids=backup_ids)
    known = lost_backups.known_of(configuration=configuration.current(), backup_id=backup_id)
    if known is None or not (known.was_there or known.record):
        return problem(request, error)
    name = "elsewhere" if isinstance(error, BackupElsewhere) else "gone"
    template = f"errors/gone/_{name}.html" if is_htmx(request) else f"errors/gone/{name}.html"
    to_fetch = fetchable.copies_of(known.record, configuration=configuration.current()) if known.record else ()
    return render(request, template, {"error": error, "known": known, "to_fetch": to_fetch}, status=error.status)


def _asked_for(request: HttpRequest, named: Mapping[str, object]) -> list[str]:
    """Return the ids of the backups that an address names."""
    asked = [named.get("backup_id"), *(request.GET.get(name) for name in ("backup", "a", "b"))]
    return [str(one) for one in asked if one]


def whole(request: HttpRequest, template: str, context: dict[str, Any], *, status: int) -> HttpResponse:
    """Answer with a page; to htmx with the same page's content, put in the place of everything shown."""
    response = render(request, template, context | {"only_content": is_htmx(request)}, status=status)
    if is_htmx(request):
        response.headers["HX-Retarget"] = "#main"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _declare(view: Any, *, door: str, polled: bool) -> None:
    view.door = door
    view.polling = polled
