"""Find everywhere: 30 backups of 100,000 documents, each a little different, and as many live.

    python -m tests.benchmarks.find [--backups N] [--documents N] [--compressed]

Prints when the first results are there and when everything is searched, in seconds, with the peak memory in MB, and
what bsondump and grep take for the files, where bsondump is on PATH. The word that is searched stands in one document
of each backup (its text changes from backup to backup), in one that only the oldest holds, and in one that is live.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which

import bson
from pymongo.database import Database

from backups_app.backup_files.store.store import Store
from backups_app.browsing.search import everywhere, find_everywhere, query
from backups_app.browsing.search.everywhere import FindState
from backups_app.mongo.embedded import EmbeddedServer
from tests.benchmarks import limits, memory
from tests.benchmarks.data import _frames, _template, fill
from tests.browsing.conftest import Maker

DATABASE = "bench"
WORD = "Thiruvengadam"
EVERYTHING = "everything"
GREP = "bsondump + grep of the files"
"""Names the row of the stock tools, which do not search what is live."""
GREPPED_OF = 10
"""One of so many files is searched by them, and its time taken so often."""


def main() -> None:
    """Make the backups, search, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.find", description=__doc__)
    parser.add_argument("--backups", type=int, default=30)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--compressed", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="templeops-bench-") as name:
        folder = Path(name)
        (folder / "mongod").mkdir()
        store = Store(folder / "backups")
        store.prepare()
        with EmbeddedServer(data_dir=folder / "mongod", replica_set="bench") as server, server.client() as client:
            fill(client[DATABASE], collection="bookings", count=options.documents)
            client[DATABASE]["bookings"].insert_one(_marked("live", 0))
            _make(store, options.backups, options.documents, compressed=options.compressed)
            _measure(store, client[DATABASE], options.backups, options.documents)


def _make(store: Store, backups: int, count: int, *, compressed: bool) -> None:
    for number in range(backups):
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number)
        Maker(store)(f"{at:%Y%m%d_%H%M%S}", {"bookings": _bookings(number, count)}, compressed=compressed)


def _bookings(number: int, count: int) -> Iterator[bytes]:
    yield from _frames(_template(), 0, count - 2)
    yield bson.encode(_marked("in every backup", number))
    yield bson.encode(_marked("in the oldest backup", 0) if number == 0 else {"_id": f"other {number}"})


def _marked(identity: str, number: int) -> dict[str, object]:
    return {"_id": identity, "devotee": f"{WORD} {number}", "amount": 501}


def _measure(store: Store, database: Database[dict[str, object]], backups: int, count: int) -> None:
    state = FindState(backups=sorted(store.backups().ids, reverse=True))
    before = memory.peak_mb()
    began = time.perf_counter()
    find_everywhere.go_on(
        state, query=query.parse(WORD), store=store, database=database, seconds=find_everywhere.FIRST_SECONDS
    )
    first = time.perf_counter() - began
    found_at = first if state.documents else 0.0
    while not state.finished:
        state = everywhere.from_json(everywhere.as_json(state))
        find_everywhere.go_on(state, query=query.parse(WORD), store=store, database=database)
        found_at = found_at or (time.perf_counter() - began if state.documents else 0.0)
    every = time.perf_counter() - began
    assert {one.raw_id[5:-1].decode() for one in state.documents} == {"live", "in every backup", "in the oldest backup"}
    assert max(len(one.versions) for one in state.documents) == backups
    print(f"| first answer | {first:.2f} | {memory.peak_mb():.0f} |")
    print(f"| first document | {found_at:.2f} | {memory.peak_mb():.0f} |")
    documents = f"{backups} backups of {count:,} documents and as many live"
    print(f"| {EVERYTHING}, {documents} | {every:.2f} | {memory.peak_mb():.0f} |")
    files = sorted(store.root.rglob("bookings.bson"))[::GREPPED_OF]
    if files and which("bsondump"):
        print(f"| {GREP} | {GREPPED_OF * sum(limits.grepped(path, WORD).seconds for path in files):.2f} | 0 |")
    print(f"\n{state.step} calls, {state.searched / every / 1000:.0f} thousand documents/s; "
          f"peak memory before {before:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
