"""Acceptance 6: where no backup may start, both buttons say why; without mongodump our own engine serves."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import House
from tests.browser.look import Look
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


def both_are_blocked(look: Look, because: str) -> None:
    for which in ("keep", "delete"):
        expect(look.page.locator(f"#{which}-button")).to_be_disabled()
        expect(look.page.locator(f"#blocked-{which}")).to_contain_text(because)
        assert look.page.locator(f"#{which}-button").get_attribute("aria-describedby") == f"blocked-{which}"


def test_6_a_disk_nearly_full(house: House, tiny_disk: Path, open_house: Callable[..., Look]) -> None:
    look = open_house(BACKUP_DIR=str(tiny_disk))
    look.sign_in()
    look.settle()

    status = look.page.locator("#status")
    expect(status.locator(".verdict.bad")).to_contain_text("Not protected")
    expect(status.locator(".verdict.bad")).to_contain_text("disk is full")
    expect(status.locator(".verdict.bad")).to_contain_text("remove old backups")
    expect(status.locator(".facts")).to_contain_text("40.0 MB free")
    expect(status.locator(".badge", has_text="Backup not available")).to_be_visible()
    both_are_blocked(look, "disk is full")
    look.check("06-disk-full")


def test_6_mongodump_is_wanted_and_missing(house: House, open_house: Callable[..., Look]) -> None:
    look = open_house(BACKUP_ENGINE="mongodump", PATH=NO_PROGRAMS)
    look.sign_in()
    look.settle()

    status = look.page.locator("#status")
    expect(status.locator(".verdict.bad")).to_contain_text("mongodump")
    status.locator("summary", has_text="For your technician").click()
    expect(status).to_contain_text("BACKUP_ENGINE=auto")
    both_are_blocked(look, "mongodump")
    look.check("06-mongodump-missing")


def test_6_without_mongodump_the_built_in_engine_serves(house: House, open_house: Callable[..., Look]) -> None:
    look = open_house(BACKUP_ENGINE="auto", PATH=NO_PROGRAMS)
    look.sign_in()
    look.settle()

    expect(look.page.locator("#status .facts")).to_contain_text("our built-in engine")
    expect(look.page.locator("#keep-button")).to_be_enabled()
    expect(look.page.locator("#delete-button")).to_be_enabled()
    look.check("06-built-in-engine")


def test_6_a_folder_that_cannot_be_used_blocks_both_buttons_and_says_why(look: Look, house: House) -> None:
    a_good_backup(house)
    house.backup_dir.rename(house.backup_dir.with_name("elsewhere"))
    house.backup_dir.mkdir(mode=0o700)
    try:
        look.sign_in()
        look.page.click("#check-again")
        look.page.wait_for_selector("#status >> text=Not protected")
        look.page.reload()
        look.settle()

        both_are_blocked(look, "disk may not be mounted")
        look.check("06-not-mounted")
    finally:
        house.backup_dir.rmdir()
        house.backup_dir.with_name("elsewhere").rename(house.backup_dir)
