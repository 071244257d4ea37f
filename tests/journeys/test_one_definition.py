"""A backup's collections and documents are counted once for all; what is no backup of the temple's is named."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.records import Origin
from backups_app.templatetags import run_tags
from backups_app.use_cases.backups import backups
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import Db, run_backup
from tests.pages.conftest import MOMENT, a_run, signed_in, step
from tests.security.conftest import SignIn, sign_in  # noqa: F401  (a fixture)

STATED = "5 collections of the temple, 3 of our own records"


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def backup_id(seeded: Configuration, local_db: Db) -> str:
    """A backup of four collections and a view."""
    local_db.create_collection("paid", viewOn="bookings", pipeline=[])
    return str(run_backup(delete_bookings=False)["backup_id"])


def test_command_and_record_say_the_same(backup_id: str) -> None:
    verified = json.loads(command("backup_verify", backup_id, "--json"))
    shown = command("backup_show", backup_id)
    listed = command("backup_docs", backup_id)
    reported = json.loads(command("backup_docs", backup_id, "--json"))
    run = json.loads(command("backup_show", backup_id, "--json"))

    assert (verified["collections"], verified["own_collections"], verified["documents"]) == (5, 3, run["documents"])
    assert f"{STATED} copied" in shown and f"{STATED}; 119 documents" in shown
    assert f"good, {STATED}; 119 documents" in command("backup_verify", backup_id)
    assert f"{STATED}." in listed and listed.count("our own record") == 4
    assert len(reported) == len(run["collections_backed_up"]) == 5
    assert len(json.loads(command("backup_docs", backup_id, "--json", "--own"))) == 8


def test_the_api_counts_what_it_lists(
    backup_id: str,
    super_admin: User,
    sign_in: SignIn,  # noqa: F811
) -> None:
    caller = sign_in(super_admin)
    [row] = caller.get("/api/backups").json()  # type: ignore[attr-defined]
    listed: Any = caller.get(f"/api/backups/{backup_id}/collections").json()  # type: ignore[attr-defined]
    every: Any = caller.get(f"/api/backups/{backup_id}/collections?own=true").json()  # type: ignore[attr-defined]
    verified: Any = caller.send("POST", f"/api/backups/{backup_id}/verify")

    assert row["collections_count"] == len(listed) == verified.json()["collections"] == 5
    assert [one["collection_name"] for one in every if one["internal"]] == [
        "backup_metadata", "sync_conflicts", "sync_logs",
    ]  # fmt: skip
    assert sum(one["document_count"] for one in listed) == verified.json()["documents"] == 119


def test_the_page_says_it_and_a_view_is_not_stated_to_have_been_empty(backup_id: str, admin: User) -> None:
    browser = signed_in(admin)
    inside = browser.get(f"/admin/backups/browse/?backup={backup_id}").content.decode()
    view = browser.get(f"/admin/backups/browse/?backup={backup_id}&collection=paid").content.decode()

    assert STATED in " ".join(inside.split())
    assert "A view holds no documents of its own" in view and "was empty" not in view
    assert "A view holds no documents of its own" in command("backup_docs", backup_id, "paid")


def test_the_api_says_it_of_a_view(backup_id: str, super_admin: User, sign_in: SignIn) -> None:  # noqa: F811
    answer: Any = sign_in(super_admin).get(f"/api/backups/{backup_id}/collections/paid").json()  # type: ignore[attr-defined]

    assert answer["note"].startswith("A view holds no documents of its own")


def test_a_collection_that_is_not_there_is_404(backup_id: str, admin: User) -> None:
    browser = signed_in(admin)

    nope = browser.get(f"/admin/backups/browse/?backup={backup_id}&collection=nope")

    assert nope.status_code == 404
    assert "This backup holds no collection “nope”." in nope.content.decode()


def test_what_is_no_ordinary_backup_is_headed_and_marked_as_what_it_is(
    backup_id: str, seeded: Configuration, admin: User
) -> None:
    browser = signed_in(admin)

    def carried_out(**wish: Any) -> str:
        choices = restores.choose(configuration=seeded, **wish)
        seen = restores.preview_restore(configuration=seeded, choices=choices)
        begun = restores.start(
            choices=choices, confirmation=seen.confirmation, created_by="ravi", origin=Origin.COMMAND,
            now=timezone.now(), enqueue=False,
        )  # fmt: skip
        return str(backups.execute(backup_id=begun["backup_id"])["backup_id"])

    def heading(run_id: str) -> str:
        page = browser.get(f"/admin/backups/runs/{run_id}/").content.decode()
        found = re.search(r"<h1[^>]*>\s*(.*?)\s*</h1>", page, re.DOTALL)
        assert found
        return found[1]

    restored = carried_out(backup_id=backup_id, collections=["devotees"], mode="overwrite")
    undone = carried_out(backup_id=restored, collections=["devotees"], mode="replace")
    copied = carried_out(backup_id=backup_id, to=f"{seeded.database_name}_copy")
    begun = restores.rehearse(
        backup_id=backup_id, created_by="ravi", origin=Origin.COMMAND, now=timezone.now(), enqueue=False
    )
    rehearsed = str(backups.execute(backup_id=begun["backup_id"])["backup_id"])
    restores.remove_copy(
        configuration=seeded, name=f"{seeded.database_name}_copy", removed_by="ravi", origin=Origin.COMMAND,
        now=timezone.now(),
    )  # fmt: skip

    assert heading(restored).startswith("Restore of")
    assert heading(undone).startswith("Undo of a restore")
    assert heading(copied).startswith("Test copy of")
    assert heading(rehearsed).startswith("Restore test of")
    choices = browser.get(f"/admin/backups/browse/?backup={restored}").content.decode()
    assert choices.count("· safety backup") == 2 and "A safety backup: a restore made it" in choices
    listed = command("backup_list")
    rows = {line.split()[0]: line for line in listed.splitlines() if line}
    assert listed.count("(safety backup)") == 2 and "(safety backup)" not in rows[backup_id]


def test_what_a_run_waited_for_atlas_is_no_part_of_the_estimate() -> None:
    waited = step("sync", "failed") | {"finished_at": MOMENT + timedelta(seconds=60)}
    run = a_run(steps=[waited, step("dump", "done"), step("verify", "done"), step("purge_local", "done")])

    assert run_tags.took(run) == "8.0 s"
