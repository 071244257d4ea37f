"""Django's own admin: people, their sessions, and the audit trail to read. It opens no backup."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backups_app.access import audit, denials, roles, sessions, visit
from backups_app.models import AuditEvent, LoginSession, User
from backups_app.records import Origin


def _one_door(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """There is one login: with the throttle, the login session and the audit trail."""
    return redirect_to_login(request.GET.get("next", "/django-admin/"))


def _may_enter(request: HttpRequest) -> bool:
    """Django's rights alone open nothing here, either: who may change people could make themselves an administrator,
    and the audit trail is for those who may see backups."""
    user = request.user
    if isinstance(user, User) and not roles.may_manage_backups(user):
        denials.note(request, user=user, origin=Origin.WEB, now=timezone.now())
        return False
    return getattr(user, "is_staff", False) is True and roles.may_manage_backups(user)


admin.site.login = _one_door  # type: ignore[method-assign]
admin.site.has_permission = _may_enter  # type: ignore[method-assign]


@admin.register(User)
class TempleUserAdmin(UserAdmin[User]):
    """People, with their role."""

    list_display = ("username", "first_name", "last_name", "role_id", "is_active", "last_login")
    list_filter = ("role_id", "is_active")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Temple", {"fields": ("role_id",)}))
    add_fieldsets = (*UserAdmin.add_fieldsets, ("Temple", {"fields": ("role_id",)}))

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> LogEntry:
        """On record in the trail, too."""
        _record(request, "person.add", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> LogEntry:
        """On record in the trail, too: which fields, and the role as it is now. A new password comes here as well."""
        _record(request, "person.change", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[User]) -> list[LogEntry]:
        """On record in the trail before it is done."""
        for person in queryset:
            _record(request, "person.delete", person, "")
        return super().log_deletions(request, queryset)


def _record(request: HttpRequest, action: str, person: User, message: Any) -> None:
    assert isinstance(request.user, User)
    audit.record(
        actor=request.user.get_username(), origin=Origin.WEB, action=action, target=person.get_username(),
        result="success", now=timezone.now(),
        details={"role_id": person.role_id, "is_active": person.is_active, "changed": message},
    )  # fmt: skip


class ReadOnly(admin.ModelAdmin[Any]):
    """Rows that are read here and written elsewhere."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LoginSession)
class LoginSessionAdmin(ReadOnly):
    """Who is signed in where; the action ends a session."""

    list_display = ("user", "face", "device", "address", "created_at", "last_seen_at", "revoked_at", "revoked_because")
    exclude = ("sid", "fingerprint", "auth_hash")
    actions = ("end_sessions",)

    @admin.action(description="End these sessions", permissions=["view"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[LoginSession]) -> None:
        """End the chosen sessions, each with its audit row."""
        assert isinstance(request.user, User)
        facts = visit.of(request, origin=Origin.WEB)
        for session in queryset:
            sessions.revoke(sid=session.sid, by=request.user, visit=facts, now=timezone.now())


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    """The audit trail, newest first."""

    list_display = ("n", "at", "actor", "origin", "address", "action", "target", "result", "request_id")
    list_filter = ("action", "result", "origin")
    search_fields = ("actor", "target", "request_id")
