"""The pages around the work in Hindi: signing in, refusals, old links, faults, the audit trail, the log of a sync."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from backups_app.access.trail import denials
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent, User
from backups_app.pages.audit import views
from backups_app.records import Origin
from tests.pages.conftest import signed_in
from tests.pages.test_hindi import carried_out, checked, read

pytestmark = pytest.mark.django_db


def in_hindi(browser: Client) -> Client:
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "hi"
    return browser


def test_signing_in_and_every_refusal_of_it(admin: User) -> None:
    browser = in_hindi(Client())
    read(browser, "/login/?ended=1")
    for number in range(6):
        answer = browser.post("/login/", {"username": "ravi", "password": "wrong"})
        checked(answer, f"try {number + 1}")
    assert "बहुत बार कोशिश हुई।" in answer.content.decode()


def test_another_role_another_site_an_old_form_an_address_that_is_none(staff: User) -> None:
    browser = in_hindi(signed_in(staff))
    read(browser, "/")
    read(browser, "/admin/backups/")
    read(browser, "/no-such-page/")
    checked(browser.post("/prefs/", headers={"Sec-Fetch-Site": "cross-site"}), "another site")
    strict = in_hindi(Client(enforce_csrf_checks=True))
    checked(strict.post("/prefs/"), "an old form")


def test_a_backup_that_was_removed_or_is_gone(hindi: Client, seeded: Configuration) -> None:
    store, backup_id = Store(seeded.backup_dir), str(carried_out()["_id"])
    store.trash(backup_id, now=timezone.now())
    read(hindi, f"/admin/backups/{backup_id}/restore/")
    store.empty_trash(older_than=timezone.now() + timedelta(days=1))
    page = read(hindi, f"/admin/backups/{backup_id}/restore/")

    assert "इसका निकाला जाना कहीं दर्ज नहीं है" in page


def test_the_audit_trail_of_everything_and_the_log_of_a_sync(
    hindi: Client, seeded: Configuration, staff: User, rf: Any
) -> None:
    run = carried_out(delete_bookings=True)
    denials.note(rf.get("/admin/backups/"), user=staff, origin=Origin.WEB, now=timezone.now())
    read(hindi, "/admin/backups/audit/", names=("root",))
    read(hindi, "/admin/backups/audit/?from=2026-02-30", names=("root",))
    read(hindi, "/admin/backups/audit/?from=2026-02-02&to=2026-01-01", htmx=True)
    read(hindi, f"/admin/backups/syncs/{run['_id']}/", names=("employee_bookings",))
    assert AuditEvent.objects.filter(action="access.denied").exists()


def test_a_fault_of_the_server(hindi: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(_: Any) -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(views, "read", defect)
    hindi.raise_request_exception = False

    for headers in ({}, {"HX-Request": "true"}):
        checked(hindi.get("/admin/backups/audit/", headers=headers), "a fault", names=("GET",))
