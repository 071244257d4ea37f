"""What an incremental backup costs beside a full one: 1 % of 1,000,000 documents changed, spread, on a replica set.

python -m tests.benchmarks.incremental [--documents N] [--cache GB]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pymongo.database import Database

from backups_app.backup_files import metadata
from backups_app.backup_files.digests import base_digests
from backups_app.backup_files.digests.base_digests import BaseDigests
from backups_app.backup_files.manifest import Manifest
from backups_app.dump.base import base_stream
from backups_app.dump.base.base_state import BaseState
from backups_app.dump.base.base_stream import StreamStart
from backups_app.dump.python_dump import PythonDump
from backups_app.dump.report import DumpReport
from backups_app.dump.server import counters
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.records import DUMPED_INTERNAL
from backups_app.verification import incremental, verdict
from tests.benchmarks import data

Result = TypeVar("Result")
BASE, NAME, BOOKINGS = "20250119_020000", "temple_db", "bookings"
TURNS = 3
MEDIAN = ", median"
"""Ends the name of the row that stands for all turns."""
USUAL: dict[str, Any] = {"excluded": DUMPED_INTERNAL, "timeout_seconds": 3600}


@dataclass(frozen=True, kw_only=True)
class Taken:
    """`cpu_seconds` are of this process and of the server: other work on the machine hardly changes them."""

    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} ({self.cpu_seconds:.2f} CPU)"

    def share_of(self, whole: Taken) -> str:
        by_cpu = self.cpu_seconds / whole.cpu_seconds
        return f"{100 * self.seconds / whole.seconds:.0f} % ({100 * by_cpu:.0f} % CPU)"


class Cost:
    """Measures what work costs here and in the server of this process id."""

    def __init__(self, server: int) -> None:
        self._stat = Path(f"/proc/{server}/stat")

    def of(self, work: Callable[[], Result]) -> tuple[Taken, Result]:
        began, cpu = time.perf_counter(), self._cpu_seconds()
        found = work()
        return Taken(seconds=time.perf_counter() - began, cpu_seconds=self._cpu_seconds() - cpu), found

    def _cpu_seconds(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Counted(Silent):
    """Counts the documents that a dump reads."""

    def __init__(self) -> None:
        self.documents = 0

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.documents += count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--cache", type=float, default=1, help="The cache of the server in GB.")
    chosen = parser.parse_args()
    count, cache = chosen.documents, chosen.cache
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(data_dir=Path(folder, "data"), replica_set="temple", cache_gigabytes=cache) as server,
        server.client() as client,
    ):
        store = Path(folder, "store")
        store.mkdir()
        _measure(server, client[NAME], store, count)


def _measure(server: EmbeddedServer, database: Database[Any], store: Path, count: int) -> None:
    cost = Cost(server.process_id)
    data.fill(database, collection=BOOKINGS, count=count)
    database["backup_metadata"].insert_one({"_id": "run"})
    _full(database, server.uri, store / "warm_up")
    place = base_stream.here_and_now(database)
    assert place is not None
    reign = counters.reign(database)
    full, (base, report) = cost.of(lambda: _full(database, server.uri, store / f"backup_{BASE}"))
    noted = counters.noted(reigns=(reign, counters.reign(database)), before=report.expected, after=report.after)
    digests, _ = cost.of(lambda: _digests(store, base))
    database[BOOKINGS].update_many({"number": {"$mod": [100, 7]}}, {"$set": {"paid": False}})

    def write_mark(text: str) -> None:
        database["backup_metadata"].update_one({"_id": "run"}, {"$set": {base_stream.MARK: text}})

    print(f"| full | {full} | | {count:,} | {_bytes(base):,} |", flush=True)
    stream = StreamStart(place=place, run_id="run", write_mark=write_mark)
    for label, known in (
        ("by the change stream", {"stream": stream, "counters": noted}),
        ("by the change stream, counted by the server", {"stream": stream}),
        ("everything read", {}),
    ):
        turns = []
        for turn in range(TURNS):
            heard = Counted()
            out = store / f"backup_{label.replace(' ', '_')}_{turn}"
            taken, made = cost.of(lambda: _incremental(database, server.uri, out, store, known, base, heard))  # noqa: B023
            turns.append(taken)
            share = 100 * _bytes(made) / _bytes(base)
            print(f"| incremental, {label} | {taken} | {taken.share_of(full)} | {heard.documents:,} "
                  f"({100 * heard.documents / count:.1f} %) | {_bytes(made):,} ({share:.1f} %) |")  # fmt: skip
        typical = median(turns)
        print(f"| incremental, {label}{MEDIAN} | {typical} | {typical.share_of(full)} | | |")
    print(f"digests of the base, made once: {digests}")


def median(turns: list[Taken]) -> Taken:
    """Return the medians of clock and processor, each by itself."""
    return Taken(
        seconds=statistics.median(one.seconds for one in turns),
        cpu_seconds=statistics.median(one.cpu_seconds for one in turns),
    )


def _digests(store: Path, base: Manifest) -> dict[str, BaseDigests]:
    return {BOOKINGS: base_digests.opened(folder=store / f"backup_{BASE}", manifest=base, name=BOOKINGS)}


def _full(database: Database[Any], uri: str, out: Path) -> tuple[Manifest, DumpReport]:
    out.mkdir()
    report = PythonDump().dump(database=database, uri=uri, out=out, progress=Silent(), **USUAL)
    manifest = verdict.verify(folder=out, database=NAME, report=report, progress=Silent()).manifest
    metadata.write(out, {"kind": "backup", "manifest": manifest.as_json()})
    return manifest, report


def _incremental(
    database: Database[Any], uri: str, out: Path, store: Path, known: dict[str, Any], base: Manifest, heard: Counted
) -> Manifest:
    uuids = {name: entry.uuid for name, entry in base.collections.items()}
    state = BaseState(digests=_digests(store, base), uuids=uuids, **known)
    (out / "delta").mkdir(parents=True)
    report = PythonDump().dump(database=database, uri=uri, out=out / "delta", base=state, progress=heard, **USUAL)
    assert not report.notices, report.notices
    return incremental.verify(
        folder=out, database=NAME, report=report, changes=report.changes,
        base=incremental.VerifiedBase(backup_id=BASE, manifest=base), progress=Silent(),
    ).manifest  # fmt: skip


def _bytes(manifest: Manifest) -> int:
    return sum(entry.bytes for entry in manifest.files.values())


if __name__ == "__main__":
    main()
