"""Signing in and out, and one's own login sessions."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from backups_app.access.signing_in import login, sessions, tokens
from backups_app.api.shared import inputs, serializers, shapes
from backups_app.api.shared.endpoint import Endpoint
from backups_app.api.shared.permissions import SignedIn
from backups_app.models import LoginSession

EXAMPLE = OpenApiExample(
    "Sign in", value={"username": "ananya", "password": "correct horse battery staple"}, request_only=True
)


class LoginEndpoint(Endpoint):
    """POST /api/auth/login"""

    any_mode = True
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        summary="Sign in", request=inputs.Login, examples=[EXAMPLE], auth=[],
        responses={200: shapes.Tokens, **shapes.failures(400, 401, 415, 422, 429)}, operation_id="login",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Answers a pair of tokens. One neutral sentence for every refusal; 429 after too many."""
        given = self.body(inputs.Login)
        user = login.prove(**given, visit=self.comes_from, now=self.now)
        session = sessions.open_session(user=user, face=LoginSession.Face.API, visit=self.comes_from, now=self.now)
        return Response(serializers.tokens(tokens.issue(session=session, now=self.now)))


class RefreshEndpoint(Endpoint):
    """POST /api/auth/refresh"""

    any_mode = True
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        summary="Get a new pair of tokens", request=inputs.Refresh, auth=[], operation_id="refresh",
        responses={200: shapes.Tokens, **shapes.failures(400, 401, 415, 422)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """A refresh token is good once. Sent a second time it ends the session, the one who sends it."""
        given = self.body(inputs.Refresh)
        pair = tokens.rotate(refresh=given["refresh"], visit=self.comes_from, now=self.now)
        return Response(serializers.tokens(pair))


class LogoutEndpoint(Endpoint):
    """POST /api/auth/logout"""

    any_mode = True
    permission_classes = (SignedIn,)

    @extend_schema(
        summary="Sign out", request=None, responses={204: None, **shapes.failures(401)}, operation_id="logout"
    )
    def post(self, request: Request) -> Response:
        """Ends this login session: access and refresh tokens are dead at the next request."""
        sessions.log_out(self.login_session, visit=self.comes_from, now=self.now)
        return Response(status=204)


class SessionsEndpoint(Endpoint):
    """GET, DELETE /api/auth/sessions"""

    any_mode = True
    permission_classes = (SignedIn,)

    @extend_schema(
        summary="My login sessions", operation_id="list_sessions",
        responses={200: shapes.Session(many=True), **shapes.failures(401)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Where one is signed in, newest first."""
        rows = sessions.my_sessions(user=self.person, now=self.now)
        return Response([serializers.login_session(row, current=self.login_session) for row in rows])

    @extend_schema(
        summary="Sign out everywhere", operation_id="revoke_all_sessions",
        responses={204: None, **shapes.failures(401)},
    )  # fmt: skip
    def delete(self, request: Request) -> Response:
        """Ends all of one's own sessions, this one too."""
        sessions.revoke_all(user=self.person, by=self.person, visit=self.comes_from, now=self.now)
        return Response(status=204)


class SessionEndpoint(Endpoint):
    """DELETE /api/auth/sessions/{session_id}"""

    any_mode = True
    permission_classes = (SignedIn,)

    @extend_schema(
        summary="End one session", operation_id="revoke_session", responses={204: None, **shapes.failures(401, 404)}
    )
    def delete(self, request: Request, session_id: str) -> Response:
        """One's own, or, for an administrator, anybody's."""
        sessions.revoke(sid=session_id, by=self.person, visit=self.comes_from, now=self.now)
        return Response(status=204)
