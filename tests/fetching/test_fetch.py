"""Backups come back from a target: whole and verified or not at all, adopted, and never over one that is here."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backups_app.backup_files import metadata
from backups_app.backup_files.store import removals, unfinished_fetch
from backups_app.backup_files.store.removals import Removal
from backups_app.backup_files.store.store import Store
from backups_app.catalog import lease, purge_ledger
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration, Secret
from backups_app.errors import (
    AllDatedInFuture,
    BackupDiffers,
    CopyDamaged,
    CopyNotFound,
    CopyOfAnotherDatabase,
    DiskFull,
    InvalidBackupId,
    KeyMissing,
    StoreMissing,
    TargetUnreachable,
    VerificationFailed,
    WrongKey,
)
from backups_app.models import AuditEvent, BackupCopy
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.runs.copies import receiving
from backups_app.runs.recovery import clearing, housekeeping
from backups_app.storage import copy_manifest, copy_reading, encryption, key_proofs
from backups_app.storage.directory import DirectoryTarget
from backups_app.target_settings import TargetSettings
from backups_app.use_cases import audit_check, verification
from backups_app.use_cases.listing import listing
from tests.fetching.conftest import KEY, Burn, Copied
from tests.journeys.conftest import run_backup
from tests.journeys.test_sequences import cut_locally
from tests.storage import making

pytestmark = pytest.mark.django_db


def data_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("metadata.")
    }


def test_the_latest_comes_back_byte_for_byte_and_verifies(burn: Burn) -> None:
    copied = burn([False, False])

    (fetched,) = copied.fetch("latest")

    newest = copied.made[-1]
    assert (fetched.choice.backup_id, fetched.was_here, fetched.error) == (newest, False, None)
    assert data_files(copied.folder(newest)) == data_files(copied.burned / f"backup_{newest}")
    assert copied.entries() == [f"backup_{newest}"]
    (run,) = listing.list_runs(configuration=copied.configuration)
    assert run.verified and not run.damaged


def test_a_fetched_backup_is_adopted(burn: Burn) -> None:
    copied = burn([True])

    copied.fetch("latest")

    store = preparation.store(copied.configuration)
    folder = copied.folder(copied.made[0])
    written = metadata.read(folder) or {}
    original = json.loads((folder / "metadata.original.json").read_bytes())
    assert written["store_id"] == store.store_id() != original["store_id"]
    assert written["fetched"]["from"] == "nas"
    assert written["resume_available"] is False
    assert written["backup_path"] == str(folder)
    assert original == json.loads((copied.burned / folder.name / "metadata.json").read_bytes())
    for name in ("manifest", "holds_alone", "purge", "status", "created_at", "created_by", "audit"):
        assert json.loads((folder / "metadata.json").read_bytes())[name] == original[name], name


def test_its_record_is_rebuilt_and_the_trail_is_not_called_changed(burn: Burn) -> None:
    copied = burn([True])
    copied.fetch("latest")
    database = preparation.local_database(copied.configuration)

    housekeeping.rebuild_records(database=database, store=preparation.store(copied.configuration))

    record = runs.get(database, backup_id=copied.made[0])
    assert record is not None and record.fetched and not record.resume_available
    assert audit_check.verify(configuration=copied.configuration).good


def test_an_unfinished_deletion_is_kept_after_all(burn: Burn) -> None:
    copied = burn([True])
    source = copied.burned / f"backup_{copied.made[0]}"
    changes = json.loads((source / "metadata.json").read_bytes())
    changes["purge"]["local"]["bookings"]["done"] = False
    metadata.write(source, changes | {"resume_available": True, "status": "partial", "holds_alone": None})
    target = making.directory_target(copied.burned.parent / "second", database=copied.configuration.database_name)
    making.copy_folder(target, source, recipients=[KEY.public])

    copied.fetch("latest", target=target)

    run = listing.get_run(configuration=copied.configuration, backup_id=copied.made[0])
    assert run.purge.kept_after_all and not run.resume_available and not run.keep_available
    assert (metadata.read(copied.folder(run.id)) or {})["holds_alone"] is None


def test_a_deletion_that_mongodb_knows_as_unfinished_is_kept_there_too(
    seeded: Configuration,
    local_db: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the folder is lost: no later run finishes a deletion that the folder says was given up."""
    run = cut_locally(monkeypatch)
    target = making.directory_target(tmp_path / "nas", database=seeded.database_name)
    folder = seeded.backup_dir / f"backup_{run.id}"
    making.copy_folder(target, folder, recipients=[KEY.public])
    shutil.rmtree(folder)

    Copied(configuration=seeded, target=target, made=[run.id], burned=tmp_path).fetch("latest")

    record = runs.get(local_db, backup_id=run.id)
    assert record is not None and record.purge.kept_after_all and not record.resume_available
    assert purge_ledger.runs_with_open(local_db) == []
    run_backup(delete_bookings=True)
    assert "bookings (52 documents)" in listing.list_runs(configuration=seeded)[0]["collections_deleted_local"]


