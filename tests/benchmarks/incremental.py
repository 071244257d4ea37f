"""What an incremental backup costs beside a full one: 1 % of 1,000,000 documents changed, spread, on a replica set.

python -m tests.benchmarks.incremental [--documents N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pymongo.database import Database

from backups_app.backup_files import base_digests, metadata
from backups_app.backup_files.manifest import Manifest
from backups_app.dump import base_stream
from backups_app.dump.base_state import BaseState
from backups_app.dump.base_stream import StreamStart
from backups_app.dump.python_dump import PythonDump
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.records import DUMPED_INTERNAL
from backups_app.verification import incremental, verdict
from tests.benchmarks import data

Result = TypeVar("Result")
BASE, NAME, BOOKINGS = "20250119_020000", "temple_db", "bookings"
USUAL: dict[str, Any] = {"excluded": DUMPED_INTERNAL, "timeout_seconds": 3600}


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
    count = parser.parse_args().documents
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(data_dir=Path(folder, "data"), replica_set="temple") as server,
        server.client() as client,
    ):
        store = Path(folder, "store")
        store.mkdir()
        _measure(client[NAME], server.uri, store, count)


def _measure(database: Database[Any], uri: str, store: Path, count: int) -> None:
    data.fill(database, collection=BOOKINGS, count=count)
    database["backup_metadata"].insert_one({"_id": "run"})
    _timed(lambda: _full(database, uri, store / "warm_up"))
    place = base_stream.here_and_now(database)
    assert place is not None
    full_seconds, base = _timed(lambda: _full(database, uri, store / f"backup_{BASE}"))
    digest_seconds, digests = _timed(
        lambda: {BOOKINGS: base_digests.opened(folder=store / f"backup_{BASE}", manifest=base, name=BOOKINGS)}
    )
    database[BOOKINGS].update_many({"number": {"$mod": [100, 7]}}, {"$set": {"paid": False}})

    def write_mark(text: str) -> None:
        database["backup_metadata"].update_one({"_id": "run"}, {"$set": {base_stream.MARK: text}})

    uuids = {name: entry.uuid for name, entry in base.collections.items()}
    for label, stream in (
        ("by the change stream", StreamStart(place=place, run_id="run", write_mark=write_mark)),
        ("everything read", None),
    ):
        state = BaseState(digests=digests, uuids=uuids, stream=stream)
        heard = Counted()
        out = store / f"backup_{label.replace(' ', '_')}"
        seconds, made = _timed(lambda: _incremental(database, uri, out, state, base, heard))  # noqa: B023
        share = 100 * _bytes(made) / _bytes(base)
        print(f"| incremental, {label} | {seconds:.2f} | {100 * seconds / full_seconds:.0f} % | {heard.documents:,} "
              f"({100 * heard.documents / count:.1f} %) | {_bytes(made):,} ({share:.1f} %) |")  # fmt: skip
    print(f"| full | {full_seconds:.2f} | | {count:,} | {_bytes(base):,} |")
    print(f"digests of the base, made once: {digest_seconds:.2f} s")


def _full(database: Database[Any], uri: str, out: Path) -> Manifest:
    out.mkdir()
    report = PythonDump().dump(database=database, uri=uri, out=out, progress=Silent(), **USUAL)
    manifest = verdict.verify(folder=out, database=NAME, report=report, progress=Silent()).manifest
    metadata.write(out, {"kind": "backup", "manifest": manifest.as_json()})
    return manifest


def _incremental(
    database: Database[Any], uri: str, out: Path, state: BaseState, base: Manifest, heard: Counted
) -> Manifest:
    (out / "delta").mkdir(parents=True)
    report = PythonDump().dump(database=database, uri=uri, out=out / "delta", base=state, progress=heard, **USUAL)
    assert not report.told, report.told
    return incremental.verify(
        folder=out, database=NAME, report=report, changes=report.changes,
        base=incremental.Base(backup_id=BASE, manifest=base), progress=Silent(),
    ).manifest  # fmt: skip


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def _bytes(manifest: Manifest) -> int:
    return sum(entry.bytes for entry in manifest.files.values())


if __name__ == "__main__":
    main()
