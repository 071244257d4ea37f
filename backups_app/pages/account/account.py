"""One's own account: password, language, theme, devices, and signing out everywhere."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from backups_app.access import people
from backups_app.access.requests import visit
from backups_app.access.signing_in import page_login, sessions
from backups_app.errors import LoginRefused, PasswordTooWeak, RateLimited
from backups_app.models import LoginSession
from backups_app.pages.account.login import problems_of
from backups_app.pages.guards import signed_in_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.records import Origin


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_page
@sensitive_post_parameters()
def account(request: AdminRequest) -> HttpResponse:
    """Show it; or change the password: the present one is asked for, and every other session ends."""
    if request.method != "POST":
        return _page(request, {})
    new = request.POST.get("new_password", "")
    if new != request.POST.get("new_password_again", ""):
        return _page(request, {"new_password_again": _("The two new passwords are not the same.")})
    try:
        page_login.reauthenticate(request, password=request.POST.get("password", ""), now=timezone.now())
        _change_password(request, new)
    except PasswordTooWeak as weak:
        return _page(request, {"new_password": weak.detail})
    except (LoginRefused, RateLimited) as refusal:
        return _page(request, problems_of(refusal, field="password"))
    return go_to(request, f"{reverse('pages:account')}?changed=1")


@require_POST
@signed_in_page
def sign_out_everywhere(request: AdminRequest) -> HttpResponse:
    """End every session of this person, this one too."""
    person = request.login_session.user
    sessions.revoke_all(user=person, by=person, visit=visit.visit_of(request, origin=Origin.WEB), now=timezone.now())
    page_login.log_out(request, now=timezone.now())
    return go_to(request, reverse("pages:login"))


def _change_password(request: AdminRequest, new: str) -> None:
    """This session goes on with the new password; what stood on the old one has ended."""
    session = request.login_session
    facts = visit.visit_of(request, origin=Origin.WEB)
    people.set_password(session.user, password=new, by=session.user, visit=facts, now=timezone.now())
    update_session_auth_hash(request, session.user)
    LoginSession.objects.filter(pk=session.pk).update(auth_hash=session.user.get_session_auth_hash())


def _page(request: AdminRequest, problems: dict[str, str]) -> HttpResponse:
    context = {
        "place": "account",
        "problems": problems,
        "changed": "changed" in request.GET,
        "sessions": sessions.my_sessions(user=request.login_session.user, now=timezone.now()),
        "current": request.login_session,
        "shortest": people.SHORTEST_PASSWORD,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return render(request, "account/account.html", context, status=status)
