"""What a sync costs on the line to Atlas, beside a scan of `_id` and `updatedAt` and a full scan.

    python -m tests.benchmarks.sync [--documents N] [--latencies 0,50,200]

Two real servers; the remote one stands behind a proxy that counts every byte (compressed, as on the wire) and delays
it. Each measurement is a process of its own, with its connections open before counting begins; heartbeats are a minute
apart. Round trips are counted by a command listener. Seconds depend on what else the machine does, bytes and round
trips do not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, UpdateOne, monitoring
from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.sync import engine
from backups_app.sync.engine import SyncOptions
from tests.proxy import Proxy

DATABASE, COLLECTION = "bench", "bookings"
AT_ONCE = 20_000
ROW = "{:<44} {:>9} {:>14} {:>8} {:>9} {:>8}"


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
            own = bson.encode(next(_documents(0, 1)))
            print(f"{options.documents:,} documents of about {len(own)} bytes on both sides")
            print(ROW.format("what", "latency", "bytes", "trips", "seconds", "peak MB"))
            bench = Bench(local, remote, line, options.documents)
            bench.run([int(latency) for latency in options.latencies.split(",")])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sync", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--latencies", default="0,50,200", help="round trip times in milliseconds")
    return parser.parse_args()


def _server(folder: Path, name: str) -> EmbeddedServer:
    return EmbeddedServer(data_dir=folder / name, replica_set=name, cache_gigabytes=0.5)


class Bench:
    """The measurements, one after the other, on one pair."""

    def __init__(self, local: EmbeddedServer, remote: EmbeddedServer, line: Proxy, documents: int) -> None:
        self.local, self.remote, self.line, self.documents = local, remote, line, documents
        self.random = random.Random(7)

    def run(self, latencies: list[int]) -> None:
        """First sync, then every kind of change at every latency."""
        one_percent = max(1, self.documents // 100)
        self.show("first sync, both sides equal (full scan)", 0, "sync")
        for latency in latencies:
            self.show("this sync: nothing changed", latency, "sync")
            self.change(self.remote, [self.documents // 2])
            self.show("this sync: 1 document changed on Atlas", latency, "sync")
            self.change(self.remote, self.random.sample(range(self.documents), one_percent))
            self.show("this sync: 1 % changed on Atlas, spread", latency, "sync")
            self.change(self.remote, list(range(one_percent)))
            self.show("this sync: 1 % changed on Atlas, together", latency, "sync")
            self.change(self.local, self.random.sample(range(self.documents), one_percent))
            self.show("this sync: 1 % changed here, spread", latency, "sync")
            self.show("scan of _id and updatedAt on Atlas", latency, "dates")
            self.show("full scan of Atlas", latency, "full")
        self.show("proof (full scan of both sides)", 0, "exact")

    def show(self, label: str, latency: int, what: str) -> None:
        """Measure in a process of its own and print one line."""
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
        seconds, peak = f"{result['seconds']:.1f}", f"{result['peak_mb']:.0f}"
        print(ROW.format(label, f"{latency} ms", f"{passed:,}", result["trips"], seconds, peak), flush=True)

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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "trips": count, "peak_mb": peak}), flush=True)
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
                client[DATABASE].get_collection(COLLECTION).insert_many(part, ordered=False)  # type: ignore[arg-type]


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
