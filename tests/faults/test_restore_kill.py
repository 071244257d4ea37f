"""kill -9 of the process that restores, at every hook: each document is as before or as planned, the record names what
remains, a repeat finishes it, and an undo takes it back."""

from __future__ import annotations

import collections
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import bson
import pytest

from backups_app.configuration import Secret
from tests.faults.conftest import CLOCK_HOOKS, KEEPING, LONG, SeededDatabases, documents, in_turns, share
from tests.faults.invariants import TempleDatabase, versions_in
from tests.faults.process_pool import Ended

MakeTemple = Callable[..., SeededDatabases]
NAMES = ("bookings", "devotees", "employee_bookings")
SHORT_POINTS = 4

State = dict[str, dict[str, bytes]]
"""Of each collection the documents, by `_id`."""


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """A temple with a backup, and what happened to its data since: edited, deleted, added, a collection dropped."""

    seeded: SeededDatabases
    backup_id: str
    planned: State
    before: State

    @property
    def restore(self) -> list[str]:
        return [
            "backup_restore", self.backup_id, "--collections", ",".join(NAMES), "--mode", "replace", "--confirm",
            "RESTORE", "--json",
        ]  # fmt: skip


def spoilt(temples: MakeTemple, *, count: int = 60) -> Spoilt:
    seeded = temples(count=count).with_changes(cloud_url=Secret(""))
    seeded.local["devotees"].create_index("amount", name="by_amount")
    planned = state(seeded.local)
    backup_id = seeded.run(KEEPING).json()["backup_id"]
    bookings = seeded.local["bookings"]
    bookings.update_many({"_id": {"$regex": "^booking-1"}}, {"$set": {"ritual": "edited"}})
    bookings.delete_many({"_id": {"$regex": "^booking-2"}})
    bookings.insert_many(documents("later", range(9)))
    seeded.local["employee_bookings"].delete_many({"_id": {"$regex": "1"}})
    seeded.local.drop_collection("devotees")
    seeded.acknowledged.note_database("local", seeded.local)
    return Spoilt(seeded=seeded, backup_id=backup_id, planned=planned, before=state(seeded.local))


def state(database: TempleDatabase) -> State:
    found: State = {name: {} for name in NAMES}
    for name, frame in versions_in(database):
        if name in found:
            found[name][bson.decode(frame)["_id"]] = frame
    return found


def restores(seeded: SeededDatabases) -> list[str]:
    """Return the ids of the restores that are on record: none, where the first was killed before."""
    return [run["_id"] for run in seeded.local["backup_metadata"].find({"kind": "restore"}, {"_id": 1})]


@in_turns
def test_a_restore_killed_anywhere_is_finished_by_a_repeat(temples: MakeTemple, turn: int) -> None:
    hooks = (whole := spoilt(temples)).seeded.run(whole.restore).hooks
    points = _points(hooks, turn)
    struck: collections.Counter[str] = collections.Counter()
    started, undone = time.monotonic(), 0

    for number, point in enumerate(points):
        one, killed = _killed(temples, point)
        where = f"killed at hook {point}: {killed.hooks[-1]}"
        between, record = state(one.seeded.local), restores(one.seeded)
        _nothing_is_in_between(one, between, where)
        one.seeded.nothing_is_lost()

        undone += number % 3 == 2 and _undo_takes_it_back(one, where)
        again = one.seeded.run(one.restore)

        assert again.exit_code == 0, f"{where}\n{again.stdout}{again.stderr}"
        assert state(one.seeded.local) == one.planned, where
        assert "by_amount" in one.seeded.local["devotees"].index_information(), where
        one.seeded.nothing_is_lost()
        one.seeded.nothing_is_unfinished(where)
        struck[_reported_truly(one, record, between, where)] += 1

    print(
        f"\n{len(points)} of {len(hooks)} hooks killed in {time.monotonic() - started:.0f} s, {undone} undone: {struck}"
    )


@pytest.mark.parametrize("hook", ["after insert bookings", "after commitTransaction", "before delete bookings"])
def test_a_restore_killed_between_two_batches_is_finished_by_a_repeat(temples: MakeTemple, hook: str) -> None:
    one = spoilt(temples, count=2_500)

    killed = one.seeded.run(one.restore, kill_at=hook)
    between, record = state(one.seeded.local), restores(one.seeded)
    again = one.seeded.run(one.restore)

    assert killed.was_killed
    assert between not in (one.before, one.planned)
    _nothing_is_in_between(one, between, hook)
    assert again.exit_code == 0, again.stdout + again.stderr
    assert state(one.seeded.local) == one.planned
    one.seeded.nothing_is_lost()
    assert _reported_truly(one, record, between, hook) == "restoring, 0 in place"


