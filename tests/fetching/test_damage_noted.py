"""A copy that is used and proves to be damaged counts no more and is made again; a wrong key condemns none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.errors import CopyDamaged, TargetUnreachable
from backups_app.management import reading_lane
from backups_app.models import AuditEvent, BackupCopy, TargetLook, User
from backups_app.records import Origin
from backups_app.storage import copy_reading, encryption, targets
from backups_app.storage.copy_rows import Claim, State
from backups_app.storage.directory import DirectoryTarget
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import looking, upkeep, work
from backups_app.use_cases.listing import listing
from backups_app.use_cases.schedules import changes
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.status import status
from tests.fetching.conftest import KEY
from tests.fetching.test_commands import command
from tests.journeys.conftest import run_backup, seeded  # noqa: F401  (a fixture)
from tests.pages.conftest import signed_in
from tests.storage import making
from tests.use_cases.test_scheduled_acts import AT_ONCE, due_now, look

pytestmark = pytest.mark.django_db


@dataclass
class Site:
    """A temple with one backup, copied encrypted to `nas` by the worker, and private keys in files."""

    configuration: Configuration
    target: DirectoryTarget
    backup_id: str
    key: str
    wrong_key: str

    @property
    def row(self) -> BackupCopy:
        return BackupCopy.objects.get(backup_id=self.backup_id)

    def path_of(self, path: str) -> Path:
        """Return where the present object of a file of the backup lies; of the manifest for an empty path."""
        names = [one["name"] for one in self.row.written if one["path"].endswith(path) and one["proven"]]
        return self.target.root / (names[-1] if path else self.row.manifest)

    def flip(self, path: str, at: int = -10) -> None:
        """Flip one bit; size and time stay."""
        file = self.path_of(path)
        before, data = file.stat(), bytearray(file.read_bytes())
        data[at] ^= 1
        file.write_bytes(data)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    def copy(self) -> int:
        return work.copy_what_is_lacking(configuration=self.configuration)

    def require_made_again(self) -> None:
        row = self.row
        assert (row.state, row.error_code, row.read_back_at) == (State.FAILED, "copy_damaged", None)
        names = {path.name: path.read_bytes() for path in self.target.root.iterdir() if path.is_file()}
        assert self.copy() == 1
        assert self.row.state == State.COMPLETE
        for name, data in names.items():  # a manifest of the same copy is replaced; nothing is overwritten
            path = self.target.root / name
            assert not path.exists() or path.read_bytes() == data
        assert command("backup_rehearse", "--from", "nas", "--identity", self.key)[0] == 0


@pytest.fixture
def site(seeded: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:  # noqa: F811
    monkeypatch.setattr(targets, "is_elsewhere", lambda settings, here: True)
    target = making.directory_target(tmp_path / "nas", database=seeded.database_name)
    files = {"right": KEY.private, "wrong": encryption.new_key_pair().private}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    settings = (TargetSettings(name="nas", kind="file", place=str(target.root)),)
    configuration = replace(seeded, targets=settings, copy_recipients=(KEY.public,))
    with override_settings(TEMPLEOPS=configuration):
        made = str(run_backup(delete_bookings=True)["backup_id"])
        found = Site(configuration, target, made, str(tmp_path / "right"), str(tmp_path / "wrong"))
        assert found.copy() == 1
        yield found


def read_back(site: Site) -> None:
    (one,) = upkeep.read_back_what_is_due(configuration=site.configuration, now=timezone.now(), whatever_the_age=True)
    assert (one.row.state, one.failure) == (State.COMPLETE, None)


def test_a_restore_test_that_finds_damage_notes_it_and_the_copy_is_made_again(site: Site) -> None:
    read_back(site)
    site.flip("bookings.bson")

    code, out, _ = command("backup_rehearse", "--from", "nas", "--identity", site.key)

    assert code == 5
    assert CopyDamaged(target="nas").detail.english in out
    assert TargetLook.objects.get(target="nas").compared_at is None  # the worker looks at the rest of it soon
    assert "failed" in command("backup_copies")[1]
    site.require_made_again()
    assert site.row.read_back_at is None  # the read back of before was of other objects


@pytest.mark.parametrize("path", ["bookings.bson", ""])
def test_a_damaged_head_of_an_encrypted_object_is_damage_and_no_wrong_key(site: Site, path: str) -> None:
    at = 60 if path else -20
    site.flip(path, at=at)

    code, _, err = command("backup_rehearse", "--from", "nas", "--identity", site.key)

    assert code == 5, err
    site.require_made_again()


def test_a_wrong_key_condemns_no_copy(site: Site) -> None:
    read_back(site)
    before = site.row

    for act in (
        ("backup_rehearse", "--from", "nas"),
        ("backup_fetch", site.backup_id, "--from", "nas"),
        ("backup_copies", "--from", "nas"),
    ):
        command(*act, "--identity", site.wrong_key)

    assert (site.row.state, site.row.read_back_at) == (State.COMPLETE, before.read_back_at)
    assert site.copy() == 0


def test_a_fetch_and_a_listing_note_damage_too(site: Site) -> None:
    site.path_of("bookings.bson").unlink()

    command("backup_copies", "--from", "nas")

    assert (site.row.state, site.row.error_code) == (State.FAILED, "object_missing")
    assert site.copy() == 1
    site.flip("bookings.bson")
    (site.configuration.backup_dir / f"backup_{site.backup_id}").rename(site.configuration.backup_dir.parent / "away")
    assert command("backup_fetch", site.backup_id, "--from", "nas", "--identity", site.key)[0] == 5
    assert (site.row.state, site.row.error_code) == (State.FAILED, "copy_damaged")


def test_a_manifest_that_another_wrote_condemns_nothing(site: Site) -> None:
    """Its size differs from what the row says: that is seen. One under another name is no copy of ours."""
    read_back(site)
    found = next(iter(copy_reading.find(site.target)))
    other = found.object_name[:-1] + ("0" if found.object_name[-1] != "0" else "1")
    (site.target.root / other).write_bytes(b"no manifest")

    command("backup_rehearse", site.backup_id, "--from", "nas", "--identity", site.key)

    assert site.row.state == State.COMPLETE


def test_a_target_that_fails_meanwhile_condemns_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = site.path_of("bookings.bson").name
    read = DirectoryTarget.read

    def reading(target: DirectoryTarget, name: str) -> Iterator[bytes]:
        if name == damaged:
            raise TargetUnreachable(target="nas")
        return read(target, name)

    monkeypatch.setattr(DirectoryTarget, "read", reading)

    assert command("backup_rehearse", "--from", "nas", "--identity", site.key)[0] == 3
    assert site.row.state == State.COMPLETE


def test_an_object_that_read_wrong_once_is_read_back_by_the_next_verification(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_back(site)
    damaged, read, reads = site.path_of("bookings.bson").name, DirectoryTarget.read, []

    def reading(target: DirectoryTarget, name: str) -> Iterator[bytes]:
        reads.append(name)
        if name == damaged and reads.count(name) == 1:
            return iter([b"?"])
        return read(target, name)

    monkeypatch.setattr(DirectoryTarget, "read", reading)

    command("backup_rehearse", "--from", "nas", "--identity", site.key)

    assert (site.row.state, site.row.read_back_at) == (State.COMPLETE, None)
    read_back(site)


def test_a_verification_by_hand_reads_copies_whatever_their_age(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    read_back(site)
    asked = []

    def reading(*, whatever_the_age: bool, **_: object) -> list[upkeep.ReadBack]:
        asked.append(whatever_the_age)
        return []

    monkeypatch.setattr(upkeep, "read_back_what_is_due", reading)
    due_now("verify")
    with override_settings(TASKS=AT_ONCE):
        changes.run_now("verify", who=Who(by="ananya", origin=Origin.WEB, now=timezone.now()))
        reading_lane.read(idle_seconds=0)
        look(site.configuration)

    assert asked == [True, False]


def test_the_daily_look_takes_the_read_back_away_too(site: Site) -> None:
    read_back(site)
    site.path_of("bookings.bson").unlink()

    looking.compare(configuration=site.configuration, target="nas", now=timezone.now())

    assert (site.row.state, site.row.read_back_at) == (State.FAILED, None)


def test_copies_that_are_not_encrypted_are_named_beside_the_others(site: Site) -> None:
    folder = site.configuration.backup_dir / f"backup_{site.backup_id}"
    making.copy_folder(site.target, folder)

    unknown = json.loads(command("backup_copies", "--from", "nas", "--identity", site.key, "--json")[1])
    clear = replace(site.configuration, copy_recipients=(), copies_in_clear=True)
    with override_settings(TEMPLEOPS=clear):
        assert work.copy_what_is_lacking(configuration=clear) == 1
    _, listed, _ = command("backup_copies", "--from", "nas")
    _, ours, targets_there = command("backup_copies")

    assert sorted(one["encrypted"] for one in unknown) == [False, True]
    assert sorted("not encrypted" in line for line in listed.splitlines()) == [False, True, True]
    assert sorted("not encrypted" in line for line in ours.splitlines()) == [False, True]
    assert "Target nas" in targets_there and "1 of them not encrypted" in targets_there


def test_without_a_target_nothing_is_accepted(seeded: Configuration) -> None:  # noqa: F811
    code, _, message = command("backup_copy")
    keys = Path(seeded.backup_dir).parent / "key"
    keys.write_text(KEY.private)
    with override_settings(TEMPLEOPS=replace(seeded, copy_recipients=(KEY.public,))):
        tried, *_ = command("backup_keys", "test", "--identity", str(keys))
    listed, _, sentence = command("backup_copies")

    assert (code, tried, listed) == (2, 2, 0)
    assert "BACKUP_TARGETS names no target" in message and "BACKUP_TARGETS names no target" in sentence
    assert list(AuditEvent.objects.filter(action="copy.requested").values_list("result", flat=True)) == ["refused"]


def test_a_key_that_opens_copies_at_some_targets_is_half_tested(site: Site, tmp_path: Path) -> None:
    empty = making.directory_target(tmp_path / "usb", database=site.configuration.database_name)
    more = (*site.configuration.targets, TargetSettings(name="usb", kind="file", place=str(empty.root)))
    with override_settings(TEMPLEOPS=replace(site.configuration, targets=more)):
        code, out, message = command("backup_keys", "test", "--identity", site.key)
        site.flip("bookings.bson")
        only, *_ = command("backup_keys", "test", "--identity", site.key, "--from", "usb")

    assert (code, only) == (3, 10)
    assert "nas: the key opens" in out and "at 1 of 2 targets" in message


def test_a_refused_preparation_is_on_record(site: Site, tmp_path: Path) -> None:
    more = (TargetSettings(name="usb", kind="file", place=str(tmp_path / "usb")),)
    with override_settings(TEMPLEOPS=replace(site.configuration, targets=more)):
        code, _, message = command("backup_copies", "init", "usb")

    assert code == 3 and "mkdir -p" in message
    assert not (tmp_path / "usb").exists()
    results = AuditEvent.objects.filter(action="target.prepared").order_by("n").values_list("result", flat=True)
    assert list(results) == ["started", "target_missing"]


def test_the_page_of_a_failed_test_accuses_the_copy_and_offers_to_make_it_again(site: Site, super_admin: User) -> None:
    admin_browser = signed_in(super_admin)
    site.flip("bookings.bson")
    command("backup_rehearse", "--from", "nas", "--identity", site.key)
    run = next(one for one in listing.list_runs(configuration=site.configuration, every=True) if one.is_restore)

    page = admin_browser.get(reverse("pages:run", args=[run.id])).content.decode()

    assert "Restore test failed: the copy at nas is damaged" in page
    assert "The backup on this computer was not read." in page
    assert "Fetch and check the copy at nas" in page
    assert "Copy again" in page and "Restore again" not in page
    admin_browser.post(reverse("pages:copy_backups"), {"target": "nas", "backup_id": site.backup_id})
    assert site.copy() == 1
    found = status.status(configuration=site.configuration, now=timezone.now()).assurance
    assert any("the copy at nas failed" in one.message.english for one in found.attention)
    assert {mark.name: mark.missing_code for mark in found.marks}["restorable"] == "restore_test_failed"


def test_what_is_made_again_is_not_more_than_its_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.path_of("bookings.bson").unlink()
    command("backup_copies", "--from", "nas")
    seen = []
    save = Claim._save

    def saving(claim: Claim, **changes: object) -> None:
        save(claim, **changes)
        seen.append(sum(one.size_bytes for one in claim.parts.values()) == claim._proven_bytes)

    monkeypatch.setattr(Claim, "_save", saving)

    assert site.copy() == 1
    assert seen and all(seen)