def test_holders_are_those_that_alone_hold_something(burn: Burn) -> None:
    copied = burn([True, False])

    fetched = copied.fetch("holders")

    assert [one.choice.backup_id for one in fetched] == copied.made[:1]
    assert fetched[0].choice.holds == {"bookings": 52, "employee_bookings": 12}


def test_all_comes_holders_first_then_newest_first(burn: Burn) -> None:
    copied = burn([True, False, False])

    fetched = copied.fetch("all")

    holder, older, newest = copied.made
    assert [one.choice.backup_id for one in fetched] == [holder, newest, older]
    assert copied.entries() == [f"backup_{one}" for one in sorted(copied.made)]


def test_a_backup_that_is_here_is_verified_and_left_alone(burn: Burn) -> None:
    copied = burn()
    copied.fetch("latest")
    before = {path: path.stat().st_mtime_ns for path in copied.folder(copied.made[0]).rglob("*.bson")}

    (again,) = copied.fetch(copied.made[0])

    assert (again.was_here, again.error) == (True, None)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert AuditEvent.objects.filter(action=verification.ACTION, target=copied.made[0]).exists()


def test_one_that_is_here_and_damaged_is_named_and_left_alone(burn: Burn) -> None:
    copied = burn()
    copied.fetch("latest")
    file = next(copied.folder(copied.made[0]).rglob("bookings.bson"))
    file.write_bytes(file.read_bytes()[:-1] + b"\1")

    (again,) = copied.fetch("latest")

    assert again.was_here and isinstance(again.error, VerificationFailed)
    assert file.exists()


def test_another_backup_of_the_same_id_is_named_and_both_stay(burn: Burn) -> None:
    copied = burn()
    copied.fetch("latest")
    folder = copied.folder(copied.made[0])
    written = metadata.read(folder) or {}
    written["manifest"]["collections"]["bookings"]["uuid"] = "another"
    metadata.write(folder, written)

    (again,) = copied.fetch("latest")

    assert isinstance(again.error, BackupDiffers)
    assert (metadata.read(folder) or {})["manifest"] == written["manifest"]


def test_without_a_key_and_with_a_wrong_one_nothing_comes(burn: Burn) -> None:
    copied = burn()

    with pytest.raises(WrongKey):
        copied.fetch("latest", encryption.new_key_pair())
    with pytest.raises(KeyMissing):
        copied.fetch("latest", with_key=False)
    (row,) = copied.fetch(copied.made[0], encryption.new_key_pair())

    assert isinstance(row.error, WrongKey)
    assert copied.entries() == []


def test_an_unencrypted_copy_needs_no_key(burn: Burn) -> None:
    copied = burn(recipients=())

    (fetched,) = copied.fetch("latest", encryption.new_key_pair())

    assert fetched.error is None
    assert key_proofs.opened_at([]) is None


def test_the_key_is_trusted_once_it_has_opened_a_copy(burn: Burn) -> None:
    copied = burn()
    assert key_proofs.opened_at([KEY.public]) is None

    copied.fetch("latest")

    assert key_proofs.opened_at([KEY.public]) is not None


def test_a_damaged_copy_is_named_and_the_others_come(burn: Burn) -> None:
    copied = burn([False, False])
    flip_the_largest_of(copied, copied.made[0])

    rows = {one.choice.backup_id: one.error for one in copied.fetch("all")}

    assert isinstance(rows[copied.made[0]], CopyDamaged)
    assert rows[copied.made[1]] is None
    assert copied.entries() == [f"backup_{copied.made[1]}"]


def flip_the_largest_of(copied: Copied, backup_id: str) -> None:
    (found,) = copy_reading.find(copied.target, only=backup_id)
    assert found.manifest is not None
    largest = max(found.manifest.objects, key=lambda one: one.size_bytes)
    path = copied.target.root / largest.name
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)


def test_of_two_copies_of_one_backup_the_one_that_opens_is_taken(burn: Burn) -> None:
    copied = burn()
    making.copy_folder(
        copied.target,
        copied.burned / f"backup_{copied.made[0]}",
        recipients=[encryption.new_key_pair().public],
    )

    (fetched,) = copied.fetch("latest")

    assert fetched.error is None


