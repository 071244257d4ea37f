"""The trash is emptied before its day is over where the next run would lack space: only of what the rules removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from backups_app.backup_files.store.store import DiskUsage, Store
from backups_app.errors import NoRoomToBegin
from backups_app.models import AuditEvent
from backups_app.runs.steps import preflight
from backups_app.use_cases.retention import trash_emptying as housekeeping
from tests.retention.conftest import Temple

Disk = Callable[[int], None]
"""Make the disk so large that so many bytes are missing for the next run."""


def bytes_under(root: Path) -> int:
    return sum(os.lstat(Path(where, name)).st_size for where, _, files in os.walk(root) for name in files)


@pytest.fixture
def disk(temple: Temple, monkeypatch: pytest.MonkeyPatch) -> Disk:
    def lacks(missing: int) -> None:
        needed = preflight.needed_bytes(int(temple.database.command("dbStats")["dataSize"]))
        size = bytes_under(temple.store.root) + needed - missing

        def usage(store: Store) -> DiskUsage:
            return DiskUsage(total_bytes=size, free_bytes=size - bytes_under(store.root))

        monkeypatch.setattr(Store, "usage", usage)

    return lacks


def removed_by_rules(temple: Temple) -> tuple[str, str]:
    older, old = temple.add(days=50), temple.add(days=40)
    temple.set_policy()
    temple.prune()
    return older, old


def make_room(temple: Temple) -> tuple[str, ...]:
    return housekeeping.make_room(configuration=temple.configuration, now=temple.now)


def test_the_oldest_goes_first_and_no_more_than_is_needed(temple: Temple, disk: Disk) -> None:
    older, old = removed_by_rules(temple)
    disk(1)

    assert make_room(temple) == (older,)

    assert temple.in_trash() == {old}
    assert AuditEvent.objects.filter(action="backup.removed", target=older, result="unlinked").exists()


def test_what_a_person_removed_stays_its_day(temple: Temple, disk: Disk) -> None:
    oldest = temple.add(days=60)
    temple.remove(oldest)
    older, old = removed_by_rules(temple)
    disk(bytes_under(temple.store.root / next(temple.store.root.glob(f".trash-backup_{older}*"))) + 1)

    assert make_room(temple) == (older, old)

    assert temple.in_trash() == {oldest}


def test_the_base_of_an_incremental_that_a_person_removed_stays_with_it(temple: Temple, disk: Disk) -> None:
    base = temple.add(days=60)
    incremental = temple.add(days=59, incremental={"base": base, "number": 1})
    temple.remove(incremental)
    older, old = removed_by_rules(temple)
    disk(bytes_under(temple.store.root / next(temple.store.root.glob(f".trash-backup_{older}*"))) + 1)

    assert make_room(temple) == (older, old)

    assert temple.in_trash() == {base, incremental}


def test_with_room_enough_nothing_goes(temple: Temple, disk: Disk) -> None:
    removed = removed_by_rules(temple)
    disk(0)

    assert make_room(temple) == ()
    assert temple.in_trash() == set(removed)


def test_where_all_of_it_would_not_be_enough_nothing_goes(temple: Temple, disk: Disk) -> None:
    removed = removed_by_rules(temple)
    disk(10**9)

    assert make_room(temple) == ()
    assert temple.in_trash() == set(removed)


def test_what_nobody_knows_how_it_was_removed_stays(temple: Temple, disk: Disk) -> None:
    removed = removed_by_rules(temple)
    (temple.store.root / "removed.json").write_bytes(b"\xff not json\n")
    disk(1)

    assert make_room(temple) == ()
    assert temple.in_trash() == set(removed)


def test_a_run_that_would_lack_space_makes_room_before_it_starts(temple: Temple, disk: Disk) -> None:
    removed_by_rules(temple)
    disk(1)

    assert temple.run()["status"] == "success"

    disk(10**9)
    with pytest.raises(NoRoomToBegin):
        temple.run()


def test_the_worker_makes_room_each_minute(temple: Temple, disk: Disk) -> None:
    older, _ = removed_by_rules(temple)
    disk(1)

    housekeeping.housekeep(configuration=temple.configuration, now=temple.now)

    assert older not in temple.in_trash()
