"""The page and the panel of a run, and what can be done with it, against a real database."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.test import Client, override_settings

from backups_app.catalog.run import runs
from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from backups_app.use_cases.backups import backups
from tests.pages.conftest import MOMENT, a_run, signed_in

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def started(admin_browser: Client, seeded: Configuration, local_db: Any) -> str:
    """A run that waits for a worker."""
    admin_browser.post("/admin/backups/runs/", {"key": "k"})
    return str(runs.active(local_db)["_id"])  # type: ignore[index]


def carried_out(backup_id: str) -> None:
    assert backups.execute(backup_id=backup_id)["status"] == "success"


def test_a_run_in_progress_polls_itself_and_refreshes_without_a_script(admin_browser: Client, started: str) -> None:
    page = admin_browser.get(f"/admin/backups/runs/{started}/").content.decode()

    assert "Starting…" in page
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page


def test_the_progress_of_a_running_run_is_a_fragment(admin_browser: Client, started: str) -> None:
    answer = admin_browser.get(f"/admin/backups/runs/{started}/progress/", headers=HTMX)

    title, fragment = answer.content.decode().split("</title>")
    assert title.startswith("<title>Backup in progress ·") and fragment.lstrip().startswith('<div id="progress"')
    assert "HX-Retarget" not in answer


def test_a_run_that_ended_answers_with_its_result_and_polls_no_more(admin_browser: Client, started: str) -> None:
    carried_out(started)

    answer = admin_browser.get(f"/admin/backups/runs/{started}/progress/", headers=HTMX)

    page = answer.content.decode()
    assert answer["HX-Retarget"] == "#panel"
    assert "Backup finished" in page and "every 1s" not in page
    row = " ".join(page.partition("<code>activities</code>")[2].partition("</tr>")[0].split())
    assert row.count("50 of 50 deleted") == 2, "on Atlas and on this computer"


def test_the_end_offers_the_heading_to_a_focus_inside_the_panel_and_says_itself_in_the_title(
    admin_browser: Client, super_admin: User, started: str
) -> None:
    before = admin_browser.get(f"/admin/backups/runs/{started}/progress/", headers=HTMX).content.decode()
    carried_out(started)
    at = f"/admin/backups/runs/{started}/progress/"

    own, of_another = (one.get(at, headers=HTMX).content.decode() for one in (admin_browser, signed_in(super_admin)))

    assert "data-focus" in own and "data-focus" in of_another and "data-focus" not in before
    assert before.startswith("<title>Backup in progress ·") and own.startswith("<title>Backup finished ·")
    assert 'data-announce="Backup finished"' in own and 'data-announce="Backup finished"' in of_another


def test_cancelling_asks_first_and_then_stops_the_run(admin_browser: Client, started: str, local_db: Any) -> None:
    asked = admin_browser.get(f"/admin/backups/runs/{started}/cancel/").content.decode()
    answer = admin_browser.post(f"/admin/backups/runs/{started}/cancel/", follow=True)

    assert "Stop this backup?" in asked and "Keep going" in asked
    assert "Backup cancelled. The deletion step did not run." in answer.content.decode()
    assert runs.get(local_db, backup_id=started)["status"] == "cancelled"  # type: ignore[index]


def test_a_run_that_ended_cannot_be_cancelled_any_more(admin_browser: Client, started: str) -> None:
    carried_out(started)

    answer = admin_browser.post(f"/admin/backups/runs/{started}/cancel/", headers=HTMX)

    assert answer.status_code == 409
    assert "It could not be stopped any more" in answer.content.decode()


@pytest.mark.parametrize(
    ("method", "what", "sentence"),
    [
        ("post", "resume", "This run has no unfinished deletion any more."),
        ("post", "keep", "This run has no unfinished deletion any more."),
        ("get", "keep", "This run has no unfinished deletion any more."),
        ("get", "cancel", "It could not be stopped any more"),
        ("post", "cancel", "It could not be stopped any more"),
    ],
)
def test_what_an_old_page_asks_of_a_run_that_is_over_shows_how_it_stands_now(
    admin_browser: Client, started: str, method: str, what: str, sentence: str
) -> None:
    carried_out(started)
    ask = getattr(admin_browser, method)

    piece = ask(f"/admin/backups/runs/{started}/{what}/", headers=HTMX)
    page = ask(f"/admin/backups/runs/{started}/{what}/", follow=True)

    assert (piece.status_code, piece["HX-Retarget"]) == (409, "#panel")
    assert page.redirect_chain[0][1] == 303
    for text in (piece.content.decode(), page.content.decode()):
        assert sentence in text and "Backup finished" in text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_resume_for_which_a_setting_is_missing_is_refused_by_name(
    admin_browser: Client, seeded: Configuration, local_db: Any, headers: dict[str, str]
) -> None:
    purge = {"allowed": True, "sides": ["remote", "local"], "collections": ["activities"], "remote": {}, "local": {}}
    run = a_run(status="partial", resume_available=True, purge=purge)
    runs.create(local_db, document=run)

    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret(""))):
        answer = admin_browser.post(f"/admin/backups/runs/{run.id}/resume/", headers=headers)

    assert answer.status_code == 409
    assert "This deletion is to be finished on Atlas too, and MONGODB_CLOUD_URL is not" in answer.content.decode()
    assert runs.get(local_db, backup_id=run.id)["status"] == "partial"  # type: ignore[index]


def test_a_run_is_reported_to_people_and_its_record_folded(admin_browser: Client, started: str) -> None:
    carried_out(started)

    page = " ".join(admin_browser.get(f"/admin/backups/runs/{started}/").content.decode().split())

    assert page.index("Look inside this backup") < page.index("Synced with Atlas") < page.index("About this run")
    assert f'href="/admin/backups/syncs/{started}/"' in page
    assert f"browse/?backup={started}&amp;collection=bookings" in page, "its files"
    assert '<details class="technical" >' in page


def test_a_deletion_that_found_nothing_says_so(admin_browser: Client, seeded: Configuration, local_db: Any) -> None:
    for kept in range(2):
        admin_browser.post("/admin/backups/runs/", {"key": f"k{kept}"})
        second = str(runs.active(local_db)["_id"])  # type: ignore[index]
        carried_out(second)

    page = admin_browser.get(f"/admin/backups/runs/{second}/").content.decode()

    assert "No documents were deleted." in page and "0 of 0 deleted" not in page


def test_the_list_shows_every_run(admin_browser: Client, started: str) -> None:
    carried_out(started)

    page = admin_browser.get("/admin/backups/runs/", follow=True).content.decode()

    assert started in page and "Success" in page and "ravi" in page


def test_a_malformed_and_an_unknown_id(admin_browser: Client, seeded: Configuration) -> None:
    assert admin_browser.get("/admin/backups/runs/nonsense/").status_code == 422
    assert admin_browser.get("/admin/backups/runs/20200101_000000/").status_code == 404


def test_times_are_reported_in_ist(admin_browser: Client, started: str, local_db: Any) -> None:
    local_db.backup_metadata.update_one({"_id": started}, {"$set": {"created_at": MOMENT}})

    page = admin_browser.get(f"/admin/backups/runs/{started}/").content.decode()

    assert "16:44:20 IST" in page
