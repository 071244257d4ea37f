"""Django's own admin: people, their sessions, and the audit trail to read. It opens no backup."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from backups_app.access import granting, roles
from backups_app.access.requests import visit
from backups_app.access.signing_in import page_login, sessions
from backups_app.access.trail import audit, denials
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


SAFE = ("GET", "HEAD", "OPTIONS")
FORMS = re.compile(r"/(user|group)/(add|.+/(change|delete|password))/\Z")
"""What only shows a form asks too: a form that was filled in must not be lost to the question."""
_admin_view = admin.site.admin_view


def _step_up(view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
    """Ask for the password before an act when the login is older than 15 minutes. Then nothing of the act is done."""
    inner = _admin_view(view, cacheable)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        session = page_login.current(request)
        acts = request.method not in SAFE or FORMS.search(request.path_info)
        if session is None or not acts or sessions.is_fresh(session, timezone.now()):
            return inner(request, *args, **kwargs)
        query = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('pages:step_up')}?{query}", status=303)

    return guarded


def _sign_out(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Sign out as the pages do: the login session ends, not the cookie alone."""
    if request.method == "POST":
        page_login.log_out(request, now=timezone.now())
    return HttpResponseRedirect(reverse("pages:login"), status=303)


admin.site.login = _one_door  # type: ignore[method-assign]
admin.site.logout = _sign_out  # type: ignore[method-assign, assignment]
admin.site.has_permission = _may_enter  # type: ignore[method-assign]
admin.site.admin_view = _step_up  # type: ignore[method-assign, assignment]


@admin.register(User)
class TempleUserAdmin(UserAdmin[User]):
    """People, with their role. Nobody grants more than they have, nor changes a person of a higher role."""

    list_display = ("username", "first_name", "last_name", "role_id", "is_active", "last_login")
    list_filter = ("role_id", "is_active")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Temple", {"fields": ("role_id",)}))
    add_fieldsets = (*UserAdmin.add_fieldsets, ("Temple", {"fields": ("role_id",)}))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        own = super().get_readonly_fields(request, obj)
        return own if _person(request).is_superuser else (*own, "is_superuser")

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form refuses what the one who sends it could not have given."""
        plain: Any = super().get_form(request, obj, change=change, **kwargs)

        class Judging(plain):  # type: ignore[misc]
            def clean(self) -> Any:
                cleaned = super().clean()
                _refuse_more_than_own(self, by=_person(request))
                return cleaned

        return Judging

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


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _may_touch(request: HttpRequest, person: User | None) -> bool:
    return person is None or granting.may_touch(by=_person(request), person=person)


def _refuse_more_than_own(form: ModelForm[User], *, by: User) -> None:
    """Put a sentence at each field that would give more than `by` has. What the person has already is not given."""
    given = form.cleaned_data
    if "role_id" in form.changed_data and not granting.may_give_role(by=by, role_id=given.get("role_id")):
        form.add_error("role_id", "Nobody can grant a role above their own; a role is a whole number from 0 on.")
    added = _added(form, "user_permissions")
    if not granting.has_all(by=by, permissions=added):
        form.add_error("user_permissions", "Nobody can grant a permission that they do not have.")
    if not granting.has_all(by=by, permissions=granting.of_groups(_added(form, "groups"))):
        form.add_error("groups", "Nobody can grant membership in a group with permissions that they do not have.")


def _added(form: ModelForm[User], field: str) -> list[Any]:
    chosen = form.cleaned_data.get(field)
    before = getattr(form.instance, field).all() if form.instance.pk else ()
    return [one for one in chosen if one not in before] if chosen is not None else []


admin.site.unregister(Group)


@admin.register(Group)
class TempleGroupAdmin(GroupAdmin):
    """Groups: only permissions that one has can be put into them, and only such groups be changed."""

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_within(request, obj)

    def _is_within(self, request: HttpRequest, group: Group | None) -> bool:
        return group is None or granting.has_all(by=_person(request), permissions=granting.of_groups([group]))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        """Offer, and take, only what the one who asks has."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and request is not None and db_field.name == "permissions":
            every = Permission.objects.select_related("content_type")
            own = [one.pk for one in every if granting.has_all(by=_person(request), permissions=[one])]
            field.queryset = every.filter(pk__in=own)
        return field


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
        """End the chosen sessions, each with its audit row; not those of a person who has more than one has."""
        assert isinstance(request.user, User)
        facts = visit.visit_of(request, origin=Origin.WEB)
        for session in queryset.select_related("user"):
            if session.user_id != request.user.pk and not granting.may_touch(by=request.user, person=session.user):
                self.message_user(request, f"Not ended: {session.user} has more rights than you.", level="ERROR")
                continue
            sessions.revoke(sid=session.sid, by=request.user, visit=facts, now=timezone.now())


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    """The audit trail, newest first."""

    list_display = ("n", "at", "actor", "origin", "address", "action", "target", "result", "request_id")
    list_filter = ("action", "result", "origin")
    search_fields = ("actor", "target", "request_id")
