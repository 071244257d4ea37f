"""One's own login sessions, and ending them."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from backups_app.access.requests import visit
from backups_app.access.signing_in import sessions
from backups_app.pages.guards import signed_in_page
from backups_app.pages.requests import AdminRequest, go_to
from backups_app.records import Origin


@require_safe
@signed_in_page
def mine(request: AdminRequest) -> HttpResponse:
    """Where this person is signed in."""
    found = sessions.my_sessions(user=request.login_session.user, now=timezone.now())
    return render(request, "account/sessions.html", {"sessions": found, "current": request.login_session})


@require_POST
@signed_in_page
def revoke(request: AdminRequest, sid: str) -> HttpResponse:
    """End one session. One's own current one ends the stay here, too."""
    facts = visit.visit_of(request, origin=Origin.WEB)
    sessions.revoke(sid=sid, by=request.login_session.user, visit=facts, now=timezone.now())
    return go_to(request, reverse("pages:sessions"))
