"""Find everywhere names and counts each backup that it does not search, with the reason, and claims no more."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backups_app.backup_files.store import trash
from backups_app.browsing.search.everywhere import FindState, NotSearched
from backups_app.configuration import Configuration
from backups_app.models import BackupCopy, User
from backups_app.records import Origin
from backups_app.storage.copy_rows import State
from backups_app.use_cases.finding import finding
from tests.conftest import NOBODY
from tests.hosts.test_two_stores import Host, backup_on
from tests.hosts.test_two_stores import on as on
from tests.journeys.conftest import seeded as seeded
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn
from tests.security.conftest import sign_in as sign_in

pytestmark = pytest.mark.django_db
FIND = "/admin/backups/find/?q=nobody-of-this-name"


def searched(configuration: Configuration, person: User) -> FindState:
    return finding.begin(
        configuration=configuration, words="nobody-of-this-name", only_lost=False, person=person, origin=Origin.WEB,
        now=timezone.now(), zone=timezone.get_current_timezone(), seconds=30,
    ).state  # fmt: skip


def test_backups_on_another_host_are_counted_and_named(on: Host, super_admin: User, sign_in: SignIn) -> None:
    first, second = backup_on(on, "a"), backup_on(on, "a")
    here = backup_on(on, "b")

    with on("b") as configuration:
        state = searched(configuration, super_admin)
        page = signed_in(super_admin).get(FIND).content.decode()
        answer: Any = sign_in(super_admin).get("/api/find?q=nobody-of-this-name").json()  # type: ignore[attr-defined]

    assert (state.backups, state.finished, state.complete) == ([here], True, False)
    assert state.not_searched == [
        NotSearched(code="backup_elsewhere", where="host-a", count=2, backups=(second, first))
    ]
    assert "2 backups on host host-a" in page and f"/admin/backups/runs/{first}/" in page
    assert "Nothing that was searched contains" in page and "Nothing contains" not in page
    assert answer["not_searched"] == [
        {"code": "backup_elsewhere", "where": "host-a", "count": 2, "backups": [second, first]}
    ]
    assert answer["complete"] is False


def test_a_search_of_all_that_is_known_is_complete(on: Host, super_admin: User, sign_in: SignIn) -> None:
    backup_on(on, "a")

    with on("a") as configuration:
        state = searched(configuration, super_admin)
        page = signed_in(super_admin).get(FIND).content.decode()
        answer: Any = sign_in(super_admin).get("/api/find?q=nobody-of-this-name").json()  # type: ignore[attr-defined]

    assert state.complete and answer["complete"] is True and answer["not_searched"] == []
    assert "Nothing contains" in page and "Not searched" not in page


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def linked(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(folder.with_name("moved"))


def thrown(folder: Path) -> None:
    trash.throw(folder.parent, folder.name, now=timezone.now())


def store_lost(folder: Path) -> None:
    folder.parent.rename(folder.parent.with_name("unmounted"))
    folder.parent.mkdir()


@pytest.mark.parametrize(
    ("lose", "code"),
    [(gone, "backup_removed"), (linked, "backup_removed"), (thrown, "in_trash"), (store_lost, "store_missing")],
)
def test_a_folder_that_is_gone_is_counted_by_its_reason(on: Host, super_admin: User, lose: Any, code: str) -> None:
    made = backup_on(on, "a")

    with on("a") as configuration:
        lose(configuration.backup_dir / f"backup_{made}")
        state = searched(configuration, super_admin)

    assert state.not_searched == [NotSearched(code=code, count=1, backups=(made,))] and not state.complete


def test_what_only_a_target_or_the_folder_knows_is_counted_too(on: Host, super_admin: User) -> None:
    backup_on(on, "a")
    BackupCopy.objects.create(
        backup_id="20200101_000000", target="nas", state=State.COMPLETE, created_at=timezone.now()
    )

    with on("a") as configuration:
        (configuration.backup_dir / "backup_of_uncle").mkdir()
        state = searched(configuration, super_admin)
        page = signed_in(super_admin).get(FIND).content.decode()

    assert {(one.code, one.where, one.backups) for one in state.not_searched} == {
        ("only_a_copy", "nas", ("20200101_000000",)), ("no_backup_folder", "", ("backup_of_uncle",)),
    }  # fmt: skip
    assert "1 backup of which only a copy at nas is left" in page and "backup_of_uncle" in page


def test_without_the_database_nobody_knows_what_was_left_out(on: Host, super_admin: User) -> None:
    backup_on(on, "a")

    with on("b", local_url=NOBODY) as configuration:
        state = searched(configuration, super_admin)

    assert NotSearched(code="records_unknown") in state.not_searched and not state.complete
