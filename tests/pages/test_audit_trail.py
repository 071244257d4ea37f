"""The audit trail as a page: narrowed by a form, reported row by row, fifty a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent, User
from backups_app.pages.audit import audit_rows, audit_wording, views
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from backups_app.use_cases.syncs import syncs
from backups_app.use_cases.syncs.syncs import SyncWish
from tests.pages.conftest import MOMENT

pytestmark = pytest.mark.django_db
AUDIT = "/admin/backups/audit/"


@pytest.fixture
def now() -> datetime:
    return MOMENT


def recorded(action: str = "sync", *, now: datetime, **more: Any) -> AuditEvent:
    fields: dict[str, Any] = {"actor": "ravi", "origin": Origin.COMMAND, "result": "success", "target": "one"}
    return audit.record(action=action, now=now, **fields | more)


def shown(browser: Client, query: str = "", **headers: str) -> str:
    return " ".join(browser.get(f"{AUDIT}{query}", headers=headers).content.decode().split())


def test_a_row_says_who_in_which_role_what_the_result_the_duration_and_the_reference(
    admin_browser: Client, now: datetime, admin: User
) -> None:
    recorded(now=now, result="started", target="20260119_111420")
    end = recorded(
        now=now + timedelta(seconds=48), origin=Origin.API, request_id="0123456789ab", target="20260119_111420"
    )

    page = shown(admin_browser, "?result=success&action=sync")

    assert end.role_id == 1
    assert all(
        message in page for message in ("ravi", "Admin · API", "Synced with Atlas", "20260119_111420", "Success")
    )
    assert '<td class="r" data-label="Duration">48 s</td>' in page
    assert "0123456789ab" in page and "IST" in page


def test_the_trail_is_narrowed_by_person_action_result_and_days(admin_browser: Client, now: datetime) -> None:
    zone = timezone.get_current_timezone()
    late = datetime(2026, 1, 19, 23, 59, 59, tzinfo=zone)
    recorded(now=late, target="on the day")
    recorded(now=late + timedelta(seconds=1), target="the day after")
    recorded(now=late, actor="meena", result="refused", action="access.denied", target="meena's")

    def targets(query: str) -> set[str]:
        return {row.target for row in views._rows(views.read(QueryDict(query)))} - {"ravi"}

    assert targets("from=2026-01-19&to=2026-01-19") == {"on the day", "meena's"}
    assert targets("from=2026-01-20") == {"the day after"}
    assert targets("to=2026-01-18") == set()
    assert targets("actor=meena") == {"meena's"}
    assert targets("action=sync&result=success&to=2026-01-19") == {"on the day"}
    assert targets("result=refused") == {"meena's"}
    assert "No entries match." in shown(admin_browser, "?actor=somebody-else")


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("?from=2026-99-99", "from", "“2026-99-99” is not a date. Write it as 2026-01-19."),
        ("?to=yesterday", "to", "“yesterday” is not a date. Write it as 2026-01-19."),
        ("?from=2026-02-01&to=2026-01-01", "from", "The first day comes after the last one."),
    ],
)
def test_a_date_that_is_none_is_stated_on_top_and_at_the_field(
    admin_browser: Client, query: str, field: str, sentence: str
) -> None:
    answer = admin_browser.get(f"{AUDIT}{query}")
    page = answer.content.decode()
    piece = shown(admin_browser, query, **{"HX-Request": "true"})

    assert answer.status_code == 422
    assert "<title>Error: Audit trail" in page
    assert f'<a href="#{field}">{sentence}</a>' in page and "There is a problem" in page
    assert f'<p class="problem" id="{field}-problem">{sentence}</p>' in page
    assert f'<p class="problem" id="{field}-problem" hx-swap-oob="true">{sentence}</p>' in piece
    assert "Signed in" not in piece


@pytest.mark.parametrize("query", ["?from=0001-01-01&to=9999-12-31", "?from=0002-01-19", "?page=0", "?page=99999999"])
def test_odd_days_and_pages_are_answered(admin_browser: Client, query: str) -> None:
    assert "Signed in" in shown(admin_browser, query)


def test_fifty_a_page(admin_browser: Client, now: datetime) -> None:
    for number in range(60):
        recorded(now=now, target=f"row {number}")

    first, second = shown(admin_browser, "?action=sync"), shown(admin_browser, "?action=sync&page=2")

    assert first.count("<tr>") == 51 and second.count("<tr>") == 11
    assert "60 entries · page 1 of 2" in first
    assert "/admin/backups/audit/?action=sync&amp;page=2" in first


def test_viewing_is_hidden_until_somebody_asks_for_it(admin_browser: Client, now: datetime) -> None:
    recorded("collection.view", now=now, target="20260119_111420/bookings")

    usual, asked = shown(admin_browser), shown(admin_browser, "?looking=1")
    by_action = shown(admin_browser, "?action=collection.view")

    assert "20260119_111420/bookings" not in usual
    assert "20260119_111420/bookings" in asked and "20260119_111420/bookings" in by_action


def test_the_entries_of_a_run_are_folded_under_its_newest(admin_browser: Client, seeded: Configuration) -> None:
    run = backups.start_backup(
        created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    backups.execute(backup_id=run["_id"])

    page = shown(admin_browser)

    table = page.partition('<table class="stack audit">')[2]
    assert "more entries of this run" in table
    assert table.index("Backup ended") < table.index("more entries of this run") < table.index("Started a backup")
    assert table.count('<td class="at">') < AuditEvent.objects.count()


def test_an_empty_trail_says_so(admin_browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_rows", lambda _: AuditEvent.objects.none())

    assert "Nothing recorded yet." in shown(admin_browser)


def test_a_run_is_reported_with_counts_of_both_sides_and_leads_to_the_run_and_its_sync(
    admin_browser: Client, seeded: Configuration
) -> None:
    run = backups.start_backup(
        created_by="ravi", delete_bookings=True, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    backups.execute(backup_id=run["_id"])
    rows = {row.event.action: row for row in audit_rows.rows_of(list(AuditEvent.objects.exclude(result="started")))}

    for action, side in (("purge.remote", "Atlas"), ("purge.local", "local")):
        counted = {one.name: (one.before, one.deleted, one.kept, one.after) for one in rows[action].counts}
        assert rows[action].side == side
        assert counted["bookings"] == (1240, 1240, 0, 0)
        assert (rows[action].seconds or 0) >= 0 and rows[action].seconds is not None
    end = rows["backup.finished"]
    assert dict(end.deleted)["Atlas"] == dict(end.deleted)["local"]
    assert (end.seconds or 0) > 0
    assert admin_browser.get(end.run_url).status_code == 200
    log = admin_browser.get(end.sync_url).content.decode()
    assert "Changes by collection" in log and "employee_bookings" in log
    assert "1,240" in shown(admin_browser, "?action=purge.remote")


def test_a_sync_of_its_own_leads_to_its_log(admin_browser: Client, seeded: Configuration) -> None:
    syncs.sync_now(wish=SyncWish(), requested_by="ravi", origin=Origin.COMMAND, now=timezone.now())
    rows = audit_rows.rows_of(list(AuditEvent.objects.filter(action="sync", result="success")))

    assert [admin_browser.get(row.sync_url).status_code for row in rows] == [200]
    assert admin_browser.get("/admin/backups/syncs/20000101_000000/").status_code == 404


def test_a_deletion_that_stopped_half_way_knows_no_before_and_after(now: datetime) -> None:
    half = {"bookings": {"deleted": 500, "gone": 0, "kept_changed": 1, "left": 0, "twice": 0, "done": False}}
    event = recorded("purge.remote", now=now, result="database_unreachable", details={"counts": half})

    (one,) = audit_rows.rows_of([event])[0].counts

    assert (one.before, one.deleted, one.kept, one.after) == (None, 500, 1, None)


def test_a_run_that_was_resumed_lasted_since_then(now: datetime) -> None:
    day = timedelta(days=1)
    recorded("backup.requested", now=now, result="accepted", target="a run")
    first = recorded("backup.finished", now=now + timedelta(seconds=30), result="partial", target="a run")
    recorded("backup.resume", now=now + day, result="accepted", target="a run")
    last = recorded("backup.finished", now=now + day + timedelta(seconds=5), target="a run")

    assert [row.seconds for row in audit_rows.rows_of([first, last])] == [30, 5]


def test_what_went_wrong_is_reported(admin_browser: Client, now: datetime) -> None:
    sentence = "The backup folder cannot be written."
    recorded("backup.finished", now=now, result="failed", details={"error_message": sentence})

    assert f"<b>Error:</b> {sentence}" in shown(admin_browser, "?action=backup.finished")


def test_every_action_that_the_program_records_has_words(admin_browser: Client) -> None:
    kinds = ("backup", "restore", "test_copy", "rehearsal")
    of_runs = {f"{kind}.{end}" for kind in kinds for end in ("requested", "finished")}

    assert of_runs | {"person.add", "person.change", "person.delete", "access.denied"} <= set(audit_wording.ACTIONS)
