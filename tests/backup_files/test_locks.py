"""Locks of the backup store that a stopped process holds: nobody waits for them without end, and nothing is changed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from backups_app.backup_files import layout, locks, metadata
from backups_app.backup_files.store import removals
from backups_app.errors import BackupInUse, StoreBusy

BACKUP = "20261124_120000"
REMOVAL = removals.Removal(backup_id=BACKUP, at=None, by="ravi", how="by hand")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.1)


@pytest.fixture
def folder(a_folder: Path) -> Path:
    made = a_folder / layout.published_name(BACKUP)
    made.mkdir()
    metadata.write(made, {"status": "in_progress"})
    return made


def test_metadata_whose_lock_is_held_stays_as_it_is(folder: Path) -> None:
    with locks.held(folder.parent, f"{folder.name}.status"), pytest.raises(StoreBusy):
        metadata.amend(folder, {"status": "success"})

    assert metadata.read(folder) == {"status": "in_progress"}


def test_a_removal_whose_line_cannot_be_written_is_refused(folder: Path) -> None:
    with locks.held(folder.parent, locks.REMOVED), pytest.raises(StoreBusy):
        removals.note(folder.parent, REMOVAL)

    assert removals.all_of(folder.parent) == {}


def test_who_would_read_a_backup_that_is_being_removed_is_reported(folder: Path) -> None:
    with (
        locks.removing(folder.parent, BACKUP),
        pytest.raises(StoreBusy) as refused,
        locks.reading(folder.parent, BACKUP),
    ):
        pass

    assert refused.value.code == "store_busy"


def test_readers_do_not_wait_for_one_another(folder: Path) -> None:
    with locks.reading(folder.parent, BACKUP), locks.reading(folder.parent, BACKUP):
        assert locks.is_read(folder.parent, BACKUP)


def test_a_lock_that_is_given_up_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT_SECONDS", 30)
    taken, given_up = threading.Event(), []

    def hold() -> None:
        with locks.held(folder.parent, locks.TRASH):
            taken.set()
            time.sleep(0.1)
            given_up.append(True)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(10)
    with locks.held(folder.parent, locks.TRASH):
        assert given_up
    holder.join()


def test_the_lock_of_a_backup_that_is_back_is_not_forgotten(folder: Path) -> None:
    """Its trash is emptied while somebody reads the one that was fetched meanwhile."""
    with locks.reading(folder.parent, BACKUP):
        locks.forget(folder.parent, BACKUP)

        with pytest.raises(BackupInUse), locks.removing(folder.parent, BACKUP):
            pass


def test_a_lock_that_somebody_holds_is_not_forgotten_with_its_backup(folder: Path) -> None:
    gone = folder.with_name(".trash-of-it")
    with locks.reading(folder.parent, BACKUP):
        folder.rename(gone)
        locks.forget(folder.parent, BACKUP)
        gone.rename(folder)

        with pytest.raises(BackupInUse), locks.removing(folder.parent, BACKUP):
            pass


def test_a_lock_that_was_forgotten_before_it_was_taken_is_taken_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = locks._take, list[int]()

    def forgotten_first(descriptor: int, how: int) -> None:
        if not calls:
            (folder.parent / locks.FOLDER / folder.name).unlink()
        calls.append(descriptor)
        real(descriptor, how)

    monkeypatch.setattr(locks, "_take", forgotten_first)

    with locks.reading(folder.parent, BACKUP):
        assert len(calls) == 2
        with pytest.raises(BackupInUse), locks.removing(folder.parent, BACKUP):
            pass


def test_the_lock_of_a_backup_that_is_gone_is_forgotten(folder: Path) -> None:
    with locks.reading(folder.parent, BACKUP):
        pass
    folder.rename(folder.with_name("elsewhere"))

    locks.forget(folder.parent, BACKUP)

    assert not list((folder.parent / locks.FOLDER).glob(f"{folder.name}*"))
