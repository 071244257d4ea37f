"""The password again, before an act that needs a fresh login and has no field for it of its own."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from backups_app.access.signing_in import page_login
from backups_app.errors import LoginRefused, RateLimited
from backups_app.pages.account.login import problems_of
from backups_app.pages.guards import signed_in_page
from backups_app.pages.requests import AdminRequest, go_to, safe_next


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_page
@never_cache
@sensitive_post_parameters("password")
def step_up(request: AdminRequest) -> HttpResponse:
    """Show the form; or take it, and lead on to `next`, where the act is asked for again."""
    following = safe_next(request, request.POST.get("next", request.GET.get("next", "")))
    refusal: LoginRefused | RateLimited | None = None
    if request.method == "POST":
        try:
            page_login.reauthenticate(request, password=request.POST.get("password", ""), now=timezone.now())
        except (LoginRefused, RateLimited) as refused:
            refusal = refused
        else:
            return go_to(request, following)
    context = {"following": following, "problems": problems_of(refusal, field="password")}
    status = HTTPStatus.OK if refusal is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "account/step_up.html", context, status=status)
