"""What every page shows around its content: who is signed in, where one may go, theme, language, zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backups_app import configuration
from backups_app.access import roles
from backups_app.access.signing_in import page_login
from backups_app.models import User
from backups_app.pages.shared import preferences

ROLE_NAMES = {
    User.SUPER_ADMIN: gettext_lazy("Super Admin"),
    User.ADMIN: gettext_lazy("Admin"),
    User.STAFF: gettext_lazy("Staff"),
}


@dataclass(frozen=True, kw_only=True)
class ShownPerson:
    """The one who is signed in, in the page's words. `role` is "Staff (role 3)" where a name does not say enough."""

    username: str
    name: str
    role: str
    role_id: int | None
    may_manage_backups: bool


@dataclass(frozen=True, kw_only=True)
class Shell:
    person: ShownPerson | None
    theme: str
    language: str
    languages: list[tuple[str, str]]
    zone: str
    zone_name: str
    cloud_mode: bool
    here: str


def context(request: HttpRequest) -> dict[str, Any]:
    """For templates: `shell`. The same function that guards the pages decides what the sidebar offers."""
    return {
        "shell": Shell(
            person=_person(request),
            theme=preferences.theme_of(request),
            language=translation.get_language() or settings.LANGUAGE_CODE,
            languages=list(settings.LANGUAGES),
            zone=timezone.localtime().tzname() or "",
            zone_name=timezone.get_current_timezone_name(),
            cloud_mode=not configuration.current().is_local,
            here=request.get_full_path() if request.method == "GET" else "/",
        )
    }


def role_name(role_id: int | None) -> str:
    """Return the name of a role; one without a name of its own is a role of the staff."""
    if role_id is None:
        return _("no role")
    return str(ROLE_NAMES.get(role_id, ROLE_NAMES[User.STAFF]))


def _person(request: HttpRequest) -> ShownPerson | None:
    session = page_login.current(request)
    if session is None:
        return None
    user = session.user
    return ShownPerson(
        username=user.get_username(),
        name=user.get_full_name() or user.get_username(),
        role=role_name(user.role_id),
        role_id=user.role_id,
        may_manage_backups=roles.may_manage_backups(user),
    )
