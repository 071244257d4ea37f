"""A backup dated in the future (the clock was set back) is kept and marked, and is evidence for nothing."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from pymongo.database import Database

from backups_app.assurance.sentence import Level
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import AllDatedInFuture
from backups_app.models import User
from backups_app.records import Origin, RunKind
from backups_app.use_cases.backups import backups
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.listing import listing
from backups_app.use_cases.restores import emptied, restores
from backups_app.use_cases.status import status
from tests.journeys.conftest import now, run_backup
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)
Mongo = Database[dict[str, Any]]
WEEKS = timedelta(days=30)


def run_with_the_clock_ahead(by: timedelta = WEEKS) -> RunRecord:
    started = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=now() + by, enqueue=False
    )
    return backups.execute(backup_id=started["backup_id"])


def command(*words: str, **options: Any) -> tuple[str, int]:
    out, code = io.StringIO(), 0
    try:
        call_command(*words, stdout=out, stderr=io.StringIO(), **options)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return out.getvalue(), code


def seen(seeded: Configuration, **later: Any) -> status.SystemStatus:
    return status.status(configuration=seeded, now=now() + timedelta(**later))


def test_alone_it_protects_nothing(seeded: Configuration) -> None:
    ahead = run_with_the_clock_ahead()
    assert ahead["status"] == "success"

    reported = seen(seeded)

    assert reported.verdict is Level.NOT_PROTECTED
    assert reported.sentence == (
        f"Not protected: the backup {ahead['backup_id']} is dated in the future, so its age is not known."
    )
    assert reported.last_backup is None and reported.last_run is None
    assert reported.backups_count == 1
    with pytest.raises(AllDatedInFuture):
        listing.resolve(seeded, "latest")
    with pytest.raises(AllDatedInFuture):
        restores.newest_verified(configuration=seeded)


def test_beside_another_the_other_is_the_last_one(seeded: Configuration) -> None:
    good, ahead = run_backup(delete_bookings=False), run_with_the_clock_ahead()

    reported = seen(seeded)

    assert (reported.assurance.code, reported.assurance.attention) == ("not_elsewhere", ())
    assert reported.last_backup is not None and reported.last_backup["backup_id"] == good["backup_id"]
    assert reported.last_run is not None and reported.last_run["backup_id"] == good["backup_id"]
    assert seen(seeded, days=9).sentence == "The last good backup is 9 days old."
    assert listing.resolve(seeded, "latest") == good["backup_id"]
    assert restores.newest_verified(configuration=seeded) == good["backup_id"]
    shown, _ = command("backup_docs", "latest", "devotees", "--json")
    assert json.loads(shown)["total_documents"] == 30
    assert [run["backup_id"] for run in listing.list_runs(configuration=seeded) if run["dated_in_future"]] == [
        ahead["backup_id"]
    ]


def test_when_its_day_has_come_it_counts_again(seeded: Configuration) -> None:
    ahead = run_with_the_clock_ahead()

    reported = seen(seeded, days=30)

    assert reported.last_backup is not None and reported.last_backup["backup_id"] == ahead["backup_id"]


@pytest.mark.parametrize(("minutes", "marked"), [(9, False), (11, True)])
def test_ten_minutes_are_no_wrong_clock(seeded: Configuration, minutes: int, marked: bool) -> None:
    run_with_the_clock_ahead(timedelta(minutes=minutes))

    (run,) = listing.list_runs(configuration=seeded)

    assert run["dated_in_future"] is marked


def test_a_failed_run_from_then_does_not_hide_that_all_is_well(seeded: Configuration, local_db: Mongo) -> None:
    good, ahead = run_backup(delete_bookings=False), run_with_the_clock_ahead()
    local_db["backup_metadata"].update_one({"_id": ahead["backup_id"]}, {"$set": {"status": "failed", "message": "no"}})

    assert seen(seeded).assurance.attention == ()
    assert seen(seeded).assurance.code == "not_elsewhere"
    assert good["status"] == "success"


def test_a_deletion_that_it_left_unfinished_is_still_named(seeded: Configuration, local_db: Mongo) -> None:
    run_backup(delete_bookings=False)
    ahead = run_with_the_clock_ahead()
    changes = {"status": "partial", "resume_available": True}
    local_db["backup_metadata"].update_one({"_id": ahead["backup_id"]}, {"$set": changes})

    reported = seen(seeded)

    assert reported.verdict is Level.NEEDS_ATTENTION
    assert reported.assurance.attention[0].backup_id == ahead["backup_id"]
    assert reported.unfinished is not None and reported.unfinished["backup_id"] == ahead["backup_id"]


def test_a_rehearsal_from_then_proves_nothing(seeded: Configuration, local_db: Mongo) -> None:
    run_backup(delete_bookings=False)
    started = restores.rehearse(
        backup_id=None, created_by="ananya", origin=Origin.COMMAND, now=now() + WEEKS, enqueue=False
    )
    assert backups.execute(backup_id=started["backup_id"])["status"] == "success"
    assert started["kind"] == RunKind.REHEARSAL

    assert seen(seeded).last_proven is None


def test_what_later_runs_emptied_is_left_out_of_a_restore_of_it(seeded: Configuration) -> None:
    ahead = run_with_the_clock_ahead()
    emptied_by = run_backup(delete_bookings=True)["backup_id"]

    left_out = emptied.on_purpose(configuration=seeded, backup_id=ahead["backup_id"])

    assert left_out["bookings"] == emptied_by


def test_commands_api_and_pages_mark_it(
    seeded: Configuration,
    admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    good, ahead = run_backup(delete_bookings=False), run_with_the_clock_ahead()

    listed, _ = command("backup_list")
    assert "dated in the future" in next(line for line in listed.splitlines() if ahead["backup_id"] in line)
    assert "dated in the future" not in next(line for line in listed.splitlines() if good["backup_id"] in line)
    assert "It is dated in the future" in command("backup_show", ahead["backup_id"])[0]
    reported = json.loads(command("backup_status", "--json")[0])
    assert reported["last_backup"]["backup_id"] == good["backup_id"]
    answer: Any = sign_in(admin).get("/api/backups")
    rows = {row["backup_id"]: row for row in answer.json()}
    assert [rows[one["backup_id"]].get("dated_in_future") for one in (good, ahead)] == [None, True]
    browser = signed_in(admin)
    home = "/admin/backups/"
    paths = {
        home: False,
        f"{home}list/": True,
        f"{home}browse/?backup={good['backup_id']}": True,
        f"{home}compare/": True,
        f"{home}runs/{ahead['backup_id']}/": True,
        f"{home}runs/{good['backup_id']}/": False,
    }
    marked = {path: "dated in the future" in browser.get(path).content.decode() for path in paths}
    assert marked == paths
    assert browser.get(f"{home}runs/")["Location"] == f"{home}list/"
    listed_page = browser.get(f"{home}list/").content.decode()
    listed_rows = {one["backup_id"]: _row(listed_page, one["backup_id"]) for one in (good, ahead)}
    assert ["dated in the future" in listed_rows[one["backup_id"]] for one in (good, ahead)] == [False, True]
    warned = "a clock was wrong when it was made"
    assert warned in browser.get(f"{home}browse/?backup={ahead['backup_id']}").content.decode()
    assert warned not in browser.get(f"{home}browse/?backup={good['backup_id']}").content.decode()


def _row(page: str, backup_id: str) -> str:
    return page.split(f'<tr id="backup-{backup_id}">')[1].split("</tr>")[0]


def test_the_home_page_shows_the_run_that_failed_after_it(seeded: Configuration, admin: User) -> None:
    for hours in range(2):
        run_with_the_clock_ahead(WEEKS + timedelta(hours=hours))
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret("mongodb://127.0.0.1:9/"))):
        late = run_backup(delete_bookings=False)
    assert late["status"] == "partial"

    page = signed_in(admin).get("/admin/backups/").content.decode()

    assert "Backup made without the newest changes from Atlas" in page


def test_the_doctor_names_it(seeded: Configuration) -> None:
    ahead = run_with_the_clock_ahead()

    findings = doctor.examine(configuration=seeded)

    assert any(ahead["backup_id"] in one.sentence and one.level == "problem" for one in findings)


def test_lost_records_are_no_other_matter(seeded: Configuration, local_db: Mongo) -> None:
    ahead = run_with_the_clock_ahead()
    local_db.drop_collection("backup_metadata")

    assert seen(seeded).last_backup is None
    assert Path(ahead["backup_path"]).is_dir()
