"""A full backup, two incrementals on it, and their copies: what the pages say of what belongs together, in English and
in Hindi."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import expect

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.models import BackupCopy, User
from backups_app.pages import known_status
from backups_app.records import Origin
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.backups import backups
from backups_app.use_cases.copies import work
from backups_app.use_cases.restores import restores
from tests.browser.checked_page import CheckedPage
from tests.browser.in_process import HOUSE, served
from tests.browser.in_process import looked_at as looked_at
from tests.browser.in_process import one_connection as one_connection
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.retention.conftest import temple as temple
from tests.storage.making import directory_target


@dataclasses.dataclass
class Chained:
    base: str
    incrementals: list[str]


@pytest.fixture
def chained(temple: Temple, tmp_path: Path) -> Iterator[Chained]:
    """Everything is copied to a directory; the newest incremental is not yet, and the base was rehearsed."""
    directory_target(tmp_path / "nas", database=temple.database.name)
    target = TargetSettings(name="nas", kind="file", place=str(tmp_path / "nas"))
    configuration: Configuration = dataclasses.replace(temple.configuration, targets=(target,))
    with override_settings(TEMPLEOPS=configuration):
        temple.database["devotees"].insert_many([{"_id": f"d{n}", "note": "x" * 900} for n in range(2_000)])
        base, first = made(incremental=False), changed(temple)
        work.copy_what_is_lacking(configuration=configuration)
        BackupCopy.objects.filter(target="nas").update(elsewhere=True)
        run = restores.rehearse(
            backup_id=base.id, created_by="ananya", origin=Origin.COMMAND, now=datetime.now(UTC), enqueue=False
        )
        backups.execute(backup_id=run.id)
        newest = changed(temple)
        known_status.forget()
        yield Chained(base=base.id, incrementals=[newest.id, first.id])


def made(*, incremental: bool) -> RunRecord:
    run = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=datetime.now(UTC), enqueue=False,
        incremental=incremental,
    )  # fmt: skip
    run = backups.execute(backup_id=run.backup_id)
    assert run.status == "success", run.error_message
    return run


def changed(temple: Temple) -> RunRecord:
    temple.database["devotees"].update_one({"_id": "d1"}, {"$inc": {"edits": 1}})
    return made(incremental=True)


@pytest.mark.parametrize("language", ["en-in", "hi"])
def test_what_belongs_together_is_shown(
    chained: Chained, super_admin: User, looked_at: CheckedPage, language: str
) -> None:
    newest, first = chained.incrementals
    reader = signed_in(super_admin)
    reader.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    served(looked_at.page, reader)

    def look(path: str, name: str) -> str:
        looked_at.page.goto(f"{HOUSE}/admin/backups/{path}")
        looked_at.wait_until_still()
        looked_at.check(f"90-{name}-{language}")
        return looked_at.page.inner_text("main")

    listed = look("list/", "incrementals-list")
    copies = look("copies/", "incrementals-copies")
    of_copy = look(f"copies/nas/remove/{chained.base}/", "remove-copy-of-base")
    look(f"copies/nas/remove/{first}/", "remove-copy")
    of_base = look(f"{chained.base}/remove/", "remove-base")
    look("restores/", "restores-of-chain")
    run = look(f"runs/{newest}/", "run-of-incremental")
    look(f"runs/{chained.base}/", "run-of-base")

    assert chained.base in run
    assert first in of_copy
    assert all(one in of_base for one in chained.incrementals)
    assert {chained.base, first} <= set(copies.split())
    assert newest in listed
    expect(looked_at.page.locator("h1")).to_be_visible()