class CutTarget:
    """A target whose line is cut after so many bytes, once."""

    def __init__(self, real: DirectoryTarget, after_bytes: int) -> None:
        self._real, self._left = real, after_bytes
        self.name = real.name
        self.read_bytes = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def read(self, name: str) -> Iterator[bytes]:
        pieces: Iterable[bytes] = self._real.read(name)
        for piece in pieces:
            for start in range(0, len(piece), 512):
                part = piece[start : start + 512]
                self._left -= len(part)
                if name.startswith("object-"):
                    self.read_bytes += len(part)
                if self._left < 0:
                    self._left = 1 << 60
                    raise TargetUnreachable(target=self.name)
                yield part


def cut_at(copied: Copied, share: float) -> Any:
    """Return the target with a line that is cut once, at this share of what is there."""
    return CutTarget(copied.target, int(sum(path.stat().st_size for path in copied.target.root.iterdir()) * share))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.99])
def test_a_fetch_that_was_cut_goes_on(burn: Burn, share: float) -> None:
    copied = burn()
    cut = cut_at(copied, share)

    with pytest.raises(TargetUnreachable):
        copied.fetch("latest", target=cut)
    between = listing.list_runs(configuration=copied.configuration)
    (fetched,) = copied.fetch("latest", target=cut)

    assert between == []
    assert fetched.error is None
    assert copied.entries() == [f"backup_{copied.made[0]}"]
    assert verification.verify_backup(
        configuration=copied.configuration, backup_id=copied.made[0], requested_by="ananya",
        origin=Origin.COMMAND, now=fetched.choice.run.created_at,
    )["verified"]  # fmt: skip


def test_what_came_before_the_cut_is_not_read_again(burn: Burn) -> None:
    copied = burn()
    objects = sum(path.stat().st_size for path in copied.target.root.iterdir() if path.name.startswith("object-"))
    cut = cut_at(copied, 0.9)
    with pytest.raises(TargetUnreachable):
        copied.fetch("latest", target=cut)
    first, cut.read_bytes = cut.read_bytes, 0

    copied.fetch("latest", target=cut)

    assert first > objects / 2
    assert cut.read_bytes < objects * 2 // 3


def test_an_unfinished_fetch_outlives_a_run_and_an_old_one_goes(burn: Burn) -> None:
    copied = burn()
    with pytest.raises(TargetUnreachable):
        copied.fetch("latest", target=cut_at(copied, 0.7))
    database = preparation.local_database(copied.configuration)
    store = preparation.store(copied.configuration)
    lease.remember_store(database, store_id=str(store.store_id()))

    clearing.clear_the_way(configuration=copied.configuration, database=database, spared="")
    kept = store.partials()
    mark = store.partial(copied.made[0]) / unfinished_fetch.MARK
    long_ago = (mark.stat().st_mtime) - (unfinished_fetch.KEPT + timedelta(days=1)).total_seconds()
    os.utime(mark, (long_ago, long_ago))
    clearing.clear_the_way(configuration=copied.configuration, database=database, spared="")

    assert kept == (copied.made[0],)
    assert store.partials() == ()


def test_what_a_dead_run_left_under_the_name_is_removed_first(burn: Burn) -> None:
    copied = burn()
    store = preparation.store(copied.configuration)
    store.prepare()
    (store.make_partial(copied.made[0]) / "left").write_bytes(b"x")

    (fetched,) = copied.fetch("latest")

    assert fetched.error is None
    assert not (copied.folder(copied.made[0]) / "left").exists()


