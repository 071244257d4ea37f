"""What the pages of one host say of the backups of another one, and of copies that can be fetched."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.utils import timezone

from backups_app.models import BackupCopy, User
from backups_app.records import Origin
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import work
from backups_app.use_cases.retention import removal
from backups_app.use_cases.status import status
from tests.hosts.test_two_stores import Host, backup_on, work_on
from tests.hosts.test_two_stores import nas as nas
from tests.hosts.test_two_stores import on as on
from tests.journeys.conftest import seeded as seeded
from tests.pages.conftest import signed_in

pytestmark = pytest.mark.django_db


def test_each_page_of_another_host_says_where_a_copy_can_be_fetched(
    on: Host, nas: tuple[TargetSettings, ...], super_admin: User
) -> None:
    made = backup_on(on, "a")
    with on("a", targets=nas) as configuration:
        call_command("backup_copies", "init", "nas")
        work.copy_what_is_lacking(configuration=configuration)
    backup_on(on, "b")

    with on("b", targets=nas):
        browser = signed_in(super_admin)
        run = browser.get(f"/admin/backups/runs/{made}/").content.decode()
        listed = browser.get("/admin/backups/list/").content.decode()
        copies = browser.get("/admin/backups/copies/").content.decode()

    command = f"manage.py backup_fetch {made} --from nas"
    row = listed.partition(f'id="backup-{made}"')[2].partition("</tr>")[0]
    assert command in run and "nas" in row
    assert command in copies and "not in the backup folder of this computer" in copies
    assert f'href="/admin/backups/runs/{made}/"' in copies


def test_the_versions_of_a_document_name_the_backups_of_another_host(on: Host, super_admin: User) -> None:
    made, here = backup_on(on, "a"), backup_on(on, "b")

    with on("b"):
        address = f"/admin/backups/versions/?backup={here}&collection=bookings&number=0"
        page = signed_in(super_admin).get(address).content.decode()

    left_out = page.partition('id="not-searched"')[2].partition("</details>")[0]
    assert "1 backup on host host-a" in left_out and f"/admin/backups/runs/{made}/" in left_out


def test_a_copy_on_the_disk_of_another_host_is_not_offered(
    on: Host, nas: tuple[TargetSettings, ...], super_admin: User
) -> None:
    made = backup_on(on, "a")
    with on("a", targets=nas) as configuration:
        call_command("backup_copies", "init", "nas")
        work.copy_what_is_lacking(configuration=configuration)
    BackupCopy.objects.update(elsewhere=False)
    backup_on(on, "b")

    with on("b", targets=nas):
        browser = signed_in(super_admin)
        run = browser.get(f"/admin/backups/runs/{made}/").content.decode()
        listed = browser.get("/admin/backups/list/").content.decode()

    assert "backup_fetch" not in run
    row = listed.partition(f'id="backup-{made}"')[2].partition("</tr>")[0]
    assert "on this computer" not in row and row.count("on host host-a") == 2


def test_a_backup_in_the_trash_says_where_copies_remain(
    on: Host, nas: tuple[TargetSettings, ...], super_admin: User
) -> None:
    old = backup_on(on, "a")
    backup_on(on, "a")
    with on("a", targets=nas, min_keep=1) as configuration:
        call_command("backup_copies", "init", "nas")
        work.copy_what_is_lacking(configuration=configuration)
        removal.remove(
            configuration=configuration, backup_id=old, typed=old, requested_by="ravi", origin=Origin.WEB,
            now=timezone.now(),
        )  # fmt: skip
        browser = signed_in(super_admin)
        run = browser.get(f"/admin/backups/runs/{old}/").content.decode()
        gone = browser.get(f"/admin/backups/{old}/restore/").content.decode()
        listed = browser.get("/admin/backups/list/").content.decode()

    command = f"manage.py backup_fetch {old} --from nas"
    assert "Bring it back" in run
    for page in (run, gone):
        assert f"nas: <code>{command}</code>" in page
    trash = listed.partition('id="trash"')[2].partition("</section>")[0]
    assert old in trash and "nas" in trash


def test_the_card_of_one_host_says_what_the_other_one_has(on: Host, super_admin: User) -> None:
    for host in "aba":
        backup_on(on, host)
    work_on(on, "a")

    with on("b") as configuration:
        found = status.status(configuration=configuration, now=timezone.now())
        card = " ".join(signed_in(super_admin).get("/admin/backups/").content.decode().split())

    assert (found.backups_count, found.backups_on_other_hosts) == (1, 2)
    assert "2 more on other hosts" in card
    assert "2 more backups are on other hosts: host-a." in card
    assert "Everything would be lost" not in card
    assert "· on host host-a" in card


def test_a_host_that_nobody_confirms_is_not_counted(on: Host) -> None:
    backup_on(on, "a")
    backup_on(on, "b")

    with on("b") as configuration:
        found = status.status(configuration=configuration, now=timezone.now())

    assert found.backups_on_other_hosts == 0
