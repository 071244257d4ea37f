"""An incremental is asked only for the room that it will take; a full backup's where it will be one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from pymongo.database import Database

from backups_app.backup_files import file_names
from backups_app.backup_files.store.store import DiskUsage, Store
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import DiskFull, NoRoomToBegin
from backups_app.models import Schedule
from backups_app.runs import base_choice, incremental_base, preparation
from backups_app.runs.incremental_base import ChosenBase
from backups_app.runs.steps import preflight
from backups_app.use_cases.status import status
from tests.journeys.conftest import run_backup

pytestmark = pytest.mark.django_db
Db = Database[dict[str, Any]]
Disk = Callable[[int], None]
"""Make the disk so full that a run finds so many bytes free."""
DOCUMENTS = [{"_id": n, "note": "x" * 900} for n in range(12_000)]
ROOM = preflight.needed_bytes(4_000_000)
"""Enough for an incremental on 11 MB, a fifth of them; not for a full backup."""


@pytest.fixture
def alone(configured: Configuration) -> Iterator[Configuration]:
    """No Atlas: what is live is what was written here."""
    configuration = dataclasses.replace(configured, cloud_url=Secret(""))
    with override_settings(TEMPLEOPS=configuration):
        yield configuration


@pytest.fixture
def based(alone: Configuration, local_db: Db) -> RunRecord:
    """A full backup of 11 MB."""
    local_db["bookings"].insert_many(DOCUMENTS)
    return run_backup(delete_bookings=False)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    def leaves(free_bytes: int) -> None:
        monkeypatch.setattr(Store, "usage", lambda _: DiskUsage(total_bytes=10**9, free_bytes=free_bytes))

    return leaves


def incremental() -> RunRecord:
    return run_backup(delete_bookings=False, incremental=True)


def chosen(configuration: Configuration) -> ChosenBase:
    found = base_choice.choose(
        configuration=configuration, store=preparation.store(configuration), now=datetime.now(UTC)
    )
    assert isinstance(found, ChosenBase)
    return found


def test_where_a_full_backup_has_no_room_an_incremental_begins(based: RunRecord, disk: Disk) -> None:
    disk(ROOM)

    with pytest.raises(NoRoomToBegin):
        run_backup(delete_bookings=False)
    run = incremental()

    assert run["status"] == "success", run["error_message"]
    assert run.incremental.base == based.id
    call_command("backup_now", "--incremental", "--dry-run", "--json")  # raises where it is refused


def test_the_status_asks_for_the_room_of_the_next_scheduled_backup(
    based: RunRecord, alone: Configuration, disk: Disk
) -> None:
    disk(ROOM)
    now = datetime.now(UTC)
    Schedule.objects.create(
        name="quarter",
        do="incremental",
        cron="*/15 * * * *",
        time_zone="UTC",
        created_at=now,
        settled_at=now,
        since=now,
    )
    incremental_next = status.status(configuration=alone, now=now)
    Schedule.objects.update(do="backup")
    full_next = status.status(configuration=alone, now=now)

    assert incremental_next.refusals == () and not incremental_next.backup_available
    assert "no room for a full one" in incremental_next.message
    assert "no_room_for_full" in [one.message.code for one in incremental_next.assurance.attention]
    (refusal,) = full_next.refusals
    assert isinstance(refusal, NoRoomToBegin)
    assert "no_room_for_full" not in [one.message.code for one in full_next.assurance.attention]


def test_an_incremental_without_room_is_refused_by_what_it_needs(
    based: RunRecord, alone: Configuration, disk: Disk
) -> None:
    disk(preflight.RESERVE_BYTES)

    with pytest.raises(NoRoomToBegin) as refused:
        incremental()

    written = incremental_base.written_at_most(chosen(alone).manifest) + 32 * len(DOCUMENTS)
    needed = float(str(refused.value.facts["needed"]).split()[0])
    assert needed == pytest.approx(preflight.needed_bytes(written) / 1024**2, abs=0.1)


def test_one_that_will_be_full_is_asked_for_the_room_of_a_full_one(
    based: RunRecord, alone: Configuration, disk: Disk
) -> None:
    assert incremental().incremental.base == based.id
    disk(ROOM)

    with (
        override_settings(TEMPLEOPS=dataclasses.replace(alone, incremental_max_chain=1)),
        pytest.raises(NoRoomToBegin),
    ):
        incremental()


def test_a_base_that_is_found_rotten_while_it_is_read_needs_the_room_of_a_full_one(
    based: RunRecord, local_db: Db, disk: Disk
) -> None:
    path = Path(based.backup_path, local_db.name, "bookings.bson")
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(b"\x07\x00\x00\x00", b"\x08\x00\x00\x00", 1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    disk(ROOM)

    run = incremental()

    assert (run["status"], run["error_code"]) == ("failed", DiskFull.code)


def test_preflight_looks_again(based: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([ROOM] + [0] * 10)
    monkeypatch.setattr(Store, "usage", lambda _: DiskUsage(total_bytes=10**9, free_bytes=next(free)))

    run = incremental()

    assert (run["status"], run["error_code"]) == ("failed", DiskFull.code)


def test_what_was_added_since_the_base_and_lost_digests_are_counted(based: RunRecord, alone: Configuration) -> None:
    base = chosen(alone)
    in_base = sum(entry.bytes for entry in base.manifest.collections.values())

    grown = base_choice.bytes_to_write(base, data_bytes=in_base + 50_000_000)
    incremental()  # makes the digests

    lost = len(DOCUMENTS) * 32
    assert grown >= 50_000_000 + lost
    assert grown - base_choice.bytes_to_write(base, data_bytes=in_base + 50_000_000) >= lost
    assert base_choice.bytes_to_write(None, data_bytes=7) == 7
    file = base.manifest.collections["bookings"].file
    assert file is not None
    assert (base.backup.folder / file_names.digest_of(file)).exists()