def _killed(temples: MakeTemple, point: int) -> tuple[Spoilt, Ended]:
    """Kill a restore at this hook. It writes its progress by the clock, so it may have a few hooks fewer than the one
    that was counted: then another is killed at one of the last that it had."""
    one = spoilt(temples)
    killed = one.seeded.run(one.restore, kill_at=point)
    if not killed.was_killed:
        assert len(killed.hooks) > point - CLOCK_HOOKS, f"hook {point} was not reached: {killed.stderr}"
        one = spoilt(temples)
        killed = one.seeded.run(one.restore, kill_at=len(killed.hooks) - CLOCK_HOOKS)
    assert killed.was_killed, f"hook {point} was not reached"
    return one, killed


def _points(hooks: list[str], turn: int) -> list[int]:
    """In the long form every hook, safety backup included; in the short one some from the first write on."""
    if LONG:
        return [point + 1 for point in share(len(hooks), turn)]
    first = next(number for number, name in enumerate(hooks, start=1) if "after insert bookings" in name)
    return [first + round(number * (len(hooks) - first) / (SHORT_POINTS - 1)) for number in range(SHORT_POINTS)]


def _nothing_is_in_between(one: Spoilt, between: State, where: str) -> None:
    strange = {
        (name, identity): found
        for name in NAMES
        for identity in between[name].keys() | one.before[name].keys() | one.planned[name].keys()
        if (found := between[name].get(identity))
        not in (one.before[name].get(identity), one.planned[name].get(identity))
    }
    assert strange == {}, where


def _undo_takes_it_back(one: Spoilt, where: str) -> bool:
    """Undo the killed restore, where it may have written something."""
    one.seeded.run(["backup_status"])
    record = one.seeded.local["backup_metadata"].find_one({"kind": "restore", "restore.at_work": {"$gt": ""}})
    if record is None:
        return False
    undo = one.seeded.run(["backup_restore", "--undo", record["_id"], "--confirm", "RESTORE", "--json"])
    assert undo.exit_code == 0, f"{where}\n{undo.stdout}{undo.stderr}"
    assert state(one.seeded.local) == one.before, where
    return True


def _reported_truly(one: Spoilt, killed: list[str], between: State, where: str) -> str:
    """Hold what the record of the killed restore says against what was there. Return what it is called."""
    if not killed:
        assert between == one.before, where
        return "before its record"
    record = one.seeded.local["backup_metadata"].find_one({"_id": killed[0]})
    assert record is not None
    assert record["status"] != "in_progress", where
    if record["error_code"] != "restore_unfinished":
        step = next(step for step in record["steps"] if step["name"] == "restore")
        expected = one.planned if step["state"] == "done" else one.before
        assert between == expected, where
        return str(record["error_code"] or record["status"])
    sentences = re.search(
        r"In place: (.*?); (?:\"(.*?)\" was in progress)?(?:; )?(?:(.*?) had not begun)?", record["error_message"]
    )
    assert sentences is not None, f"{where}: {record['error_message']}"
    in_place, at_work, waiting = (part.split(", ") if part else [] for part in sentences.groups())
    in_place = [name for name in in_place if name != "nothing"]
    assert sorted([*in_place, *at_work, *waiting]) == sorted(NAMES), f"{where}: {record['error_message']}"
    assert all(between[name] == one.planned[name] for name in in_place), f"{where}: {record['error_message']}"
    assert all(between[name] == one.before[name] for name in waiting), f"{where}: {record['error_message']}"
    return f"restoring, {len(in_place)} in place"


def test_a_restore_killed_before_it_was_taken_does_not_stand_in_the_way_of_the_next(temples: MakeTemple) -> None:
    one = spoilt(temples)

    killed = one.seeded.run(one.restore, kill_at="after insert backup_metadata")
    again = one.seeded.run(one.restore)

    assert killed.was_killed
    assert again.exit_code == 0, again.stdout + again.stderr
    assert state(one.seeded.local) == one.planned
