"""The list of backups and the card of a temple whose backups are copied: where each copy is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from playwright.sync_api import expect

from backups_app.configuration import Configuration
from backups_app.models import BackupCopy, User
from backups_app.pages import known_status
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import work
from tests.browser.checked_page import CheckedPage
from tests.browser.in_process import HOUSE, served
from tests.browser.in_process import looked_at as looked_at
from tests.browser.in_process import one_connection as one_connection
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.retention.conftest import temple as temple
from tests.storage.making import directory_target


@pytest.fixture
def copied(temple: Temple, tmp_path: Path) -> Iterator[Configuration]:
    """Two backups copied to a directory; a second target that was never prepared."""
    temple.add(days=3)
    directory_target(tmp_path / "nas", database=temple.database.name)
    targets = (
        TargetSettings(name="nas", kind="file", place=str(tmp_path / "nas")),
        TargetSettings(name="usb", kind="file", place=str(tmp_path / "usb")),
    )
    configuration = dataclasses.replace(temple.configuration, targets=targets)
    with override_settings(TEMPLEOPS=configuration):
        work.copy_what_is_lacking(configuration=configuration)
        BackupCopy.objects.filter(target="nas", backup_id=temple.newest_real()).update(elsewhere=True)
        known_status.forget()
        yield configuration


def test_the_list_and_the_card_say_where_copies_are(
    copied: Configuration, super_admin: User, looked_at: CheckedPage
) -> None:
    served(looked_at.page, signed_in(super_admin))

    looked_at.page.goto(f"{HOUSE}/admin/backups/list/")
    looked_at.wait_until_still()
    first, second = looked_at.page.locator("#runs tbody tr").all()[:2]
    expect(first.get_by_text("nas").first).to_be_visible()
    expect(second.get_by_text("on this computer").first).to_be_visible()
    expect(first.get_by_text("failed").first).to_be_visible()
    looked_at.check("64-copied-list")

    looked_at.page.goto(f"{HOUSE}/admin/backups/")
    looked_at.wait_until_still()
    expect(looked_at.page.get_by_role("link", name="Add a copy elsewhere")).to_be_visible()
    looked_at.check("64-copied-home")
