"""Speed of the purge: exact delete against the unsafe `_id $in`, on one server, in one run, as a ratio.

    python -m tests.benchmarks.purge [--documents N] [--rounds N] [--latency MILLISECONDS]

Both kinds of server; with a latency also through a slow network. Each round fills the collection again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection

from backups_app.mongo import raw_ids
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.exact_writes import filters, live_documents
from backups_app.mongo.exact_writes.delete import delete_equal
from backups_app.mongo.exact_writes.live_collection import inspect
from tests.benchmarks.data import DOCUMENT_BYTES, fill
from tests.proxy import Proxy

Documents = Collection[dict[str, Any]]
Method = Callable[[Documents, list[bytes]], None]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.purge", description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--latency", type=float, default=0.0)
    options = parser.parse_args()
    print(f"{options.documents:,} documents of {DOCUMENT_BYTES} bytes, 3 indexes, best of {options.rounds}:")
    for kind, replica_set in (("standalone", None), ("one-node replica set", "bench")):
        with (
            tempfile.TemporaryDirectory(prefix="templeops-bench-") as name,
            EmbeddedServer(data_dir=Path(name), replica_set=replica_set, cache_gigabytes=1) as server,
            Proxy(server.address) as network,
        ):
            _compare(kind, server, network, options)


def _compare(kind: str, server: EmbeddedServer, network: Proxy, options: argparse.Namespace) -> None:
    results = {
        method.__name__: max(_speed(method, server, server.uri, options.documents) for _ in range(options.rounds))
        for method in (unsafe_in, exact)
    }
    print(
        f"  {kind:20} exact {results['exact']:7,.0f}/s   unsafe $in {results['unsafe_in']:7,.0f}/s   "
        f"ratio {results['exact'] / results['unsafe_in']:.2f}"
    )
    if options.latency:
        network.latency(options.latency / 2000)
        speed = _speed(exact, server, network.uri, options.documents)
        network.heal()
        print(f"  {kind:20} exact at {options.latency:.0f} ms {speed:7,.0f}/s")


def _speed(method: Method, server: EmbeddedServer, uri: str, documents: int) -> float:
    """Return documents a second."""
    with server.client() as near, MongoClient[dict[str, Any]](uri, w="majority", journal=True) as client:
        near.drop_database("bench")
        fill(near["bench"], collection="bookings", count=documents)
        for field in ("number", "devotee.phone", "updatedAt"):
            near["bench"]["bookings"].create_index(field)
        raw = near["bench"]["bookings"].with_options(codec_options=live_documents.RAW)
        frames = [bytes(document.raw) for document in raw.find()]
        bookings = client["bench"]["bookings"]
        started = time.perf_counter()
        method(bookings, frames)
        seconds = time.perf_counter() - started
        assert near["bench"]["bookings"].count_documents({}) == 0
        return documents / seconds


def exact(bookings: Documents, frames: list[bytes]) -> None:
    """What the product does."""
    live = inspect(collection=bookings)
    for part in _parts(frames, filters.STATEMENT_DOCUMENTS * live.statements_at_once):
        outcome = delete_equal(live=live, frames=part)
        assert len(outcome.deleted) == len(part)


def unsafe_in(bookings: Documents, frames: list[bytes]) -> None:
    """What must never be done: it deletes what was edited meanwhile."""
    for part in _parts(frames, 1000):
        bookings.delete_many(filters.by_ids([raw_ids.id_of(frame) for frame in part]))


def _parts(frames: list[bytes], size: int) -> Iterator[list[bytes]]:
    for start in range(0, len(frames), size):
        yield frames[start : start + size]


if __name__ == "__main__":
    main()
