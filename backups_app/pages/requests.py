"""What a page view is handed, and how it answers whole pages and fragments alike."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from backups_app.models import LoginSession, User

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

SEE_OTHER = 303


class PageRequest(HttpRequest):
    """A request as the middleware hands it on."""

    htmx: HtmxDetails
    login_session: LoginSession | None
    request_id: str


class AdminRequest(PageRequest):
    """A request that passed `guards.admin_page`: somebody is signed in and may manage backups."""

    login_session: LoginSession
    user: User


def show(
    request: HttpRequest,
    *,
    page: str,
    fragment: str,
    context: Mapping[str, Any],
    status: int = 200,
    titled: bool = False,
) -> HttpResponse:
    """Answer with `fragment` to an htmx request and with the whole `page`, which includes it, to any other. `titled`:
    the title of `page` goes with the fragment, because the browser's has to follow what is shown."""
    template = fragment if is_htmx(request) else page
    response = render(request, template, dict(context), status=status)
    if titled and is_htmx(request):
        title = render_to_string(page, {**context, "frame": "shell/title_only.html"}, request=request)
        response.content = title.strip().encode() + b"\n" + response.content
    patch_vary_headers(response, ["HX-Request"])
    return response


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx asks for a piece of a page. Going back in the history asks for the whole one."""
    details = getattr(request, "htmx", None)
    return bool(details) and not getattr(details, "history_restore_request", False)


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Lead the whole page to `address`: 303 to a form, `HX-Redirect` to htmx."""
    if is_htmx(request):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address, status=SEE_OTHER)


def here(request: HttpRequest) -> str:
    """Return the address of the page the person looks at: of this request, or of the page that htmx sits in."""
    details = getattr(request, "htmx", None)
    if details and details.current_url_abs_path:
        return str(details.current_url_abs_path)
    return request.get_full_path() if request.method in ("GET", "HEAD") else reverse("pages:home")


def safe_next(request: HttpRequest, wanted: str) -> str:
    """Return `wanted` if it is an address of ours, else the dashboard's."""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted and ours else reverse("pages:dashboard")


def new_key() -> str:
    """Return a key that makes a form count once, however often it is sent."""
    return secrets.token_urlsafe(18)
