"""Acceptance 6: where no backup may start, both buttons say why; without mongodump our own engine serves."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.checked_page import CheckedPage
from tests.browser.conftest import RunningApp
from tests.browser.test_home import a_good_backup

NO_PROGRAMS = "/nonexistent"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, too small for the smallest backup and its reserve."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "none", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a file system of 40 MB")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def both_are_blocked(checked_page: CheckedPage, because: str) -> None:
    for which in ("keep", "delete"):
        expect(checked_page.page.locator(f"#{which}-button")).to_be_disabled()
        expect(checked_page.page.locator(f"#blocked-{which}")).to_contain_text(because)
        assert checked_page.page.locator(f"#{which}-button").get_attribute("aria-describedby") == f"blocked-{which}"


def test_6_a_disk_nearly_full(running_app: RunningApp, tiny_disk: Path, open_house: Callable[..., CheckedPage]) -> None:
    checked_page = open_house(BACKUP_DIR=str(tiny_disk))
    checked_page.sign_in()
    checked_page.wait_until_still()

    status = checked_page.page.locator("#status")
    expect(status.locator(".verdict.bad")).to_contain_text("Not protected")
    expect(status.locator(".verdict.bad")).to_contain_text("disk is full")
    expect(status.locator(".verdict.bad")).to_contain_text("remove old backups")
    expect(status.locator(".facts")).to_contain_text("40.0 MB free")
    expect(status.locator(".badge", has_text="Backup not available")).to_be_visible()
    both_are_blocked(checked_page, "disk is full")
    checked_page.check("06-disk-full")


def test_6_mongodump_is_wanted_and_missing(running_app: RunningApp, open_house: Callable[..., CheckedPage]) -> None:
    checked_page = open_house(BACKUP_ENGINE="mongodump", PATH=NO_PROGRAMS)
    checked_page.sign_in()
    checked_page.wait_until_still()

    status = checked_page.page.locator("#status")
    expect(status.locator(".verdict.bad")).to_contain_text("mongodump")
    status.locator("summary", has_text="For your technician").click()
    expect(status).to_contain_text("BACKUP_ENGINE=auto")
    both_are_blocked(checked_page, "mongodump")
    checked_page.check("06-mongodump-missing")


def test_6_without_mongodump_the_built_in_engine_serves(
    running_app: RunningApp, open_house: Callable[..., CheckedPage]
) -> None:
    checked_page = open_house(BACKUP_ENGINE="auto", PATH=NO_PROGRAMS)
    checked_page.sign_in()
    checked_page.wait_until_still()

    expect(checked_page.page.locator("#status .facts")).to_contain_text("our built-in engine")
    expect(checked_page.page.locator("#keep-button")).to_be_enabled()
    expect(checked_page.page.locator("#delete-button")).to_be_enabled()
    checked_page.check("06-built-in-engine")


def test_6_a_folder_that_cannot_be_used_blocks_both_buttons_and_says_why(
    checked_page: CheckedPage, running_app: RunningApp
) -> None:
    a_good_backup(running_app)
    running_app.backup_dir.rename(running_app.backup_dir.with_name("elsewhere"))
    running_app.backup_dir.mkdir(mode=0o700)
    try:
        checked_page.sign_in()
        checked_page.page.click("#check-again")
        checked_page.page.wait_for_selector("#status >> text=Not protected")
        checked_page.page.reload()
        checked_page.wait_until_still()

        both_are_blocked(checked_page, "disk may not be mounted")
        checked_page.check("06-not-mounted")
    finally:
        running_app.backup_dir.rmdir()
        running_app.backup_dir.with_name("elsewhere").rename(running_app.backup_dir)
