"""What every endpoint has in common: 401, 403 role, 403 mode, 422 input, 404, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from backups_app import configuration
from backups_app.access.requests import visit
from backups_app.access.signing_in import sessions
from backups_app.backup_files import layout
from backups_app.errors import BackupNotFound, ResourceNotFound
from backups_app.models import LoginSession, User
from backups_app.mongo import availability
from backups_app.records import Origin
from backups_app.use_cases.listing import lost_backups
from backups_app.use_cases.readiness import readiness

Input = TypeVar("Input")


class Endpoint(APIView):
    """Base of the views. Authentication and permission are the defaults of the settings: roles 0 and 1.

    `any_mode`: answers in cloud mode too. `polling`: does not keep an idle session alive.
    """

    any_mode = False
    polling = False
    http_method_names: tuple[str, ...] = ("get", "head", "post", "delete")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """What only shows something never waits long for a server, and for a lost one only once. What does something
        begins where the server is there."""
        with (
            availability.cached_failures(earlier_seconds=0)
            if request.method in ("GET", "HEAD")
            else availability.early_probe()
        ):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who and where, then the id in the path; the method's own input comes after."""
        super().initial(request, *args, **kwargs)
        self.now: datetime = timezone.now()
        self.configuration = configuration.current()
        if not self.any_mode:
            readiness.require_local(self.configuration)
        if "backup_id" in kwargs and request.method in self.allowed_methods:
            layout.check_id(kwargs["backup_id"])

    def handle_exception(self, exc: Exception) -> Response:
        """Say of a backup that is not here whether there was such a one: 410 instead of 404."""
        if isinstance(exc, BackupNotFound):
            sent = self.request.data.get("backup_id") if isinstance(self.request.data, Mapping) else None
            asked = [str(one) for one in (self.kwargs.get("backup_id"), sent) if one]
            _, exc = lost_backups.first_named(exc, configuration=self.configuration, backup_ids=asked)
        return super().handle_exception(exc)

    @property
    def person(self) -> User:
        """The user behind the token."""
        assert isinstance(self.request.user, User)
        return self.request.user

    @property
    def login_session(self) -> LoginSession:
        """The login session behind the token."""
        assert isinstance(self.request.auth, LoginSession)
        return self.request.auth

    @property
    def comes_from(self) -> visit.Visit:
        """Where the request comes from."""
        return visit.visit_of(self.request._request, origin=Origin.API)

    def require_fresh_login(self) -> None:
        """Raise StepUpNeeded when the password was typed more than 15 minutes ago."""
        sessions.require_fresh(self.login_session, self.now)

    def body(self, kind: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the checked body. Raise ValidationError (422) by field."""
        serializer = kind(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def query(self, kind: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the checked query parameters. Raise ValidationError (422) by name, also for one that stands twice:
        which of the two counts would be a guess, and a proxy may guess otherwise.
        """
        given = self.request.query_params
        twice = [name for name, values in given.lists() if len(values) > 1]
        if twice:
            raise ValidationError({name[:100]: ["Is given twice in the address."] for name in twice[:20]})
        serializer = kind(data=given.dict())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class NotHere(Endpoint):
    """Every other address under /api/: 401 and 403 first, then a 404 in JSON."""

    schema = None
    any_mode = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who asks, then say that there is nothing here, whatever the method."""
        super().initial(request, *args, **kwargs)
        raise ResourceNotFound
