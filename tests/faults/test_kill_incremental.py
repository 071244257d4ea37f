"""kill -9 of the process that makes an incremental backup, or exports one, at every hook: no half backup is counted,
the next run finishes, nothing is lost."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backups_app.backup_files.reading import collection_reader
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Secret
from backups_app.records import INTERNAL
from backups_app.runs import preparation
from tests.faults.conftest import CLOCK_HOOKS, LONG, SeededDatabases, in_turns, share
from tests.faults.invariants import Acknowledged, Version, versions_in
from tests.faults.process_pool import Ended

MakeTemple = Callable[..., SeededDatabases]
INCREMENTAL = ["backup_now", "--incremental", "--json"]
POINTS = 400 if LONG else 6
EXPORT_POINTS = 200 if LONG else 8


@dataclass
class Chained:
    """A temple without Atlas that has a full backup and an incremental on it."""

    seeded: SeededDatabases
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def ids(self) -> set[str]:
        return set(Store(self.seeded.configuration.backup_dir).backups().ids)

    def change(self) -> None:
        """Edit, add and delete a few bookings."""
        number = next(self._numbers)
        bookings = self.seeded.local["bookings"]
        bookings.update_one({"_id": "booking-1"}, {"$set": {"amount": number + 0.5}})
        bookings.insert_one({"_id": f"new-{number}", "devotee": "பக்தர்"})
        bookings.delete_one({"_id": f"new-{number - 1}"})
        self.seeded.acknowledged = Acknowledged()  # what an application deleted itself is not asked for
        self.seeded.acknowledged.note_database("local", self.seeded.local)

    def incremental(self, **more: int) -> Ended:
        return self.seeded.run(INCREMENTAL, **more)

    def assert_whole(self, backup_id: str) -> None:
        """What the backup stands for is what is live."""
        store = Store(self.seeded.configuration.backup_dir)
        manifest = preparation.manifest_of(store, backup_id=backup_id)
        found: set[Version] = {
            (name, frame)
            for name, entry in manifest.collections.items()
            if name not in INTERNAL
            for frame in collection_reader.frames(folder=store.folder(backup_id), entry=entry)
        }
        assert found == set(versions_in(self.seeded.local))


@pytest.fixture
def chained(temples: MakeTemple) -> Callable[[], Chained]:
    def make() -> Chained:
        one = Chained(temples(count=60).with_changes(cloud_url=Secret("")))
        base = one.incremental()
        assert base.json()["status"] == "success", base.stdout + base.stderr
        one.change()
        assert one.incremental().exit_code == 0  # reads everything: the proof of the week
        return one

    return make


@pytest.mark.parametrize("proven", [True, False], ids=["by stream", "everything read"])
@in_turns
def test_killed_anywhere_the_next_incremental_is_the_whole_state(
    chained: Callable[[], Chained], turn: int, proven: bool
) -> None:
    """One temple after the other, until its chain is long enough."""
    temple = chained() if proven else unproven(chained())
    temple.change()
    hooks = temple.incremental().hooks
    struck: collections.Counter[str] = collections.Counter()
    for point in spread(len(hooks), POINTS, turn):
        if len(temple.ids) > 40:
            temple = chained()
        if not proven:
            unproven(temple)
        temple.change()
        before = temple.ids
        killed = killed_at(temple, point)

        made = temple.ids - before
        temple.seeded.nothing_is_lost()
        for backup_id in made:
            temple.assert_whole(backup_id)
        temple.change()
        again = temple.incremental()

        where = f"killed at hook {point}: {killed.hooks[-1]}"
        assert again.exit_code == 0, f"{where}\n{again.stdout}{again.stderr}"
        assert again.json()["status"] == "success", where
        temple.seeded.nothing_is_lost()
        temple.seeded.nothing_is_unfinished(where)
        temple.assert_whole(again.json()["backup_id"])
        struck[" ".join(killed.hooks[-1].split()[1:3])] += 1
    print(f"\n{struck.total()} of {len(hooks)} hooks killed, 0 lost: " + ", ".join(map(str, struck.most_common())))


def unproven(temple: Chained) -> Chained:
    """No change stream may be trusted: the record of the base is not the one that it was made with."""
    temple.seeded.local["backup_metadata"].update_many({"incremental.base": None}, {"$inc": {"fence": 1_000}})
    return temple


def killed_at(temple: Chained, point: int) -> Ended:
    """A run writes some of its progress by the clock: it may have a few hooks fewer than the one that was counted."""
    killed = temple.incremental(kill_at=point)
    if not killed.was_killed:
        assert len(killed.hooks) > point - CLOCK_HOOKS, f"hook {point} was not reached: {killed.stderr}"
        temple.change()
        killed = temple.incremental(kill_at=len(killed.hooks) - CLOCK_HOOKS)
    assert killed.was_killed, f"hook {point} was not reached"
    return killed


def spread(total: int, wanted: int, turn: int) -> list[int]:
    """Return hook numbers spread over all; over all turns the first and the last are among them."""
    return sorted({1 + round(number * (total - 1) / (wanted - 1)) for number in share(wanted, turn)})


@in_turns
def test_an_export_killed_anywhere_is_whole_or_not_there_and_the_next_finishes(
    chained: Callable[[], Chained], tmp_path: Path, turn: int
) -> None:
    temple = chained()
    temple.change()
    backup_id = temple.incremental().json()["backup_id"]
    whole = tmp_path / "whole"
    first = temple.seeded.run(["backup_export", backup_id, "--out", str(whole), "--json"])
    assert first.exit_code == 0, first.stderr
    hooks = first.hooks
    for point in spread(len(hooks), EXPORT_POINTS, turn):
        out = tmp_path / f"killed-{point}"
        command = ["backup_export", backup_id, "--out", str(out), "--json"]
        killed = temple.seeded.run(command, kill_at=point)

        assert killed.was_killed, f"hook {point} was not reached"
        if out.exists():
            assert tree(out) == tree(whole), killed.hooks[-1]
        else:
            again = temple.seeded.run(command)
            assert again.exit_code == 0, f"{killed.hooks[-1]}\n{again.stderr}"
            assert tree(out) == tree(whole)
        assert not list(tmp_path.glob(".partial-*"))
        temple.seeded.nothing_is_lost()
    temple.seeded.nothing_is_unfinished()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
