"""Verifying a backup again: the button, how far it is, and what was found, in words.

A large backup is read for minutes, by the worker. What became of it stands in the audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from backups_app import configuration
from backups_app.browsing.reading import backups
from backups_app.browsing.reading.backups import BackupState, BackupSummary
from backups_app.messages import stored
from backups_app.models import AuditEvent
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, go_to, is_htmx, show
from backups_app.pages.viewer import viewer_documents
from backups_app.records import Origin
from backups_app.use_cases import verification
from backups_app.use_cases.lanes import asking, verifications
from backups_app.use_cases.lanes.asking import Answer

LOST_AFTER = timedelta(hours=1)
"""A verification that began so long ago elsewhere and has no end was ended with its process."""

Making = Answer[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What is known of a backup's last verification. `making`: it was asked for a while ago; `last`: the newest
    row of the audit trail about it; `others`: backups to turn to when this one is damaged, newest first."""

    backup_id: str
    making: Making | None
    last: AuditEvent | None
    others: tuple[BackupSummary, ...] = ()

    @property
    def running(self) -> bool:
        if self.making is not None and (not self.making.ended or self.making.error is not None):
            return not self.making.ended
        return (
            self._stated(verification.STARTED) and self.last is not None and timezone.now() - self.last.at < LOST_AFTER
        )

    @property
    def progress(self) -> Making:
        """How far it is; of one at a terminal, only since when."""
        if self.making is not None and not self.making.ended:
            return self.making
        began = self.last.at if self.last else timezone.now()
        return Answer(seconds=(timezone.now() - began).total_seconds())

    @property
    def good(self) -> bool:
        return not self.running and self._stated(verification.GOOD)

    @property
    def damaged(self) -> bool:
        return not self.running and self._stated(verification.DAMAGED)

    @property
    def failed(self) -> bool:
        """It ended without a verdict: by a failure, or with the process that made it."""
        return not self.running and self._stated(verification.FAILED, verification.STARTED)

    @property
    def at(self) -> datetime | None:
        return self.last.at if self.last else None

    @property
    def details(self) -> dict[str, Any]:
        return stored.restored(self.last.details) if self.last else {}

    def _stated(self, *results: str) -> bool:
        return self.last is not None and self.last.result in results


def last_verification(backup_id: str) -> Verification:
    """Return what is known of the last verification of this backup."""
    known = Verification(
        backup_id=backup_id,
        making=_known(backup_id),
        last=verification.last(viewer_documents.store(), backup_id),
    )
    if not known.damaged:
        return known
    return replace(known, others=_others(backup_id))


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def verify(request: AdminRequest, backup_id: str) -> HttpResponse:
    """GET: what is known. POST: read the backup again, or join in when somebody has just asked for that."""
    if request.method != "POST":
        return _answer(request, backup_id)
    known = _known(backup_id)
    if known is not None and known.ended:
        asking.forget(verifications.KIND, configuration=configuration.current(), arguments={"backup_id": backup_id})
    making = asking.ask(
        verifications.KIND,
        configuration=configuration.current(),
        arguments={"backup_id": backup_id},
        by=request.user.get_username(),
        origin=Origin.WEB,
        now=timezone.now(),
    )
    if making.error is not None:
        raise making.error
    if is_htmx(request):
        return _answer(request, backup_id, asked=True)
    return go_to(request, reverse("pages:verify", args=[backup_id]))


@require_GET
@admin_page(polled=True)
def progress(request: AdminRequest, backup_id: str) -> HttpResponse:
    """How far the verification is, and the verdict when it is there."""
    return _answer(request, backup_id)


def _known(backup_id: str) -> Making | None:
    arguments = {"backup_id": backup_id}
    return asking.known(
        verifications.KIND, configuration=configuration.current(), arguments=arguments, now=timezone.now()
    )


def _answer(request: AdminRequest, backup_id: str, *, asked: bool = False) -> HttpResponse:
    backup = backups.summary(store=viewer_documents.store(), backup_id=backup_id)
    context = {"place": "list", "backup": backup, "verification": last_verification(backup_id), "asked": asked}
    page, fragment = "viewer/verification/verify.html", "viewer/verification/_verification.html"
    return show(request, page=page, fragment=fragment, context=context)


def _others(backup_id: str) -> tuple[BackupSummary, ...]:
    """The two newest other backups that nobody found damaged and whose time can be trusted."""
    now, listed = timezone.now(), backups.summaries(store=viewer_documents.store())
    others = (one for one in listed if one.backup_id != backup_id and not one.is_ahead(now=now))
    sound = (one for one in others if one.state is BackupState.VERIFIED and not _found_damaged(one.backup_id))
    return tuple(islice(sound, 2))


def _found_damaged(backup_id: str) -> bool:
    last = verification.last(viewer_documents.store(), backup_id)
    return last is not None and last.result == verification.DAMAGED
