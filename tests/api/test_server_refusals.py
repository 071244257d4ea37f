"""A server that answers and refuses: named by status, doctor, run, command and API, with the line that grants."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo import MongoClient

from backups_app.assurance.sentence import Level
from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseUnreachable, DumpFailed, TempleOpsError
from backups_app.models import User
from backups_app.mongo import availability, connections
from backups_app.records import Origin
from backups_app.runs.steps import dump
from backups_app.use_cases.backups import backups
from backups_app.use_cases.doctor import doctor, doctor_looks
from backups_app.use_cases.status import status, status_json
from tests.guarded import guarded_server, uri
from tests.journeys.conftest import now, run_backup
from tests.journeys.test_restore import command
from tests.pages.conftest import signed_in
from tests.security.conftest import Caller

pytestmark = pytest.mark.django_db
Db = Any


@pytest.fixture
def guarded(seeded: Configuration, tmp_path: Path) -> Iterator[tuple[str, MongoClient[Any]]]:
    """A server that asks for rights, which knows `keeper` (all that is needed) and `nothing` (no right at all)."""
    availability.forget_failures()
    with guarded_server(tmp_path) as address, MongoClient[Any](uri(address)) as root:
        root[seeded.database_name]["bookings"].insert_one({"_id": "there"})
        may = [{"role": "readWrite", "db": seeded.database_name}]
        root.admin.command("createUser", "keeper", pwd="secret", roles=may)
        root.admin.command("createUser", "nothing", pwd="secret", roles=[])
        yield address, root
        connections.close_all()


@pytest.fixture
def use(seeded: Configuration) -> Iterator[Callable[..., Configuration]]:
    """Change a setting for the rest of the test."""
    changed: list[Any] = []

    def change(**settings: Any) -> Configuration:
        configuration = dataclasses.replace(seeded, **settings)
        changed.append(override_settings(TEMPLEOPS=configuration))
        changed[-1].enable()
        return configuration

    yield change
    for one in reversed(changed):
        one.disable()


def reported(configuration: Configuration) -> Any:
    return status.status(configuration=configuration, now=now())


def codes(configuration: Configuration) -> set[str]:
    return {finding.subject for finding in doctor.examine(configuration=configuration) if finding.level == "problem"}


def test_a_local_user_without_rights_is_informed_everywhere(
    guarded: tuple[str, Any], use: Any, caller: Caller, admin: User
) -> None:
    configuration = use(local_url=Secret(uri(guarded[0], "nothing")))
    grant = f'grantRolesToUser("<user>", [{{role: "readWrite", db: "{configuration.database_name}"}}])'

    found, examined = reported(configuration), command("backup_doctor")
    conflicts: Any = caller.get("/api/backup/sync/conflicts")
    started: Any = caller.send("POST", "/api/backup", {"delete_bookings": False})
    page = signed_in(admin).get("/admin/backups/conflicts/")
    code, refused = command("backup_now")

    assert [refusal.code for refusal in found.refusals] == ["database_right_missing"]
    assert found.local.reachable and grant in found.hint
    assert "has no database" not in found.sentence
    assert examined[0] == 1 and any(one["subject"] == "database_right_missing" for one in examined[1])
    assert all("crash" not in one["sentence"] for one in examined[1])
    for answer in (conflicts, started):
        assert (answer.status_code, answer.json()["code"]) == (503, "database_right_missing")
        assert grant in answer.json()["hint"]
    assert page.status_code == 503 and "no right to" in page.content.decode()
    assert (code, refused["code"]) == (1, "database_right_missing") and grant in refused["hint"]


@pytest.mark.parametrize(
    ("user", "code"),
    [("nothing", "database_right_missing"), ("wrong", "database_login_refused"), ("", "database_login_missing")],
)
def test_what_atlas_refuses_is_named_by_status_doctor_and_run(
    guarded: tuple[str, Any], use: Any, user: str, code: str, local_db: Db
) -> None:
    address = guarded[0]
    url = uri(address, user) if user else f"mongodb://{address}/?directConnection=true"
    configuration = use(cloud_url=Secret(url))

    found, problems = reported(configuration), codes(configuration)
    run = run_backup(delete_bookings=True)
    after = reported(configuration)

    assert (found.remote.problem.code, found.remote.problem.facts["side"]) == (code, "remote")
    assert status_json.public(found)["remote"]["problem"]["hint"]
    assert code in problems
    assert (run["status"], run["sync_status"], run["error_code"]) == ("partial", "failed", code)
    assert code == "database_right_missing" or found.remote.problem.detail in run["error_message"]
    assert "cannot be reached" not in run["error_message"] and "cannot be reached" not in after.sentence
    assert run["error_message"].endswith("The deletion step did not run. Nothing was deleted by this run.")
    assert local_db["bookings"].count_documents({}) == 45


@pytest.mark.parametrize("variable", ["local_url", "cloud_url"])
@pytest.mark.parametrize("url", ["mongodb://127.0.0.1:9/\n", "nonsense", "mongodb://127.0.0.1:99999/"])
def test_a_url_that_is_none_never_crashes_status_or_doctor(
    seeded: Configuration, use: Any, caller: Caller, variable: str, url: str
) -> None:
    configuration = use(**{variable: Secret(url)})

    problems = codes(configuration)
    found: Any = caller.get("/api/backup/status")

    assert problems & {"mongodb_url_invalid", "mongodb_url_whitespace"}
    assert found.status_code == 200
    side = "local" if variable == "local_url" else "remote"
    assert found.json()[side]["problem"]["code"] in ("mongodb_url_invalid", "mongodb_url_whitespace")


def test_the_doctor_says_what_he_cannot_look_at(seeded: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    for name in ("backup_folder", "server_of", "running_lease", "users_and_audit"):
        monkeypatch.setattr(doctor_looks, name, breaks)

    findings = doctor.examine(configuration=seeded)

    assert sum("ZeroDivisionError" in finding.sentence for finding in findings) == 5


def test_after_abort_the_answer_says_that_there_is_no_backup(use: Any, caller: Caller, worker: Configuration) -> None:
    use(sync_failure_policy="abort", cloud_url=Secret("mongodb://127.0.0.1:9/?appName=nobody"))

    answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": True})

    assert (answer.status_code, answer.json()["code"]) == (500, "sync_failed")
    assert answer.json()["detail"] == (
        "No backup was made, because the sync failed and SYNC_FAILURE_POLICY is abort. Nothing was deleted by this run."
    )
    assert "remote MongoDB cannot be reached" in answer.json()["hint"]
    shown: Any = caller.get(f"/api/backups/{answer.json()['backup_id']}")
    run = shown.json()
    assert (run["status"], run["warnings"]) == ("failed", [])
    assert "remote MongoDB cannot be reached" in next(s["sentence"] for s in run["steps"] if s["name"] == "sync")


def test_what_the_sync_deleted_is_reported_where_the_run_itself_deletes_nothing(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_backup(delete_bookings=False)
    local_db["devotees"].delete_one({"_id": 3})
    remote_db["devotees"].delete_many({"_id": {"$in": [4, 5]}})

    def fails(_run: Any) -> Any:
        raise DumpFailed(reason="it is a test")

    monkeypatch.setattr(dump, "perform", fails)
    run = run_backup(delete_bookings=True)

    assert run["status"] == "failed"
    assert run["error_message"] == (
        "The copy could not be made: it is a test. The unfinished copy was removed. The deletion step did not run. "
        "The sync before it pulled 0 and pushed 0 documents, and deleted 2 on this computer and 1 on Atlas. Replaced "
        "and deleted versions are kept: page Sync, Conflicts, Edits and deletions too."
    )


def test_cancelled_while_atlas_is_silent_is_cancelled_and_nothing_else(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch, caller: Caller
) -> None:
    run_backup(delete_bookings=False)
    from backups_app.sync import engine

    def silent(**given: Any) -> Any:
        backups.cancel(backup_id=given["run_id"], requested_by="ravi", origin=Origin.WEB, now=now())
        raise DatabaseUnreachable(side="remote")

    monkeypatch.setattr(engine, "synchronise", silent)
    run = run_backup(delete_bookings=True)
    text = reported(seeded)
    listed: Any = caller.get("/api/backups?status=cancelled")

    assert (run["status"], run["error_code"], run["warnings"]) == ("cancelled", "cancelled", [])
    assert run["error_message"] == (
        "Stopped by ravi. The unfinished copy was removed. The deletion step did not run. "
        "Nothing was deleted by this run."
    )
    (cancelled,) = text.assurance.attention
    assert cancelled.message.english.startswith("the last run was cancelled. Stopped by ravi.")
    assert "failed" not in cancelled.message.english and "without the newest" not in str(run)
    assert [one["backup_id"] for one in listed.json()] == [run["backup_id"]]


def test_two_cancelled_runs_are_no_two_failed_ones(seeded: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    run_backup(delete_bookings=False)
    for _ in range(2):
        started = backups.start_backup(
            created_by="ravi", delete_bookings=False, origin=Origin.WEB, now=now(), enqueue=False
        )
        backups.cancel(backup_id=started["backup_id"], requested_by="ravi", origin=Origin.WEB, now=now())

    assert reported(seeded).verdict == Level.NEEDS_ATTENTION


def test_every_named_error_has_a_hint_that_can_be_filled_in() -> None:
    def kinds(kind: type[TempleOpsError]) -> Iterator[type[TempleOpsError]]:
        yield kind
        for more in kind.__subclasses__():
            yield from kinds(more)

    facts = {"side": "remote", "variable": "V", "reason": "r", "what": "read", "database": "d"}
    for kind in kinds(DatabaseUnreachable):
        assert "{" not in kind(**facts).hint and "{" not in kind(**facts).detail
