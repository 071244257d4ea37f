"""kill -9 of the process that fetches a backup onto an empty machine, at every hook: no half backup is counted, and the
next fetch finishes with the folder, its record and one entry of the audit trail for it."""

from __future__ import annotations

import collections
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

from backups_app.backup_files import metadata
from backups_app.backup_files.store.store import Store
from backups_app.progress import Silent
from backups_app.runs.description import folder_records
from backups_app.verification import verdict
from tests.faults import test_kill_copy
from tests.faults.conftest import LONG, drop, in_turns, share
from tests.faults.process_pool import Ended
from tests.faults.test_kill_copy import Place

SHORT_POINTS = 10
backed_up = test_kill_copy.backed_up
directories = test_kill_copy.directories


class Machine:
    """A machine that has nothing but the settings, and a target with one copy."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.configuration = place.seeded.configuration
        self.store = Store(self.configuration.backup_dir)
        (self.backup_id,) = self.store.backups().ids

    def burn(self) -> None:
        drop(self._place.seeded.local)
        shutil.rmtree(self.store.root, ignore_errors=True)

    def fetch(self, *, kill_at: int = 0) -> Ended:
        return self._place.seeded.run(
            ["backup_fetch", "latest", "--from", self._place.settings.name, "--json"], kill_at=kill_at
        )

    def ids(self) -> tuple[str, ...]:
        return self.store.backups().ids if self.store.root.is_dir() else ()

    def require_whole(self) -> None:
        """Every byte is what the manifest names, and the folder says where it came from. Nothing else lies there."""
        folder = self.store.folder(self.backup_id)
        written = metadata.read(folder) or {}
        assert written["fetched"]["from"] == self._place.settings.name
        manifest = folder_records.manifest_in(written)
        assert verdict.recheck(folder=folder, manifest=manifest, progress=Silent()) == ()
        left = {path.name for path in self.store.root.iterdir() if not path.name.startswith(".")}
        assert left <= {folder.name, "removed.json"}
        assert not self.store.partials()

    def is_on_record(self) -> bool:
        """Whether the audit trail says that it is being fetched."""
        with closing(sqlite3.connect(self._place.seeded.process_pool.database)) as database:
            found = database.execute(
                "SELECT count(*) FROM backups_app_auditevent WHERE action = 'backup.fetch' AND target = ?",
                (self.backup_id,),
            )
            return bool(found.fetchone()[0])


@in_turns
def test_a_fetch_killed_anywhere_is_finished_by_the_next(directories: Callable[[], Place], turn: int) -> None:
    place = directories()
    assert place.copy().exit_code == 0
    machine = Machine(place)
    machine.burn()
    whole = machine.fetch()
    assert whole.exit_code == 0, whole.stdout + whole.stderr
    machine.require_whole()
    struck: collections.Counter[str] = collections.Counter()
    points = _points(len(whole.hooks), turn)
    for point in points:
        machine.burn()
        killed = machine.fetch(kill_at=point)
        assert killed.was_killed, f"hook {point} was not reached: {killed.stderr}"
        where = f"killed at hook {point} of {len(whole.hooks)}: {killed.hooks[-1]}"
        assert machine.ids() in ((), (machine.backup_id,)), where
        if machine.ids():
            machine.require_whole()

        again = machine.fetch()

        assert again.exit_code == 0, f"{where}\n{again.stdout}{again.stderr}"
        assert [row["error_code"] for row in json.loads(again.stdout)] == [None], where
        assert machine.ids() == (machine.backup_id,), where
        machine.require_whole()
        assert machine.is_on_record(), where
        struck[" ".join(killed.hooks[-1].split()[1:3])] += 1
    print(f"\n{len(points)} of {len(whole.hooks)} hooks killed: " + ", ".join(map(str, struck.most_common())))


def _points(total: int, turn: int) -> list[int]:
    """In the long form every hook; in the short one some, spread, with the last."""
    if LONG:
        return [point + 1 for point in share(total, turn)]
    return sorted({round(number * total / SHORT_POINTS) for number in range(1, SHORT_POINTS + 1)})
