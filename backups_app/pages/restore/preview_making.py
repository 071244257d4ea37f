"""The preview of a restore: asked for, and on record as looked at."""

from __future__ import annotations

from django.utils import timezone

from backups_app import configuration
from backups_app.access.trail import audit
from backups_app.pages.requests import AdminRequest
from backups_app.records import Origin
from backups_app.restore.choices import Choices
from backups_app.restore.preview import RestorePreview
from backups_app.use_cases.lanes import asking, previews
from backups_app.use_cases.lanes.asking import Answer

Making = Answer[RestorePreview]


def preview_of(request: AdminRequest, choices: Choices) -> Making:
    """Return the preview of these choices, on record as looked at by who asks first. Raise what it failed with."""
    making = asking.ask(
        previews.KIND,
        configuration=configuration.current(),
        arguments=previews.arguments_of(choices),
        by=request.user.get_username(),
        origin=Origin.WEB,
        now=timezone.now(),
    )
    if making.error is not None:
        raise making.error
    if making.is_new:
        _record_look(request, choices)
    return making


def _record_look(request: AdminRequest, choices: Choices) -> None:
    audit.record(
        actor=request.user.get_username(),
        origin=Origin.WEB,
        session=request.login_session.sid,
        address=request.META.get("REMOTE_ADDR", ""),
        action="restore.preview",
        target=choices.backup_id,
        result="success",
        request_id=request.request_id,
        now=timezone.now(),
        details={"choices": choices.as_json()},
    )
