"""A server that asks for rights: what is stated, by command, API and page, where our user has them on the temple's
database alone, and that the line which is named there is enough."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo import MongoClient

from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from backups_app.mongo import connections
from backups_app.records import INTERNAL
from backups_app.use_cases.lanes import previews
from tests.api.conftest import AT_ONCE
from tests.dump.test_rights import guarded  # noqa: F401  (a fixture)
from tests.journeys.conftest import run_backup
from tests.journeys.test_restore import command
from tests.pages.conftest import signed_in
from tests.security.conftest import Caller, SignIn, sign_in  # noqa: F401  (a fixture)

NAME = "shrine"
Root = MongoClient[dict[str, Any]]
pytestmark = pytest.mark.django_db


@pytest.fixture
def root(guarded: str) -> Iterator[Root]:  # noqa: F811
    """The administrator of MongoDB. Users of a test are removed after it, and so is every database of ours."""
    with MongoClient[dict[str, Any]](f"mongodb://root:secret@{guarded}/?directConnection=true") as client:
        yield client
        connections.close_all()
        client.admin.command("dropUser", "sevak")
        for name in client.list_database_names():
            if name.startswith(NAME):
                client.drop_database(name)


@pytest.fixture
def small_rights(root: Root, guarded: str, a_folder: Path) -> Iterator[Configuration]:  # noqa: F811
    """A temple whose user of MongoDB may use the temple's database and no other."""
    root.admin.command("createUser", "sevak", pwd="secret", roles=[{"role": "readWrite", "db": NAME}])
    root[NAME]["bookings"].insert_many([{"_id": number, "name": f"பக்தர் {number}"} for number in range(20)])
    configuration = Configuration(
        local_url=Secret(f"mongodb://sevak:secret@{guarded}/?directConnection=true"),
        cloud_url=Secret(""),
        database_name=NAME,
        backup_dir=a_folder,
        backup_engine="python",
    )
    with override_settings(TEMPLEOPS=configuration, TASKS=AT_ONCE):
        yield configuration


def message(database: str) -> str:
    return (
        f'The MongoDB user of TempleOps may not do everything it needs in the database "{database}". The temple\'s '
        "database was not touched. The administrator of MongoDB allows it with: "
        f'db.getSiblingDB("admin").grantRolesToUser("<user>", [{{role: "readWrite", db: "{database}"}}, '
        f'{{role: "dbAdmin", db: "{database}"}}])'
    )


def allow(root: Root, database: str) -> None:
    """Do what the line says."""
    roles = [{"role": role, "db": database} for role in ("readWrite", "dbAdmin")]
    root.admin.command("grantRolesToUser", "sevak", roles=roles)


def test_the_commands_name_the_line_and_with_it_they_succeed(small_rights: Configuration, root: Root) -> None:
    backup = run_backup(delete_bookings=False)["_id"]

    rehearsed = command("backup_rehearse")
    previewed = command("backup_restore", backup, "--to", f"{NAME}_look", "--dry-run")
    before = set(root.list_database_names())
    allow(root, f"{NAME}_rehearsal")
    allow(root, f"{NAME}_look")
    again = command("backup_rehearse")
    copied = command("backup_restore", backup, "--to", f"{NAME}_look")
    listed = command("backup_restore", "--copies")
    removed = command("backup_restore", "--remove-copy", f"{NAME}_look")

    assert (rehearsed[0], rehearsed[1]["error_code"]) == (1, "copy_not_allowed")
    assert rehearsed[1]["error_message"] == message(f"{NAME}_rehearsal")
    assert (previewed[0], previewed[1]["code"], previewed[1]["detail"]) == (
        1,
        "copy_not_allowed",
        message(f"{NAME}_look"),
    )
    assert not {f"{NAME}_rehearsal", f"{NAME}_look"} & before
    assert (again[0], again[1]["status"], again[1]["restore"]["sums"]["proven"]) == (0, "success", 20)
    assert (copied[0], copied[1]["restore"]["sums"]["inserted"]) == (0, 20)
    assert [copy["database"] for copy in listed[1]] == [f"{NAME}_look"]
    assert (removed[0], removed[1]) == (0, [])
    assert not {f"{NAME}_rehearsal", f"{NAME}_look"} & set(root.list_database_names())


