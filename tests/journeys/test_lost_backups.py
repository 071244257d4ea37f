"""A backup whose folder was removed by hand: every door says so, and nobody says that it is safe."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from backups_app import configuration as settings
from backups_app.assurance.sentence import Level
from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import BackupRemoved
from backups_app.messages import runs as messages
from backups_app.models import User
from backups_app.purge import delete
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.runs.recovery import recovery
from backups_app.runs.steps import purge_remote, purge_sides
from backups_app.use_cases.backups import backups, placement
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.listing import listing
from backups_app.use_cases.restores import restores
from backups_app.use_cases.retention import pins
from backups_app.use_cases.status import status
from tests.journeys.conftest import Db, contents, raw_documents, run_backup
from tests.journeys.test_unfinished import die_in, remote_fails_in, resume
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

UNVERIFIED = messages.UNVERIFIED()

GONE = "The files of this backup are gone from the backup folder."


def command(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def folder_of(seeded: Configuration, backup_id: str) -> Path:
    return seeded.backup_dir / f"backup_{backup_id}"


@pytest.fixture
def gone(seeded: Configuration) -> str:
    """The id of a good backup whose folder was removed by hand."""
    made = run_backup(delete_bookings=True)
    assert made["status"] == "success"
    shutil.rmtree(folder_of(seeded, made["backup_id"]))
    return str(made["backup_id"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("backup_docs", "{}"), ("backup_docs", "{}", "bookings"), ("backup_verify", "{}"), ("backup_diff", "{}", "{}"),
        ("backup_restore", "{}", "--dry-run"), ("backup_rehearse", "{}"),
    ],
)  # fmt: skip
def test_each_command_that_needs_the_files_says_that_they_are_gone(gone: str, arguments: tuple[str, ...]) -> None:
    code, text = command(*(one.format(gone) for one in arguments), "--json")

    assert (code, json.loads(text)["code"]) == (10, "backup_removed")


def test_list_show_and_status_say_that_they_are_gone(gone: str, seeded: Configuration) -> None:
    _, listed = command("backup_list")
    _, every = command("backup_list", "--status", "all", "--json")
    _, shown = command("backup_show", gone)
    reported = status.status(configuration=seeded, now=timezone.now())

    assert gone in listed and GONE in listed and "No backups yet" not in listed
    [row] = json.loads(every)
    assert (row["files"], row["published"], row["verified"], row["resume_available"]) == ("gone", False, False, False)
    assert row["message"].startswith(GONE) and "can only come from another backup" in row["message"]
    assert GONE in shown and ", verified" not in shown
    assert reported.verdict is Level.NOT_PROTECTED
    assert (
        f"The files of the backup of {gone} are gone" in reported.sentence and "no backup yet" not in reported.sentence
    )


def test_the_newest_backup_gone_needs_attention_though_an_older_one_is_here(seeded: Configuration) -> None:
    run_backup(delete_bookings=False)
    newest = run_backup(delete_bookings=False)["backup_id"]
    shutil.rmtree(folder_of(seeded, newest))

    reported = status.status(configuration=seeded, now=timezone.now())

    (gone,) = reported.assurance.attention
    assert (reported.verdict, gone.message.code, gone.backup_id) == (Level.NEEDS_ATTENTION, "newest_files_gone", newest)


def test_the_newest_backup_damaged_needs_attention_though_an_older_one_is_here(seeded: Configuration) -> None:
    run_backup(delete_bookings=False)
    newest = run_backup(delete_bookings=False)["backup_id"]
    next(folder_of(seeded, newest).rglob("devotees.bson")).write_bytes(b"")

    reported = status.status(configuration=seeded, now=timezone.now())

    assert [(one.message.code, one.backup_id) for one in reported.assurance.attention] == [
        ("newest_backup_damaged", newest)
    ]


@pytest.mark.parametrize(
    ("code", "harm"),
    [
        ("held_documents_gone", shutil.rmtree),
        ("held_documents_damaged", lambda folder: next(folder.rglob("bookings.bson")).write_bytes(b"")),
    ],
)
def test_deleted_bookings_that_no_backup_holds_need_attention_until_they_are_released(
    seeded: Configuration, code: str, harm: Callable[[Path], Any]
) -> None:
    """A newer good backup holds none of them."""
    holder = run_backup(delete_bookings=True)["backup_id"]
    run_backup(delete_bookings=False)
    harm(folder_of(seeded, holder))

    reported = status.status(configuration=seeded, now=timezone.now())

    assert [(one.message.code, one.backup_id) for one in reported.assurance.attention] == [(code, holder)]
    pins.release(
        configuration=seeded, backup_id=holder, typed=holder, requested_by="ananya", origin=Origin.WEB,
        now=timezone.now(),
    )  # fmt: skip
    assert status.status(configuration=seeded, now=timezone.now()).assurance.attention == ()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/collections"), ("GET", "/collections/bookings"), ("POST", "/verify"), ("POST", "/restore")],
)
def test_the_api_answers_410_and_404_for_what_never_was(
    gone: str,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
    method: str,
    path: str,
) -> None:
    caller = sign_in(super_admin)

    lost: Any = caller.send(method, f"/api/backups/{gone}{path}", {} if method == "POST" else None)
    never: Any = caller.send(method, f"/api/backups/20200101_000000{path}", {} if method == "POST" else None)

    assert (lost.status_code, lost.json()["code"]) == (410, "backup_removed")
    assert (never.status_code, never.json()["code"]) == (404, "backup_not_found")


def test_the_pages_say_that_they_are_gone(gone: str, admin: User) -> None:
    browser = signed_in(admin)
    run = browser.get(f"/admin/backups/runs/{gone}/").content.decode()
    opened = browser.get(f"/admin/backups/browse/?backup={gone}")
    home = browser.get("/admin/backups/").content.decode()
    restore = browser.get(f"/admin/backups/{gone}/restore/")

    assert "The files of this backup are gone" in run and ", verified." not in run
    assert (opened.status_code, restore.status_code) == (410, 410)
    assert "no backup yet" not in home


@pytest.mark.parametrize("left", [(), (".DS_Store",)])
def test_a_folder_that_was_emptied_is_as_good_as_gone(
    seeded: Configuration, admin: User, left: tuple[str, ...]
) -> None:
    made = run_backup(delete_bookings=True)["backup_id"]
    shutil.rmtree(folder_of(seeded, made))
    folder_of(seeded, made).mkdir()
    for name in left:
        (folder_of(seeded, made) / name).touch()

    run = listing.get_run(configuration=seeded, backup_id=made)
    page = signed_in(admin).get(f"/admin/backups/runs/{made}/").content.decode()
    findings = [one.sentence for one in doctor.examine(configuration=seeded)]

    assert (run["files"], run["verified"], run["published"]) == ("gone", False, False)
    assert GONE in run["message"] and GONE in page
    assert json.loads(command("backup_verify", made, "--json")[1])["code"] == "backup_removed"
    assert command("backup_list", "--json")[1].strip() == "[]"
    assert f"backup_{made} is not listed: it is empty." in findings


def test_a_folder_whose_disk_is_not_mounted_is_not_called_gone(
    seeded: Configuration, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        made = run_backup(delete_bookings=True)["backup_id"]
    run_backup(delete_bookings=False)
    seeded.backup_dir.rename(seeded.backup_dir.with_name("unplugged"))

    run = listing.get_run(configuration=seeded, backup_id=made)
    page = signed_in(admin).get(f"/admin/backups/runs/{made}/").content.decode()

    assert (run["files"], run["resume_available"], run["keep_available"]) == ("unmounted", False, False)
    assert "may not be mounted" in run["message"] and "may not be mounted" in page
    assert "gone" not in run["message"] and "complete and verified" not in page
    listed = command("backup_list")[1]
    assert listed.count("may not be mounted") == 1 and "--adopt-store" in listed
    assert listed.count("not here\n") == 2  # both backups
    assert "backup_now" not in listed  # it would be refused
    assert "backup_removed" not in command("backup_verify", made, "--json")[1]
    seeded.backup_dir.with_name("unplugged").rename(seeded.backup_dir)
    assert resume(made)["status"] == "success"


def test_files_that_only_a_link_leads_to_are_not_called_verified(seeded: Configuration) -> None:
    made = run_backup(delete_bookings=False)["backup_id"]
    database = folder_of(seeded, made) / seeded.database_name
    database.rename(seeded.backup_dir / "moved")
    database.symlink_to(seeded.backup_dir / "moved")

    run = listing.get_run(configuration=seeded, backup_id=made)

    assert (run["verified"], run["damaged"]) == (False, True)
    assert command("backup_verify", made)[0] == command("backup_restore", made, "--confirm", "RESTORE")[0] == 5


def test_a_backup_of_another_host_is_not_called_gone(seeded: Configuration, local_db: Db, gone: str) -> None:
    local_db["backup_metadata"].update_one({"_id": gone}, {"$set": {"store_id": "ab" * 16, "host": "kumbakonam"}})

    code, text = command("backup_docs", gone, "--json")

    assert (code, json.loads(text)["code"]) == (10, "backup_elsewhere")
    assert "host kumbakonam" in listing.get_run(configuration=seeded, backup_id=gone)["message"]


def _touch(folder: Path, data: Path) -> None:
    os.utime(data)


def _lose_the_record_of_the_folder(folder: Path, data: Path) -> None:
    (folder / "metadata.json").unlink()


@pytest.mark.parametrize("change", [_touch, _lose_the_record_of_the_folder])
def test_what_nobody_has_verified_as_it_is_now_is_not_called_safe(
    seeded: Configuration, admin: User, change: Callable[[Path, Path], None]
) -> None:
    made = run_backup(delete_bookings=False)
    folder = folder_of(seeded, made["backup_id"])

    change(folder, folder / seeded.database_name / "bookings.bson")

    _, shown = command("backup_show", made["backup_id"], "--json")
    _, text = command("backup_show", made["backup_id"])
    page = signed_in(admin).get(f"/admin/backups/runs/{made['backup_id']}/").content.decode()
    assert json.loads(shown)["message"] == UNVERIFIED
    assert UNVERIFIED in text and "verified." not in text.replace(UNVERIFIED, "")
    assert "This backup is not verified" in page and "completed successfully" not in page
    assert command("backup_verify", made["backup_id"])[0] == 0
    assert json.loads(command("backup_show", made["backup_id"], "--json")[1])["message"] != UNVERIFIED


def test_a_dump_of_others_is_not_called_safe_before_it_is_verified(seeded: Configuration) -> None:
    folder = folder_of(seeded, "20240101_000000") / seeded.database_name
    folder.mkdir(parents=True)
    (folder / "bookings.bson").write_bytes(b"")

    before = json.loads(command("backup_show", "20240101_000000", "--json")[1])
    command("backup_verify", "20240101_000000")
    after = json.loads(command("backup_show", "20240101_000000", "--json")[1])

    assert (before["verified"], before["message"]) == (False, UNVERIFIED)
    assert (after["verified"], after["message"] == UNVERIFIED) == (True, False)


def test_a_partial_run_without_its_folder_cannot_be_resumed_and_is_not_called_safe(
    seeded: Configuration, local_db: Db, remote_db: Db, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        backup_id = run_backup(delete_bookings=True)["backup_id"]
    before = contents(local_db)
    kept_away = seeded.backup_dir.parent / "kept_away"
    folder_of(seeded, backup_id).rename(kept_away)

    with pytest.raises(BackupRemoved):
        resume(backup_id)

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    page = signed_in(admin).get(f"/admin/backups/runs/{backup_id}/").content.decode()
    assert (run["resume_available"], run["keep_available"], run["status"]) == (False, True, "partial")
    assert "safe" not in run["message"] and "keep the remaining documents after all" in run["message"]
    assert "complete and verified" not in page and "Resume the deletion" not in page and "Keep after all" in page
    assert "complete and verified" not in command("backup_show", backup_id)[1]
    assert contents(local_db) == before
    reported = status.status(configuration=seeded, now=timezone.now())
    assert "are gone" in reported.sentence and "safe" not in reported.sentence
    kept_away.rename(folder_of(seeded, backup_id))
    assert resume(backup_id)["status"] == "success"  # it was only moved: what is there decides, not what was stated


def test_what_is_left_can_be_kept_after_all_without_the_folder(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        backup_id = run_backup(delete_bookings=True)["backup_id"]
    shutil.rmtree(folder_of(seeded, backup_id))

    resume(backup_id, keep=True)

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    assert (run["resume_available"], run["keep_available"]) == (False, False)
    assert not purge_ledger.open_collections(local_db, run_id=backup_id)


def test_a_folder_removed_while_a_resume_waits_for_its_worker(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        backup_id = run_backup(delete_bookings=True)["backup_id"]
    shutil.rmtree(folder_of(seeded, backup_id))
    monkeypatch.setattr(placement, "require_files", lambda *_: None)  # it was there a moment ago

    resumed = resume(backup_id)

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    assert (resumed["status"], resumed["error_code"]) == ("partial", "backup_removed")
    assert "safe" not in run["message"]


def test_a_resume_that_finds_its_backup_damaged_does_not_call_it_safe(
    seeded: Configuration, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch):
        backup_id = run_backup(delete_bookings=True)["backup_id"]
    file = next(folder_of(seeded, backup_id).glob("*/devotees.bson"))
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")

    resume(backup_id)

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    page = signed_in(admin).get(f"/admin/backups/runs/{backup_id}/").content.decode()
    assert (run["status"], run["verified"], run["damaged"]) == ("partial", False, True)
    assert "safe" not in run["message"] and "complete and verified" not in page
    assert (run["resume_available"], run["keep_available"]) == (False, True)
    assert "cannot be resumed" in run["message"] and "Resume the deletion" not in page


def test_a_restore_whose_safety_backup_is_gone_does_not_say_that_it_holds_anything(
    seeded: Configuration, local_db: Db, admin: User
) -> None:
    backup_id = run_backup(delete_bookings=True)["backup_id"]
    choices = restores.choose(configuration=seeded, backup_id=backup_id, include_purged=True)
    preview = restores.preview_restore(configuration=seeded, choices=choices)
    started = restores.start(
        choices=choices, confirmation=preview.confirmation, created_by="ravi", origin=Origin.COMMAND,
        now=timezone.now(), enqueue=False,
    )  # fmt: skip
    restored = backups.execute(backup_id=started["backup_id"])["backup_id"]
    shutil.rmtree(folder_of(seeded, restored))

    run = listing.get_run(configuration=seeded, backup_id=restored)
    page = signed_in(admin).get(f"/admin/backups/runs/{restored}/").content.decode()

    assert run["files"] == "gone" and "can no longer be undone" in run["message"]
    assert "holds" not in run["message"] and "Undo…" not in page and "can no longer be undone" in page
    with pytest.raises(BackupRemoved):
        restores.undo(configuration=seeded, run=run)
    assert command("backup_docs", restored, "--json")[0] == 10


class Killed(BaseException):
    """What kill -9 leaves: no `finally` of ours has run."""


def test_killed_in_the_purge_before_its_first_entry_resume_is_available_and_finishes_it(
    seeded: Configuration, local_db: Db, remote_db: Db, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = die_in(purge_remote, monkeypatch, after=False)

    recovery.recover(configuration=seeded, now=timezone.now())

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    page = signed_in(admin).get(f"/admin/backups/runs/{backup_id}/").content.decode()
    assert (run["status"], run["resume_available"], run["purge"]) == ("partial", True, None)
    assert "the deletion has not begun" in page and "Atlas is finished" not in page and "Resume the deletion" in page
    assert len(raw_documents(local_db, "bookings")) == 52

    assert resume(backup_id)["status"] == "success"

    for side in (local_db, remote_db):
        assert [len(raw_documents(side, name)) for name in ("activities", "bookings")] == [0, 0]


@pytest.mark.parametrize(("room", "name"), [(purge_sides, "_obstacles"), (delete, "purge_collection")])
def test_killed_anywhere_before_the_first_entry(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch, room: Any, name: str
) -> None:
    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(room, name, die)
        backup_id = _die(patched)

    recovery.recover(configuration=seeded, now=timezone.now())

    assert listing.get_run(configuration=seeded, backup_id=backup_id)["resume_available"] is True
    assert resume(backup_id)["status"] == "success"


def _die(patched: pytest.MonkeyPatch) -> str:
    patched.setattr("backups_app.catalog.lease.release", lambda *_, **__: None)
    started = backups.start_backup(
        created_by="ananya", delete_bookings=True, origin=Origin.COMMAND, now=timezone.now(), enqueue=False
    )
    with pytest.raises(Killed):
        backups.execute(backup_id=started["backup_id"])
    database = preparation.local_database(settings.current())
    vanished = {"owner.started": "0"}
    runs.collection(database).update_one({"_id": started["backup_id"]}, {"$set": vanished})
    database["backup_lease"].update_one({"_id": "lease"}, {"$set": vanished})
    return str(started["backup_id"])


def test_a_purge_without_a_plan_can_be_kept_after_all(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = die_in(purge_remote, monkeypatch, after=False)
    recovery.recover(configuration=seeded, now=timezone.now())

    resume(backup_id, keep=True)

    run = listing.get_run(configuration=seeded, backup_id=backup_id)
    assert (run["resume_available"], run["keep_available"]) == (False, False)
    assert len(raw_documents(local_db, "bookings")) == 52


def test_what_sync_could_not_resolve_is_withheld_by_a_resume_too(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = die_in(purge_remote, monkeypatch, after=False)
    recovery.recover(configuration=seeded, now=timezone.now())
    local_db["sync_logs"].update_one(
        {"run_id": backup_id, "collections.name": "bookings"}, {"$set": {"collections.$.unresolved": 2}}
    )

    run = resume(backup_id)

    assert (run["status"], list(run["purge"]["withheld"])) == ("partial", ["bookings"])
    assert len(raw_documents(local_db, "bookings")) == 52
    assert Side.LOCAL.value in run["purge"]


def test_without_the_log_of_its_sync_a_resume_withholds_everything(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = die_in(purge_remote, monkeypatch, after=False)
    recovery.recover(configuration=seeded, now=timezone.now())
    local_db["sync_logs"].delete_many({})

    run = resume(backup_id)

    assert set(run["purge"]["withheld"]) == {"activities", "bookings", "employee_bookings"}
    assert len(raw_documents(local_db, "activities")) == 25
