"""A refusal for the role is on record: once per person, address and ten minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backups_app.access.trail import audit, denials
from backups_app.errors import RecordsUnavailable
from backups_app.models import AuditEvent, User
from tests.pages.conftest import signed_in

pytestmark = pytest.mark.django_db


def refusals() -> list[tuple[str, int | None, str, str]]:
    rows = AuditEvent.objects.filter(action="access.denied").order_by("n")
    return [(row.actor, row.role_id, row.origin, row.target) for row in rows]


def test_a_page_refused_for_the_role_is_on_record_with_who_and_where(staff: User) -> None:
    answer = signed_in(staff).get("/admin/backups/runs/20260119_111420/?secret=1")

    assert answer.status_code == 403
    assert refusals() == [("meena", 3, "web", "/admin/backups/runs/<str:backup_id>/")]
    row = AuditEvent.objects.get(action="access.denied")
    assert row.request_id in answer.content.decode() and row.address == "127.0.0.1" and row.session


def test_a_page_that_asks_again_and_again_leaves_one_entry(staff: User, admin: User) -> None:
    browser = signed_in(staff)
    for number in range(20):
        browser.get(f"/admin/backups/runs/{number}/", headers={"HX-Request": "true"})
    browser.get("/admin/backups/")
    signed_in(admin).get("/admin/backups/audit/")

    assert [target for *_, target in refusals()] == ["/admin/backups/runs/<str:backup_id>/", "/admin/backups/"]


def test_after_ten_minutes_it_is_on_record_again(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(staff)
    browser.get("/admin/backups/")
    browser.get("/admin/backups/")
    later = timezone.now() + denials.ONE_ENTRY_PER + timedelta(seconds=1)
    monkeypatch.setattr("backups_app.pages.guards.timezone.now", lambda: later)
    browser.get("/admin/backups/")

    assert len(refusals()) == 2


def test_the_api_records_its_refusals_too(staff: User, password: str) -> None:
    browser = Client()
    answer = browser.post("/api/auth/login", {"username": "meena", "password": password}, "application/json")
    token = {"Authorization": f"Bearer {answer.json()['access']}"}

    answers = [browser.get("/api/backups", headers=token), browser.get("/api/backups?limit=2", headers=token)]

    assert [answer.json()["code"] for answer in answers] == ["role_required"] * 2
    assert refusals() == [("meena", 3, "api", "/api/backups")]


def test_who_is_not_signed_in_leaves_no_entry(db: None) -> None:
    Client().get("/admin/backups/")
    Client().get("/api/backups")

    assert refusals() == []


def test_the_door_of_djangos_admin_is_one_too(staff: User) -> None:
    signed_in(staff).get("/django-admin/")

    assert refusals() == [("meena", 3, "web", "/django-admin/")]


def test_a_refusal_that_cannot_be_recorded_is_a_refusal(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(staff)

    def broken(**_: object) -> None:
        raise RecordsUnavailable()

    monkeypatch.setattr(audit, "record", broken)

    assert browser.get("/admin/backups/").status_code == 403
