"""The password, asked again before what cannot be taken back."""

from __future__ import annotations

from django.utils import timezone

from backups_app.access.signing_in import page_login, sessions
from backups_app.pages.requests import AdminRequest


def require_fresh_password(request: AdminRequest) -> None:
    """Take the password again when the login is older than 15 minutes. Raise LoginRefused or RateLimited."""
    now = timezone.now()
    if not sessions.is_fresh(request.login_session, now):
        page_login.reauthenticate(request, password=request.POST.get("password", ""), now=now)