def test_a_full_disk_is_stated_before_anything_comes(burn: Burn, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = burn()
    monkeypatch.setattr(receiving, "SPARE_BYTES", 1 << 60)

    (fetched,) = copied.fetch("latest")

    assert isinstance(fetched.error, DiskFull)
    assert listing.list_runs(configuration=copied.configuration) == []


def test_a_copy_of_another_database_is_not_taken(burn: Burn) -> None:
    copied = burn()
    source = copied.burned / f"backup_{copied.made[0]}"
    metadata.write(source, (metadata.read(source) or {}) | {"database": "another_temple"})
    target = making.directory_target(copied.burned.parent / "second")
    making.copy_folder(target, source, recipients=[KEY.public])

    (fetched,) = copied.fetch("latest", target=target)

    assert isinstance(fetched.error, CopyOfAnotherDatabase)
    assert copied.entries() == []


def test_a_disk_that_is_not_mounted_is_not_written_to(burn: Burn) -> None:
    copied = burn()
    lease.remember_store(preparation.local_database(copied.configuration), store_id="the-one-of-before")

    with pytest.raises(StoreMissing):
        copied.fetch("latest")

    assert not copied.configuration.backup_dir.exists()


def test_it_needs_no_mongodb(burn: Burn) -> None:
    copied = burn()
    copied.configuration = replace(copied.configuration, local_url=Secret("mongodb://127.0.0.1:9/?appName=nobody"))

    (fetched,) = copied.fetch("latest")

    assert fetched.error is None


def test_what_is_not_there_is_named(burn: Burn) -> None:
    copied = burn()

    with pytest.raises(CopyNotFound):
        copied.fetch("20200101_000000")
    with pytest.raises(InvalidBackupId):
        copied.fetch("../../etc")


def test_a_damaged_newest_is_reported_and_the_one_before_comes(burn: Burn) -> None:
    copied = burn([False, False])
    for path in copied.target.root.iterdir():
        if path.name.startswith(f"copy-{copied.made[1].replace('_', '-')}"):
            path.write_bytes(b"nonsense")

    rows = {one.choice.backup_id: one.error for one in copied.fetch("latest")}

    assert rows[copied.made[1]] is not None
    assert rows[copied.made[0]] is None


def test_each_fetch_is_on_record(burn: Burn) -> None:
    copied = burn()

    copied.fetch("latest")

    results = list(
        AuditEvent.objects.filter(action="backup.fetch", target=copied.made[0])
        .order_by("n").values_list("result", flat=True)
    )  # fmt: skip
    assert results == ["started", "fetched"]


def test_a_second_fetch_beside_the_first_finds_it_done(burn: Burn, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = burn()
    real = unfinished_fetch.held

    @contextmanager
    def after_another(store: Store, backup_id: str, **given: Any) -> Iterator[None]:
        monkeypatch.setattr(unfinished_fetch, "held", real)
        copied.fetch("latest")
        with real(store, backup_id, **given):
            yield

    monkeypatch.setattr(unfinished_fetch, "held", after_another)
    (fetched,) = copied.fetch("latest")

    assert fetched.error is None
    assert copied.entries() == [f"backup_{copied.made[0]}"]


def test_a_clock_that_is_behind_makes_no_backup_the_latest(burn: Burn) -> None:
    copied = burn()
    copied.now = datetime(2020, 1, 1, tzinfo=UTC)

    with pytest.raises(AllDatedInFuture):
        copied.fetch("latest")


def test_latest_passes_over_a_newer_backup_that_is_encrypted_to_another_key(burn: Burn) -> None:
    copied, other = burn([False, False]), encryption.new_key_pair()
    ours, newer = copied.made
    for name in [one.name for one in copied.target.list_objects() if copy_manifest.backup_id_of(one.name) == newer]:
        copied.target.delete(name)
    making.copy_folder(copied.target, copied.burned / f"backup_{newer}", recipients=(other.public,))

    errors = {one.choice.backup_id: one.error for one in copied.fetch("latest")}

    assert isinstance(errors[newer], WrongKey)
    assert errors[ours] is None
    assert copied.entries() == [f"backup_{ours}"]


class Killed(BaseException):
    """As a process that is killed: nothing catches it."""


def test_a_fetch_that_is_killed_after_it_published_has_its_copy_on_record(
    burn: Burn, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = burn()
    known = replace(
        copied.configuration, targets=(TargetSettings(name="nas", kind="file", place=str(copied.target.root)),)
    )
    copied = replace(copied, configuration=known)
    database = preparation.local_database(known)
    publish = Store.publish

    def then_killed(self: Store, backup_id: str) -> None:
        publish(self, backup_id)
        raise Killed

    database["backup_metadata"].insert_one({"_id": copied.made[0], "status": "success", "removed": {"how": "rules"}})
    monkeypatch.setattr(Store, "publish", then_killed)
    with pytest.raises(Killed):
        copied.fetch("latest")
    monkeypatch.undo()

    (row,) = BackupCopy.objects.all()
    assert (row.backup_id, row.state) == (copied.made[0], "complete")
    (again,) = copied.fetch("latest")

    assert again.was_here and again.error is None
    assert BackupCopy.objects.count() == 1
    record = database["backup_metadata"].find_one({"_id": copied.made[0]}) or {}
    assert (record["removed"], record["fetched"]["from"]) == (None, "nas")


def test_one_that_was_removed_here_is_brought_back_by_a_fetch(burn: Burn) -> None:
    copied = burn()
    (backup_id,) = copied.made
    root = copied.configuration.backup_dir
    root.mkdir()
    removed = Removal(backup_id=backup_id, at=datetime.now(UTC), by="ravi", how=removals.PERSON)
    removals.note(root, removed)

    (fetched,) = copied.fetch(backup_id)

    assert fetched.error is None
    assert removals.of_backup(root, backup_id) is None
