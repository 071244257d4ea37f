"""Who may pass. Deny by default: a view that declares nothing is for active users of role 0 and 1."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backups_app.access import roles
from backups_app.access.trail import denials
from backups_app.errors import NotAuthenticated, RoleRequired
from backups_app.models import LoginSession, User
from backups_app.records import Origin


class LoginSessionAuthentication(BaseAuthentication):
    """Takes over what EnhancedJWTAuthMiddleware found out; it has read the token and authenticated the session."""

    def authenticate(self, request: Request) -> tuple[User, LoginSession] | None:
        session: LoginSession | None = getattr(request._request, "login_session", None)
        if session is None or session.face != LoginSession.Face.API:  # never the session of a page's cookie
            return None
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="templeops"'


class SignedIn(BasePermission):
    """For one's own sessions: any active user. Raises NotAuthenticated."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, LoginSession) or not request.user.is_active:
            raise NotAuthenticated
        return True


class MayManageBackups(SignedIn):
    """For everything else: roles 0 and 1, read from the user's row at this request. Raises RoleRequired."""

    def has_permission(self, request: Request, view: Any) -> bool:
        super().has_permission(request, view)
        if not roles.may_manage_backups(request.user):
            denials.note(request._request, user=request.auth.user, origin=Origin.API, now=timezone.now())
            raise RoleRequired
        return True


class AlwaysJSON(BaseContentNegotiation):
    """Answers JSON whatever `Accept` says: otherwise a 406 would come before the 401."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        wanted = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
