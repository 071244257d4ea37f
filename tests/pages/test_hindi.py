"""Pages in Hindi in every state a run can be in: no English sentence is left outside technical details and names."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import Binary
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from backups_app.backup_files import metadata
from backups_app.backup_files.manifest import Manifest
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import PurgeUnfinished
from backups_app.messages import runs as run_messages
from backups_app.messages import stored, sync, use_cases, verification, words
from backups_app.models import User
from backups_app.pages import known_status
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from tests.conftest import NOBODY
from tests.journeys.test_verifying import flip
from tests.pages.conftest import signed_in
from tests.pages.crawler import pages_without_id
from tests.pages.english_left import english_left
from tests.pages.test_restore import hidden, where
from tests.pages.test_run_panel import dumping, partial

pytestmark = pytest.mark.django_db

NAMES_HERE = ("ananya", "ravi", "meena", "activities", "bookings", "devotees", "temple", "John", "Doe", "name", "phone",
              "Lakshmi", "String", "Int32")  # fmt: skip
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _nobody_is_asked_for_a_second_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "listing.present_counts.COUNT_SECONDS",
        "readiness.readiness.LOOK_SECONDS",
        "status.status.PROBE_SECONDS",
    ):
        monkeypatch.setattr(f"backups_app.use_cases.{name}", 1)
    monkeypatch.setattr("backups_app.runs.description.description.LOOK_SECONDS", 1)


def read(hindi: Client, address: str, *, htmx: bool = False, names: tuple[str, ...] = ()) -> str:
    """Return a page after making sure that it is Hindi, all of it."""
    answer = hindi.get(address, headers=HTMX if htmx else {}, follow=True)
    return checked(answer, address, names)


def checked(answer: Any, address: str, names: tuple[str, ...] = ()) -> str:
    page = str(answer.content.decode())
    left = english_left(page, names=(*NAMES_HERE, *names))
    assert not left, f"{address}: {left}"
    return page


def carried_out(*, delete_bookings: bool = False) -> RunRecord:
    started = backups.start_backup(
        created_by="ravi", delete_bookings=delete_bookings, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    known_status.forget()
    return backups.execute(backup_id=started["backup_id"])


def of(run: RunRecord) -> str:
    return f"/admin/backups/runs/{run['backup_id']}/"


def test_before_the_first_backup(hindi: Client, seeded: Configuration) -> None:
    for address in ("/", "/admin/backups/", "/admin/backups/?counts=1", "/admin/backups/confirm-delete/",
                    "/admin/backups/browse/", "/admin/backups/compare/", "/admin/backups/conflicts/", "/sessions/",
                    "/admin/backups/conflicts/?all=1", "/admin/backups/restores/", "/admin/backups/audit/",
                    "/admin/backups/schedule/",
                    "/admin/backups/list/"):  # fmt: skip
        read(hindi, address)
    read(hindi, "/admin/backups/schedule/new/", names=("cron",))


@pytest.mark.parametrize("name", pages_without_id())
def test_every_page_without_an_id_is_hindi(hindi: Client, seeded: Configuration, name: str) -> None:
    """Red after a sentence of a template that `translate` does not surround."""
    read(hindi, reverse(f"pages:{name}"), names=("cron", "NAS", "Slack", "Teams", "Telegram"))


def test_a_success_everywhere_it_is_shown(hindi: Client, seeded: Configuration, local_db: Any) -> None:
    local_db.devotees.insert_one({"_id": 1, "name": "Lakshmi"})
    done = carried_out(delete_bookings=True)
    again = carried_out()
    assert done["status"] == "success", done["error_message"]
    assert again["status"] != "failed", again["error_message"]  # what a busy machine left undone is reported as well

    for address in (of(done), f"{of(done)}?bars=all", "/admin/backups/", "/admin/backups/list/",
                    "/admin/backups/audit/", f"/admin/backups/browse/?backup={done['_id']}",
                    f"/admin/backups/compare/?a={done['_id']}&b={again['_id']}&collection=bookings"):  # fmt: skip
        read(hindi, address)
    inside = f"/admin/backups/browse/?backup={done['_id']}&collection=devotees"
    read(hindi, f"/admin/backups/browse/?backup={done['_id']}&q=lakshmi", names=("lakshmi", "sync_logs"))
    for more in ("", "&q=lakshmi", "&q=nobody", "&view=json", "&view=fields", f"&q={'x' * 300}"):
        read(hindi, inside + more, names=("String", "Int", "Lakshmi", "lakshmi", "nobody", "Int32", "x" * 256))
    read(hindi, f"/admin/backups/{done['_id']}/document/?collection=devotees&number=0", names=("Lakshmi", "String"))
    read(hindi, f"/admin/backups/versions/?backup={done['_id']}&collection=devotees&number=0", names=("Lakshmi",))


def test_a_date_in_a_document_has_its_month_in_hindi(hindi: Client, seeded: Configuration, local_db: Any) -> None:
    at = datetime(2026, 1, 19, 9, 0, 22, tzinfo=UTC)
    local_db.devotees.insert_one({"_id": 1, "born": at, "list": [1, 2], "raw": Binary(b"om", 0)})
    inside = f"backup={carried_out()['_id']}&collection=devotees"
    for address, clock in (
        (f"browse/?{inside}", "14:30"),
        (f"browse/?{inside}&view=table", "14:30"),
        (f"browse/?{inside}&view=fields", "14:30:22"),
        (f"{inside[7:22]}/document/?collection=devotees&number=0", "14:30:22"),
    ):
        page = hindi.get(f"/admin/backups/{address}").content.decode()
        assert f"19 जन. 2026, {clock} IST" in page or f"19 जन 2026, {clock} IST" in page, address
        assert "Jan" not in page
    assert "2 आइटम" in page or "2 वस्तुएँ" in page or "items" not in page
    assert "उपप्रकार 0, 2 बाइट" in page


@pytest.mark.django_db(transaction=True)
def test_a_backup_verified_again(hindi: Client, seeded: Configuration) -> None:
    backup_id = carried_out()["_id"]
    where = f"/admin/backups/{backup_id}/verify/"
    read(hindi, where)
    checked(hindi.post(where, headers=HTMX), "good")
    read(hindi, f"/admin/backups/browse/?backup={backup_id}")
    flip(seeded.backup_dir / f"backup_{backup_id}")
    assert "यह बैकअप खराब है।" in checked(hindi.post(where, headers=HTMX), "damaged", ("SHA-256",))
    for address in (where, f"/admin/backups/browse/?backup={backup_id}", "/admin/backups/audit/"):
        read(hindi, address, names=("SHA-256",))


def test_a_run_that_waits_that_is_cancelled_and_cannot_be_any_more(hindi: Client, seeded: Configuration) -> None:
    started = backups.start_backup(
        created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    for address in (of(started), "/admin/backups/", f"{of(started)}cancel/", f"{of(started)}?already=1"):
        read(hindi, address)
    read(hindi, f"{of(started)}progress/", htmx=True)
    checked(hindi.post("/admin/backups/runs/", {"key": "k"}, headers=HTMX), "a second run")

    hindi.post(f"{of(started)}cancel/")

    assert "रद्द किया गया" in read(hindi, of(started))
    checked(hindi.post(f"{of(started)}cancel/", headers=HTMX), "cancel again")
    checked(hindi.post(f"{of(started)}resume/", headers=HTMX), "resume")


def test_the_typed_words_are_wrong(hindi: Client, seeded: Configuration) -> None:
    answer = hindi.post("/admin/backups/runs/", {"delete_bookings": "yes", "confirm": "delete"}, headers=HTMX)

    assert answer.status_code == 422
    checked(answer, "the dialog")


def test_a_sync_with_a_stranger_and_with_nobody(hindi: Client, seeded: Configuration, remote_db: Any) -> None:
    carried_out()
    remote_db.drop_collection("backup_sync_state")
    mismatch = carried_out()
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=NOBODY)):
        alone = carried_out(delete_bookings=True)
        for address in ("/admin/backups/", "/admin/backups/confirm-delete/", "/admin/backups/?counts=1"):
            read(hindi, address)

    assert [run["sync_status"] for run in (mismatch, alone)] == ["failed", "failed"]
    for address in (of(mismatch), of(alone), "/admin/backups/"):
        page = read(hindi, address)
    assert "ध्यान देना है" in page and "पिछला काम आंशिक रहा।" in page


def test_without_atlas(hindi: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret(""))):
        done = carried_out(delete_bookings=True)
        for address in (of(done), "/admin/backups/", "/admin/backups/?counts=1", "/admin/backups/confirm-delete/"):
            read(hindi, address)


@pytest.mark.parametrize("change", [{"local_url": NOBODY}, {"local_url": Secret("")}, {"database_name": "nothing_here"},
                                    {"backup_engine": "mongodump"}])  # fmt: skip
def test_a_start_that_is_refused(
    hindi: Client, seeded: Configuration, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, **change)):
        read(hindi, "/admin/backups/")
        answer = hindi.post("/admin/backups/runs/", {"key": "k"})
        assert answer.status_code >= 400
        checked(answer, f"refused: {change}")


WARNINGS = [
    sync.BLOCKED_IN(name="bookings", reason=sync.COLLECTION_VANISHED(side=words.side("remote"))),
    sync.UNRESOLVED_IN(name="bookings", n=12345),
    run_messages.DISK_NEARLY_FULL(size="1.20 GB"),
    sync.INDEX_NOT_MADE_ON_SIDE(name="by_date", side=words.side("remote"), reason="code 85"),
    run_messages.EARLIER_STILL_OPEN(run="20260119_111420"),
    use_cases.URL_OPTION_NOT_OBEYED(option="readPreference", variable="MONGODB_LOCAL_URL"),
    verification.DUPLICATE_IDS(name="bookings", count=2),
]


@pytest.mark.parametrize("here", [True, False], ids=["its files are here", "its files are gone"])
@pytest.mark.parametrize("side", ["remote", "local"])
def test_a_deletion_that_stopped_half_way(
    hindi: Client, seeded: Configuration, local_db: Any, side: str, here: bool
) -> None:
    message = run_messages.DELETED_SO_FAR(
        reason=PurgeUnfinished(side=side).detail, counts=[run_messages.DELETED_OF(collection="bookings", n=7)]
    )
    run = partial(created_by="ravi", error_message=message, warnings=WARNINGS, owner=None, fence=1)
    *others, remote, local = run["steps"]
    if side == "local":
        deleted = run_messages.DELETED(counts=[run_messages.DELETED_OF(collection="bookings", n=1240)])
        done = dict.fromkeys(run["purge"]["collections"], run["purge"]["remote"]["bookings"])
        run["purge"] |= {"remote": done, "local": {"bookings": run["purge"]["remote"]["employee_bookings"]}}
        remote, local = remote | {"state": "done", "sentence": deleted}, local | {"state": "failed"}
    stopped = remote if side == "remote" else local
    stopped["sentence"] = message
    local_db.backup_metadata.insert_one(stored.with_details(run | {"steps": [*others, remote, local]}))
    if here:
        folder = seeded.backup_dir / f"backup_{run['backup_id']}"
        folder.mkdir(parents=True, mode=0o700)
        nothing = Manifest(database=seeded.database_name, files={}, collections={})
        metadata.write(folder, {"manifest": nothing.as_json()})

    for address in ("/admin/backups/", f"{of(run)}keep/"):
        read(hindi, address, names=("by_date", "code", "readPreference"))
    page = read(hindi, of(run), names=("by_date", "code", "readPreference"))

    assert ("जब तक आप न चुनें" in page) is here
    assert "12,345" in page


def test_a_restore_from_its_first_question_to_its_end(hindi: Client, seeded: Configuration, local_db: Any) -> None:
    local_db.devotees.insert_many([{"_id": 1, "phone": "1"}, {"_id": 2, "phone": "2"}])
    backup = str(carried_out(delete_bookings=True)["_id"])
    local_db.devotees.delete_one({"_id": 1})
    local_db.devotees.update_one({"_id": 2}, {"$set": {"phone": "1"}})
    local_db.devotees.create_index("phone", unique=True, name="by_phone")
    names = ("devotees", "by_phone", "phone", "Int32", "String")
    for address in (where(backup, 1), where(backup, 2), where(backup, 2, "devotees"), where(backup, 3, "devotees")):
        read(hindi, address, names=names)
    asked = {"mode": "replace", "where": "here"}
    read(hindi, where(backup, 3, "devotees", "bookings", **asked), names=names)
    last = read(hindi, where(backup, 4, "devotees", "bookings", **asked), names=names)

    checked(hindi.post(f"/admin/backups/{backup}/restore/", hidden(last) | {"confirm": "restore"}), "wrong word", names)
    hindi.post(f"/admin/backups/{backup}/restore/", hidden(last) | {"confirm": "RESTORE"})
    run = next(run for run in runs.recent(local_db) if run["kind"] == "restore")
    read(hindi, of(run), names=names)
    done = backups.execute(backup_id=run["_id"])

    assert done["status"] in ("success", "partial"), done["error_message"]
    for address in (of(done), "/admin/backups/restores/", "/admin/backups/audit/"):
        read(hindi, address, names=names)


def test_a_run_on_its_way(hindi: Client, seeded: Configuration, local_db: Any) -> None:
    silent_since = timezone.now() - timedelta(seconds=50)
    run = dumping(created_by="ravi", owner=None, fence=1, heartbeat_at=silent_since)
    local_db.backup_metadata.insert_one(run)

    for address in (of(run), "/admin/backups/", f"{of(run)}?bars=all"):
        read(hindi, address, names=("events",))
    moving = read(hindi, f"{of(run)}progress/", htmx=True, names=("events",))
    assert "1,240" in moving and "कोई दस्तावेज़ नहीं मिला" in moving


def test_a_test_copy_and_a_test_of_a_restore(hindi: Client, seeded: Configuration, local_db: Any) -> None:
    backup, copy = str(carried_out()["_id"]), f"{local_db.name}_copy"
    last = read(hindi, where(backup, 4, "bookings", where="copy", to=copy))
    hindi.post(f"/admin/backups/{backup}/restore/", hidden(last))
    backups.execute(backup_id=next(run["_id"] for run in runs.recent(local_db) if run["kind"] == "test_copy"))
    read(hindi, "/admin/backups/restores/")
    read(hindi, f"/admin/backups/restores/remove-copy/?name={copy}", htmx=True)
    hindi.post("/admin/backups/restores/rehearse/", {"backup_id": backup})
    backups.execute(backup_id=next(run["_id"] for run in runs.recent(local_db) if run["kind"] == "rehearsal"))

    ended = [run for run in runs.recent(local_db) if run["kind"] != "backup"]
    assert {run["status"] for run in ended} == {"success"} and len(ended) == 2
    for run in ended:
        read(hindi, of(run))
    hindi.post("/admin/backups/restores/remove-copy/", {"name": copy})
    read(hindi, "/admin/backups/audit/")


NOT_THERE = ("runs/20200101_000000/", "runs/nonsense/", "20200101_000000/restore/", "conflicts/x/", "nowhere/",
             "browse/?backup=20200101_000000")  # fmt: skip


@pytest.mark.parametrize("address", NOT_THERE)
def test_what_is_not_there(hindi: Client, seeded: Configuration, address: str) -> None:
    read(hindi, f"/admin/backups/{address}")


def test_a_kept_version_says_why_it_lost_its_place(
    hindi: Client, seeded: Configuration, local_db: Any, remote_db: Any
) -> None:
    carried_out()
    local_db.bookings.update_one({"_id": 7}, {"$set": {"name": "Here"}})
    remote_db.bookings.update_one({"_id": 7}, {"$set": {"name": "There"}})
    local_db.bookings.delete_one({"_id": 8})
    carried_out()
    kept = [str(one["_id"]) for one in local_db.sync_conflicts.find({"collection": "bookings"})]

    read(hindi, "/admin/backups/conflicts/?all=1", names=("Int32", "Int", "Here", "There"))
    for one in kept:
        read(hindi, f"/admin/backups/conflicts/{one}/", names=("Here", "There", "String", "name", "John", "Doe"))
    assert kept


def test_access_denied_in_hindi(staff: User, seeded: Configuration, client: Client) -> None:
    client.cookies["django_language"] = "hi"
    read(client, "/login/")
    checked(client.post("/login/", {"username": "x", "password": "y"}), "a wrong password", names=("x",))
    visitor = signed_in(staff)
    visitor.cookies["django_language"] = "hi"
    read(visitor, "/admin/backups/")
    read(visitor, "/")


def test_in_cloud_mode(hindi: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, primary_database="cloud")):
        read(hindi, "/admin/backups/", names=("local",))
        checked(hindi.get("/admin/backups/runs/"), "refused in cloud mode")