def test_a_restore_that_may_not_write_names_the_right_and_what_is_in_place(
    small_rights: Configuration, root: Root
) -> None:
    backup = run_backup(delete_bookings=False)["_id"]
    root[NAME]["bookings"].delete_many({"_id": {"$lt": 5}})
    whole: dict[str, Any] = {"db": NAME, "collection": ""}
    reads = ["find", "listCollections", "listIndexes", "collStats", "dbStats"]
    writes = ["insert", "update", "remove", "createIndex", "createCollection"]
    ours = [{"resource": {"db": NAME, "collection": name}, "actions": writes} for name in sorted(INTERNAL)]
    may = [{"resource": whole, "actions": reads}, *ours]
    root.admin.command("createRole", "watcher", privileges=may, roles=[])
    root.admin.command("updateUser", "sevak", roles=[{"role": "watcher", "db": "admin"}])

    code, reported = command("backup_restore", backup)
    root.admin.command("updateUser", "sevak", roles=[{"role": "readWrite", "db": NAME}])
    root.admin.command("dropRole", "watcher")
    again = command("backup_restore", backup)

    assert (code, reported["status"], reported["error_code"]) == (3, "partial", "restore_unfinished")
    assert reported["error_message"].startswith(
        "It did not finish. The local MongoDB answers and refuses: the user in MONGODB_LOCAL_URL has no right to write "
        'in the database "shrine". db.getSiblingDB("admin").grantRolesToUser('
    )
    assert reported["error_message"].endswith(
        'In place: nothing; "bookings" was in progress. The safety backup holds what was there before. When that is '
        "repaired, start the same again."
    )
    assert (again[0], again[1]["restore"]["sums"]["inserted"]) == (0, 5)


def test_the_right_to_write_alone_is_named_when_the_copy_cannot_be_removed(
    small_rights: Configuration, root: Root
) -> None:
    run_backup(delete_bookings=False)
    root.admin.command("grantRolesToUser", "sevak", roles=[{"role": "readWrite", "db": f"{NAME}_rehearsal"}])

    code, reported = command("backup_rehearse")
    allow(root, f"{NAME}_rehearsal")
    again = command("backup_rehearse")

    assert (code, reported["error_code"], reported["error_message"]) == (
        1,
        "copy_not_allowed",
        message(f"{NAME}_rehearsal"),
    )
    assert (again[0], again[1]["status"]) == (0, "success")
    assert f"{NAME}_rehearsal" not in root.list_database_names()


def test_the_api_names_the_line(small_rights: Configuration, super_admin: User, sign_in: SignIn) -> None:  # noqa: F811
    caller: Caller = sign_in(super_admin)
    backup = run_backup(delete_bookings=False)["_id"]

    preview: Any = caller.send("POST", f"/api/backups/{backup}/restore", {"to": f"{NAME}_look"})
    rehearsal: Any = caller.send("POST", "/api/backup/rehearse")

    assert (preview.status_code, preview.json()["code"]) == (409, "copy_not_allowed")
    assert preview.json()["detail"] == message(f"{NAME}_look")
    assert rehearsal.status_code == 202
    run: Any = caller.get(rehearsal.headers["Location"]).json()  # type: ignore[attr-defined]
    assert (run["status"], run["error_code"]) == ("failed", "copy_not_allowed")
    assert run["error_message"] == message(f"{NAME}_rehearsal")


def test_the_pages_name_the_line(small_rights: Configuration, super_admin: User) -> None:
    browser, backup = signed_in(super_admin), run_backup(delete_bookings=False)["_id"]
    previews.forget_all()
    line = f"{{role: &quot;dbAdmin&quot;, db: &quot;{NAME}_%s&quot;}}"

    preview = browser.get(
        f"/admin/backups/{backup}/restore/?step=3&collection=bookings&mode=add&where=copy&to={NAME}_look"
    )
    rehearsal = browser.post("/admin/backups/restores/rehearse/", {"backup_id": backup}, follow=True)

    assert preview.status_code == 409
    assert line % "look" in preview.content.decode()
    assert rehearsal.status_code == 200
    assert line % "rehearsal" in rehearsal.content.decode()
