"""What a sync costs on the line to Atlas, beside a scan of `_id` and `updatedAt` and a full scan.

    python -m tests.benchmarks.sync [--documents N] [--latencies 0,50,200] [--first-only]

Two real servers; the remote one stands behind a proxy that counts every byte (compressed, as on the wire) and delays
it. Each measurement is a process of its own, with its connections open before counting begins; heartbeats are a minute
apart. Round trips are counted by a command listener. Seconds depend on what else the machine does, bytes and round
trips do not. What is measured goes to stderr at once; at the end stdout gets the two tables of `docs/performance.md`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, UpdateOne, monitoring
from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.sync import engine
from backups_app.sync.options import SyncOptions
from tests.benchmarks import memory
from tests.proxy import Proxy

DATABASE, COLLECTION = "bench", "bookings"
AT_ONCE = 20_000
ROW = "{:<44} {:>9} {:>14} {:>8} {:>9} {:>8}"
FIRST, PROOF = "first sync, both sides equal", "a proof: full scan of both sides"
NOTHING, ONE = "**this sync**, nothing changed", "**this sync**, 1 document changed on Atlas"
SPREAD, TOGETHER = "**this sync**, 1 % changed on Atlas, spread", "**this sync**, 1 % changed on Atlas, side by side"
HERE = "**this sync**, 1 % changed here, spread"
DATES = "scan of `_id` and `updatedAt` (then nothing is copied yet)"
FULL = "full scan (then nothing is copied yet)"
FINDS = {ONE: "yes", SPREAD: "yes", TOGETHER: "yes", HERE: "yes", DATES: "**no**", FULL: "yes"}


def main() -> None:
    """Measure and print."""
    if len(sys.argv) > 1 and sys.argv[1] == "measure":
        measure(*sys.argv[2:])
        return
    options = _options()
    with tempfile.TemporaryDirectory(prefix="templeops-sync-bench-") as name:
        folder = Path(name)
        with _server(folder, "local") as local, _server(folder, "atlas") as remote, Proxy(remote.address) as line:
            _fill(local, remote, options.documents)
            own = len(bson.encode(next(_documents(0, 1))))
            say(f"{options.documents:,} documents of about {own} bytes on both sides")
            say(ROW.format("what", "latency", "bytes", "trips", "seconds", "peak MB"))
            bench = Bench(local, remote, line, options.documents)
            latencies = [] if options.first_only else [int(latency) for latency in options.latencies.split(",")]
            bench.run(latencies)
            print("\n".join(bench.tables(latencies, document_bytes=own)))


def say(line: str) -> None:
    """Report how far it is, beside the tables."""
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sync", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--latencies", default="0,50,200", help="round trip times in milliseconds")
    parser.add_argument("--first-only", action="store_true", help="only the first sync and a proof: what memory takes")
    return parser.parse_args()


def _server(folder: Path, name: str) -> EmbeddedServer:
    return EmbeddedServer(data_dir=folder / name, replica_set=name, cache_gigabytes=0.5)


class Measured(NamedTuple):
    """One sync or scan: bytes on the line, commands to the remote server, seconds, peak memory."""

    size: int
    trips: int
    seconds: float
    peak_mb: float


class Bench:
    """The measurements, one after the other, on one pair."""

    def __init__(self, local: EmbeddedServer, remote: EmbeddedServer, line: Proxy, documents: int) -> None:
        self.local, self.remote, self.line, self.documents = local, remote, line, documents
        self.random = random.Random(7)
        self.measured: dict[tuple[str, int], Measured] = {}

    def run(self, latencies: list[int]) -> None:
        """First sync, then every kind of change at every latency, then a proof."""
        one_percent = max(1, self.documents // 100)
        self.show(FIRST, 0, "sync")
        for latency in latencies:
            self.show(NOTHING, latency, "sync")
            self.change(self.remote, [self.documents // 2])
            self.show(ONE, latency, "sync")
            self.change(self.remote, self.random.sample(range(self.documents), one_percent))
            self.show(SPREAD, latency, "sync")
            self.change(self.remote, list(range(one_percent)))
            self.show(TOGETHER, latency, "sync")
            self.change(self.local, self.random.sample(range(self.documents), one_percent))
            self.show(HERE, latency, "sync")
            self.show(DATES, latency, "dates")
            self.show(FULL, latency, "full")
        self.show(PROOF, 0, "exact")

    def tables(self, latencies: list[int], *, document_bytes: int) -> list[str]:
        """Return what was measured as Markdown: the methods side by side, then the goals."""
        lines = [
            "| what | bytes | trips | " + " | ".join(f"s at {latency} ms" for latency in latencies)
            + " | peak MB | finds an edit that bumps no date |",
            "|---|---:|---:|" + "---:|" * len(latencies) + "---:|---|",
        ]  # fmt: skip
        for what in dict.fromkeys(label for label, _ in self.measured):
            rows = [self.measured[key] for key in self.measured if key[0] == what]
            by_latency = {key[1]: one for key, one in self.measured.items() if key[0] == what}
            seconds = " | ".join(f"{by_latency[each].seconds:.1f}" if each in by_latency else "" for each in latencies)
            peak = max(one.peak_mb for one in rows)
            lines.append(
                f"| {what} | {max(one.size for one in rows):,} | {max(one.trips for one in rows)} | {seconds} | "
                f"{peak:.0f} | {FINDS.get(what, '')} |"
            )
        return [*lines, "", *self._goals(document_bytes)]

    def _goals(self, document_bytes: int) -> list[str]:
        changed = max(1, self.documents // 100)
        budget = 1.2 * changed * document_bytes + 100_000
        trips = 20 + 8 * -(-changed // 500)
        lines = ["| goal | measured | |", "|---|---|---|"]

        def check(goal: str, label: str, size: float, trips: float = float("inf")) -> None:
            rows = [one for key, one in self.measured.items() if key[0] == label]
            if rows:
                most, count = max(one.size for one in rows), max(one.trips for one in rows)
                met = "met" if most <= size and count <= trips else "**missed**"
                lines.append(f"| {goal} | {most:,} bytes, {count} trips | {met} |")

        check("nothing changed: ≤ 4 KB and ≤ 6 round trips", NOTHING, 4_096, 6)
        check("1 changed: ≤ 20 KB", ONE, 20_480)
        for label in (SPREAD, TOGETHER, HERE):
            way = label.partition(", 1 % ")[2]
            check(f"1 % {way}: ≤ {budget:,.0f} bytes and ≤ {trips} round trips", label, budget, trips)
        peak = max(one.peak_mb for key, one in self.measured.items() if key[0] not in (DATES, FULL))
        lines.append(f"| memory ≤ 200 MB | {peak:.0f} MB | {'met' if peak <= 200 else '**missed**'} |")
        return lines

    def show(self, label: str, latency: int, what: str) -> None:
        """Measure in a process of its own."""
        self.line.latency(latency / 2_000)
        command = [sys.executable, "-m", "tests.benchmarks.sync", "measure", what, self.local.uri, self.line.uri]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()  # it is connected
        before = self.line.passed_to_server + self.line.passed_to_client
        process.stdin.write("go\n")
        process.stdin.flush()
        result = json.loads(process.stdout.readline())
        passed = self.line.passed_to_server + self.line.passed_to_client - before
        process.communicate("end\n")
        self.line.heal()
        one = Measured(passed, result["trips"], result["seconds"], result["peak_mb"])
        self.measured[label, latency] = one
        seconds, peak = f"{one.seconds:.1f}", f"{one.peak_mb:.0f}"
        say(ROW.format(label, f"{latency} ms", f"{passed:,}", one.trips, seconds, peak))

    def change(self, server: EmbeddedServer, numbers: list[int]) -> None:
        """Edit these documents, without bumping their date."""
        with server.client() as client:
            collection = client[DATABASE][COLLECTION]
            for start in range(0, len(numbers), AT_ONCE):
                part = numbers[start : start + AT_ONCE]
                collection.bulk_write(
                    [UpdateOne({"_id": _id(number)}, {"$inc": {"amount": 0.25}}) for number in part], ordered=False
                )


class Trips(monitoring.CommandListener):
    """Counts what is sent to the remote server."""

    count = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.count += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def measure(what: str, local_uri: str, remote_uri: str) -> None:
    """The child: connect, wait for the word, do it, print one JSON object."""
    trips = Trips()
    options: dict[str, Any] = {"w": "majority", "journal": True, "readConcernLevel": "majority", "tz_aware": True}
    local: MongoClient[Any] = MongoClient(local_uri, **options)
    remote: MongoClient[Any] = MongoClient(
        remote_uri, compressors="zlib", heartbeatFrequencyMS=60_000, event_listeners=[trips], **options
    )
    for client in (local, remote):
        client.admin.command("ping")
    time.sleep(0.5)
    print("connected", flush=True)
    sys.stdin.readline()
    trips.count, started = 0, time.perf_counter()
    WORK[what](local[DATABASE], remote[DATABASE])
    seconds, count = time.perf_counter() - started, trips.count
    print(json.dumps({"seconds": seconds, "trips": count, "peak_mb": memory.peak_mb()}), flush=True)
    sys.stdin.readline()


def _sync(local: Database[Any], remote: Database[Any], **options: Any) -> None:
    report = engine.synchronise(
        local=local,
        remote=remote,
        run_id="bench",
        options=SyncOptions(**options),
        progress=Silent(),
        now=datetime.now(UTC),
    )
    assert not report.unresolved


def _dates(local: Database[Any], remote: Database[Any]) -> None:
    """What a sync by dates must read at least, and it misses every edit that does not bump the date."""
    for _ in remote[COLLECTION].find_raw_batches({}, {"_id": 1, "updatedAt": 1}):
        pass


def _full(local: Database[Any], remote: Database[Any]) -> None:
    for batch in remote[COLLECTION].find_raw_batches({}):
        hashlib.sha256(batch)


WORK: dict[str, Callable[[Database[Any], Database[Any]], None]] = {
    "sync": _sync,
    "exact": lambda local, remote: _sync(local, remote, exact=True),
    "dates": _dates,
    "full": _full,
}


def _fill(local: EmbeddedServer, remote: EmbeddedServer, count: int) -> None:
    for server in (local, remote):
        with server.client() as client:
            for start in range(0, count, AT_ONCE):
                part = [RawBSONDocument(bson.encode(one)) for one in _documents(start, min(count, start + AT_ONCE))]
                client[DATABASE].get_collection(COLLECTION).insert_many(part, ordered=False)


def _id(number: int) -> bson.ObjectId:
    return bson.ObjectId(
        (0x67000000 + number // 50).to_bytes(4, "big") + b"templ" + (number % 2**24).to_bytes(3, "big")
    )


def _documents(start: int, end: int) -> Iterator[dict[str, Any]]:
    """Yield bookings that compress to about a third, as real ones do."""
    for number in range(start, end):
        chance = random.Random(number)
        moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(30_000_000))
        yield {
            "_id": _id(number),
            "number": number,
            "devotee": {
                "name": f"{chance.choice(NAMES)} {chance.choice(NAMES)}",
                "phone": str(chance.randrange(10**10)),
            },
            "ritual": chance.choice(RITUALS),
            "slot": {"hall": chance.choice("ABC"), "at": moment},
            "amount": chance.randrange(100_000) / 4,
            "paid": chance.random() < 0.9,
            "createdAt": moment,
            "updatedAt": moment,
            "receipt": chance.randbytes(48).hex(),
            "notes": " ".join(chance.choices(NAMES, k=22)),
        }


NAMES = (
    "Lakshmi", "Narayanan", "Anand", "Meena", "Ravi", "Ananya", "Govinda", "Sita", "Hari", "Parvati", "Ganesh", "Uma",
)  # fmt: skip
RITUALS = ("Satyanarayana Puja", "Abhishekam", "Archana", "Homam", "Kalyanam")

if __name__ == "__main__":
    main()
