"""A million documents restored and compared, beside mongorestore without a comparison, as a ratio in one run.

    python -m tests.benchmarks.restore [--documents N] [--rounds N]

mongorestore is left out when it is not on PATH.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from pymongo.database import Database

from backups_app.dump import python_dump
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent
from backups_app.restore import plan, preview
from backups_app.restore.choices import Choices, Mode
from backups_app.restore.engine import Engine
from backups_app.restore.source import Source
from backups_app.verification import verdict
from tests.benchmarks.data import DOCUMENT_BYTES, fill

DATABASE = "bench"


def main() -> None:
    """Fill a server, dump it, restore it with both, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.restore", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="templeops-bench-") as name:
        folder = Path(name)
        (folder / "mongod").mkdir()
        with EmbeddedServer(data_dir=folder / "mongod", replica_set="bench") as server, server.client() as client:
            source = _dump(client[DATABASE], server.uri, folder / "dump", options.documents)
            print(f"{options.documents:,} documents of {DOCUMENT_BYTES} bytes, best of {options.rounds}:", flush=True)
            looked = _look(source, client[DATABASE])
            print(f"  a preview over as many live documents: {looked:.1f} s, peak memory {_peak()}", flush=True)
            client.drop_database(DATABASE)
            ours = min(_ours(source, client["ours"]) for _ in range(options.rounds))
            print(
                f"  ours, read, written, compared document by document: {ours:.1f} s, peak memory {_peak()}", flush=True
            )
            if shutil.which("mongorestore") is None:
                print("  mongorestore is not on PATH: no comparison.")
                return
            theirs = min(_theirs(server, folder / "dump", client["theirs"]) for _ in range(options.rounds))
            print(f"  mongorestore, without a comparison: {theirs:.1f} s")
            print(f"  ours / mongorestore: {ours / theirs:.2f}")


def _dump(database: Database[Any], uri: str, folder: Path, count: int) -> Source:
    fill(database, collection="bookings", count=count)
    database["bookings"].create_index("number", name="number_1")
    folder.mkdir(mode=0o700)
    report = python_dump.PythonDump().dump(
        database=database, uri=uri, out=folder, excluded=frozenset(), timeout_seconds=600, progress=Silent()
    )
    found = verdict.verify(folder=folder, database=database.name, report=report, progress=Silent())
    return Source(folder=folder, manifest=found.manifest)


def _peak() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def _look(source: Source, database: Database[Any]) -> float:
    """Half of what is live was edited since: those documents are compared with every unique index and rule, too."""
    middle = database["bookings"].find(sort=[("_id", 1)], skip=source.manifest.documents // 2)[0]
    database["bookings"].update_many({"_id": {"$gt": middle["_id"]}}, {"$set": {"edited": True}})
    choices = Choices(backup_id="20250119_143022", target=database.name, in_place=True, mode=Mode.REPLACE)
    decided = plan.decide(manifest=source.manifest, choices=choices, emptied={})
    began = time.perf_counter()
    shown = preview.make(
        source=source, choices=choices, decided=decided, database=database, server="", confirmation="",
        progress=Silent(),
    )  # fmt: skip
    assert abs(shown.total("replace") - source.manifest.documents // 2) <= 1
    return time.perf_counter() - began


def _ours(source: Source, database: Database[Any]) -> float:
    database.client.drop_database(database.name)
    choices = Choices(backup_id="20250119_143022", target=database.name, in_place=False)
    began = time.perf_counter()
    verdict.recheck(folder=source.folder, manifest=source.manifest, progress=Silent())
    engine = Engine(
        source=source,
        choices=choices,
        database=database,
        before=None,
        release=None,
        progress=Silent(),
    )
    outcome = engine.restore("bookings")
    seconds = time.perf_counter() - began
    assert outcome.complete, outcome
    assert outcome.proven == source.manifest.documents
    return seconds


def _theirs(server: EmbeddedServer, folder: Path, database: Database[Any]) -> float:
    database.client.drop_database(database.name)
    command = ["mongorestore", "--quiet", "--uri", server.uri, "--db", database.name, str(folder / DATABASE)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
