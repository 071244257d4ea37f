"""What lies at a target and no row knows: named, counted, taken in after it was read, or removed by a person."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from pyrage.x25519 import Identity

from backups_app.errors import (
    BackupDiffers,
    BackupHeld,
    BackupIsNewest,
    BackupPinned,
    CopyDamaged,
    CopyNotEncrypted,
    CopyNotFound,
    CopyOfAnotherDatabase,
    KeyMissing,
    ObjectsMayBelong,
    RemovalNotConfirmed,
    RemovalRefused,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.models import AuditEvent, BackupCopy, User
from backups_app.storage import copy_manifest, encryption
from backups_app.storage.copy_rows import State
from backups_app.use_cases.copies import removing, unknown, upkeep
from backups_app.use_cases.copies.unknown import Unknown
from tests.pages.conftest import signed_in
from tests.storage import making
from tests.use_cases.test_copies import KEYS, Copied, copied, temple, using  # noqa: F401  (fixtures)

Change = Callable[[Path], None]


def look(copied: Copied) -> Unknown:  # noqa: F811
    return unknown.unknown_at(configuration=copied.configuration, target="nas", now=datetime.now(UTC))


def take_in(copied: Copied, *identities: Identity) -> str:  # noqa: F811
    (found,) = look(copied).copies
    return unknown.take_in(copied.asked, target="nas", copy=found.name, identities=identities)


def left_there(copied: Copied, *, days: float, data: bytes = b"left") -> str:  # noqa: F811
    """Put an object of no copy there, as old as that."""
    name = copy_manifest.new_object_name()
    copied.target.put(name, [data])
    moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(copied.target.root / name, (moment, moment))
    return name


class TestTakingIn:
    def test_a_copy_whose_row_was_lost_is_known_again_and_not_copied_twice(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        newest = copied.temple.newest_real()
        BackupCopy.objects.all().delete()
        (found,) = look(copied).copies
        assert (found.backup_id, found.error_code) == (newest, "")

        assert take_in(copied) == newest

        row = copied.row(newest)
        assert (row.state, row.manifest) == (State.COMPLETE, found.name)
        assert row.read_back_at is not None
        assert copied.evidence().newest_is_copied
        assert copied.copy() == 0
        assert look(copied) == Unknown(copies=(), more=False, objects=0, objects_bytes=0, old=0, unreadable=False)
        assert AuditEvent.objects.filter(action=unknown.TAKEN_IN, target=newest, result="done").exists()

    def test_the_worker_adds_what_retention_knows_of_it(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        BackupCopy.objects.all().delete()
        newest = take_in(copied)
        assert copied.row(newest).backup == {"base": None}

        copied.clear()

        assert copied.row(newest).backup["success"]
        assert copied.there() == [newest]

    def test_one_of_another_installation_has_no_link_and_the_command_that_fetches_it(
        self,
        copied: Copied,  # noqa: F811
        local_db: Any,
        super_admin: User,
    ) -> None:
        copied.copy()
        newest = copied.temple.newest_real()
        BackupCopy.objects.all().delete()
        take_in(copied)
        shutil.rmtree(copied.configuration.backup_dir / f"backup_{newest}")
        local_db["backup_metadata"].delete_one({"_id": newest})

        with override_settings(TEMPLEOPS=copied.configuration):
            shown = signed_in(super_admin).get("/admin/backups/copies/").content.decode()

        assert f"/runs/{newest}/" not in shown
        assert f"manage.py backup_fetch {newest} --from nas" in shown

    def test_a_copy_that_differs_is_not_taken_in(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        (row,) = BackupCopy.objects.all()
        path = copied.target.root / next(one["name"] for one in row.written if one["size_bytes"])
        row.delete()
        path.write_bytes(b"?" + path.read_bytes()[1:])

        with pytest.raises(CopyDamaged):
            take_in(copied)

        assert not BackupCopy.objects.exists()

    def test_an_encrypted_copy_needs_a_key(self, copied: Copied) -> None:  # noqa: F811
        with using(copied.temple, copied.target.root, copy_recipients=(KEYS.public,)) as encrypted:
            encrypted.copy()
            BackupCopy.objects.all().delete()

            with pytest.raises(KeyMissing):
                take_in(encrypted)
            taken = take_in(encrypted, Identity.from_str(KEYS.private))

            assert encrypted.row(taken).recipients == KEYS.public
            assert encrypted.copy() == 0

    def test_by_the_command(self, copied: Copied, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
        copied.copy()
        BackupCopy.objects.all().delete()
        newest = copied.temple.newest_real()

        call_command("backup_copies", "--from", "nas", "--take-in", "--json")

        assert json.loads(capsys.readouterr().out) == [{"backup_id": newest, "target": "nas", "error_code": None}]
        assert copied.row(newest).state == State.COMPLETE

    def test_a_copy_that_is_known_is_none(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        (row,) = BackupCopy.objects.all()

        with pytest.raises(CopyNotFound):
            unknown.take_in(copied.asked, target="nas", copy=row.manifest, identities=())


def put_there(copied: Copied, folder: Path, changed: Change, recipients: Sequence[str] = ()) -> None:  # noqa: F811
    """Copy a changed backup folder there, as somebody else who can write to the target may."""
    changed(folder)
    making.copy_folder(copied.target, folder, recipients=recipients)


def in_metadata(**fields: object) -> Change:
    def change(folder: Path) -> None:
        path = folder / "metadata.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    return change


def without_documents(folder: Path) -> None:
    for path in folder.rglob("*.bson"):
        path.unlink()


def with_other_documents(folder: Path) -> None:
    path = next(folder.rglob("bookings.bson"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def with_another_manifest(folder: Path) -> None:
    path = folder / "metadata.json"
    written = json.loads(path.read_text())
    written["manifest"]["collections"]["bookings"]["documents"] -= 1
    path.write_text(json.dumps(written))


class TestACopyOfSomebodyElse:
    @pytest.mark.parametrize(
        ("changed", "refused"),
        [
            (in_metadata(database="another_temple"), CopyOfAnotherDatabase),
            (in_metadata(backup_id="20010101_000000"), VerificationFailed),
            (without_documents, VerificationFailed),
            (with_other_documents, VerificationFailed),
            (with_another_manifest, BackupDiffers),
        ],
    )
    def test_it_is_not_taken_in_and_ours_is_copied(
        self,
        copied: Copied,  # noqa: F811
        tmp_path: Path,
        changed: Change,
        refused: type[TempleOpsError],
    ) -> None:
        newest = copied.temple.newest_real()
        ours = copied.temple.store.folder(newest)
        put_there(copied, Path(shutil.copytree(ours, tmp_path / ours.name)), changed)

        with pytest.raises(refused):
            take_in(copied)

        assert not copied.evidence().newest_is_copied
        assert copied.copy() == 1
        assert copied.evidence().newest_is_copied

    def test_one_of_a_backup_that_is_not_here_is_compared_with_its_own_manifest(
        self,
        copied: Copied,  # noqa: F811
        tmp_path: Path,
    ) -> None:
        newest = copied.temple.newest_real()
        lost = Path(shutil.move(copied.temple.store.folder(newest), tmp_path / f"backup_{newest}"))
        put_there(copied, lost, with_other_documents)

        with pytest.raises(VerificationFailed):
            take_in(copied)

    def test_a_clear_one_beside_encrypted_ones_is_taken_in_only_where_its_backup_is_here(
        self,
        copied: Copied,  # noqa: F811
        tmp_path: Path,
    ) -> None:
        other, newest = copied.temple.add(days=3), copied.temple.newest_real()
        making.copy_folder(copied.target, copied.temple.store.folder(other), recipients=[KEYS.public])
        making.copy_folder(copied.target, copied.temple.store.folder(newest))
        (clear,) = [one.name for one in look(copied).copies if not one.encrypted]

        folder = copied.temple.store.folder(newest)
        kept = shutil.move(folder, tmp_path / "kept")
        with pytest.raises(CopyNotEncrypted):
            unknown.take_in(copied.asked, target="nas", copy=clear, identities=())
        shutil.move(kept, folder)

        assert unknown.take_in(copied.asked, target="nas", copy=clear, identities=()) == newest

    def test_clear_files_of_an_encrypted_copy_are_compared_too(self, copied: Copied) -> None:  # noqa: F811
        """Who has the public key can encrypt other bytes and name their hash outside."""
        newest = copied.temple.newest_real()
        name = making.copy_folder(copied.target, copied.temple.store.folder(newest), recipients=[KEYS.public])
        path = copied.target.root / name
        manifest = json.loads(path.read_bytes())
        largest = max(manifest["objects"], key=lambda one: one["size_bytes"])
        data = b"".join(encryption.sealed(io.BytesIO(b"other"), recipients=[KEYS.public])).ljust(largest["size_bytes"])
        (copied.target.root / largest["name"]).write_bytes(data)
        largest["sha256"] = hashlib.sha256(data).hexdigest()
        path.write_text(json.dumps(manifest))

        with pytest.raises(CopyDamaged):
            take_in(copied, Identity.from_str(KEYS.private))

    def test_the_command_names_it_and_takes_in_the_others(
        self,
        copied: Copied,  # noqa: F811
        tmp_path: Path,
    ) -> None:
        good, newest = copied.temple.add(days=3), copied.temple.newest_real()
        making.copy_folder(copied.target, copied.temple.store.folder(good))
        folder = shutil.copytree(copied.temple.store.folder(newest), tmp_path / f"backup_{newest}")
        put_there(copied, Path(folder), without_documents)

        with pytest.raises(SystemExit) as ended:
            call_command("backup_copies", "--from", "nas", "--take-in", "--json", stdout=io.StringIO())

        assert ended.value.code == VerificationFailed.exit_code
        assert {row.backup_id for row in BackupCopy.objects.filter(state=State.COMPLETE)} == {good}


class TestObjectsOfNoCopy:
    def test_those_older_than_a_day_are_removed_by_the_name_of_the_target(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        old, young = left_there(copied, days=2), left_there(copied, days=0.5)
        found = look(copied)
        assert (found.objects, found.objects_bytes, found.old) == (2, 8, 1)

        with pytest.raises(RemovalNotConfirmed):
            unknown.remove_objects(copied.asked, target="nas", typed="NAS")
        assert unknown.remove_objects(copied.asked, target="nas", typed="nas") == 1

        names = {head.name for head in copied.target.list_objects()}
        assert (old in names, young in names) == (False, True)
        assert copied.there() == [copied.temple.newest_real()]

    def test_objects_of_an_unknown_copy_belong_to_it(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        BackupCopy.objects.all().delete()

        assert look(copied).objects == 0

    def test_beside_a_manifest_that_cannot_be_read_nothing_is_removed(self, copied: Copied) -> None:  # noqa: F811
        left = left_there(copied, days=2)
        copied.target.put(copy_manifest.new_manifest_name("20250119_143022"), [b'{"format": "a later one"}'])
        found = look(copied)
        assert ([one.error_code for one in found.copies], found.old, found.unreadable) == (["copy_unreadable"], 0, True)

        with pytest.raises(ObjectsMayBelong):
            unknown.remove_objects(copied.asked, target="nas", typed="nas")

        assert left in {head.name for head in copied.target.list_objects()}


class TestRemovingOneCopy:
    def test_an_unknown_copy_is_removed_and_the_known_one_of_the_same_backup_stays(
        self,
        copied: Copied,  # noqa: F811
    ) -> None:
        copied.copy()
        BackupCopy.objects.all().delete()
        copied.copy()
        newest = copied.temple.newest_real()
        assert copied.there() == [newest, newest]
        (extra,) = look(copied).copies
        known = copied.row(newest).manifest

        with pytest.raises(CopyNotFound):
            removing.remove(copied.asked, backup_id=newest, target="nas", typed=newest, copy=known)
        removing.remove(copied.asked, backup_id=newest, target="nas", typed=newest, copy=extra.name)

        assert copied.there() == [newest]
        assert copied.row(newest).state == State.COMPLETE
        assert copied.evidence().newest_is_copied

    def test_while_the_backup_is_here_its_copy_may_go(self, copied: Copied) -> None:  # noqa: F811
        holder = copied.temple.add(days=5, holds_alone={"bookings": 7})
        copied.copy()

        outlook = removing.outlook(configuration=copied.configuration, backup_id=holder, target="nas")

        assert (outlook.refusals, outlook.other_places, outlook.is_known) == ([], [""], True)

    @pytest.mark.parametrize(("fact", "refused"), [("pinned", BackupPinned), ("held", BackupHeld)])
    def test_the_last_copy_of_what_a_guard_keeps_stays(
        self,
        copied: Copied,  # noqa: F811
        fact: str,
        refused: type[RemovalRefused],
    ) -> None:
        held = {"holds_alone": {"bookings": 7}} if fact == "held" else {}
        old = copied.temple.add(days=5, **held)
        copied.copy()
        if fact == "pinned":
            row = copied.row(old)
            row.backup["pinned"] = True
            row.save()
        copied.temple.store.trash(old, now=copied.temple.now)

        with pytest.raises(refused):
            removing.remove(copied.asked, backup_id=old, target="nas", typed=old)

        assert old in copied.there()
        assert copied.row(old).state == State.COMPLETE

    def test_the_newest_of_all_stays_where_it_is_nowhere_else(self, copied: Copied) -> None:  # noqa: F811
        copied.copy()
        newest = copied.temple.newest_real()
        copied.temple.store.trash(newest, now=copied.temple.now)

        with pytest.raises(BackupIsNewest):
            removing.remove(copied.asked, backup_id=newest, target="nas", typed=newest)

    def test_one_dated_in_the_future_is_not_the_newest(self, copied: Copied) -> None:  # noqa: F811
        ahead = copied.temple.add(days=-400)
        copied.copy()
        newest = copied.temple.newest_real()
        for one in (newest, ahead):
            copied.temple.store.trash(one, now=copied.temple.now)

        with pytest.raises(BackupIsNewest):
            removing.remove(copied.asked, backup_id=newest, target="nas", typed=newest)
        removing.remove(copied.asked, backup_id=ahead, target="nas", typed=ahead)

        assert copied.there() == [newest]

    def test_at_another_target_it_is_elsewhere(self, copied: Copied, tmp_path: Path) -> None:  # noqa: F811
        copied.copy()
        newest = copied.temple.newest_real()
        row = copied.row(newest)
        row.pk, row.target, row.place = None, "usb", ""
        row.save()
        copied.temple.store.trash(newest, now=copied.temple.now)
        place = making.directory_target(tmp_path / "usb", database=copied.configuration.database_name).root
        usb = replace(copied.configuration.targets[0], name="usb", place=str(place))
        both = replace(copied.configuration, targets=(*copied.configuration.targets, usb))

        outlook = removing.outlook(configuration=both, backup_id=newest, target="nas")

        assert (outlook.refusals, outlook.other_places) == ([], ["usb"])


def test_reading_back_proves_what_was_taken_in(copied: Copied) -> None:  # noqa: F811
    copied.copy()
    BackupCopy.objects.all().delete()
    newest = take_in(copied)

    assert upkeep.read_back(configuration=copied.configuration, row=copied.row(newest)) == []
    assert copied.row(newest).state == State.COMPLETE
