"""The list of backups comes from the folders, and hides none."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import backups, opening
from backups_app.browsing.reading.backups import BackupState
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupNotFound
from tests.browsing.conftest import Maker, bookings

ID = "20250119_143022"


def a_run(backup_id: str, **fields: Any) -> RunRecord:
    moment = datetime.datetime.strptime(backup_id[:15], "%Y%m%d_%H%M%S").replace(tzinfo=datetime.UTC)
    usual = {"_id": backup_id, "kind": "backup", "status": "success", "backup_timestamp": moment}
    return RunRecord(usual | fields)


def test_the_list_needs_no_database(store: Store, a_backup: Maker) -> None:
    a_backup("20250105_090000", {"bookings": bookings(2)})
    a_backup(ID, {"bookings": bookings(3), "events": []})

    found = backups.summaries(store=store)

    assert [(entry.backup_id, entry.state, entry.documents) for entry in found] == [
        (ID, BackupState.VERIFIED, 3),
        ("20250105_090000", BackupState.VERIFIED, 2),
    ]
    assert (found[0].status, found[0].created_by, found[0].collections) == ("success", "ananya", ("bookings", "events"))


def test_the_record_says_how_the_run_ended_and_when(store: Store, a_backup: Maker) -> None:
    a_backup(ID, {"bookings": bookings(1)}, record={"status": "in_progress"})
    a_backup("20250118_000000", {"bookings": bookings(1)})
    later = datetime.datetime(2025, 1, 20, tzinfo=datetime.UTC)

    found = backups.summaries(
        store=store, runs=[a_run(ID, status="partial"), a_run("20250118_000000", backup_timestamp=later)]
    )

    assert [(entry.backup_id, entry.status) for entry in found] == [("20250118_000000", "success"), (ID, "partial")]


def test_a_damaged_description_is_listed_as_damaged(store: Store, a_backup: Maker) -> None:
    texts = ["{", "[]", "", '{"manifest": {"version": 99}}', '{"manifest": "x"}', "\0" * 50, "[" * 100_000]
    for number, text in enumerate(texts):
        folder = a_backup(f"20250119_1430{number:02d}", {"bookings": bookings(1)})
        (folder / "metadata.json").write_text(text)

    found = backups.summaries(store=store)

    assert [entry.state for entry in found] == [BackupState.DAMAGED] * len(texts)
    assert all(entry.problem and entry.collections == ("bookings",) for entry in found)


def test_a_folder_without_a_description_is_listed_as_unverified(
    store: Store, a_foreign_backup: Callable[[str, str], Path]
) -> None:
    folder = store.root / f"backup_{ID}" / "golden"
    folder.mkdir(parents=True)
    (folder / "bookings.bson").write_bytes(b"".join(bookings(3)))

    (found,) = backups.summaries(store=store)

    assert (found.state, found.database, found.collections) == (BackupState.UNVERIFIED, "golden", ("bookings",))


def test_a_recorded_backup_without_a_folder_is_gone_or_on_another_host(store: Store) -> None:
    here = store.store_id()
    runs = [
        a_run("20250101_000000", store_id=here),
        a_run("20250102_000000", store_id="another", host="hall-2"),
        a_run("20250103_000000", store_id=here, status="failed"),
        a_run("20250104_000000", store_id=here, kind="restore"),  # its safety backup
        a_run("20250105_000000", store_id=here, kind="rehearsal"),
        a_run("20250106_000000", store_id=here, kind="test_copy"),
    ]

    found = backups.summaries(store=store, runs=runs)

    assert [(entry.backup_id, entry.state) for entry in found] == [
        ("20250104_000000", BackupState.GONE),
        ("20250102_000000", BackupState.ELSEWHERE),
        ("20250101_000000", BackupState.GONE),
    ]
    assert found[1].problem == "on host hall-2"


def test_names_that_are_no_dates_stand_at_the_end(store: Store, a_backup: Maker) -> None:
    a_backup("99999999_999999", {"bookings": bookings(1)})
    a_backup(ID, {"bookings": bookings(1)})

    assert [entry.backup_id for entry in backups.summaries(store=store)] == [ID, "99999999_999999"]


def test_one_line_is_found_by_its_id(store: Store, a_backup: Maker) -> None:
    a_backup(ID, {"bookings": bookings(4)})

    assert backups.summary(store=store, backup_id=ID).documents == 4
    with pytest.raises(BackupNotFound):
        backups.summary(store=store, backup_id="20250120_000000")


def test_what_was_verified_is_not_read_again_until_a_file_of_it_changed(
    store: Store, a_backup: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_backup(ID, {"bookings": bookings(3)})
    opened, openings = opening.open_backup, list[str]()

    def counted(*, store: Store, backup_id: str) -> OpenBackup:
        openings.append(backup_id)
        return opened(store=store, backup_id=backup_id)

    monkeypatch.setattr(opening, "open_backup", counted)
    first, again = backups.summaries(store=store), backups.summaries(store=store)

    assert openings == [ID]
    assert [replace(entry, record=RunRecord()) for entry in first] == [
        replace(entry, record=RunRecord()) for entry in again
    ]
    data = next(store.folder(ID).glob("*/bookings.bson"))
    data.write_bytes(data.read_bytes() + b"more")
    (changed,) = backups.summaries(store=store)
    assert (changed.state, openings) == (BackupState.DAMAGED, [ID, ID])
