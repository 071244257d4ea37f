"""kill -9 of the process that copies a backup, at every hook: no half copy is counted, the next run finishes with one
whole copy, and nothing is overwritten."""

from __future__ import annotations

import collections
import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyrage.x25519 import Identity

from backups_app.backup_files import layout
from backups_app.configuration import Secret
from backups_app.storage import copy_manifest, copy_reading, encryption, targets
from backups_app.storage.target import StorageTarget
from backups_app.target_settings import TargetSettings
from tests.copying.conftest import Kept
from tests.faults.conftest import KEEPING, LONG, SeededDatabases, in_turns, share
from tests.faults.process_pool import Ended
from tests.services.seaweed import Seaweed

MakeTemple = Callable[..., SeededDatabases]
COPY = ["backup_copy", "--json"]
SHORT_POINTS = 5
KEYS = encryption.new_key_pair()
BUCKET = "killed"
_numbers = itertools.count(1)


@dataclass
class Place:
    """A fresh target, and what a test asks about it. Its name is its own: the rows of all tests share a database."""

    seeded: SeededDatabases
    settings: TargetSettings
    recipients: tuple[str, ...]
    target: StorageTarget = field(init=False)

    def __post_init__(self) -> None:
        self.target = targets.open_target(self.settings)
        if self.settings.is_directory:
            database = self.seeded.configuration.database_name
            Path(self.settings.place).mkdir(exist_ok=True)
            targets.directory(self.settings).prepare(database=database)
        self.seeded = self.seeded.with_changes(targets=(self.settings,), copy_recipients=self.recipients)

    def copy(self, *, kill_at: int = 0) -> Ended:
        return self.seeded.run(COPY, kill_at=kill_at)

    def objects(self) -> dict[str, tuple[bytes, object]]:
        """Return bytes and date of every object that is there."""
        return {
            head.name: (b"".join(self.target.read(head.name)), head.modified_at) for head in self.target.list_objects()
        }

    def row(self) -> dict[str, Any] | None:
        """Return the row of the copy; None where the process died before it."""
        with closing(sqlite3.connect(self.seeded.process_pool.database)) as database:
            database.row_factory = sqlite3.Row
            found = database.execute("SELECT * FROM backups_app_backupcopy WHERE target = ?", (self.settings.name,))
            rows = [dict(row) for row in found]
        assert len(rows) <= 1
        return rows[0] if rows else None

    def whole(self) -> list[str]:
        """Return the names of the manifests there. Fail where one stands for less than the whole backup."""
        found = list(copy_reading.find(self.target))
        for one in found:
            assert one.problem is None
            assert self._received(one) == files(self.seeded.configuration.backup_dir / f"backup_{one.backup_id}")
        return [one.object_name for one in found]

    def _received(self, found: copy_reading.FoundCopy) -> dict[str, bytes]:
        assert found.manifest is not None
        identities = [Identity.from_str(KEYS.private)] if self.recipients else []
        received = {}
        for file in copy_reading.open_contents(found, identities=identities).files:
            into = Kept()
            copy_reading.receive(
                self.target, manifest=found.manifest, file=file, into=into, identities=identities
            )  # fmt: skip
            received[file.path] = bytes(into.data)
        return received


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != layout.METADATA
    }


@pytest.fixture
def backed_up(temples: MakeTemple) -> SeededDatabases:
    """A temple of a few collections with one backup."""
    seeded = temples(count=6).with_changes(cloud_url=Secret(""))
    for name in ("activities", "employee_bookings"):
        seeded.local.drop_collection(name)
    made = seeded.run(KEEPING)
    assert made.exit_code == 0, made.stdout + made.stderr
    return seeded


@pytest.fixture
def directories(backed_up: SeededDatabases, tmp_path: Path) -> Callable[[], Place]:
    """Each call prepares another directory."""

    def make() -> Place:
        name = f"nas{next(_numbers)}"
        return Place(backed_up, TargetSettings(name=name, kind="file", place=str(tmp_path / name)), ())

    return make


@pytest.fixture
def prefixes(backed_up: SeededDatabases, s3_server: Seaweed) -> Iterator[Callable[[], Place]]:
    """Each call takes another prefix of one bucket, and encrypts."""
    s3_server.make_bucket(BUCKET)
    options = tuple(s3_server.options().items())

    def make() -> Place:
        name = f"s{next(_numbers)}"
        settings = TargetSettings(name=name, kind="s3", place=BUCKET, prefix=f"temple/{name}", options=options)
        return Place(backed_up, settings, (KEYS.public,))

    yield make


@in_turns
def test_in_a_directory(directories: Callable[[], Place], turn: int) -> None:
    killed_at_all(directories, turn)


@in_turns
def test_at_a_real_s3_server(prefixes: Callable[[], Place], turn: int) -> None:
    killed_at_all(prefixes, turn)


def killed_at_all(make: Callable[[], Place], turn: int) -> None:
    first = make()
    ended = first.copy()
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert len(first.whole()) == 1
    points = _points(ended.hooks, turn)
    struck: collections.Counter[str] = collections.Counter()
    for point in points:
        place = make()
        killed = place.copy(kill_at=point)
        assert killed.was_killed, f"hook {point} was not reached: {killed.stderr}"
        where = f"killed at hook {point} of {len(ended.hooks)}: {killed.hooks[-1]}"
        _finished_by_the_next(place, where)
        struck[" ".join(killed.hooks[-1].split()[1:3])] += 1
        if place.settings.is_directory:
            shutil.rmtree(place.settings.place)
    print(f"\n{len(points)} of {len(ended.hooks)} hooks killed: " + ", ".join(map(str, struck.most_common())))


def _points(hooks: list[str], turn: int) -> list[int]:
    """In the long form every hook; in the short one some, from the first write of the row on."""
    if LONG:
        return [point + 1 for point in share(len(hooks), turn)]
    first = next(number for number, name in enumerate(hooks, start=1) if name.endswith("row"))
    return sorted({first + round(n * (len(hooks) - first) / (SHORT_POINTS - 1)) for n in range(SHORT_POINTS)})


def _finished_by_the_next(place: Place, where: str) -> None:
    there, row = place.objects(), place.row()
    whole = place.whole()
    counted = row is not None and row["state"] == "complete"
    assert not counted or (row and [row["manifest"]] == whole), where

    again = place.copy()

    assert again.exit_code == 0, f"{where}\n{again.stdout}{again.stderr}"
    assert [one["state"] for one in json.loads(again.stdout)] == ([] if counted else ["complete"]), where
    after, row = place.objects(), place.row()
    assert row is not None
    assert row["state"] == "complete", where
    assert place.whole() == [row["manifest"]], where
    names = [entry["name"] for entry in json.loads(row["written"])]
    assert len(names) == len(set(names)), where
    assert after.keys() <= set(names), where
    gone = there.keys() - after.keys()
    assert all(copy_manifest.backup_id_of(name) for name in gone), where
    assert there.items() <= {**after, **{name: there[name] for name in gone}}.items(), where
